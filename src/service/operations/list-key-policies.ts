import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
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
  errors: MANAGEMENT_ERRORS,
  allowsCrossAccount: false,
  resolve: onKey({ action: 'kms:ListKeyPolicies', forms: 'idOrArn', rule: 'any' }),
  execute: () => ({ PolicyNames: ['default'], Truncated: false }),
});
