import { principalUniqueId, type Caller } from '../base/caller.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { PrincipalRecord } from '../base/stored-records.ts';
import { compilePolicy, type CompiledPolicy } from '../policy/compile.ts';
import type { ConditionValues } from '../policy/condition-values.ts';
import {
  consultAll,
  decide,
  type AccessDecision,
  type AccessQuestion,
  type Opinions,
  type PolicySet,
} from '../policy/decide.ts';
import type { Grant, GrantParty } from '../policy/grant.ts';
import { parsePolicyDocument, type PolicyKind } from '../policy/policy-document.ts';
import { principalOf, principalValues, type Principal } from '../policy/principal.ts';
import type { AccessControl, AccessRequest, Decision } from '../service/ports.ts';
import type { Identities } from './identities.ts';

/** Compiled policies kept ready, of each kind. */
const MAX_COMPILED = 20_000;

/** What is known of a caller and its policies, as long as the record of its principal stays the same. */
interface CallerPolicies {
  readonly record: PrincipalRecord | undefined;
  readonly principal: Principal;
  readonly values: ConditionValues;
  readonly identity: readonly CompiledPolicy[];
  readonly boundary: CompiledPolicy | undefined;
  readonly session: readonly CompiledPolicy[];
  /** Whether a policy looks at kms:ResourceAliases: only then the aliases of a key are looked up. */
  readonly asksForAliases: boolean;
}

/** A question about a role: who may assume it. */
export type TrustQuestion = Pick<AccessRequest, 'caller' | 'action' | 'values' | 'endpointPolicy'> & {
  readonly role: PrincipalRecord;
};

/** A decision with everything that was said about it. */
export interface Examination {
  readonly decision: AccessDecision;
  readonly opinions: Opinions;
}

/**
 * Decides by key policies, identity policies, permissions boundaries, session policies, endpoint policies and grants,
 * each compiled once.
 */
export class PolicyAccess implements AccessControl {
  readonly #identities: Identities;
  readonly #compiled = new Map<PolicyKind, Map<string, CompiledPolicy>>();
  readonly #callers = new WeakMap<Caller, CallerPolicies>();

  constructor(identities: Identities) {
    this.#identities = identities;
  }

  decide(request: AccessRequest): MaybePromise<Decision> {
    return chain(this.explain(request), toDecision);
  }

  /** As {@link decide}, with the policy and the statement that decided. */
  explain(request: AccessRequest, kind: 'key' | 'trust' = 'key'): MaybePromise<AccessDecision> {
    return chain(this.#policiesOf(request.caller), (policies) =>
      chain(aliasesOf(request, policies), (aliases) => {
        const { resourcePolicy: text } = request;
        const resource = text === undefined ? undefined : this.#compile(text, kind);
        return this.#explain(request, resource, policies, aliases);
      }),
    );
  }

  decideOnRetirement(request: AccessRequest, grant: Grant): MaybePromise<Decision> {
    // The key policy has no say. The grant takes its place, as a policy of the caller's own account: it names who may
    // retire it, and boundary, session and endpoint limit them as they do elsewhere.
    const ofCaller: AccessRequest = {
      ...request,
      resourcePolicy: undefined,
      resourceAccountId: request.caller.accountId,
      findGrants: undefined,
    };
    return chain(this.#policiesOf(request.caller), (policies) =>
      chain(aliasesOf(ofCaller, policies), (aliases) =>
        chain(this.#explain(ofCaller, retirementPolicy(grant, policies.principal), policies, aliases), toDecision),
      ),
    );
  }

  /** Whether a caller may do something with a role, which its trust policy is about. */
  async decideOnTrust({ role, ...question }: TrustQuestion): Promise<Decision> {
    const request: AccessRequest = {
      ...question,
      resourceArn: role.arn,
      resourceAccountId: role.accountId,
      resourcePolicy: role.trustPolicy,
    };
    return toDecision(await this.explain(request, 'trust'));
  }

  /** As {@link explain}, with what each type of policy says by itself; for simulations. */
  examine(request: AccessRequest): MaybePromise<Examination> {
    return chain(this.#policiesOf(request.caller), (policies) =>
      chain(aliasesOf(request, policies), (aliases) => {
        const { resourcePolicy: text } = request;
        const resource = text === undefined ? undefined : this.#compile(text, 'key');
        const { question, set } = this.#gather(request, resource, policies, aliases);
        const opinions = consultAll(question, set);
        return chain(this.#explain(request, resource, policies, aliases), (decision) => ({ decision, opinions }));
      }),
    );
  }

  #explain(
    request: AccessRequest,
    resource: CompiledPolicy | undefined,
    policies: CallerPolicies,
    aliases: readonly string[] | undefined,
  ): MaybePromise<AccessDecision> {
    const { findGrants } = request;
    const { question, set } = this.#gather(request, resource, policies, aliases);
    const decision = decide(question, set);
    // Grants are looked for only where policies do not allow; a Deny beats them too.
    if (decision.effect === 'allow' || decision.by !== undefined || findGrants === undefined) {
      return decision;
    }
    return chain(findGrants(...partiesOf(policies.principal)), (grants) =>
      grants.length === 0 ? decision : decide({ ...question, grants }, set),
    );
  }

  #gather(
    request: AccessRequest,
    resource: CompiledPolicy | undefined,
    policies: CallerPolicies,
    aliases: readonly string[] | undefined,
  ): { readonly question: AccessQuestion; readonly set: PolicySet } {
    const { endpointPolicy } = request;
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
      resource,
      identity: policies.identity,
      boundary: policies.boundary,
      session: policies.session,
      vpcEndpoint: endpointPolicy === undefined ? undefined : this.#compile(endpointPolicy, 'vpcEndpoint'),
    };
    return { question, set };
  }

  #policiesOf(caller: Caller): MaybePromise<CallerPolicies> {
    // The root user has no record to look for, and would be looked for in vain each time.
    const found = caller.arn.endsWith(':root') ? undefined : this.#identities.find(principalUniqueId(caller));
    return chain(found, (record) => {
      const known = this.#callers.get(caller);
      if (known !== undefined && known.record === record) {
        return known;
      }
      const policies = this.#compileCaller(caller, record);
      this.#callers.set(caller, policies);
      return policies;
    });
  }

  /** A caller whose principal is gone has no policies; the root user needs none. */
  #compileCaller(caller: Caller, record: PrincipalRecord | undefined): CallerPolicies {
    const { session } = caller;
    const principal: Principal = {
      ...principalOf(caller),
      tags: effectiveTags(record?.tags, session?.tags),
    };
    const texts = [...(record?.policies.values() ?? []), record?.permissionsBoundary, session?.policy];
    return {
      record,
      principal,
      values: principalValues(principal),
      // A session ends with its principal, also where a key policy still names that.
      identity:
        session !== undefined && record === undefined && principal.kind !== 'root'
          ? [this.#compile(denyAll('identity'), 'identity')]
          : [...(record?.policies ?? [])].map(([name, text]) => this.#compile(text, 'identity', name)),
      boundary:
        record?.permissionsBoundary === undefined ? undefined : this.#compile(record.permissionsBoundary, 'boundary'),
      session: session?.policy === undefined ? [] : [this.#compile(session.policy, 'session')],
      asksForAliases: texts.some((text) => text !== undefined && /kms:ResourceAliases/i.test(text)),
    };
  }

  /**
   * Policies were checked when they were stored; one that is damaged nevertheless denies everything. The text itself is
   * the key: it is the same string for every request, so that neither hashing nor comparing it takes time.
   */
  #compile(text: string, kind: PolicyKind, name?: string): CompiledPolicy {
    const compiled = this.#compiled.get(kind) ?? new Map<string, CompiledPolicy>();
    this.#compiled.set(kind, compiled);
    const known = compiled.get(text);
    if (known !== undefined && known.name === name) {
      return known;
    }
    const parsed = parsePolicyDocument(text, kind);
    const made = parsed.ok ? compilePolicy(parsed.policy, name) : this.#compile(denyAll(kind), kind, name);
    if (compiled.size >= MAX_COMPILED) {
      compiled.clear();
    }
    compiled.set(text, made);
    return made;
  }
}

const ALLOW: Decision = { effect: 'allow' };

function toDecision(decision: AccessDecision): Decision {
  return decision.effect === 'allow' ? ALLOW : { effect: 'deny', reason: decision.reason };
}

function denyAll(kind: PolicyKind): string {
  const names = kind === 'identity' || kind === 'boundary' || kind === 'session' ? {} : { Principal: '*' };
  const target = kind === 'trust' ? {} : { Resource: '*' };
  return JSON.stringify({ Statement: [{ Effect: 'Deny', ...names, Action: '*', ...target }] });
}

/** The tags of a session go before those of its principal; their keys have no letter case. */
function effectiveTags(
  ofPrincipal: ReadonlyMap<string, string> = new Map(),
  ofSession: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const replaced = new Set([...ofSession.keys()].map((key) => key.toLowerCase()));
  return new Map([...[...ofPrincipal].filter(([key]) => !replaced.has(key.toLowerCase())), ...ofSession]);
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

/** The names under which a grant can be for a caller. */
function partiesOf(principal: Principal): [kind: GrantParty['kind'], names: readonly string[]] {
  const { kind, arn, accountId, issuer } = principal;
  if (kind === 'service') {
    return ['service', [arn]];
  }
  const [, partition = 'aws'] = arn.split(':');
  const root = `arn:${partition}:iam::${accountId}:root`;
  return ['principal', [...new Set([arn, root, ...(issuer === undefined ? [] : [issuer.arn])])]];
}

/**
 * Who may retire a grant, as a policy: its retiring party, its grantee when it has RetireGrant, and the principals to
 * whom the account that issued it, or whose principal may retire it, leaves that by its own policies.
 */
function retirementPolicy(grant: Grant, caller: Principal): CompiledPolicy {
  const { retiring, grantee, operations } = grant;
  const parties = [retiring, operations.includes('RetireGrant') ? grantee : undefined].filter(
    (party) => party !== undefined,
  );
  const namesOf = (kind: GrantParty['kind']): readonly string[] =>
    parties.filter((party) => party.kind === kind).map(({ name }) => name);
  const accounts = isAccountsGrant(grant, caller) ? [caller.accountId] : [];
  return compilePolicy({
    kind: 'key',
    hasVariables: false,
    statements: [
      {
        sid: undefined,
        effect: 'Allow',
        principal: { AWS: [...namesOf('principal'), ...accounts], Service: namesOf('service') },
        notPrincipal: undefined,
        actions: ['kms:RetireGrant'],
        notActions: undefined,
        resources: ['*'],
        notResources: undefined,
        conditions: [],
      },
    ],
  });
}

/** Whether the account that issued the grant, or whose principal may retire it, can delegate that by its policies. */
function isAccountsGrant({ issuingAccountId, retiring }: Grant, { accountId }: Principal): boolean {
  return (
    issuingAccountId === accountId || (retiring?.kind === 'principal' && retiring.name.split(':')[4] === accountId)
  );
}
