import type { CompiledPolicy, PolicyRequest } from './compile.ts';

/**
 * The lockout safety check: whether the caller could replace this policy by another such request, as far as the policy
 * decides about it: it names the caller or the caller's account, with no Deny in the way, and its conditions hold for
 * the present request.
 *
 * @source KMS API Reference, PutKeyPolicy, BypassPolicyLockoutSafetyCheck
 */
export function allowsPolicyUpdate(keyPolicy: CompiledPolicy, request: Omit<PolicyRequest, 'action'>): boolean {
  return keyPolicy.evaluate({ ...request, action: 'kms:PutKeyPolicy' }).effect === 'allow';
}
