/**
 * Whether a request may be done, from all policies and grants that are about it.
 *
 * What is implemented, by the pages of the IAM User Guide and the KMS Developer Guide that say so:
 * - "How AWS enforcement code logic evaluates requests to allow or deny access": a Deny in any policy wins. In one
 *   account, a resource policy that names a user, a session or everyone allows by itself, and neither permissions
 *   boundary nor session policy limit that; one that names the role of a session (or the user who issued a federated
 *   session) allows as far as boundary and session policy do too.
 * - "Cross-account policy evaluation logic": another account's caller needs the resource policy and the policies of its
 *   own account, with their limits.
 * - "Key policies in AWS KMS": a key policy is always there, and identity policies count only where it names the
 *   account. That also holds for the root user, to whom identity policies, boundaries and sessions allow everything.
 * - "Grants in AWS KMS": a grant allows as a key policy does that names the grantee, also to another account.
 * - "Control access to VPC endpoints using endpoint policies": the endpoint's policy has to allow everything that comes
 *   through it.
 */
import type { CompiledPolicy, PolicyRequest, StatementReference, Verdict } from './compile.ts';
import type { ConditionValues } from './condition-values.ts';
import type { Grant } from './grant.ts';
import { matchGrants, type GrantSubject } from './grant-matching.ts';
import type { PrincipalMatch } from './principal-element.ts';

/** Policies that are about a caller, a resource and the way between them. */
export interface PolicySet {
  /** The key policy, or the trust policy of a role; undefined for actions and resources without one. */
  readonly resource: CompiledPolicy | undefined;
  /** Of the user with its groups, or of the role. */
  readonly identity: readonly CompiledPolicy[];
  readonly boundary: CompiledPolicy | undefined;
  /** What was given when the session was made; empty for a session without, and for other callers. */
  readonly session: readonly CompiledPolicy[];
  /** Of the endpoint that the request came through. */
  readonly vpcEndpoint: CompiledPolicy | undefined;
}

/** A request, with what else the decision about it depends on. */
export interface AccessQuestion extends PolicyRequest, GrantSubject {
  /** What the caller's own policies see, where that is more than `values`. */
  readonly callerValues?: ConditionValues | undefined;
  /** The account that owns the resource. */
  readonly resourceAccountId: string;
  /** Grants on the key that may be about the request. */
  readonly grants?: readonly Grant[];
}

/** A kind of policy, as AWS names it in refusals. */
export type PolicyType =
  'identity-based policy' | 'permissions boundary' | 'session policy' | 'resource-based policy' | 'VPC endpoint policy';

/** The policy and the statement that decided. */
export interface DecidingPolicy {
  readonly type: PolicyType;
  readonly policyName: string | undefined;
  readonly statement: StatementReference;
}

/** What let a request in; the root user needs no identity policy. */
export type Permission =
  DecidingPolicy | { readonly type: 'grant'; readonly grant: Grant } | { readonly type: 'root user' };

/** The answer, with what it rests on. */
export type AccessDecision =
  | { readonly effect: 'allow'; readonly by: Permission }
  | {
      readonly effect: 'deny';
      /** The statement that denies; undefined when none allows. */
      readonly by: DecidingPolicy | undefined;
      /**
       * Ends the sentence "User … is not authorized to perform … on resource …".
       *
       * @source IAM User Guide, "Troubleshoot access denied error messages"
       */
      readonly reason: string;
    };

/** What the policies of one type say together. */
export interface Opinion {
  readonly type: PolicyType;
  /** Whether there is a policy of this type. */
  readonly isGiven: boolean;
  readonly policyName: string | undefined;
  readonly verdict: Verdict;
}

/** What all policies about a request say; those of the caller are left aside for the root user. */
export interface Opinions {
  readonly resource: Opinion;
  readonly identity: Opinion;
  readonly boundary: Opinion;
  readonly session: Opinion;
  readonly vpcEndpoint: Opinion;
}

/**
 * Decides about one request.
 *
 * @param policies all that are about the request; the caller's own ones are left aside for the root user
 */
export function decide(question: AccessQuestion, policies: PolicySet): AccessDecision {
  const opinions = consultAll(question, policies);
  const { identity, boundary, session, resource, vpcEndpoint } = opinions;
  for (const { type, policyName, verdict } of [identity, boundary, session, resource, vpcEndpoint]) {
    if (verdict.effect === 'deny') {
      const by = { type, policyName, statement: verdict.statement };
      const reason = isSecret(question, opinions)
        ? whyNot(resource, question)
        : `with an explicit deny in ${ARTICLES[type]} ${type}`;
      return { effect: 'deny', by, reason };
    }
  }
  return findPermission(question, policies, opinions);
}

/** What each type of policy says by itself, before they are weighed against each other. */
export function consultAll(question: AccessQuestion, policies: PolicySet): Opinions {
  const isRoot = question.principal.kind === 'root';
  const ofCaller = (given: readonly CompiledPolicy[]): readonly CompiledPolicy[] => (isRoot ? [] : given);
  const asked = question.callerValues === undefined ? question : { ...question, values: question.callerValues };
  const identity = consult('identity-based policy', ofCaller(policies.identity), asked);
  const boundary = consult('permissions boundary', ofCaller(listOf(policies.boundary)), asked);
  const session = consult('session policy', ofCaller(policies.session), asked);
  const resource = consult('resource-based policy', listOf(policies.resource), question, boundary.isGiven);
  const vpcEndpoint = consult('VPC endpoint policy', listOf(policies.vpcEndpoint), question);
  return { identity, boundary, session, resource, vpcEndpoint };
}

/**
 * Whether the reason must not depend on what the caller's side says: a resource of another account that does not let
 * the caller in is refused like one that is not there, which has no reason but that.
 */
function isSecret(question: AccessQuestion, { resource }: Opinions): boolean {
  return isOfAnotherAccount(question) && resource.verdict.effect !== 'allow';
}

const ARTICLES: Readonly<Record<PolicyType, string>> = {
  'identity-based policy': 'an',
  'permissions boundary': 'a',
  'session policy': 'a',
  'resource-based policy': 'a',
  'VPC endpoint policy': 'a',
};

const listOf = (policy: CompiledPolicy | undefined): readonly CompiledPolicy[] =>
  policy === undefined ? [] : [policy];

/** The first Deny among policies of one type, or else the first Allow. */
function consult(
  type: PolicyType,
  policies: readonly CompiledPolicy[],
  request: PolicyRequest,
  isBounded = false,
): Opinion {
  let opinion: Opinion = { type, isGiven: policies.length > 0, policyName: undefined, verdict: { effect: 'none' } };
  for (const policy of policies) {
    const verdict = policy.evaluate(request, isBounded);
    if (verdict.effect === 'deny' || (verdict.effect === 'allow' && opinion.verdict.effect === 'none')) {
      opinion = { type, isGiven: true, policyName: policy.name, verdict };
    }
    if (verdict.effect === 'deny') {
      break;
    }
  }
  return opinion;
}

/** Tries the resource policy, then the grants; how they name the caller tells which other policies have to agree. */
function findPermission(question: AccessQuestion, policies: PolicySet, opinions: Opinions): AccessDecision {
  const { resource, identity, vpcEndpoint } = opinions;
  if (isWithheld(vpcEndpoint)) {
    return deniedFor(isSecret(question, opinions) ? resource : vpcEndpoint, question);
  }
  const isForeign = isOfAnotherAccount(question);
  const isOwnersChoice = policies.resource === undefined && !isForeign;
  const names = resource.verdict.effect === 'allow' ? resource.verdict.names : isOwnersChoice ? 'account' : undefined;
  let missing = names === undefined ? resource : findMissing(isForeign ? 'account' : names, question, opinions);
  if (missing === undefined) {
    return { effect: 'allow', by: names === 'account' ? permissionOf(identity) : permissionOf(resource) };
  }
  for (const { grant, names: granted } of matchGrants(question.grants ?? [], question, question)) {
    const lacking = findMissing(granted, question, opinions);
    if (lacking === undefined) {
      return { effect: 'allow', by: { type: 'grant', grant } };
    }
    missing = missing === resource ? lacking : missing;
  }
  return deniedFor(missing, question);
}

/** Services and identity providers are of no account. */
function isOfAnotherAccount({ principal, resourceAccountId }: AccessQuestion): boolean {
  return principal.kind !== 'service' && principal.kind !== 'provider' && principal.accountId !== resourceAccountId;
}

/** Of the caller's own policies, the first that has to allow and does not. */
function findMissing(
  names: NonNullable<PrincipalMatch>,
  { principal }: AccessQuestion,
  { identity, boundary, session }: Opinions,
): Opinion | undefined {
  if (names === 'self' || principal.kind === 'root') {
    return undefined;
  }
  if (names === 'account' && identity.verdict.effect !== 'allow') {
    return identity;
  }
  return [boundary, session].find(isWithheld);
}

/** Whether a policy that sets limits does not allow. */
function isWithheld({ isGiven, verdict }: Opinion): boolean {
  return isGiven && verdict.effect !== 'allow';
}

function permissionOf({ type, policyName, verdict }: Opinion): Permission {
  return verdict.effect === 'allow'
    ? { type, policyName, statement: verdict.statement }
    : // Nothing but the root user gets along without a policy.
      { type: 'root user' };
}

function deniedFor(opinion: Opinion, question: AccessQuestion): AccessDecision {
  return { effect: 'deny', by: undefined, reason: whyNot(opinion, question) };
}

function whyNot({ type }: Opinion, { action }: AccessQuestion): string {
  return `because no ${type} allows the ${action} action`;
}
