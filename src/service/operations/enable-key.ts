import { chain } from '../../base/maybe-promise.ts';
import { changeKey } from '../change-key.ts';
import { defineOperation } from '../operation.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Makes a key usable. An enabled key stays as it is. @source KMS API Reference, EnableKey */
export const enableKey = defineOperation({
  name: 'EnableKey',
  input: structure({ KeyId: required(shapes.keyId) }),
  errors: [
    'DependencyTimeoutException',
    'InvalidArnException',
    'KMSInternalException',
    'KMSInvalidStateException',
    'LimitExceededException',
    'NotFoundException',
  ],
  allowsCrossAccount: false,
  resolve: (input, resolver) =>
    chain(
      resolver.key(input.KeyId, { action: 'kms:EnableKey', forms: 'idOrArn', rule: 'change' }),
      (target) => [target] as const,
    ),
  async execute(authorized, _input, { keys }) {
    const { key } = authorized.targets[0];
    if (key.state !== 'Enabled') {
      await changeKey(keys, key, { state: 'Enabled' });
    }
  },
});
