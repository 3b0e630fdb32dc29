import { KmsServiceError } from '../base/errors.ts';
import type { ConditionValues } from '../policy/condition-values.ts';
import { compilePolicy } from '../policy/compile.ts';
import { allowsPolicyUpdate } from '../policy/lockout.ts';
import { parsePolicyDocument } from '../policy/policy-document.ts';
import { principalOf, principalValues } from '../policy/principal.ts';
import { requestConditions, type ConditionRequest } from './conditions.ts';

/** @source KMS API Reference, PutKeyPolicy: at most 32 kilobytes */
const MAX_POLICY_BYTES = 32_768;

/** A policy that is to be stored, and the key that it is for. */
export interface ProposedPolicy {
  readonly text: string;
  readonly keyArn: string;
  readonly bypassesLockoutCheck: boolean;
}

/**
 * Checks the text of a key policy that is to be stored.
 *
 * @returns the text
 * @throws KmsServiceError LimitExceededException over 32,768 bytes; MalformedPolicyDocumentException for bad grammar,
 *   or when the policy would lock the caller out and `bypassesLockoutCheck` is false
 */
export function requireAcceptablePolicy(proposed: ProposedPolicy, request: ConditionRequest): string {
  const { text, keyArn, bypassesLockoutCheck } = proposed;
  if (Buffer.byteLength(text, 'utf8') > MAX_POLICY_BYTES) {
    throw new KmsServiceError(
      'LimitExceededException',
      `Policy exceeds the limit of ${String(MAX_POLICY_BYTES)} bytes.`,
    );
  }
  const parsed = parsePolicyDocument(text, 'key');
  if (!parsed.ok) {
    throw new KmsServiceError('MalformedPolicyDocumentException', parsed.problem);
  }
  const principal = principalOf(request.caller);
  const target = {
    action: 'kms:PutKeyPolicy',
    resourceArn: keyArn,
    resourceAccountId: request.caller.accountId,
  };
  const ofCaller = principalValues(principal);
  const ofRequest = requestConditions(request, target, { values: {} });
  const values: ConditionValues = { get: (key) => ofCaller.get(key) ?? ofRequest.get(key) };
  if (
    !bypassesLockoutCheck &&
    !allowsPolicyUpdate(compilePolicy(parsed.policy), { principal, resource: keyArn, values })
  ) {
    throw new KmsServiceError(
      'MalformedPolicyDocumentException',
      'The new key policy will not allow you to update the key policy in the future.',
    );
  }
  return text;
}
