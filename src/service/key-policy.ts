import { KmsServiceError } from '../base/errors.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type { ConditionValues } from '../policy/condition-values.ts';
import { allowsPolicyUpdate } from '../policy/lockout.ts';
import { parsePolicyDocument } from '../policy/policy-document.ts';
import { readPolicy, type Policy } from '../policy/policy.ts';
import { INVALID_PRINCIPALS } from '../policy/principal-element.ts';
import { principalValues } from '../policy/principal.ts';
import { requestConditions, type ConditionRequest } from './conditions.ts';
import type { OperationContext } from './operation.ts';
import { identifyPrincipals } from './principal-names.ts';

/** @source KMS API Reference, PutKeyPolicy: at most 32 kilobytes */
const MAX_POLICY_BYTES = 32_768;

/** A policy that is to be stored, and the key that it is for, as it is or will be. */
export interface ProposedPolicy {
  readonly text: string;
  readonly key: Omit<KmsKey, 'policy'>;
  readonly bypassesLockoutCheck: boolean;
}

/** What a check of a policy looks at besides. */
export type PolicyContext = ConditionRequest & Pick<OperationContext, 'access' | 'principals'>;

/**
 * Makes the policy of a key out of the text of a request: with unique ids in the place of users and roles.
 *
 * @throws KmsServiceError LimitExceededException over 32,768 bytes; MalformedPolicyDocumentException for bad grammar,
 *   for principals that there are not, or when the policy would lock the caller out and `bypassesLockoutCheck` is false
 */
export async function requireAcceptablePolicy(
  { text, key, bypassesLockoutCheck }: ProposedPolicy,
  context: PolicyContext,
): Promise<Policy> {
  if (Buffer.byteLength(text, 'utf8') > MAX_POLICY_BYTES) {
    throw new KmsServiceError(
      'LimitExceededException',
      `Policy exceeds the limit of ${String(MAX_POLICY_BYTES)} bytes.`,
    );
  }
  // Read as it was sent: problems are told in the words of the request.
  const parsed = parsePolicyDocument(text, 'key');
  if (!parsed.ok) {
    throw malformed(parsed.problem);
  }
  const identified = await identifyPrincipals(text, context.principals);
  if (!identified.ok) {
    throw malformed(INVALID_PRINCIPALS);
  }
  const result = readPolicy(identified.text, 'key');
  if (!result.ok) {
    throw malformed(result.problem);
  }
  if (!bypassesLockoutCheck) {
    await requireNoLockout(result.policy, key, context);
  }
  return result.policy;
}

function malformed(problem: string): KmsServiceError {
  return new KmsServiceError('MalformedPolicyDocumentException', problem);
}

async function requireNoLockout(policy: Policy, key: ProposedPolicy['key'], context: PolicyContext): Promise<void> {
  const principal = await context.access.describe(context.caller);
  const ofCaller = principalValues(principal);
  const target = { action: 'kms:PutKeyPolicy', resourceArn: key.arn, resourceAccountId: key.accountId, key };
  const ofRequest = requestConditions(context, target, { values: {} });
  const values: ConditionValues = { get: (name) => ofCaller.get(name) ?? ofRequest.get(name) };
  if (!allowsPolicyUpdate(policy.compiled, { principal, resource: key.arn, values })) {
    throw malformed('The new key policy will not allow you to update the key policy in the future.');
  }
}
