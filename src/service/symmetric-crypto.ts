/** What the symmetric cryptographic operations share: context encoding, blob headers, and the one decrypt failure. */
import { MESSAGE_OVERHEAD_BYTES } from '../core/crypto-core.ts';
import { InvariantError, KmsServiceError } from '../base/errors.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import { BLOB_HEADER_BYTES, encodeBlobHeader, parseBlobHeader, type BlobHeader } from '../ciphertext/blob-header.ts';
import { encodeEncryptionContext, type EncryptionContext } from '../ciphertext/encryption-context.ts';
import type { EncryptionAlgorithm } from '../keys/key-spec.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type { KeyDemands, KeyResolver } from './resolve-key.ts';
import type { KeyTarget, OperationContext } from './operation.ts';
import type { SymmetricMaterial } from './ports.ts';

/** @throws KmsServiceError InvalidKeyUsageException when the algorithm does not belong to the key's spec */
export function requireAlgorithm(key: KmsKey, algorithm: EncryptionAlgorithm | undefined): void {
  if (algorithm !== undefined && algorithm !== 'SYMMETRIC_DEFAULT') {
    throw new KmsServiceError(
      'InvalidKeyUsageException',
      `Algorithm ${algorithm} and key spec ${key.keySpec} do not match.`,
    );
  }
}

/** @throws KmsServiceError ValidationException for strings that are not well-formed Unicode */
export function requireContext(context: EncryptionContext | undefined): Uint8Array {
  const encoded = encodeEncryptionContext(context);
  if (encoded === undefined) {
    throw new KmsServiceError('ValidationException', 'EncryptionContext holds a string that is not valid Unicode.');
  }
  return encoded;
}

/** Nitro attestation is not verified yet; answering with plaintext instead would be worse than an error. */
export function refuseRecipient(recipient: unknown): void {
  if (recipient !== undefined) {
    throw new KmsServiceError('UnsupportedOperationException', 'Recipient is not supported yet.');
  }
}

export interface CurrentMaterial {
  readonly header: Uint8Array;
  readonly material: SymmetricMaterial;
}

/** The material that new ciphertext is made under, with the header of its blobs. */
export function openCurrentMaterial(key: KmsKey, context: OperationContext): MaybePromise<CurrentMaterial> {
  return chain(context.materials.openSymmetric(key, key.currentMaterialId), (material) => {
    if (material === undefined) {
      throw new InvariantError(`key ${key.keyId} lacks its current material`);
    }
    return { header: encodeBlobHeader({ keyId: key.keyId, materialId: key.currentMaterialId }), material };
  });
}

/**
 * Finds the key that a blob must be decrypted with: the key that the caller names, or else the one that the blob names.
 *
 * @throws KmsServiceError AccessDeniedException when the blob names a key that this Region does not have
 */
export function resolveDecryptingKey(
  resolver: KeyResolver,
  keyId: string | undefined,
  blob: Uint8Array | undefined,
  demands: Omit<KeyDemands, 'forms'>,
): MaybePromise<KeyTarget> {
  if (keyId !== undefined) {
    return resolver.key(keyId, { ...demands, forms: 'any' });
  }
  if (blob === undefined) {
    throw new KmsServiceError('ValidationException', 'KeyId is required when the ciphertext is ignored.');
  }
  const header = parseBlobHeader(blob, MESSAGE_OVERHEAD_BYTES);
  if (header === undefined) {
    throw new KmsServiceError('InvalidCiphertextException');
  }
  return chain(resolver.keyOfAnyAccount(header.keyId), (key) => {
    if (key === undefined) {
      throw new KmsServiceError(
        'AccessDeniedException',
        'The ciphertext refers to a customer master key that does not exist, ' +
          'does not exist in this region, or you are not allowed to access.',
      );
    }
    return resolver.target(key, demands);
  });
}

export interface Decrypted {
  readonly plaintext: Uint8Array;
  readonly materialId: string;
}

/**
 * Decrypts a blob under a key that the caller may use. The material is found by its id, never by trial.
 *
 * @throws KmsServiceError IncorrectKeyException when the blob was made under another key; InvalidCiphertextException,
 *   the same for every other cause
 */
export function decryptBlob(
  key: KmsKey,
  blob: Uint8Array,
  encryptionContext: Uint8Array,
  context: OperationContext,
): MaybePromise<Decrypted> {
  const header: BlobHeader | undefined = parseBlobHeader(blob, MESSAGE_OVERHEAD_BYTES);
  if (header === undefined) {
    throw new KmsServiceError('InvalidCiphertextException');
  }
  const { materialId } = header;
  if (header.keyId !== key.keyId) {
    throw new KmsServiceError(
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    );
  }
  return chain(context.materials.openSymmetric(key, materialId), (material) => {
    if (material === undefined) {
      throw new KmsServiceError('InvalidCiphertextException');
    }
    return chain(material.decrypt(BLOB_HEADER_BYTES, blob, encryptionContext), (plaintext) => {
      if (plaintext === undefined) {
        throw new KmsServiceError('InvalidCiphertextException');
      }
      return { plaintext, materialId };
    });
  });
}

/** True for a dry run that asks to leave the ciphertext out of the check. */
export function ignoresCiphertext(input: {
  readonly DryRun?: boolean | undefined;
  readonly DryRunModifiers?: readonly string[] | undefined;
}): boolean {
  return input.DryRun === true && (input.DryRunModifiers ?? []).includes('IGNORE_CIPHERTEXT');
}

/** @throws KmsServiceError ValidationException when it is absent, in the words of the schema's own check */
export function requireCiphertext(blob: Uint8Array | undefined): Uint8Array {
  if (blob === undefined) {
    throw new KmsServiceError(
      'ValidationException',
      "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: " +
        'Member must not be null',
    );
  }
  return blob;
}
