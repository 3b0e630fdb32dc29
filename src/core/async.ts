/**
 * The long operations, on a pool of threads where the binding has one (Node: that of libuv). Each does what its
 * namesake does. All byte parameters are copied before the call returns, except those of `encryptIntoAsync` and
 * `decryptIntoAsync`. A key may be destroyed meanwhile. Arguments that are wrong reject the promise.
 */
import type { MessageType, PublicEncryptionAlgorithm, SignatureAlgorithm } from './asymmetric.ts';
import type { AsymmetricKeyType, KeyHandle, KeyType } from './key-handle.ts';
import type { DataKeyPair, WrappingAlgorithm } from './key-transport.ts';

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
