import { KmsServiceError } from '../../base/errors.ts';
import { chain, type MaybePromise } from '../../base/maybe-promise.ts';
import { wipeAfter } from '../../base/wipe.ts';
import type { EncryptionAlgorithm } from '../../keys/key-spec.ts';
import { USE_ERRORS } from '../error-lists.ts';
import { defineOperation } from '../operation.ts';
import type { KeyResolver } from '../resolve-key.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';
import type { KeyTarget } from '../target.ts';
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
          resolveDestination(resolver, input.DestinationKeyId, source),
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

/**
 * The key to encrypt under. One that another account does not have is refused where one that it has would be, after the
 * source: a refusal that came earlier, or named another action, would tell which of its names are taken.
 */
function resolveDestination(
  resolver: KeyResolver,
  keyId: string,
  { key: sourceKey }: KeyTarget,
): MaybePromise<KeyTarget> {
  const demands = { action: 'kms:ReEncryptTo', usage: 'ENCRYPT_DECRYPT', rule: 'use' } as const;
  const refuseLater = (error: unknown): KeyTarget => {
    if (!(error instanceof KmsServiceError && error.name === 'AccessDeniedException')) {
      throw error;
    }
    const absent = { ...sourceKey, arn: keyId, accountId: keyId.split(':')[4] ?? '' };
    return { ...resolver.target(absent, demands), refusal: error };
  };
  try {
    const found = resolver.key(keyId, { ...demands, forms: 'any' });
    return found instanceof Promise ? found.catch(refuseLater) : found;
  } catch (error) {
    return refuseLater(error);
  }
}
