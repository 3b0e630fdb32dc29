import { chain } from '../../base/maybe-promise.ts';
import { USE_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';
import { encryptData, requireEncryptionAlgorithm } from '../data-crypto.ts';

/** Encrypts up to 4096 bytes under a KMS key. @source KMS API Reference, Encrypt */
export const encrypt = defineOperation({
  name: 'Encrypt',
  input: structure({
    KeyId: required(shapes.keyId),
    Plaintext: required(shapes.plaintext),
    EncryptionContext: optional(shapes.encryptionContext),
    GrantTokens: optional(shapes.grantTokens),
    EncryptionAlgorithm: optional(shapes.encryptionAlgorithm),
    DryRun: optional(shapes.dryRun),
  }),
  errors: USE_ERRORS,
  allowsCrossAccount: true,
  resolve: onKey({ action: 'kms:Encrypt', forms: 'any', usage: 'ENCRYPT_DECRYPT', rule: 'use' }),
  execute(authorized, input, context) {
    const { key } = authorized.targets[0];
    const algorithm = requireEncryptionAlgorithm(key, input.EncryptionAlgorithm);
    const data = { key, algorithm, encryptionContext: input.EncryptionContext };
    return chain(encryptData(data, input.Plaintext, context), (ciphertext) => ({
      CiphertextBlob: ciphertext,
      KeyId: key.arn,
      EncryptionAlgorithm: algorithm,
    }));
  },
});
