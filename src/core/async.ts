/**
 * The long operations, on a pool of threads where the binding has one (Node: that of libuv). Each does what its
 * namesake does. All byte parameters are copied before the call returns, except those of `encryptIntoAsync` and
 * `decryptIntoAsync`. A key may be destroyed meanwhile. Arguments that are wrong reject the promise.
 */
import type { MessageType, PublicEncryptionAlgorithm, SignatureAlgorithm } from './asymmetric.ts';
import type { DigestAlgorithm, PackedItems } from './crypto-core.ts';
import type { AsymmetricKeyType, KeyHandle, KeyType } from './key-handle.ts';
import type { DataKeyPair, WrappingAlgorithm } from './key-transport.ts';

/**
 * What {@link AsyncCore.batchAsync} does with each item; an item and its result are those of the function of that name.
 * - `sign`: an item is a message, the result its signature.
 * - `verify`: the signature of a message is the item of the same number in `others`; there are no results.
 * - `publicEncrypt`, `privateDecrypt`: plaintexts give ciphertexts, ciphertexts plaintexts.
 * - `ecdh`: an item is the SubjectPublicKeyInfo of the other side, the result the shared secret.
 * - `encapsulate`: items are empty, results 32 bytes of shared secret and then the ciphertext.
 * - `decapsulate`: ciphertexts give shared secrets.
 * - `hmac`: an item is the data, the result its MAC.
 * - `hmacVerify`: MACs are items of `others`; there are no results.
 */
export type BatchOperation =
  | {
      readonly operation: 'sign' | 'verify';
      readonly algorithm: SignatureAlgorithm;
      readonly messageType: MessageType;
    }
  | { readonly operation: 'publicEncrypt' | 'privateDecrypt'; readonly algorithm: PublicEncryptionAlgorithm }
  | { readonly operation: 'ecdh' | 'encapsulate' | 'decapsulate' }
  | { readonly operation: 'hmac' | 'hmacVerify'; readonly algorithm: DigestAlgorithm };

/** What came of the items of a batch, in their order; `data` has memory of its own. */
export interface BatchResults extends PackedItems {
  /** How each item fared, by the numbers of {@link CORE_STATUS}: 0 for well; an item that failed has no bytes. */
  readonly statuses: Uint8Array;
}

/** The long operations; where the binding has no threads (WebAssembly) they compute before they return. */
export interface AsyncCore {
  /** {@link AsymmetricCore.generateKeyPair}. */
  generateKeyPairAsync(type: AsymmetricKeyType): Promise<KeyHandle>;
  /** {@link AsymmetricCore.sign}. */
  signAsync(
    key: KeyHandle,
    algorithm: SignatureAlgorithm,
    messageType: MessageType,
    message: Uint8Array,
  ): Promise<Buffer>;
  /** {@link AsymmetricCore.verify}. */
  verifyAsync(
    key: KeyHandle,
    algorithm: SignatureAlgorithm,
    messageType: MessageType,
    message: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean>;
  /** {@link AsymmetricCore.publicEncrypt}. */
  publicEncryptAsync(key: KeyHandle, algorithm: PublicEncryptionAlgorithm, plaintext: Uint8Array): Promise<Buffer>;
  /** {@link AsymmetricCore.privateDecrypt}. */
  privateDecryptAsync(key: KeyHandle, algorithm: PublicEncryptionAlgorithm, ciphertext: Uint8Array): Promise<Buffer>;
  /** {@link AsymmetricCore.ecdh}. */
  ecdhAsync(key: KeyHandle, peerSpki: Uint8Array): Promise<Buffer>;
  /** {@link AsymmetricCore.encapsulate}. */
  encapsulateAsync(key: KeyHandle): Promise<{ sharedSecret: Buffer; ciphertext: Buffer }>;
  /** {@link AsymmetricCore.decapsulate}. */
  decapsulateAsync(key: KeyHandle, ciphertext: Uint8Array): Promise<Buffer>;
  /**
   * Does one operation with one key on many items: one call, one promise, and all cores at work on it, where a promise
   * for each item costs more than the shorter ones of these operations take. An item fares as in a call of its own, and
   * when it fails, the others do not: `statuses` tells. A signature or a MAC that does not fit is
   * `authenticationFailed`. The caller wipes results that are secret.
   *
   * @throws CoreError for what concerns all items: `wrongKeyType`, `destroyedKey`; `invalidArgument` for ends that do
   *   not fit their data, and when `others` has not as many items as `items` (or has any where there are to be none).
   */
  batchAsync(
    key: KeyHandle,
    operation: BatchOperation,
    items: PackedItems,
    others?: PackedItems,
  ): Promise<BatchResults>;
  /** {@link KeyTransportCore.unwrapImported}. */
  unwrapImportedAsync(
    wrappingKey: KeyHandle,
    algorithm: WrappingAlgorithm,
    wrapped: Uint8Array,
    type: KeyType,
    lengthBytes?: number,
  ): Promise<KeyHandle>;
  /** {@link KeyTransportCore.generateDataKeyPair}. */
  generateDataKeyPairAsync(
    key: KeyHandle,
    header: Uint8Array,
    context: Uint8Array,
    type: AsymmetricKeyType,
  ): Promise<DataKeyPair>;

  /**
   * {@link CryptoCore.encryptInto}; worth it from a megabyte. Neither `plaintext` nor `out` is copied: until the
   * promise settles, the caller does not write to the first, does not use the second, and transfers neither.
   */
  encryptIntoAsync(
    key: KeyHandle,
    plaintext: Uint8Array,
    aad: Uint8Array | undefined,
    out: Uint8Array,
    outOffset?: number,
  ): Promise<number>;
  /** {@link CryptoCore.decryptInto}, under the conditions of {@link encryptIntoAsync}. */
  decryptIntoAsync(
    key: KeyHandle,
    sealed: Uint8Array,
    aad: Uint8Array | undefined,
    out: Uint8Array,
    outOffset?: number,
  ): Promise<number>;
}
