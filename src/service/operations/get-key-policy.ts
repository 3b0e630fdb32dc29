import { chain } from '../../base/maybe-promise.ts';
import { requireDefaultPolicyName } from './put-key-policy.ts';
import { defineOperation } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Returns the text of a key's policy. @source KMS API Reference, GetKeyPolicy */
export const getKeyPolicy = defineOperation({
  name: 'GetKeyPolicy',
  input: structure({ KeyId: required(shapes.keyId), PolicyName: optional(shapes.policyName) }),
  errors: [
    'DependencyTimeoutException',
    'InvalidArnException',
    'KMSInternalException',
    'KMSInvalidStateException',
    'NotFoundException',
  ],
  allowsCrossAccount: false,
  resolve: (input, resolver) =>
    chain(
      resolver.key(input.KeyId, { action: 'kms:GetKeyPolicy', forms: 'idOrArn', rule: 'any' }),
      (target) => [target] as const,
    ),
  execute(authorized, input) {
    requireDefaultPolicyName(input.PolicyName);
    return { Policy: authorized.targets[0].key.policy, PolicyName: 'default' };
  },
});
