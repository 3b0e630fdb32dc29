import { KmsServiceError } from '../../base/errors.ts';
import { chain, type MaybePromise } from '../../base/maybe-promise.ts';
import { requireKeyStore, requireStoreState } from '../key-stores.ts';
import { defineOperation, type OperationContext } from '../operation.ts';
import { answerSecret } from '../recipient.ts';
import { optional, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * Returns 1 to 1024 random bytes, out of the cluster of a CloudHSM key store when one is named. @source KMS API
 * Reference, GenerateRandom
 */
export const generateRandom = defineOperation({
  name: 'GenerateRandom',
  input: structure({
    NumberOfBytes: optional(shapes.numberOfBytes),
    CustomKeyStoreId: optional(shapes.customKeyStoreId),
    Recipient: optional(shapes.recipient),
  }),
  errors: [
    'CustomKeyStoreInvalidStateException',
    'CustomKeyStoreNotFoundException',
    'DependencyTimeoutException',
    'KMSInternalException',
    'UnsupportedOperationException',
  ],
  allowsCrossAccount: false,
  resolve: (_input, resolver) => [resolver.account('kms:GenerateRandom')] as const,
  execute(_authorized, input, context) {
    if (input.NumberOfBytes === undefined) {
      throw new KmsServiceError('ValidationException', 'NumberOfBytes is required.');
    }
    return chain(drawRandomBytes(input.CustomKeyStoreId, input.NumberOfBytes, context), (bytes) =>
      answerSecret(context, bytes, { Plaintext: bytes }),
    );
  },
});

function drawRandomBytes(
  storeId: string | undefined,
  length: number,
  context: OperationContext,
): MaybePromise<Uint8Array> {
  return storeId === undefined
    ? context.random.randomBytes(length)
    : chain(requireKeyStore(context, storeId), (store) => {
        if (store.backing.type !== 'AWS_CLOUDHSM') {
          throw new KmsServiceError(
            'UnsupportedOperationException',
            'Random bytes come out of custom key stores of type AWS_CLOUDHSM only.',
          );
        }
        requireStoreState(store, 'use');
        context.countStore(storeId, 'AWS_CLOUDHSM');
        return context.keyStoreBackends.AWS_CLOUDHSM.randomBytes(store, length);
      });
}
