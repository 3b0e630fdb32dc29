import { chain, type MaybePromise } from '../../base/maybe-promise.ts';
import { defineOperation } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';
import {
  decryptBlob,
  ignoresCiphertext,
  openCurrentMaterial,
  requireAlgorithm,
  requireCiphertext,
  requireContext,
  resolveDecryptingKey,
} from '../symmetric-crypto.ts';

/** A dry run that ignores the ciphertext makes no blob. */
export interface ReEncryptOutput {
  readonly CiphertextBlob?: Uint8Array;
  readonly SourceKeyId: string;
  readonly KeyId: string;
  readonly SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT';
  readonly DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT';
  readonly SourceKeyMaterialId?: string;
  readonly DestinationKeyMaterialId: string;
}

/**
 * Decrypts a blob and encrypts what was in it under another key or context; the plaintext does not leave the service.
 *
 * @source KMS API Reference, ReEncrypt
 */
export const reEncrypt = defineOperation({
  name: 'ReEncrypt',
  input: structure({
    CiphertextBlob: optional(shapes.ciphertextBlob),
    SourceEncryptionContext: optional(shapes.encryptionContext),
    SourceKeyId: optional(shapes.keyId),
    DestinationKeyId: required(shapes.keyId),
    DestinationEncryptionContext: optional(shapes.encryptionContext),
    SourceEncryptionAlgorithm: optional(shapes.encryptionAlgorithm),
    DestinationEncryptionAlgorithm: optional(shapes.encryptionAlgorithm),
    GrantTokens: optional(shapes.grantTokens),
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
        input.SourceKeyId,
        ignoresCiphertext(input) ? input.CiphertextBlob : requireCiphertext(input.CiphertextBlob),
        { action: 'kms:ReEncryptFrom', usage: 'ENCRYPT_DECRYPT', rule: 'use' },
      ),
      (source) =>
        chain(
          resolver.key(input.DestinationKeyId, {
            action: 'kms:ReEncryptTo',
            forms: 'any',
            usage: 'ENCRYPT_DECRYPT',
            rule: 'use',
          }),
          (destination) => [source, destination] as const,
        ),
    ),
  execute(authorized, input, context): MaybePromise<ReEncryptOutput> {
    const [{ key: source }, { key: destination }] = authorized.targets;
    requireAlgorithm(source, input.SourceEncryptionAlgorithm);
    requireAlgorithm(destination, input.DestinationEncryptionAlgorithm);
    const sourceContext = requireContext(input.SourceEncryptionContext);
    const destinationContext = requireContext(input.DestinationEncryptionContext);
    const answer = {
      SourceKeyId: source.arn,
      KeyId: destination.arn,
      SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT' as const,
      DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT' as const,
      DestinationKeyMaterialId: destination.currentMaterialId,
    };
    if (ignoresCiphertext(input)) {
      return answer;
    }
    return chain(
      decryptBlob(source, requireCiphertext(input.CiphertextBlob), sourceContext, context),
      ({ plaintext, materialId }) =>
        chain(openCurrentMaterial(destination, context), ({ header, material }) =>
          chain(material.encrypt(header, destinationContext, plaintext), (blob) => {
            plaintext.fill(0);
            return { ...answer, CiphertextBlob: blob, SourceKeyMaterialId: materialId };
          }),
        ),
    );
  },
});
