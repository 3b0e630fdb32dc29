import type { Caller } from '../base/caller.ts';
import { KmsServiceError } from '../base/errors.ts';
import { allowsPolicyUpdateBy } from '../policy/lockout.ts';
import { parsePolicyDocument } from '../policy/policy-document.ts';

/** @source KMS API Reference, PutKeyPolicy: at most 32 kilobytes */
const MAX_POLICY_BYTES = 32_768;

/**
 * Checks the text of a key policy that is to be stored.
 *
 * @returns the text
 * @throws KmsServiceError LimitExceededException over 32,768 bytes; MalformedPolicyDocumentException for bad grammar,
 * or
 *   when the policy would lock the caller out and `bypassesLockoutCheck` is false
 */
export function requireAcceptablePolicy(text: string, bypassesLockoutCheck: boolean, caller: Caller): string {
  if (Buffer.byteLength(text, 'utf8') > MAX_POLICY_BYTES) {
    throw new KmsServiceError(
      'LimitExceededException',
      `Policy exceeds the limit of ${String(MAX_POLICY_BYTES)} bytes.`,
    );
  }
  const parsed = parsePolicyDocument(text);
  if (!parsed.ok) {
    throw new KmsServiceError('MalformedPolicyDocumentException', parsed.problem);
  }
  if (!bypassesLockoutCheck && !allowsPolicyUpdateBy(parsed.policy, caller)) {
    throw new KmsServiceError(
      'MalformedPolicyDocumentException',
      'The new key policy will not allow you to update the key policy in the future.',
    );
  }
  return text;
}
