/** Numbers that TypeScript and native/pkcs11 share; a test compares the files. None ever changes its meaning. */

/** Why a request has no result; `native/pkcs11/failure.h` has the same numbers. */
export const REASON_CODES = {
  /** The module answered with the return value that the error carries. */
  module: 1,
  /** Arguments that no token could make sense of. */
  invalidArgument: 2,
  /** No key of that class has the id. */
  keyNotFound: 3,
  /** The token does not offer the mechanism, or not with these parameters. */
  notOffered: 4,
  /** A ciphertext, wrapped key, MAC or signature is not what the key made. */
  authenticationFailed: 5,
  /** More data than the token takes in one request. */
  tooLong: 6,
  /** A key that was just made can be read or exported although it must not; it was destroyed. */
  notProtected: 7,
  /** As many requests wait as may wait; nothing was done. */
  queueFull: 8,
  /** The time was over; whether the token did the work is unknown. */
  timedOut: 9,
  /** The token cannot be reached at present and was not asked; the circuit is open. */
  unavailable: 10,
  /** The token was closed. */
  closed: 11,
  /** The module cannot be loaded, or is none. */
  noModule: 12,
  /** No token has the label, or no slot the id. */
  noToken: 13,
  /** The token refused the PIN. */
  pinRefused: 14,
  outOfMemory: 15,
  /** An id that must be free is taken. */
  keyExists: 16,
  /** The helper process with the module ended before it answered; whether the token did the work is unknown. */
  helperEnded: 17,
} as const;

export type Pkcs11Reason = keyof typeof REASON_CODES;

/** Vendor profiles; `native/pkcs11/profile.h` has the same numbers. */
export const PROFILE_CODES = { generic: 1, softhsm: 2, cloudhsm: 3, nss: 4 } as const;

export type Pkcs11ProfileName = keyof typeof PROFILE_CODES;

/** Kinds of secret keys, and the usages that each is made with. */
export const SECRET_TYPE_CODES = {
  /** AES, 32 bytes: encrypts and decrypts (GCM). */
  aesGcm: 1,
  /** AES, 32 bytes: wraps and unwraps other keys, and nothing else. */
  aesWrap: 2,
  /** Generic secret: generates and verifies MACs. */
  hmac: 3,
} as const;

export type SecretKeyType = keyof typeof SECRET_TYPE_CODES;

/** Kinds of key pairs. */
export const PAIR_TYPE_CODES = {
  /** RSA that signs and decrypts. */
  rsa2048: 1,
  rsa3072: 2,
  rsa4096: 3,
  p256: 4,
  p384: 5,
  p521: 6,
  secp256k1: 7,
  ed25519: 8,
  /** RSA that wraps and unwraps other keys, and nothing else. */
  rsa2048Wrap: 9,
  rsa4096Wrap: 10,
  mlDsa44: 11,
  mlDsa65: 12,
  mlDsa87: 13,
} as const;

export type HsmKeyPairType = keyof typeof PAIR_TYPE_CODES;

/** How a key is wrapped for transport. */
export const WRAP_CODES = {
  /** AES key wrap: RFC 3394. */
  aesKw: 1,
  /** AES key wrap with padding: RFC 5649. */
  aesKwp: 2,
  /** RSAES-OAEP with SHA-1 and MGF1 with SHA-1 (RFC 8017). */
  rsaOaepSha1: 3,
  rsaOaepSha256: 4,
  /** An AES key under RSAES-OAEP, followed by the key under it (PKCS#11 3.0 §2.1.21, CKM_RSA_AES_KEY_WRAP). */
  rsaAesSha1: 5,
  rsaAesSha256: 6,
} as const;

export type HsmWrapMechanism = keyof typeof WRAP_CODES;

/** Bits that tell how a key is made or unwrapped. Without any it is a token object that can never leave the token. */
export const KEY_FLAGS = {
  /** Dies with the login instead of staying in the token. */
  session: 1,
  /** May be wrapped by another key of the token (CKA_EXTRACTABLE), yet never be read (CKA_SENSITIVE). */
  extractable: 2,
  /** May be wrapped only by keys that the security officer trusts (CKA_WRAP_WITH_TRUSTED); with `extractable`. */
  wrapWithTrusted: 4,
} as const;

/** What a token is asked to do: `native/pkcs11/request.h`; `perform.h` says what each takes and gives. */
export const OPERATION_CODES = {
  generateRandom: 1,
  generateSecretKey: 2,
  generateKeyPair: 3,
  findKeys: 4,
  destroyKey: 5,
  exportPublicKey: 6,
  wrapKey: 7,
  unwrapKey: 8,
  encryptGcm: 9,
  decryptGcm: 10,
  generateMac: 11,
  verifyMac: 12,
  sign: 13,
  verify: 14,
  rsaEncrypt: 15,
  rsaDecrypt: 16,
  agree: 17,
  importPublicKey: 18,
} as const;

export type HsmOperation = keyof typeof OPERATION_CODES;

/** How the symbols of a module are bound; `native/pkcs11/module.h` has the same numbers. */
export const BIND_CODES = { default: 0, deep: 1, local: 2 } as const;
