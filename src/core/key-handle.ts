/**
 * Types of symmetric keys.
 * - `aesGcm`: AES-256-GCM of data. 32 bytes.
 * - `aes128Gcm`: AES-128-GCM of data, for data keys of that size. 16 bytes.
 * - `aesKwp`: AES-256 key wrap with padding (RFC 5649). 32 bytes.
 * - `backing`: root of derivation: per-message keys, wrapping of other keys, SP 800-108. 32 bytes.
 * - `hmac`: HMAC key of 1 to 1024 bytes.
 * - `aesKw`: AES-256 key wrap without padding (RFC 3394). 32 bytes.
 */
export type SymmetricKeyType = 'aesGcm' | 'aesKwp' | 'backing' | 'hmac' | 'aesKw' | 'aes128Gcm';

/**
 * Types of key pairs: RSA by size of the modulus, the curves of ECDSA and ECDH, Ed25519 (RFC 8032), SM2 (GB/T 32918),
 * ML-DSA (FIPS 204) and ML-KEM (FIPS 203).
 */
export type AsymmetricKeyType =
  | 'rsa2048'
  | 'rsa3072'
  | 'rsa4096'
  | 'p256'
  | 'p384'
  | 'p521'
  | 'secp256k1'
  | 'ed25519'
  | 'sm2'
  | 'mlDsa44'
  | 'mlDsa65'
  | 'mlDsa87'
  | 'mlKem512'
  | 'mlKem768'
  | 'mlKem1024';

/** What a handle may be used for; the native core checks it on every call. */
export type KeyType = SymmetricKeyType | AsymmetricKeyType;

/** Reference to a key that lives in the memory of the core; the bytes are never visible to JavaScript. */
export interface KeyHandle {
  /** What the key is for. */
  readonly type: KeyType;
  /** True for the public part of a key pair alone, which verifies, encrypts and encapsulates. */
  readonly isPublic: boolean;
  /** Wipes and frees the key now. Later uses raise `destroyedKey`; a second call does nothing. */
  destroy(): void;
}
