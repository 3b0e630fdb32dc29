import { chain } from '../../base/maybe-promise.ts';
import { defineOperation } from '../operation.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Takes a key back from its scheduled deletion; it is then disabled. @source KMS API Reference, CancelKeyDeletion */
export const cancelKeyDeletion = defineOperation({
  name: 'CancelKeyDeletion',
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
      resolver.key(input.KeyId, { action: 'kms:CancelKeyDeletion', forms: 'idOrArn', rule: 'cancel' }),
      (target) => [target] as const,
    ),
  async execute(authorized, _input, { keys }) {
    const { key } = authorized.targets[0];
    await keys.update({ ...key, state: 'Disabled', deletionMs: undefined, version: key.version + 1 });
    return { KeyId: key.arn };
  },
});
