/** Keys that come from or go to somebody: imported material, data key pairs, envelopes. */
import type { AsymmetricKeyType, KeyHandle, KeyType } from './key-handle.ts';

/**
 * How imported key material is encrypted, named as in AWS KMS. `RSA_AES_KEY_WRAP_*` is RSAES-OAEP of a fresh AES-256
 * key, as long as the modulus, followed by the material under that key by AES-KWP (RFC 5649).
 */
export type WrappingAlgorithm =
  | 'RSAES_OAEP_SHA_1'
  | 'RSAES_OAEP_SHA_256'
  | 'RSA_AES_KEY_WRAP_SHA_1'
  | 'RSA_AES_KEY_WRAP_SHA_256'
  | 'RSAES_PKCS1_V1_5'
  | 'SM2PKE';

/** A key pair for a caller. */
export interface DataKeyPair {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer;
  /** PrivateKeyInfo (PKCS#8), DER; of ML-KEM in the seed form of RFC 9935. */
  readonly privateKey: Buffer;
  /** The private key encrypted like a message: header ‖ … */
  readonly blob: Buffer;
}

/** Key material on its way in and out. */
export interface KeyTransportCore {
  /**
   * AES key wrap without padding under an `aesKw` key; for keys of a multiple of 8 bytes from 16. 8 bytes longer than
   * the key.
   *
   * @throws CoreError `invalidArgument` for a key of another length.
   * @source RFC 3394 §2.2.1, NIST SP 800-38F §6.2
   */
  kwWrap(kek: KeyHandle, key: KeyHandle): Buffer;
  /**
   * Opens what {@link kwWrap} made.
   *
   * @throws CoreError `authenticationFailed` for whatever is no wrapped key of `type`.
   */
  kwUnwrap(kek: KeyHandle, wrapped: Uint8Array, type: KeyType): KeyHandle;

  /**
   * Makes a key of `type` from material that was encrypted to `wrappingKey`; the material stays in the core. Of a key
   * pair the material is its PrivateKeyInfo. `lengthBytes`: what a symmetric key must have (default: any length of the
   * type).
   *
   * @throws CoreError `authenticationFailed` when the material cannot be decrypted; `invalidKey` when it is no key of
   *   that type and length.
   */
  unwrapImported(
    wrappingKey: KeyHandle,
    algorithm: WrappingAlgorithm,
    wrapped: Uint8Array,
    type: KeyType,
    lengthBytes?: number,
  ): KeyHandle;
  /**
   * Recognises key material that comes a second time, without showing it: 32 bytes, HMAC-SHA-256 under the `hmac` key
   * `fingerprintKey` of "keywright/material/v1" ‖ 0x00 ‖ type ‖ material.
   */
  materialFingerprint(fingerprintKey: KeyHandle, key: KeyHandle): Buffer;

  /** Makes a key pair and encrypts its private key like `encryptMessage`, in one call. Not for ML-DSA. */
  generateDataKeyPair(key: KeyHandle, header: Uint8Array, context: Uint8Array, type: AsymmetricKeyType): DataKeyPair;
  /** As {@link generateDataKeyPair}, but the private key never leaves the core. */
  generateDataKeyPairWithoutPlaintext(
    key: KeyHandle,
    header: Uint8Array,
    context: Uint8Array,
    type: AsymmetricKeyType,
  ): Omit<DataKeyPair, 'privateKey'>;

  /**
   * CMS EnvelopedData (RFC 5652 §6) as a ContentInfo, DER: AES-256-CBC under a fresh key that RSAES-OAEP with SHA-256
   * carries to an RSA key of 2048, 3072 or 4096 bits, named by the SHA-256 of its SubjectPublicKeyInfo. Up to 65536
   * bytes. Not authenticated, as no EnvelopedData is.
   *
   * @throws CoreError `invalidKey` when the recipient is no such key.
   */
  cmsEnvelopeEncrypt(recipientSpki: Uint8Array, plaintext: Uint8Array): Buffer;
}
