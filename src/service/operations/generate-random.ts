import { KmsServiceError } from '../../base/errors.ts';
import { defineOperation } from '../operation.ts';
import { optional, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';
import { refuseRecipient } from '../data-crypto.ts';

/** Returns 1 to 1024 random bytes. @source KMS API Reference, GenerateRandom */
export const generateRandom = defineOperation({
  name: 'GenerateRandom',
  input: structure({
    NumberOfBytes: optional(shapes.numberOfBytes),
    CustomKeyStoreId: optional(shapes.customKeyStoreId),
    Recipient: optional(shapes.recipient),
  }),
  errors: [
    'CustomKeyStoreNotFoundException',
    'DependencyTimeoutException',
    'KMSInternalException',
    'UnsupportedOperationException',
  ],
  allowsCrossAccount: false,
  resolve: (_input, resolver) => [resolver.account('kms:GenerateRandom')] as const,
  execute(_authorized, input, context) {
    refuseRecipient(input.Recipient);
    if (input.CustomKeyStoreId !== undefined) {
      throw new KmsServiceError('CustomKeyStoreNotFoundException');
    }
    if (input.NumberOfBytes === undefined) {
      throw new KmsServiceError('ValidationException', 'NumberOfBytes is required.');
    }
    return { Plaintext: context.random.randomBytes(input.NumberOfBytes) };
  },
});
