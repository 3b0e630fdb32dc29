import type { PrincipalRecord } from '../base/stored-records.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import { loadPolicy } from '../policy/policy.ts';

/** A principal with its policies, ready to be evaluated. Immutable, like its record. */
export interface LoadedPrincipal {
  readonly record: PrincipalRecord;
  readonly identity: readonly CompiledPolicy[];
  readonly boundary: CompiledPolicy | undefined;
  /** Of a role. */
  readonly trust: CompiledPolicy | undefined;
}

/** Makes the policies of a principal ready, which takes far longer than a decision: once for each of its versions. */
export function loadPrincipal(record: PrincipalRecord): LoadedPrincipal {
  const { policies, permissionsBoundary: boundary, trustPolicy: trust } = record;
  return {
    record,
    identity: [...policies].map(([name, text]) => loadPolicy(text, 'identity', name).compiled),
    boundary: boundary === undefined ? undefined : loadPolicy(boundary, 'boundary').compiled,
    trust: trust === undefined ? undefined : loadPolicy(trust, 'trust').compiled,
  };
}
