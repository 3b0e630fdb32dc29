import { chain, type MaybePromise } from '../../base/maybe-promise.ts';
import { defineOperation } from '../operation.ts';
import { optional, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';
import {
  decryptBlob,
  ignoresCiphertext,
  refuseRecipient,
  requireAlgorithm,
  requireCiphertext,
  requireContext,
  resolveDecryptingKey,
} from '../symmetric-crypto.ts';

/** A dry run that ignores the ciphertext has neither plaintext nor material. */
export interface DecryptOutput {
  readonly KeyId: string;
  readonly EncryptionAlgorithm: 'SYMMETRIC_DEFAULT';
  readonly Plaintext?: Uint8Array;
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
  errors: [
    'DependencyTimeoutException',
    'DisabledException',
    'DryRunOperationException',
    'IncorrectKeyException',
    'InvalidCiphertextException',
    'InvalidGrantTokenException',
    'InvalidKeyUsageException',
    'KeyUnavailableException',
    'KMSInternalException',
    'KMSInvalidStateException',
    'NotFoundException',
  ],
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
    refuseRecipient(input.Recipient);
    requireAlgorithm(key, input.EncryptionAlgorithm);
    const answer = { KeyId: key.arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' as const };
    if (ignoresCiphertext(input)) {
      return answer;
    }
    const encryptionContext = requireContext(input.EncryptionContext);
    return chain(
      decryptBlob(key, requireCiphertext(input.CiphertextBlob), encryptionContext, context),
      ({ plaintext, materialId }) => ({ ...answer, Plaintext: plaintext, KeyMaterialId: materialId }),
    );
  },
});
