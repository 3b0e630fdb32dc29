import { chain } from '../../base/maybe-promise.ts';
import { defineOperation } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Lists the names of a key's policies: always `default` alone. @source KMS API Reference, ListKeyPolicies */
export const listKeyPolicies = defineOperation({
  name: 'ListKeyPolicies',
  input: structure({
    KeyId: required(shapes.keyId),
    Limit: optional(shapes.limit),
    Marker: optional(shapes.marker),
  }),
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
      resolver.key(input.KeyId, { action: 'kms:ListKeyPolicies', forms: 'idOrArn', rule: 'any' }),
      (target) => [target] as const,
    ),
  execute: () => ({ PolicyNames: ['default'], Truncated: false }),
});
