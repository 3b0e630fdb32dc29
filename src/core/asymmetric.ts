/** Key pairs: the part of the core for RSA, elliptic curves, Ed25519, SM2, ML-DSA and ML-KEM. */
import type { AsymmetricKeyType, KeyHandle } from './key-handle.ts';

/**
 * Signatures, named as in AWS KMS.
 * - `RSASSA_PSS_*` (RFC 8017 §8.1): MGF1 with the same hash, salt as long as the hash; as long as the modulus.
 * - `RSASSA_PKCS1_V1_5_*` (RFC 8017 §8.2): as long as the modulus.
 * - `ECDSA_*` (FIPS 186-5): DER; `SHA_256` for p256 and secp256k1, `SHA_384` for p384, `SHA_512` for p521.
 * - `ED25519_SHA_512` (RFC 8032 Ed25519), `ED25519_PH_SHA_512` (Ed25519ph, empty context): 64 bytes.
 * - `ML_DSA_SHAKE_256` (FIPS 204, pure, hedged, empty context): 2420, 3309 or 4627 bytes.
 * - `SM2DSA` (GB/T 32918.2 with SM3 and the identity 1234567812345678): DER.
 */
export type SignatureAlgorithm =
  | 'RSASSA_PSS_SHA_256'
  | 'RSASSA_PSS_SHA_384'
  | 'RSASSA_PSS_SHA_512'
  | 'RSASSA_PKCS1_V1_5_SHA_256'
  | 'RSASSA_PKCS1_V1_5_SHA_384'
  | 'RSASSA_PKCS1_V1_5_SHA_512'
  | 'ECDSA_SHA_256'
  | 'ECDSA_SHA_384'
  | 'ECDSA_SHA_512'
  | 'ED25519_SHA_512'
  | 'ED25519_PH_SHA_512'
  | 'ML_DSA_SHAKE_256'
  | 'SM2DSA';

/**
 * What the message of a signature is.
 * - `RAW`: the message; every algorithm but ED25519_PH_SHA_512.
 * - `DIGEST`: its digest, of exactly the length of the algorithm's hash (SM2: SM3(Z ‖ message)), which is not hashed
 *   again; RSA, ECDSA, SM2DSA. And ED25519_PH_SHA_512, where the 64 bytes are the message: the prehash hashes them
 *   again, as in AWS KMS.
 * - `EXTERNAL_MU`: µ of FIPS 204 §5.2, 64 bytes; ML_DSA_SHAKE_256 only.
 */
export type MessageType = 'RAW' | 'DIGEST' | 'EXTERNAL_MU';

/**
 * Encryption to a public key, named as in AWS KMS.
 * - `RSAES_OAEP_*` (RFC 8017 §7.1): MGF1 with the same hash, empty label; up to modulus - 2 × hash - 2 bytes; the
 *   ciphertext is as long as the modulus.
 * - `SM2PKE` (GB/T 32918.4 with SM3): 1 to 1024 bytes; the ciphertext is the DER structure of GM/T 0009.
 */
export type PublicEncryptionAlgorithm = 'RSAES_OAEP_SHA_1' | 'RSAES_OAEP_SHA_256' | 'SM2PKE';

/**
 * What key pairs do. An algorithm that is none of the key's type raises `wrongKeyType`, and so does a public key where
 * a private one is needed.
 */
export interface AsymmetricCore {
  // Keys

  /** Makes a fresh key pair. RSA takes from 50 ms (2048) to seconds (4096): see `generateKeyPairAsync`. */
  generateKeyPair(type: AsymmetricKeyType): KeyHandle;
  /**
   * A key pair from its PrivateKeyInfo (PKCS#8, RFC 5208, DER, without encryption); for ed25519, ML-DSA and ML-KEM also
   * from the seed alone (32, 32, 64 bytes). The caller still owns `encoded` and wipes it.
   *
   * @throws CoreError `invalidKey` for all but a key of exactly this type whose parts fit each other: other sizes or
   *   curves, explicit curve parameters, trailing bytes, RSA exponents that are even, below 2^16 or above 2^64.
   */
  importPrivateKey(type: AsymmetricKeyType, encoded: Uint8Array): KeyHandle;
  /**
   * A public key from its SubjectPublicKeyInfo (RFC 5280 §4.1), DER; points may be compressed.
   *
   * @throws CoreError `invalidKey` for all but a public key of exactly this type.
   */
  importPublicKey(type: AsymmetricKeyType, spki: Uint8Array): KeyHandle;
  /** The SubjectPublicKeyInfo of a private or public key, DER; points uncompressed. */
  exportPublicKey(key: KeyHandle): Buffer;
  /**
   * The PrivateKeyInfo, DER; of ML-KEM in the seed form of RFC 9935 (86 bytes). The caller wipes it.
   *
   * @throws CoreError `wrongKeyType` for ML-DSA too, whose keys nobody takes out.
   */
  exportPrivateKey(key: KeyHandle): Buffer;

  // Signatures

  /**
   * Signs with a private key; {@link SignatureAlgorithm} tells the length.
   *
   * @throws CoreError `invalidArgument` when the algorithm takes no messages of that type; `invalidLength` when a
   *   digest or µ has another length than the algorithm's.
   */
  sign(key: KeyHandle, algorithm: SignatureAlgorithm, messageType: MessageType, message: Uint8Array): Buffer;
  /**
   * Whether `signature` is one of the message; false for malformed ones too. Takes private and public keys.
   *
   * @throws CoreError as {@link sign}.
   */
  verify(
    key: KeyHandle,
    algorithm: SignatureAlgorithm,
    messageType: MessageType,
    message: Uint8Array,
    signature: Uint8Array,
  ): boolean;

  // Encryption

  /**
   * Encrypts to a public key, or to the public part of a private one; {@link PublicEncryptionAlgorithm} tells the
   * lengths.
   *
   * @throws CoreError `invalidArgument` when the plaintext is longer than the algorithm and the key allow.
   */
  publicEncrypt(key: KeyHandle, algorithm: PublicEncryptionAlgorithm, plaintext: Uint8Array): Buffer;
  /**
   * Decrypts with a private key; the caller wipes the result.
   *
   * @throws CoreError `authenticationFailed`, one failure for every cause.
   */
  privateDecrypt(key: KeyHandle, algorithm: PublicEncryptionAlgorithm, ciphertext: Uint8Array): Buffer;

  // Key agreement

  /**
   * ECDH of a p256, p384, p521 or sm2 key with the SubjectPublicKeyInfo of the other side: the
   * x-coordinate in the width of the field (32, 48, 66 or 32 bytes), without a KDF.
   *
   * @throws CoreError `invalidKey` when the other key is none of the same curve.
   * @source NIST SP 800-56A Rev. 3 §5.7.1.2
   */
  ecdh(key: KeyHandle, peerSpki: Uint8Array): Buffer;
  /**
   * ML-KEM: a fresh shared secret of 32 bytes and its encapsulation (768, 1088 or 1568 bytes).
   *
   * @source FIPS 203 §7.2
   */
  encapsulate(key: KeyHandle): { sharedSecret: Buffer; ciphertext: Buffer };
  /**
   * The shared secret of an ML-KEM ciphertext, 32 bytes. One that was not made for this key gives a secret that nobody
   * else knows (implicit rejection).
   *
   * @throws CoreError `invalidArgument` for a ciphertext of another length.
   * @source FIPS 203 §7.3
   */
  decapsulate(key: KeyHandle, ciphertext: Uint8Array): Buffer;
}
