/** What the data operations share: algorithms, context encoding, blob headers, and the one decrypt failure. */
import { AEAD_OVERHEAD_BYTES, MESSAGE_OVERHEAD_BYTES } from '../core/crypto-core.ts';
import { InvariantError, KmsServiceError } from '../base/errors.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import { BLOB_HEADER_BYTES, encodeBlobHeader, parseBlobHeader, type BlobHeader } from '../ciphertext/blob-header.ts';
import { encodeEncryptionContext, type EncryptionContext } from '../ciphertext/encryption-context.ts';
import { algorithmsOf, maxPlaintextBytes, type EncryptionAlgorithm } from '../keys/key-spec.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import { refuseCustomKeyStore } from './key-origin.ts';
import type { KeyDemands, KeyResolver } from './resolve-key.ts';
import type { OperationContext } from './operation.ts';
import type { KeyTarget } from './target.ts';
import type { SymmetricMaterial } from './ports.ts';

/**
 * The algorithm of a data operation: SYMMETRIC_DEFAULT unless the request says otherwise.
 *
 * @throws KmsServiceError InvalidKeyUsageException when it does not belong to the key's spec
 */
export function requireEncryptionAlgorithm(
  { keySpec }: KmsKey,
  algorithm: EncryptionAlgorithm = 'SYMMETRIC_DEFAULT',
): EncryptionAlgorithm {
  if (!(algorithmsOf(keySpec).ENCRYPT_DECRYPT ?? []).includes(algorithm)) {
    throw new KmsServiceError(
      'InvalidKeyUsageException',
      `Algorithm ${algorithm} and key spec ${keySpec} do not match.`,
    );
  }
  return algorithm;
}

/** @throws KmsServiceError InvalidKeyUsageException for a key pair, under which no data keys are made */
export function requireDataKeySource(key: KmsKey): void {
  if (key.keySpec !== 'SYMMETRIC_DEFAULT') {
    throw new KmsServiceError('InvalidKeyUsageException', 'You cannot generate a data key with an asymmetric CMK');
  }
}

/** @throws KmsServiceError as for data keys; UnsupportedOperationException for a key of a custom key store */
export function requireDataKeyPairSource(key: KmsKey): void {
  requireDataKeySource(key);
  refuseCustomKeyStore(key);
}

/** @throws KmsServiceError ValidationException for strings that are not well-formed Unicode */
export function requireContext(context: EncryptionContext | undefined): Uint8Array {
  const encoded = encodeEncryptionContext(context);
  if (encoded === undefined) {
    throw new KmsServiceError('ValidationException', 'EncryptionContext holds a string that is not valid Unicode.');
  }
  return encoded;
}

export interface CurrentMaterial {
  readonly materialId: string;
  readonly header: Uint8Array;
  readonly material: SymmetricMaterial;
}

/** The material that new ciphertext is made under, with the header of its blobs. */
export function openCurrentMaterial(key: KmsKey, context: OperationContext): MaybePromise<CurrentMaterial> {
  const { keyId, currentMaterialId: materialId } = key;
  const opened = materialId === undefined ? undefined : context.materials.openSymmetric(key, materialId, context);
  return chain(opened, (material) => {
    if (material === undefined || materialId === undefined) {
      throw new InvariantError(`key ${keyId} lacks its current material`);
    }
    return { header: encodeBlobHeader({ keyId, materialId }), materialId, material };
  });
}

const UNKNOWN_CIPHERTEXT_KEY =
  'The ciphertext refers to a customer master key that does not exist, ' +
  'does not exist in this region, or you are not allowed to access.';

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
  const header = parseBlobHeader(blob, AEAD_OVERHEAD_BYTES);
  if (header === undefined) {
    throw new KmsServiceError('InvalidCiphertextException');
  }
  return chain(resolver.keyOfAnyAccount(header.keyId), (key) => {
    if (key === undefined) {
      throw new KmsServiceError('AccessDeniedException', UNKNOWN_CIPHERTEXT_KEY);
    }
    // Whoever may not use the key learns as little as of a key that is not there: anybody can write an id into a blob.
    return { ...resolver.target(key, demands), denial: UNKNOWN_CIPHERTEXT_KEY };
  });
}

/** Data with the key, algorithm and encryption context that belong to it. */
export interface DataUnderKey {
  readonly key: KmsKey;
  readonly algorithm: EncryptionAlgorithm;
  readonly encryptionContext: EncryptionContext | undefined;
}

/**
 * Encrypts under a key that the caller may use, symmetric or not.
 *
 * @throws KmsServiceError ValidationException when the algorithm takes less, or no encryption context
 */
export function encryptData(
  { key, algorithm, encryptionContext }: DataUnderKey,
  plaintext: Uint8Array,
  context: OperationContext,
): MaybePromise<Uint8Array> {
  if (algorithm === 'SYMMETRIC_DEFAULT') {
    const encoded = requireContext(encryptionContext);
    return chain(openCurrentMaterial(key, context), ({ header, material }) =>
      material.encrypt(header, encoded, plaintext),
    );
  }
  refuseContext(encryptionContext);
  const limit = maxPlaintextBytes(key.keySpec, algorithm);
  if (limit !== undefined && plaintext.length > limit) {
    throw new KmsServiceError(
      'ValidationException',
      `Algorithm ${algorithm} and key spec ${key.keySpec} cannot encrypt data larger than ${String(limit)} bytes.`,
    );
  }
  return chain(context.materials.openAsymmetric(key), (material) => material.encrypt(algorithm, plaintext));
}

export interface Decrypted {
  readonly plaintext: Uint8Array;
  /** The material that opened a symmetric ciphertext; key pairs have only one and do not name it. */
  readonly materialId: string | undefined;
}

/**
 * Decrypts under a key that the caller may use. The material of a symmetric ciphertext is found by its id, never by
 * trial.
 *
 * @throws KmsServiceError IncorrectKeyException when a symmetric blob was made under another key;
 *   InvalidCiphertextException, the same for every other cause
 */
export function decryptData(
  { key, algorithm, encryptionContext }: DataUnderKey,
  ciphertext: Uint8Array,
  context: OperationContext,
): MaybePromise<Decrypted> {
  if (algorithm === 'SYMMETRIC_DEFAULT') {
    return decryptBlob(key, ciphertext, requireContext(encryptionContext), context);
  }
  refuseContext(encryptionContext);
  return chain(context.materials.openAsymmetric(key), (material) =>
    chain(material.decrypt(algorithm, ciphertext), (plaintext) => {
      if (plaintext === undefined) {
        throw new KmsServiceError('InvalidCiphertextException');
      }
      return { plaintext, materialId: undefined };
    }),
  );
}

function refuseContext(encryptionContext: EncryptionContext | undefined): void {
  if (encryptionContext !== undefined && Object.keys(encryptionContext).length > 0) {
    throw new KmsServiceError('ValidationException', 'EncryptionContext is only valid with symmetric encryption keys.');
  }
}

/** An HSM encrypts without the derivation and commitment of the software. */
function overheadOf({ origin }: KmsKey): number {
  return origin === 'AWS_CLOUDHSM' ? AEAD_OVERHEAD_BYTES : MESSAGE_OVERHEAD_BYTES;
}

function decryptBlob(
  key: KmsKey,
  blob: Uint8Array,
  encryptionContext: Uint8Array,
  context: OperationContext,
): MaybePromise<Decrypted> {
  const header: BlobHeader | undefined = parseBlobHeader(blob, overheadOf(key));
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
  return chain(context.materials.openSymmetric(key, materialId, context), (material) => {
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
