import type { Caller } from '../base/caller.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { ConditionValues } from '../policy/condition-values.ts';
import type { GrantParty } from '../policy/grant.ts';
import { denyAll, loadPolicy } from '../policy/policy.ts';
import { principalOf, principalValues, type Principal } from '../policy/principal.ts';
import type { LoadedPrincipal } from './loaded-principal.ts';

/** What is known of a caller and its policies, as long as its principal stays the same. */
export interface CallerPolicies {
  readonly loaded: LoadedPrincipal | undefined;
  readonly principal: Principal;
  readonly values: ConditionValues;
  readonly identity: readonly CompiledPolicy[];
  readonly boundary: CompiledPolicy | undefined;
  readonly session: readonly CompiledPolicy[];
  /** The names that a grant can be for the caller under. */
  readonly parties: readonly [kind: GrantParty['kind'], ids: readonly string[]];
  /** Whether a policy looks at kms:ResourceAliases: only then the aliases of a key are looked up. */
  readonly asksForAliases: boolean;
}

/** What decisions about a caller need. One whose principal is gone has no policies; the root user needs none. */
export function loadCaller(caller: Caller, loaded: LoadedPrincipal | undefined): CallerPolicies {
  const { session } = caller;
  const record = loaded?.record;
  const principal: Principal = { ...principalOf(caller), tags: effectiveTags(record?.tags, session?.tags) };
  // A session ends with its principal, also where a key policy still names that.
  const isOver = session !== undefined && record === undefined && principal.kind !== 'root';
  const texts = [...(record?.policies.values() ?? []), record?.permissionsBoundary, session?.policy];
  return {
    loaded,
    principal,
    values: principalValues(principal),
    identity: isOver ? [denyAll('identity').compiled] : (loaded?.identity ?? []),
    boundary: loaded?.boundary,
    session: session?.policy === undefined ? [] : [loadPolicy(session.policy, 'session').compiled],
    parties: partiesOf(principal),
    asksForAliases: texts.some((text) => text !== undefined && /kms:ResourceAliases/i.test(text)),
  };
}

/** The tags of a session go before those of its principal; their keys have no letter case. */
function effectiveTags(
  ofPrincipal: ReadonlyMap<string, string> = new Map(),
  ofSession: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const replaced = new Set([...ofSession.keys()].map((key) => key.toLowerCase()));
  return new Map([...[...ofPrincipal].filter(([key]) => !replaced.has(key.toLowerCase())), ...ofSession]);
}

function partiesOf({ kind, arn, principalId, accountId, issuer }: Principal): CallerPolicies['parties'] {
  if (kind === 'service') {
    return ['service', [arn]];
  }
  const [, partition = 'aws'] = arn.split(':');
  const root = `arn:${partition}:iam::${accountId}:root`;
  const ids = [arn, principalId, root, ...(issuer === undefined ? [] : [issuer.arn, issuer.principalId])];
  return ['principal', [...new Set(ids)]];
}
