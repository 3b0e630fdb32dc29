/**
 * The long operations, on a pool of threads where the binding has one (Node: that of libuv). Each does what its namesake
 * does. All byte parameters are copied before the call returns, except those of `encryptIntoAsync` and
 * `decryptIntoAsync`. A key may be destroyed meanwhile. Arguments that are wrong reject the promise.
 */
import type { MessageType, PublicEncryptionAlgorithm, SignatureAlgorithm } from './asymmetric.ts';
import type { AsymmetricKeyType, KeyHandle, KeyType } from './key-handle.ts';
import type { DataKeyPair, WrappingAlgorithm } from './key-transport.ts';

export interface AsyncCore {
  generateKeyPairAsync(type: AsymmetricKeyType): Promise<KeyHandle>;
  signAsync(
    key: KeyHandle,
    algorithm: SignatureAlgorithm,
    messageType: MessageType,
    message: Uint8Array,
  ): Promise<Buffer>;
  privateDecryptAsync(key: KeyHandle, algorithm: PublicEncryptionAlgorithm, ciphertext: Uint8Array): Promise<Buffer>;
  encapsulateAsync(key: KeyHandle): Promise<{ sharedSecret: Buffer; ciphertext: Buffer }>;
  decapsulateAsync(key: KeyHandle, ciphertext: Uint8Array): Promise<Buffer>;
  unwrapImportedAsync(
    wrappingKey: KeyHandle,
    algorithm: WrappingAlgorithm,
    wrapped: Uint8Array,
    type: KeyType,
    lengthBytes?: number,
  ): Promise<KeyHandle>;
  generateDataKeyPairAsync(
    key: KeyHandle,
    header: Uint8Array,
    context: Uint8Array,
    type: AsymmetricKeyType,
  ): Promise<DataKeyPair>;

  /**
   * Worth it from a megabyte. Neither `plaintext` nor `out` is copied: until the promise settles, the caller does not
   * write to the first, does not use the second, and transfers neither.
   */
  encryptIntoAsync(
    key: KeyHandle,
    plaintext: Uint8Array,
    aad: Uint8Array | undefined,
    out: Uint8Array,
    outOffset?: number,
  ): Promise<number>;
  /** As {@link encryptIntoAsync}. */
  decryptIntoAsync(
    key: KeyHandle,
    sealed: Uint8Array,
    aad: Uint8Array | undefined,
    out: Uint8Array,
    outOffset?: number,
  ): Promise<number>;
}
