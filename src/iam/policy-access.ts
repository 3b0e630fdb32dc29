import { principalUniqueId, type Caller } from '../base/caller.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { CompiledPolicy, Verdict } from '../policy/compile.ts';
import type { ConditionValues } from '../policy/condition-values.ts';
import {
  consultAll,
  decide,
  type AccessDecision,
  type AccessQuestion,
  type Opinions,
  type PolicySet,
} from '../policy/decide.ts';
import type { Grant } from '../policy/grant.ts';
import { matchParty } from '../policy/grant-matching.ts';
import type { Principal } from '../policy/principal.ts';
import type { PrincipalMatch } from '../policy/principal-element.ts';
import type { AccessControl, AccessRequest, Decision } from '../service/ports.ts';
import { loadCaller, type CallerPolicies } from './caller-policies.ts';
import type { Identities } from './identities.ts';
import type { LoadedPrincipal } from './loaded-principal.ts';

/** A question about a role: who may assume it. */
export type TrustQuestion = Pick<AccessRequest, 'caller' | 'action' | 'values' | 'endpointPolicy'> & {
  readonly role: LoadedPrincipal;
};

/** A decision with everything that was said about it. */
export interface Examination {
  readonly decision: AccessDecision;
  readonly opinions: Opinions;
}

/**
 * Decides by key policies, identity policies, permissions boundaries, session policies, endpoint policies and grants.
 * All of them were compiled before, by what stored or loaded them.
 */
export class PolicyAccess implements AccessControl {
  readonly #identities: Identities;
  readonly #callers = new WeakMap<Caller, CallerPolicies>();

  constructor(identities: Identities) {
    this.#identities = identities;
  }

  describe(caller: Caller): MaybePromise<Principal> {
    return chain(this.#policiesOf(caller), ({ principal }) => principal);
  }

  decide(request: AccessRequest): MaybePromise<Decision> {
    return chain(this.explain(request), toDecision);
  }

  /** As {@link decide}, with the policy and the statement that decided. */
  explain(request: AccessRequest): MaybePromise<AccessDecision> {
    return chain(this.#policiesOf(request.caller), (policies) =>
      chain(aliasesOf(request, policies), (aliases) => this.#explain(request, policies, aliases)),
    );
  }

  decideOnRetirement(request: AccessRequest, grant: Grant): MaybePromise<Decision> {
    return chain(this.#policiesOf(request.caller), (policies) => {
      // The key policy has no say. The grant takes its place, as a policy of the caller's own account: it names who may
      // retire it, and boundary, session and endpoint limit them as they do elsewhere.
      const ofCaller: AccessRequest = {
        ...request,
        resourcePolicy: retirementPolicy(grant, policies.principal),
        resourceAccountId: request.caller.accountId,
        findGrants: undefined,
      };
      return chain(aliasesOf(ofCaller, policies), (aliases) =>
        chain(this.#explain(ofCaller, policies, aliases), toDecision),
      );
    });
  }

  /** Whether a caller may do something with a role, which its trust policy is about. */
  async decideOnTrust({ role, ...question }: TrustQuestion): Promise<Decision> {
    const request: AccessRequest = {
      ...question,
      resourceArn: role.record.arn,
      resourceAccountId: role.record.accountId,
      resourcePolicy: role.trust,
    };
    return toDecision(await this.explain(request));
  }

  /** As {@link explain}, with what each type of policy says by itself; for simulations. */
  examine(request: AccessRequest): MaybePromise<Examination> {
    return chain(this.#policiesOf(request.caller), (policies) =>
      chain(aliasesOf(request, policies), (aliases) => {
        const { question, set } = gather(request, policies, aliases);
        const opinions = consultAll(question, set);
        return chain(this.#explain(request, policies, aliases), (decision) => ({ decision, opinions }));
      }),
    );
  }

  #explain(
    request: AccessRequest,
    policies: CallerPolicies,
    aliases: readonly string[] | undefined,
  ): MaybePromise<AccessDecision> {
    const { findGrants } = request;
    const { question, set } = gather(request, policies, aliases);
    const decision = decide(question, set);
    // Grants are looked for only where policies do not allow; a Deny beats them too.
    if (decision.effect === 'allow' || decision.by !== undefined || findGrants === undefined) {
      return decision;
    }
    return chain(findGrants(...policies.parties), (grants) =>
      grants.length === 0 ? decision : decide({ ...question, grants }, set),
    );
  }

  #policiesOf(caller: Caller): MaybePromise<CallerPolicies> {
    // The root user has no record to look for, and would be looked for in vain each time.
    const found = caller.arn.endsWith(':root') ? undefined : this.#identities.load(principalUniqueId(caller));
    return chain(found, (loaded) => {
      const known = this.#callers.get(caller);
      if (known !== undefined && known.loaded === loaded) {
        return known;
      }
      const policies = loadCaller(caller, loaded);
      this.#callers.set(caller, policies);
      return policies;
    });
  }
}

/** The question, and the policies that are about it. */
function gather(
  request: AccessRequest,
  policies: CallerPolicies,
  aliases: readonly string[] | undefined,
): { readonly question: AccessQuestion; readonly set: PolicySet } {
  const values = valuesOf(request, policies);
  const question = {
    principal: policies.principal,
    action: request.action,
    resource: request.resourceArn,
    resourceAccountId: request.resourceAccountId,
    values,
    callerValues: aliases === undefined ? undefined : withAliases(values, aliases),
    encryptionContext: request.encryptionContext,
    newGrant: request.newGrant,
  };
  const set: PolicySet = {
    resource: request.resourcePolicy,
    identity: policies.identity,
    boundary: policies.boundary,
    session: policies.session,
    vpcEndpoint: request.endpointPolicy,
  };
  return { question, set };
}

const ALLOW: Decision = { effect: 'allow' };

function toDecision(decision: AccessDecision): Decision {
  return decision.effect === 'allow' ? ALLOW : { effect: 'deny', reason: decision.reason };
}

/** The values of the request and those of the caller; a value of the caller cannot be said by anyone else. */
function valuesOf(request: AccessRequest, { values }: CallerPolicies): ConditionValues {
  return { get: (key) => values.get(key) ?? request.values.get(key) };
}

/** The aliases of the key, where a policy of the caller asks for them. */
function aliasesOf(
  { findAliases }: AccessRequest,
  { asksForAliases }: CallerPolicies,
): MaybePromise<readonly string[] | undefined> {
  return asksForAliases ? findAliases?.() : undefined;
}

/** Only policies of principals can ask for aliases: one who may name keys could else let others in by a name. */
function withAliases(values: ConditionValues, aliases: readonly string[]): ConditionValues {
  return { get: (key) => (key === 'kms:resourcealiases' ? aliases : values.get(key)) };
}

/**
 * Who may retire a grant, as a policy: its retiring party, its grantee when it has RetireGrant, and the principals to
 * whom the account that issued it, or whose principal may retire it, leaves that by its own policies.
 */
function retirementPolicy(grant: Grant, caller: Principal): CompiledPolicy {
  const { retiring, grantee, operations } = grant;
  const matches: readonly PrincipalMatch[] = [
    retiring && matchParty(retiring, caller),
    operations.includes('RetireGrant') ? matchParty(grantee, caller) : undefined,
    isAccountsGrant(grant, caller) ? 'account' : undefined,
  ];
  const names = (['self', 'issuer', 'account'] as const).find((match) => matches.includes(match));
  const verdict: Verdict =
    names === undefined ? { effect: 'none' } : { effect: 'allow', statement: { index: 0, sid: undefined }, names };
  return { kind: 'key', name: undefined, evaluate: () => verdict };
}

/** Whether the account that issued the grant, or whose principal may retire it, can delegate that by its policies. */
function isAccountsGrant({ issuingAccountId, retiring }: Grant, { kind, accountId }: Principal): boolean {
  return (
    kind !== 'service' &&
    (issuingAccountId === accountId || (retiring?.kind === 'principal' && retiring.name.split(':')[4] === accountId))
  );
}
