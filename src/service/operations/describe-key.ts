import { keyMetadata } from '../key-metadata.ts';
import { defineOperation, onKey } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Tells what a key is. Works in every key state. @source KMS API Reference, DescribeKey */
export const describeKey = defineOperation({
  name: 'DescribeKey',
  input: structure({ KeyId: required(shapes.keyId), GrantTokens: optional(shapes.grantTokens) }),
  errors: ['DependencyTimeoutException', 'InvalidArnException', 'KMSInternalException', 'NotFoundException'],
  allowsCrossAccount: true,
  resolve: onKey({ action: 'kms:DescribeKey', forms: 'any', rule: 'any' }),
  execute: (authorized) => ({ KeyMetadata: keyMetadata(authorized.targets[0].key) }),
});
