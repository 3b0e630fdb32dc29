import { chain } from '../../base/maybe-promise.ts';
import { changeKey } from '../change-key.ts';
import { defineOperation } from '../operation.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * Stops every use of a key until it is enabled again. A disabled key stays as it is. @source KMS API Reference,
 * DisableKey
 */
export const disableKey = defineOperation({
  name: 'DisableKey',
  input: structure({ KeyId: required(shapes.keyId) }),
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
      resolver.key(input.KeyId, { action: 'kms:DisableKey', forms: 'idOrArn', rule: 'change' }),
      (target) => [target] as const,
    ),
  async execute(authorized, _input, { keys }) {
    const { key } = authorized.targets[0];
    if (key.state !== 'Disabled') {
      await changeKey(keys, key, { state: 'Disabled' });
    }
  },
});
