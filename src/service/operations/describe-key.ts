import { chain } from '../../base/maybe-promise.ts';
import { asOf } from '../../keys/imported-materials.ts';
import { storeAwsManagedKey } from '../aws-managed-key.ts';
import { keyMetadata } from '../key-metadata.ts';
import { defineOperation, onKey } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * Tells what a key is. Works in every key state. Asked for a predefined alias of AWS for the first time in an account
 * and Region, it makes the key.
 *
 * @source KMS API Reference, DescribeKey
 */
export const describeKey = defineOperation({
  name: 'DescribeKey',
  input: structure({ KeyId: required(shapes.keyId), GrantTokens: optional(shapes.grantTokens) }),
  errors: ['DependencyTimeoutException', 'InvalidArnException', 'KMSInternalException', 'NotFoundException'],
  allowsCrossAccount: true,
  resolve: onKey({ action: 'kms:DescribeKey', forms: 'any', rule: 'any', plansAwsManagedKey: true }),
  execute(authorized, _input, context) {
    const { key, plannedAlias } = authorized.targets[0];
    const stored = plannedAlias === undefined ? key : storeAwsManagedKey(key, plannedAlias, context);
    return chain(stored, (described) => ({ KeyMetadata: keyMetadata(asOf(described, context.nowMs)) }));
  },
});
