import { chain } from '../../base/maybe-promise.ts';
import { changeKey } from '../change-key.ts';
import { defineOperation } from '../operation.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Replaces the description of a key. @source KMS API Reference, UpdateKeyDescription */
export const updateKeyDescription = defineOperation({
  name: 'UpdateKeyDescription',
  input: structure({ KeyId: required(shapes.keyId), Description: required(shapes.description) }),
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
      resolver.key(input.KeyId, { action: 'kms:UpdateKeyDescription', forms: 'idOrArn', rule: 'describe' }),
      (target) => [target] as const,
    ),
  async execute(authorized, input, { keys }) {
    const { key } = authorized.targets[0];
    await changeKey(keys, key, { description: input.Description });
  },
});
