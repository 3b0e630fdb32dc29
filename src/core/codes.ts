import type { MessageType, PublicEncryptionAlgorithm, SignatureAlgorithm } from './asymmetric.ts';
import type { BatchOperation } from './async.ts';
import type { DigestAlgorithm } from './crypto-core.ts';
import type { AsymmetricKeyType, KeyType } from './key-handle.ts';
import type { WrappingAlgorithm } from './key-transport.ts';

/**
 * Numbers of key types at the binding; `native/core/key_type.h` has the same ones. They never change: wrapped keys are
 * bound to them.
 */
export const KEY_TYPE_CODES: Readonly<Record<KeyType, number>> = {
  aesGcm: 1,
  aesKwp: 2,
  backing: 3,
  hmac: 4,
  aesKw: 5,
  aes128Gcm: 6,
  rsa2048: 16,
  rsa3072: 17,
  rsa4096: 18,
  p256: 19,
  p384: 20,
  p521: 21,
  secp256k1: 22,
  ed25519: 23,
  sm2: 24,
  mlDsa44: 25,
  mlDsa65: 26,
  mlDsa87: 27,
  mlKem512: 28,
  mlKem768: 29,
  mlKem1024: 30,
};

/** Numbers of digests at the binding; `native/core/digest_algorithm.h` has the same ones. */
export const DIGEST_CODES: Readonly<Record<DigestAlgorithm, number>> = {
  'SHA-224': 1,
  'SHA-256': 2,
  'SHA-384': 3,
  'SHA-512': 4,
};

/** Bytes of a digest, and of an HMAC with it. */
export const DIGEST_BYTES: Readonly<Record<DigestAlgorithm, number>> = {
  'SHA-224': 28,
  'SHA-256': 32,
  'SHA-384': 48,
  'SHA-512': 64,
};

/** Numbers of signature algorithms; `native/core/signature.h` has the same ones. */
export const SIGNATURE_CODES: Readonly<Record<SignatureAlgorithm, number>> = {
  RSASSA_PSS_SHA_256: 1,
  RSASSA_PSS_SHA_384: 2,
  RSASSA_PSS_SHA_512: 3,
  RSASSA_PKCS1_V1_5_SHA_256: 4,
  RSASSA_PKCS1_V1_5_SHA_384: 5,
  RSASSA_PKCS1_V1_5_SHA_512: 6,
  ECDSA_SHA_256: 7,
  ECDSA_SHA_384: 8,
  ECDSA_SHA_512: 9,
  ED25519_SHA_512: 10,
  ED25519_PH_SHA_512: 11,
  ML_DSA_SHAKE_256: 12,
  SM2DSA: 13,
};

/** Numbers of message types; `native/core/signature.h` has the same ones. */
export const MESSAGE_TYPE_CODES: Readonly<Record<MessageType, number>> = { RAW: 1, DIGEST: 2, EXTERNAL_MU: 3 };

/** Numbers of encryption algorithms; `native/core/public_encryption.h` has the same ones. */
export const PUBLIC_ENCRYPTION_CODES: Readonly<Record<PublicEncryptionAlgorithm, number>> = {
  RSAES_OAEP_SHA_1: 1,
  RSAES_OAEP_SHA_256: 2,
  SM2PKE: 3,
};

/** Numbers of wrapping algorithms; `native/core/import_key.h` has the same ones. */
export const WRAPPING_CODES: Readonly<Record<WrappingAlgorithm, number>> = {
  RSAES_OAEP_SHA_1: 1,
  RSAES_OAEP_SHA_256: 2,
  RSA_AES_KEY_WRAP_SHA_1: 3,
  RSA_AES_KEY_WRAP_SHA_256: 4,
  RSAES_PKCS1_V1_5: 5,
  SM2PKE: 6,
};

/** Numbers of what a batch does; `native/core/batch.h` has the same ones. */
export const BATCH_CODES: Readonly<Record<BatchOperation['operation'], number>> = {
  sign: 1,
  verify: 2,
  publicEncrypt: 3,
  privateDecrypt: 4,
  ecdh: 5,
  encapsulate: 6,
  decapsulate: 7,
  hmac: 8,
  hmacVerify: 9,
};

/** Bytes of the longest signature of a key; 0 for types that do not sign. */
export const MAX_SIGNATURE_BYTES: Readonly<Record<AsymmetricKeyType, number>> = {
  rsa2048: 256,
  rsa3072: 384,
  rsa4096: 512,
  p256: 72,
  p384: 104,
  p521: 139,
  secp256k1: 72,
  ed25519: 64,
  sm2: 72,
  mlDsa44: 2420,
  mlDsa65: 3309,
  mlDsa87: 4627,
  mlKem512: 0,
  mlKem768: 0,
  mlKem1024: 0,
};

/** Bytes of an ML-KEM ciphertext; 0 for other types. */
export const KEM_CIPHERTEXT_BYTES: Readonly<Partial<Record<KeyType, number>>> = {
  mlKem512: 768,
  mlKem768: 1088,
  mlKem1024: 1568,
};
