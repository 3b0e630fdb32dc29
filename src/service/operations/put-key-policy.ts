import { KmsServiceError } from '../../base/errors.ts';
import { requireAcceptablePolicy } from '../key-policy.ts';
import { changeKey } from '../change-key.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { boolean, optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Replaces the policy of a key. @source KMS API Reference, PutKeyPolicy */
export const putKeyPolicy = defineOperation({
  name: 'PutKeyPolicy',
  input: structure({
    KeyId: required(shapes.keyId),
    PolicyName: optional(shapes.policyName),
    Policy: required(shapes.policyDocument),
    BypassPolicyLockoutSafetyCheck: optional(boolean()),
  }),
  errors: [
    ...MANAGEMENT_ERRORS,
    'LimitExceededException',
    'MalformedPolicyDocumentException',
    'UnsupportedOperationException',
  ],
  allowsCrossAccount: false,
  resolve: onKey({ action: 'kms:PutKeyPolicy', forms: 'idOrArn', rule: 'any' }),
  async execute(authorized, input, context) {
    const { key } = authorized.targets[0];
    requireDefaultPolicyName(input.PolicyName);
    const bypassesLockoutCheck = input.BypassPolicyLockoutSafetyCheck === true;
    const policy = await requireAcceptablePolicy({ text: input.Policy, key, bypassesLockoutCheck }, context);
    await changeKey(context.keys, key, { policy });
  },
});

/** Every key has exactly one policy, named `default`. @throws KmsServiceError NotFoundException for another name */
export function requireDefaultPolicyName(name: string | undefined): void {
  if (name !== undefined && name !== 'default') {
    throw new KmsServiceError('NotFoundException', 'No such policy exists');
  }
}
