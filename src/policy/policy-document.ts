/**
 * The grammar of policy documents.
 *
 * @source IAM User Guide, "Grammar of the IAM JSON policy language"; KMS Developer Guide, "Key policies in AWS KMS"
 */
import { findRepeatedMember } from './repeated-member.ts';
import { parseOperatorName, type ConditionClause } from './condition-operators.ts';
import { ARN_SEGMENTS } from './template.ts';
import { INVALID_PRINCIPALS, isPolicyPrincipal, PRINCIPAL_TYPES, type PrincipalElement } from './principal-element.ts';

/**
 * Where a policy stands, which decides about its elements:
 * - `key`: the policy of a KMS key; `vpcEndpoint`: that of an endpoint: with Principal;
 * - `identity`, `boundary`, `session`: of users and roles: without Principal;
 * - `trust`: who may take a role: with Principal, without Resource, which is the role.
 */
export type PolicyKind = 'key' | 'identity' | 'boundary' | 'session' | 'vpcEndpoint' | 'trust';

/** One statement, as written, with its lists and conditions taken apart. */
export interface Statement {
  readonly sid: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  /** Neither this nor {@link notPrincipal} in policies without principals. */
  readonly principal: PrincipalElement | undefined;
  readonly notPrincipal: PrincipalElement | undefined;
  readonly actions: readonly string[] | undefined;
  readonly notActions: readonly string[] | undefined;
  readonly resources: readonly string[] | undefined;
  readonly notResources: readonly string[] | undefined;
  /** All of them have to hold. */
  readonly conditions: readonly ConditionClause[];
}

/** A document that keeps the grammar of its kind. */
export interface PolicyDocument {
  readonly kind: PolicyKind;
  /** `${…}` is a variable in version 2012-10-17, and plain text in the older one, which is also the default. */
  readonly hasVariables: boolean;
  readonly statements: readonly Statement[];
}

/** The document, or what is wrong with it. */
export type PolicyParseResult =
  { readonly ok: true; readonly policy: PolicyDocument } | { readonly ok: false; readonly problem: string };

class GrammarError extends Error {}

type JsonObject = Readonly<Record<string, unknown>>;

const NEEDS_VENDOR = 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.';
const CURRENT_VERSION = '2012-10-17';
const VERSIONS: readonly unknown[] = [CURRENT_VERSION, '2008-10-17', undefined];
const DOCUMENT_MEMBERS = ['Version', 'Id', 'Statement'];
const STATEMENT_MEMBERS = [
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
];

/** Reads a policy; what is wrong with it is the text of MalformedPolicyDocumentException. */
export function parsePolicyDocument(text: string, kind: PolicyKind): PolicyParseResult {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, problem: 'This policy contains invalid Json' };
  }
  const repeated = findRepeatedMember(text);
  if (repeated !== undefined) {
    return { ok: false, problem: `Policy has the element ${repeated} twice in one object.` };
  }
  try {
    return { ok: true, policy: parseDocument(json, kind) };
  } catch (error) {
    if (error instanceof GrammarError) {
      return { ok: false, problem: error.message };
    }
    throw error;
  }
}

function parseDocument(json: unknown, kind: PolicyKind): PolicyDocument {
  const document = requireObject(json, 'Policy');
  requireKnownMembers(document, DOCUMENT_MEMBERS, 'Policy');
  const version = document['Version'];
  require(VERSIONS.includes(version), 'Policy has an unknown Version.');
  const given = document['Statement'];
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  require(given !== undefined && list.length > 0, 'Policy has no Statement.');
  const statements = list.map((statement) => parseStatement(statement, kind));
  const sids = statements.flatMap(({ sid }) => (sid === undefined || sid === '' ? [] : [sid]));
  require(new Set(sids).size === sids.length, 'Statement IDs (SID) in a single policy must be unique.');
  return { kind, hasVariables: version === CURRENT_VERSION, statements };
}

function parseStatement(json: unknown, kind: PolicyKind): Statement {
  const object = requireObject(json, 'Statement');
  requireKnownMembers(object, STATEMENT_MEMBERS, 'Statement');
  const effect = object['Effect'];
  if (effect !== 'Allow' && effect !== 'Deny') {
    throw new GrammarError('Statement needs an Effect of Allow or Deny.');
  }
  const sid = object['Sid'];
  if (sid !== undefined && typeof sid !== 'string') {
    throw new GrammarError('Sid must be a string.');
  }
  const statement: Statement = {
    sid,
    effect,
    principal: parsePrincipal(object['Principal']),
    notPrincipal: parsePrincipal(object['NotPrincipal']),
    actions: parseStrings(object['Action'], 'Action'),
    notActions: parseStrings(object['NotAction'], 'NotAction'),
    resources: parseStrings(object['Resource'], 'Resource'),
    notResources: parseStrings(object['NotResource'], 'NotResource'),
    conditions: parseConditions(object['Condition']),
  };
  checkPrincipals(statement, kind);
  checkActions(statement, kind);
  checkResources(statement, kind);
  return statement;
}

const isIdentitySide = (kind: PolicyKind): boolean => kind === 'identity' || kind === 'boundary' || kind === 'session';

function checkPrincipals({ principal, notPrincipal }: Statement, kind: PolicyKind): void {
  if (isIdentitySide(kind)) {
    require(principal === undefined && notPrincipal === undefined, 'Policy document should not specify a principal.');
    return;
  }
  require((principal === undefined) !==
    (notPrincipal === undefined), 'Statement needs exactly one of Principal and NotPrincipal.');
  for (const element of [principal, notPrincipal]) {
    if (element !== undefined && element !== '*') {
      require(Object.entries(element).every(isPolicyPrincipal), INVALID_PRINCIPALS);
    }
  }
}

function checkActions({ actions, notActions }: Statement, kind: PolicyKind): void {
  require(actions === undefined || notActions === undefined, 'Statement must not have both Action and NotAction.');
  // A statement of a key policy without Action or Resource is accepted and matches nothing, as AWS does it.
  const given = actions ?? notActions;
  require(given !== undefined || kind === 'key', 'Policy statement must contain actions.');
  require((given ?? []).every((action) => action === '*' || action.includes(':')), NEEDS_VENDOR);
}

/** Whether a text is a whole ARN, or the beginning of one and a star. */
function isResource(text: string): boolean {
  return text === '*' || (text.startsWith('arn:') && (text.split(':').length >= ARN_SEGMENTS || text.endsWith('*')));
}

function checkResources({ resources, notResources }: Statement, kind: PolicyKind): void {
  require(resources === undefined ||
    notResources === undefined, 'Statement must not have both Resource and NotResource.');
  const given = resources ?? notResources;
  if (kind === 'trust') {
    require(given === undefined, 'Has prohibited field Resource');
    return;
  }
  require(given !== undefined || kind === 'key', 'Policy statement must contain resources.');
  for (const resource of given ?? []) {
    require(isResource(resource), `Resource ${resource} must be in ARN format or "*".`);
  }
}

function parsePrincipal(json: unknown): PrincipalElement | undefined {
  if (json === undefined || json === '*') {
    return json;
  }
  const element = requireObject(json, 'Principal');
  requireKnownMembers(element, PRINCIPAL_TYPES, 'Principal');
  return Object.fromEntries(
    Object.entries(element).map(([type, value]) => [type, parseStrings(value, 'Principal') ?? []]),
  );
}

function parseConditions(json: unknown): readonly ConditionClause[] {
  if (json === undefined) {
    return [];
  }
  return Object.entries(requireObject(json, 'Condition')).flatMap(([name, keys]) => {
    const operator = parseOperatorName(name);
    if (operator === undefined) {
      throw new GrammarError(`Invalid Condition type : ${name}.`);
    }
    return Object.entries(requireObject(keys, 'Condition')).map(([key, value]) => {
      require(key.includes(':'), NEEDS_VENDOR);
      return { operator, key: key.toLowerCase(), values: parseConditionValues(value) };
    });
  });
}

/** Numbers and booleans may stand as such, and mean their text. */
function parseConditionValues(json: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(json) ? json : [json];
  return values.map((value) => {
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw new GrammarError('A value of a Condition must be a string, a number or a boolean.');
    }
    return String(value);
  });
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

function requireKnownMembers(object: JsonObject, known: readonly string[], element: string): void {
  const unknown = Object.keys(object).find((member) => !known.includes(member));
  require(unknown === undefined, `${element} has the unknown element ${unknown ?? ''}.`);
}

/** @throws GrammarError with `problem` */
function require(isMet: boolean, problem: string): void {
  if (!isMet) {
    throw new GrammarError(problem);
  }
}
