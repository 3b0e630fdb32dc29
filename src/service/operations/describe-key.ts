import { chain } from '../../base/maybe-promise.ts';
import { keyMetadata } from '../key-metadata.ts';
import { defineOperation } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Tells what a key is. Works in every key state. @source KMS API Reference, DescribeKey */
export const describeKey = defineOperation({
  name: 'DescribeKey',
  input: structure({ KeyId: required(shapes.keyId), GrantTokens: optional(shapes.grantTokens) }),
  errors: ['DependencyTimeoutException', 'InvalidArnException', 'KMSInternalException', 'NotFoundException'],
  allowsCrossAccount: true,
  resolve: (input, resolver) =>
    chain(
      resolver.key(input.KeyId, { action: 'kms:DescribeKey', forms: 'any', rule: 'any' }),
      (target) => [target] as const,
    ),
  execute: (authorized) => ({ KeyMetadata: keyMetadata(authorized.targets[0].key) }),
});
