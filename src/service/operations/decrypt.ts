import { chain, type MaybePromise } from '../../base/maybe-promise.ts';
import type { EncryptionAlgorithm } from '../../keys/key-spec.ts';
import { USE_ERRORS } from '../error-lists.ts';
import { defineOperation } from '../operation.ts';
import { optional, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';
import {
  decryptData,
  ignoresCiphertext,
  requireCiphertext,
  requireEncryptionAlgorithm,
  resolveDecryptingKey,
} from '../data-crypto.ts';
import { answerSecret } from '../recipient.ts';

/** A dry run that ignores the ciphertext has neither plaintext nor material. */
export interface DecryptOutput {
  readonly KeyId: string;
  readonly EncryptionAlgorithm: EncryptionAlgorithm;
  readonly Plaintext?: Uint8Array;
  readonly CiphertextForRecipient?: Uint8Array;
  readonly KeyMaterialId?: string;
}

/** Decrypts a ciphertext blob of any data operation. @source KMS API Reference, Decrypt */
export const decrypt = defineOperation({
  name: 'Decrypt',
  input: structure({
    CiphertextBlob: optional(shapes.ciphertextBlob),
    EncryptionContext: optional(shapes.encryptionContext),
    GrantTokens: optional(shapes.grantTokens),
    KeyId: optional(shapes.keyId),
    EncryptionAlgorithm: optional(shapes.encryptionAlgorithm),
    Recipient: optional(shapes.recipient),
    DryRun: optional(shapes.dryRun),
    DryRunModifiers: optional(shapes.dryRunModifiers),
  }),
  errors: [...USE_ERRORS, 'IncorrectKeyException', 'InvalidCiphertextException'],
  allowsCrossAccount: true,
  resolve: (input, resolver) =>
    chain(
      resolveDecryptingKey(
        resolver,
        input.KeyId,
        ignoresCiphertext(input) ? input.CiphertextBlob : requireCiphertext(input.CiphertextBlob),
        { action: 'kms:Decrypt', usage: 'ENCRYPT_DECRYPT', rule: 'use' },
      ),
      (target) => [target] as const,
    ),
  execute(authorized, input, context): MaybePromise<DecryptOutput> {
    const { key } = authorized.targets[0];
    const algorithm = requireEncryptionAlgorithm(key, input.EncryptionAlgorithm);
    const answer = { KeyId: key.arn, EncryptionAlgorithm: algorithm };
    if (ignoresCiphertext(input)) {
      return answer;
    }
    const data = { key, algorithm, encryptionContext: input.EncryptionContext };
    return chain(decryptData(data, requireCiphertext(input.CiphertextBlob), context), ({ plaintext, materialId }) => {
      const clear = { Plaintext: plaintext, ...(materialId === undefined ? {} : { KeyMaterialId: materialId }) };
      return { ...answer, ...answerSecret(context, plaintext, clear) };
    });
  },
});
