import { chain, type MaybePromise } from '../../base/maybe-promise.ts';
import { wipeAfter } from '../../base/wipe.ts';
import type { EncryptionAlgorithm } from '../../keys/key-spec.ts';
import { USE_ERRORS } from '../error-lists.ts';
import { defineOperation } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';
import {
  decryptData,
  encryptData,
  ignoresCiphertext,
  requireCiphertext,
  requireEncryptionAlgorithm,
  resolveDecryptingKey,
} from '../data-crypto.ts';

/** A dry run that ignores the ciphertext makes no blob. */
export interface ReEncryptOutput {
  readonly CiphertextBlob?: Uint8Array;
  readonly SourceKeyId: string;
  readonly KeyId: string;
  readonly SourceEncryptionAlgorithm: EncryptionAlgorithm;
  readonly DestinationEncryptionAlgorithm: EncryptionAlgorithm;
  readonly SourceKeyMaterialId?: string;
  readonly DestinationKeyMaterialId?: string;
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
  errors: [...USE_ERRORS, 'IncorrectKeyException', 'InvalidCiphertextException'],
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
    const from = {
      key: source,
      algorithm: requireEncryptionAlgorithm(source, input.SourceEncryptionAlgorithm),
      encryptionContext: input.SourceEncryptionContext,
    };
    const to = {
      key: destination,
      algorithm: requireEncryptionAlgorithm(destination, input.DestinationEncryptionAlgorithm),
      encryptionContext: input.DestinationEncryptionContext,
    };
    const answer = {
      SourceKeyId: source.arn,
      KeyId: destination.arn,
      SourceEncryptionAlgorithm: from.algorithm,
      DestinationEncryptionAlgorithm: to.algorithm,
      ...(to.algorithm !== 'SYMMETRIC_DEFAULT' || destination.currentMaterialId === undefined
        ? {}
        : { DestinationKeyMaterialId: destination.currentMaterialId }),
    };
    if (ignoresCiphertext(input)) {
      return answer;
    }
    return chain(decryptData(from, requireCiphertext(input.CiphertextBlob), context), ({ plaintext, materialId }) =>
      chain(
        wipeAfter(plaintext, (secret) => encryptData(to, secret, context)),
        (ciphertext) => ({
          ...answer,
          CiphertextBlob: ciphertext,
          ...(materialId === undefined ? {} : { SourceKeyMaterialId: materialId }),
        }),
      ),
    );
  },
});
