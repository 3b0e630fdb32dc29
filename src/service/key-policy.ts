import { KmsServiceError } from '../base/errors.ts';
import { compilePolicy } from '../policy/compile.ts';
import { allowsPolicyUpdate } from '../policy/lockout.ts';
import { parsePolicyDocument } from '../policy/policy-document.ts';
import { principalOf } from '../policy/principal.ts';
import { requestValues } from './condition-values.ts';
import type { RequestContext } from './target.ts';

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
export function requireAcceptablePolicy(
  proposed: ProposedPolicy,
  request: Pick<RequestContext, 'caller' | 'region' | 'nowMs'>,
): string {
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
  const values = requestValues(request, principal);
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
