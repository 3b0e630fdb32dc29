/**
 * Questions about access that are only asked: who may do what, and which statement says so. They go the way of real
 * requests from the authorization step on.
 */
import type { Caller } from '../base/caller.ts';
import { callerOf, rootOf } from '../iam/identities.ts';
import { sessionArn } from '../iam/principal-names.ts';
import type { Examination } from '../iam/policy-access.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type { ConditionValue } from '../policy/condition-values.ts';
import { partyId } from '../policy/grant.ts';
import { parsePolicyDocument } from '../policy/policy-document.ts';
import type { PrincipalRecord } from '../base/stored-records.ts';
import { accessDenied, describeAccess, findRefusal } from '../service/authorize.ts';
import { CONDITION_KEYS } from '../service/condition-keys.ts';
import { openGrantTokens } from '../service/grants.ts';
import { showPrincipals } from '../service/principal-names.ts';
import { OPERATIONS, type OperationName } from '../service/registry.ts';
import type { RequestContext, RequestOrigin, Target } from '../service/target.ts';
import type { Engine } from './engine.ts';

/** What is asked, apart from who. */
export interface SimulatedRequest {
  /** `kms:` and an action of {@link isSimulated}. */
  readonly action: `kms:${string}`;
  readonly region: string;
  /** The key that the request is about; undefined for actions without one. */
  readonly key: KmsKey | undefined;
  /** The alias by which the request names the key. */
  readonly requestAlias?: string | undefined;
  readonly encryptionContext?: Readonly<Record<string, string>> | undefined;
  /** Values of the request by condition key, in lower case; they go before those that follow from the rest. */
  readonly values: ReadonlyMap<string, ConditionValue>;
  readonly origin: RequestOrigin;
  readonly grantTokens: readonly string[];
}

/** An answer, with everything that was said about it. */
export interface SimulatedAnswer extends Examination {
  readonly caller: Caller;
  readonly resourceArn: string;
  /** What a denied caller reads; undefined when it is allowed. */
  readonly message: string | undefined;
}

/** Condition keys whose values follow from the caller, the key or the encryption context, and from nothing else. */
const DERIVED = /^(?:aws:(?:principal.*|userid|username)|kms:(?:calleraccount|resourcealiases|encryptioncontext.*))$/;

/** Whether a value of this condition key, in lower case, can be given with a simulated request. */
export function canBeGiven(conditionKey: string): boolean {
  return !DERIVED.test(conditionKey);
}

/** Whether an action can be simulated: all but RetireGrant, which the grant itself decides about. */
export function isSimulated(action: string): action is `kms:${string}` {
  const operation = operationOf(action);
  return operation !== undefined && operation !== 'RetireGrant';
}

/** Whether an action is on a key, so that a question about it needs one. */
export function isOnKey(action: string): boolean {
  const operation = operationOf(action);
  return operation !== undefined && CONDITION_KEYS[operation].includes('kms:ResourceAliases');
}

/** Whether a request of an action has an encryption context, or the constraint of a grant that counts as one. */
export function takesContext(action: string): boolean {
  const operation = operationOf(action);
  return operation !== undefined && CONDITION_KEYS[operation].includes('kms:EncryptionContextKeys');
}

const ACTION = /^kms:(\w+)$/;

function operationOf(action: string): OperationName | undefined {
  const name = ACTION.exec(action)?.[1] ?? '';
  if (name === 'ReEncryptFrom' || name === 'ReEncryptTo') {
    return 'ReEncrypt';
  }
  return Object.hasOwn(OPERATIONS, name) && name !== 'ReEncrypt' ? (name as OperationName) : undefined;
}

/**
 * What the service would decide about a request of `caller`.
 *
 * @throws KmsServiceError InvalidGrantTokenException
 */
export async function simulateAccess(
  engine: Engine,
  caller: Caller,
  request: SimulatedRequest,
): Promise<SimulatedAnswer> {
  const { action, region, key, requestAlias, values, origin } = request;
  const target: Target = {
    action,
    resourceArn: key?.arn ?? '*',
    resourceAccountId: key?.accountId ?? caller.accountId,
    ...(key === undefined ? {} : { key }),
    ...(requestAlias === undefined ? {} : { requestAlias }),
  };
  const context: RequestContext = { caller, region, requestId: '', origin, nowMs: engine.nowMs() };
  const grantReferences = await openGrantTokens({ region, tokens: engine.ports.tokens }, request.grantTokens);
  const asked = { context, input: membersOf(request), grantReferences, attested: {} };
  const question = await describeAccess(engine.ports, asked, target, [target]);
  const examined = await engine.access.examine({
    ...question,
    values: { get: (name) => values.get(name) ?? question.values.get(name) },
  });
  const refusal = findRefusal(OPERATIONS[operationOf(action) ?? 'DescribeKey'], context, target);
  const decision =
    refusal === undefined ? examined.decision : ({ effect: 'deny', by: undefined, reason: refusal } as const);
  const message = decision.effect === 'deny' ? accessDenied(context, target, decision.reason).message : undefined;
  return { caller, resourceArn: target.resourceArn, decision, opinions: examined.opinions, message };
}

/** The members of a request that grants look at too; all other values can be given as they are. */
function membersOf({ encryptionContext: context, values }: SimulatedRequest): unknown {
  const operations = values.get('kms:grantoperations');
  const type = values.get('kms:grantconstrainttype') === 'EncryptionContextEquals' ? 'Equals' : 'Subset';
  const source = values.get('kms:grantconstraintsourcearn');
  const constraints = {
    ...(context === undefined ? {} : { [`EncryptionContext${type}`]: context }),
    ...(source === undefined ? {} : { SourceArn: source }),
  };
  return {
    EncryptionContext: context,
    SourceEncryptionContext: context,
    DestinationEncryptionContext: context,
    Operations: typeof operations === 'string' ? [operations] : operations,
    Constraints: Object.keys(constraints).length === 0 ? undefined : constraints,
  };
}

const PRINCIPAL_ARN = /^arn:aws[a-z-]*:(iam|sts)::(\d{12}):(root|user|role|assumed-role)(?:\/([^/]+))?(?:\/([^/]+))?$/;
/** Of the session that stands for a role itself. */
const SESSION_NAME = 'simulation';

/**
 * Somebody who could send a request: a root user, a user, a role (by a session of it), a session or a service, as
 * policies name them.
 *
 * @param name ARN, account id, unique id of a user or role, or DNS name of a service
 * @returns undefined when the store has no such principal
 */
export async function findCaller(engine: Engine, name: string): Promise<Caller | undefined> {
  const { identities } = engine;
  if (/^\d{12}$/.test(name)) {
    return rootOf(name);
  }
  const match = PRINCIPAL_ARN.exec(name);
  if (match === null) {
    // Several accounts may run the same service; policies do not tell them apart.
    const isService = ({ kind, name: known }: PrincipalRecord): boolean => kind === 'service' && known === name;
    const found = (await identities.find(name)) ?? (await identities.list()).find(isService);
    return found === undefined
      ? undefined
      : found.kind === 'role'
        ? sessionOf(engine, found, SESSION_NAME)
        : callerOf(found);
  }
  const [, service, accountId = '', kind, principal = '', session] = match;
  if (kind === 'root') {
    return rootOf(accountId);
  }
  const isSession = service === 'sts' && kind === 'assumed-role' && session !== undefined;
  if (!isSession && (service !== 'iam' || session !== undefined || kind === 'assumed-role')) {
    return undefined;
  }
  const found = await identities.findByName({ accountId, kind: kind === 'user' ? 'user' : 'role', name: principal });
  return found?.kind === 'role' ? sessionOf(engine, found, session ?? SESSION_NAME) : found && callerOf(found);
}

/** A session without tags, source identity and policy of its own. */
function sessionOf(
  engine: Engine,
  { accountId, arn, name, uniqueId }: { accountId: string; arn: string; name: string; uniqueId: string },
  sessionName: string,
): Caller {
  return {
    accountId,
    arn: sessionArn(accountId, name, sessionName),
    principalId: `${uniqueId}:${sessionName}`,
    session: {
      issuerArn: arn,
      policy: undefined,
      tags: new Map(),
      transitiveTagKeys: [],
      sourceIdentity: undefined,
      issuedMs: engine.nowMs(),
    },
  };
}

/** One line of the answer to "who can". */
export interface Candidate {
  /** As policies name it. */
  readonly principal: string;
  /** Undefined for a principal that is named and not in the store: nobody can call as it. */
  readonly answer: SimulatedAnswer | undefined;
}

/**
 * Everybody of the key's account, everybody whom the key policy or a grant of the key names, and those of other
 * accounts who are allowed; each with the answer for this request.
 */
export async function findWhoCan(
  engine: Engine,
  request: SimulatedRequest & { readonly key: KmsKey },
): Promise<Candidate[]> {
  const { key } = request;
  const named = await namesOf(engine, key);
  const stored = await engine.identities.list();
  const accounts = new Set([key.accountId, ...stored.map(({ accountId }) => accountId)]);
  const principals = new Map<string, string>();
  for (const account of accounts) {
    principals.set(rootOf(account).arn, account);
  }
  for (const { arn, accountId } of stored) {
    principals.set(arn, accountId);
  }
  for (const name of named) {
    principals.set(name, principals.get(name) ?? '');
  }
  const candidates: Candidate[] = [];
  for (const [principal, accountId] of principals) {
    const caller = await findCaller(engine, principal);
    const answer = caller && (await simulateAccess(engine, caller, request));
    if (accountId === key.accountId || named.has(principal) || answer?.decision.effect === 'allow') {
      candidates.push({ principal, answer });
    }
  }
  return candidates;
}

const GRANTS_PER_PAGE = 1000;

/** The principals that the key policy and the grants of a key name, accounts as their root users. */
async function namesOf(engine: Engine, key: KmsKey): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  const parsed = parsePolicyDocument(await showPrincipals(key.policy.text, engine.ports.principals), 'key');
  for (const { principal, notPrincipal } of parsed.ok ? parsed.policy.statements : []) {
    for (const element of [principal, notPrincipal]) {
      if (element !== undefined && element !== '*') {
        [...(element['AWS'] ?? []), ...(element['Service'] ?? [])].forEach((name) => names.add(name));
      }
    }
  }
  for (let after: string | undefined; ;) {
    const filter = { keyId: key.keyId };
    const page = await engine.ports.grants.list(key.region, filter, { after, limit: GRANTS_PER_PAGE });
    for (const { grantee } of page.items) {
      names.add(grantee.kind === 'service' ? grantee.name : await engine.ports.principals.show(partyId(grantee)));
    }
    if (!page.isTruncated) {
      break;
    }
    after = page.items.at(-1)?.grantId;
  }
  names.delete('*');
  return new Set([...names].map((name) => (/^\d{12}$/.test(name) ? rootOf(name).arn : name)));
}
