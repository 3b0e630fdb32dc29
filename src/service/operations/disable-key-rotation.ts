import { chain } from '../../base/maybe-promise.ts';
import { changeSharedProperty } from '../change-key.ts';
import { defineOperation } from '../operation.ts';
import { requireRotatable } from '../rotate-key.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Switches automatic rotation off; what was rotated stays. @source KMS API Reference, DisableKeyRotation */
export const disableKeyRotation = defineOperation({
  name: 'DisableKeyRotation',
  input: structure({ KeyId: required(shapes.keyId) }),
  errors: [
    'DependencyTimeoutException',
    'DisabledException',
    'InvalidArnException',
    'KMSInternalException',
    'KMSInvalidStateException',
    'NotFoundException',
    'UnsupportedOperationException',
  ],
  allowsCrossAccount: false,
  resolve: (input, resolver) =>
    chain(
      resolver.key(input.KeyId, { action: 'kms:DisableKeyRotation', forms: 'idOrArn', rule: 'rotate' }),
      (target) => [target] as const,
    ),
  async execute(authorized, _input, { keys }) {
    const { key } = authorized.targets[0];
    requireRotatable(key, 'AUTOMATIC');
    if (key.rotation !== undefined) {
      await changeSharedProperty(keys, key, { rotation: undefined });
    }
  },
});
