/**
 * The grammar of policy documents, as far as storing one needs it.
 *
 * @source IAM User Guide, "Grammar of the IAM JSON policy language"
 */

/** `*` stands for everyone; otherwise lists by kind of principal (`AWS`, `Service`, `Federated`, `CanonicalUser`). */
export type PrincipalElement = '*' | Readonly<Record<string, readonly string[]>>;

export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly principal: PrincipalElement | undefined;
  readonly notPrincipal: PrincipalElement | undefined;
  readonly actions: readonly string[] | undefined;
  readonly notActions: readonly string[] | undefined;
  readonly hasCondition: boolean;
}

export interface PolicyDocument {
  readonly statements: readonly Statement[];
}

export type PolicyParseResult =
  { readonly ok: true; readonly policy: PolicyDocument } | { readonly ok: false; readonly problem: string };

class GrammarError extends Error {}

type JsonObject = Readonly<Record<string, unknown>>;

const DOCUMENT_MEMBERS = new Set(['Version', 'Id', 'Statement']);
const VERSIONS = new Set(['2012-10-17', '2008-10-17']);
const STATEMENT_MEMBERS = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]);
const PRINCIPAL_KINDS = new Set(['AWS', 'Service', 'Federated', 'CanonicalUser']);

export function parsePolicyDocument(text: string): PolicyParseResult {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, problem: 'Policy is not valid JSON.' };
  }
  try {
    return { ok: true, policy: parseDocument(json) };
  } catch (error) {
    if (error instanceof GrammarError) {
      return { ok: false, problem: error.message };
    }
    throw error;
  }
}

function parseDocument(json: unknown): PolicyDocument {
  const document = requireObject(json, 'Policy');
  requireKnownMembers(document, DOCUMENT_MEMBERS, 'Policy');
  const version = document['Version'];
  if (version !== undefined && (typeof version !== 'string' || !VERSIONS.has(version))) {
    throw new GrammarError('Policy has an unknown Version.');
  }
  const given = document['Statement'];
  const statements: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (given === undefined || statements.length === 0) {
    throw new GrammarError('Policy has no Statement.');
  }
  return { statements: statements.map(parseStatement) };
}

function parseStatement(json: unknown): Statement {
  const statement = requireObject(json, 'Statement');
  requireKnownMembers(statement, STATEMENT_MEMBERS, 'Statement');
  const effect = statement['Effect'];
  if (effect !== 'Allow' && effect !== 'Deny') {
    throw new GrammarError('Statement needs an Effect of Allow or Deny.');
  }
  const principal = parsePrincipal(statement['Principal']);
  const notPrincipal = parsePrincipal(statement['NotPrincipal']);
  if ((principal === undefined) === (notPrincipal === undefined)) {
    throw new GrammarError('Statement needs exactly one of Principal and NotPrincipal.');
  }
  for (const [one, other] of [
    ['Action', 'NotAction'],
    ['Resource', 'NotResource'],
  ] as const) {
    if (statement[one] !== undefined && statement[other] !== undefined) {
      throw new GrammarError(`Statement must not have both ${one} and ${other}.`);
    }
  }
  // A statement without Action or Resource is accepted and matches nothing, as AWS does it.
  parseStrings(statement['Resource'], 'Resource');
  parseStrings(statement['NotResource'], 'NotResource');
  const condition = statement['Condition'];
  if (condition !== undefined) {
    requireObject(condition, 'Condition');
  }
  return {
    effect,
    principal,
    notPrincipal,
    actions: parseStrings(statement['Action'], 'Action'),
    notActions: parseStrings(statement['NotAction'], 'NotAction'),
    hasCondition: condition !== undefined && Object.keys(condition as JsonObject).length > 0,
  };
}

function parsePrincipal(json: unknown): PrincipalElement | undefined {
  if (json === undefined || json === '*') {
    return json;
  }
  const element = requireObject(json, 'Principal');
  const kinds = Object.entries(element).map(([kind, value]) => {
    if (!PRINCIPAL_KINDS.has(kind)) {
      throw new GrammarError(`Principal has the unknown kind ${kind}.`);
    }
    return [kind, parseStrings(value, 'Principal') ?? []] as const;
  });
  return Object.fromEntries(kinds);
}

function parseStrings(json: unknown, element: string): readonly string[] | undefined {
  if (json === undefined) {
    return undefined;
  }
  const values: readonly unknown[] = Array.isArray(json) ? json : [json];
  if (!values.every((value): value is string => typeof value === 'string')) {
    throw new GrammarError(`${element} must be a string or a list of strings.`);
  }
  return values;
}

function requireObject(json: unknown, element: string): JsonObject {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new GrammarError(`${element} must be an object.`);
  }
  return json as JsonObject;
}

function requireKnownMembers(object: JsonObject, known: ReadonlySet<string>, element: string): void {
  const unknown = Object.keys(object).find((member) => !known.has(member));
  if (unknown !== undefined) {
    throw new GrammarError(`${element} has the unknown element ${unknown}.`);
  }
}
