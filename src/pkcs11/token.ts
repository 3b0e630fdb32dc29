/** What a PKCS#11 token does for Keywright: one asynchronous interface, whatever module is behind it. */
import type { DigestAlgorithm } from '../core/crypto-core.ts';
import type { KeyHandle, KeyType } from '../core/key-handle.ts';
import type { PublicEncryptionAlgorithm, SignatureAlgorithm } from '../core/asymmetric.ts';
import type { HsmKeyPairType, HsmWrapMechanism, Pkcs11ProfileName, Pkcs11Reason, SecretKeyType } from './codes.ts';

/** Where a token is, and how it is used. */
export interface Pkcs11TokenOptions {
  /** Path of the module, a shared object. */
  readonly modulePath: string;
  /** By label, or by the id of its slot; labels are better, because slot ids may change. */
  readonly token: { readonly label: string } | { readonly slotId: number };
  /** Who logs in. @defaultValue user */
  readonly user?: 'user' | 'securityOfficer';
  /** The PIN of the user, as the profile has it (`user:password` for CloudHSM). Copied; the caller wipes its own. */
  readonly pin: Uint8Array;
  readonly profile?: Pkcs11ProfileName;
  /** What modules like NSS softokn take at C_Initialize (pReserved). */
  readonly initArgs?: string;
  /** Sessions at work, each on a thread of its own. @defaultValue 4 */
  readonly sessions?: number;
  /** Requests that may wait; more are refused with `queueFull`. @defaultValue 1024 */
  readonly queueLength?: number;
  /** How long a request may take from call to answer, in milliseconds. @defaultValue 10000 */
  readonly timeoutMs?: number;
  /**
   * `deep` keeps the module's symbols to itself (RTLD_DEEPBIND), `local` lets it use those of the process. The default
   * is `deep`, and `local` where an allocator was preloaded or a sanitizer runs, which deep binding does not survive.
   */
  readonly bind?: 'deep' | 'local';
  /**
   * Where the module runs: in `this` process, or in a `helper` process of the token's own, so that a crash of the
   * module ends nothing but the requests that are under way (`helperEnded`); the helper is started again. What the
   * module prints goes to stderr. @defaultValue this
   */
  readonly process?: 'this' | 'helper';
  /**
   * Variables that a helper's environment has besides those of this process, such as the module's configuration. Those
   * of Keywright (`KEYWRIGHT_…`), of which some are secrets, are not passed on.
   */
  readonly environment?: Readonly<Record<string, string>>;
}

/** What the token says of itself (C_GetInfo, C_GetTokenInfo, C_GetMechanismList). */
export interface Pkcs11TokenInfo {
  readonly profile: Pkcs11ProfileName;
  readonly libraryDescription: string;
  readonly libraryVersion: string;
  readonly slotId: number;
  readonly label: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly serialNumber: string;
  /** Numbers (CKM_…) of the mechanisms that the token lists. */
  readonly mechanisms: readonly number[];
}

/** How the requests to a token stand. */
export interface Pkcs11TokenState {
  /** `closed`: works. `open`: requests are refused without asking the token, until a probe succeeds. */
  readonly circuit: 'closed' | 'open';
  readonly sessions: number;
  /** Requests that a session works on, and that wait for one. */
  readonly active: number;
  readonly queued: number;
  /** Logins since the token was opened; the first is 1. */
  readonly logins: number;
}

/** How a key is made. Unless something else is said it is a token object, sensitive, and can never leave the token. */
export interface HsmKeyPlan {
  /** CKA_ID, 1 to 64 bytes; no key of the same class may have it. */
  readonly id: Uint8Array;
  /** CKA_LABEL, UTF-8; for people. */
  readonly label: string;
  /** Dies with the login instead of staying in the token. @defaultValue false */
  readonly isSession?: boolean;
  /** May be wrapped by another key of the token, yet never be read. @defaultValue false */
  readonly isExtractable?: boolean;
  /** With `isExtractable`: only by keys that the security officer marked as trusted. @defaultValue false */
  readonly needsTrustedWrap?: boolean;
}

export interface HsmSecretKeyPlan extends HsmKeyPlan {
  readonly type: SecretKeyType;
  /** For `hmac` only: 16 to 128 bytes. AES keys have 32. */
  readonly lengthBytes?: number;
}

export interface HsmKeyPairPlan extends HsmKeyPlan {
  readonly type: HsmKeyPairType;
}

/** A key as the token describes it. */
export interface HsmKeyDescription {
  readonly id: Buffer;
  readonly label: string;
  readonly objectClass: 'secret' | 'private' | 'public';
  /** CKA_KEY_TYPE (CKK_…). */
  readonly keyType: number;
  readonly isToken: boolean;
  readonly isSensitive: boolean;
  readonly isExtractable: boolean;
}

/**
 * A token with a user logged in. Every call is a promise and runs on a thread of the token; the bytes that it is given
 * are copied before it returns. Keys are named by their CKA_ID. All reject with a {@link Pkcs11Error}, whose `reason`
 * tells what happened.
 *
 * A session that was lost, a login that expired, or a token that was away and came back are mended inside, and the
 * request is done once. When the token stays away the circuit opens: calls are refused with `unavailable` at once,
 * until a probe finds the token again.
 *
 * A batch does one operation with one key on many items, and its results are in their order. It is one request: it
 * takes one place in the queue, has the timeout of one request, and what is true of every item (no such key, no such
 * mechanism, a token that is away) rejects all of it. The sessions share batches of more than 64 items, and of more
 * than 8 where tokens take long (signatures, RSA). A batch without items asks nothing of the token.
 */
export interface Pkcs11Token {
  readonly info: Pkcs11TokenInfo;
  state(): Pkcs11TokenState;

  /** 1 to 65536 random bytes of the token (C_GenerateRandom). */
  generateRandom(lengthBytes: number): Promise<Buffer>;

  /** @throws Pkcs11Error `keyExists`, `notProtected` when the token made a key that can be read (it is destroyed) */
  generateSecretKey(plan: HsmSecretKeyPlan): Promise<void>;
  /** @returns SubjectPublicKeyInfo, DER */
  generateKeyPair(plan: HsmKeyPairPlan): Promise<Buffer>;
  /** All keys, or those with this id. */
  findKeys(id?: Uint8Array): Promise<readonly HsmKeyDescription[]>;
  /** Destroys every object with the id; `keyNotFound` when there is none. */
  destroyKey(id: Uint8Array): Promise<void>;
  /** SubjectPublicKeyInfo, DER. */
  exportPublicKey(id: Uint8Array): Promise<Buffer>;
  /** An RSAn RSA public key from elsewhere; it wraps keys, or encrypts and verifies, as its type says. */
  importPublicKey(publicKey: Uint8Array, plan: HsmKeyPairPlan): Promise<void>;
  /** The key `keyId` under the key `wrappingKeyId`; the key must be extractable. */
  wrapKey(wrappingKeyId: Uint8Array, mechanism: HsmWrapMechanism, keyId: Uint8Array): Promise<Buffer>;
  /** A key as a new object of the token. @throws Pkcs11Error `authenticationFailed` when it is not what was wrapped */
  unwrapKey(
    wrappingKeyId: Uint8Array,
    mechanism: HsmWrapMechanism,
    wrapped: Uint8Array,
    plan: HsmSecretKeyPlan,
  ): Promise<void>;

  /** AES-256-GCM: IV (12 bytes) ‖ ciphertext ‖ tag (16 bytes). The HSM makes the IV where it can, else it is random. */
  encryptGcm(keyId: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Promise<Buffer>;
  /** @throws Pkcs11Error `authenticationFailed` */
  decryptGcm(keyId: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Promise<Buffer>;
  /** {@link encryptGcm} of many plaintexts with the same AAD in one request. */
  encryptGcmBatch(keyId: Uint8Array, plaintexts: readonly Uint8Array[], aad: Uint8Array): Promise<readonly Buffer[]>;
  /** {@link decryptGcm} of many; an error in the place of what does not open. */
  decryptGcmBatch(
    keyId: Uint8Array,
    sealed: readonly Uint8Array[],
    aad: Uint8Array,
  ): Promise<readonly (Buffer | Pkcs11Error)[]>;

  /**
   * {@link encryptGcm} of a key of the core, which does not become a JavaScript value on the way. Not in a helper
   * process, where the key would have to leave this one (`notOffered`).
   */
  sealKey(keyId: Uint8Array, key: KeyHandle, aad: Uint8Array): Promise<Buffer>;
  /** The key that {@link sealKey} sealed. @throws Pkcs11Error `authenticationFailed` */
  openKey(keyId: Uint8Array, sealed: Uint8Array, aad: Uint8Array, type: KeyType): Promise<KeyHandle>;

  /**
   * HMAC (CKM_SHA…_HMAC, PKCS#11 2.40, section 2.22), as long as the digest: 28, 32, 48 or 64 bytes.
   *
   * @throws Pkcs11Error `tooLong` for more than the token takes
   */
  generateMac(keyId: Uint8Array, digest: DigestAlgorithm, message: Uint8Array): Promise<Buffer>;
  /** {@link generateMac} of many messages; an error (`tooLong`) in the place of what has none. */
  generateMacBatch(
    keyId: Uint8Array,
    digest: DigestAlgorithm,
    messages: readonly Uint8Array[],
  ): Promise<readonly (Buffer | Pkcs11Error)[]>;
  verifyMac(keyId: Uint8Array, digest: DigestAlgorithm, message: Uint8Array, mac: Uint8Array): Promise<boolean>;
  /**
   * Signs a digest (Ed25519 and ML-DSA: the message). ECDSA signatures are DER, as everywhere in Keywright.
   *
   * @throws Pkcs11Error `invalidArgument` when the digest has another length than the algorithm's, or an ECDSA key is
   *   on another curve; `tooLong` for a message of more than the token takes
   */
  sign(keyId: Uint8Array, algorithm: SignatureAlgorithm, digest: Uint8Array): Promise<Buffer>;
  /** {@link sign} of many digests; an error in the place of what is not signed. */
  signBatch(
    keyId: Uint8Array,
    algorithm: SignatureAlgorithm,
    digests: readonly Uint8Array[],
  ): Promise<readonly (Buffer | Pkcs11Error)[]>;
  verify(keyId: Uint8Array, algorithm: SignatureAlgorithm, digest: Uint8Array, signature: Uint8Array): Promise<boolean>;
  rsaEncrypt(keyId: Uint8Array, algorithm: PublicEncryptionAlgorithm, plaintext: Uint8Array): Promise<Buffer>;
  /**
   * RSAES-OAEP (RFC 8017, section 7.1); a ciphertext is as long as the modulus.
   *
   * @throws Pkcs11Error `authenticationFailed`
   */
  rsaDecrypt(keyId: Uint8Array, algorithm: PublicEncryptionAlgorithm, ciphertext: Uint8Array): Promise<Buffer>;
  /** {@link rsaDecrypt} of many ciphertexts; an error (`authenticationFailed`) in the place of what does not open. */
  rsaDecryptBatch(
    keyId: Uint8Array,
    algorithm: PublicEncryptionAlgorithm,
    ciphertexts: readonly Uint8Array[],
  ): Promise<readonly (Buffer | Pkcs11Error)[]>;
  /** ECDH: the x coordinate of the shared point (SP 800-56A); `peerSpki` is a public key of the same curve, DER. */
  agree(keyId: Uint8Array, peerSpki: Uint8Array): Promise<Buffer>;

  /** Ends those that wait with `closed`, waits for those at work (up to their timeout), and logs out. */
  close(): Promise<void>;
}

/** A failure of a token, told by `reason` and, where the module answered, by `rv`; never by its text. */
export class Pkcs11Error extends Error {
  override readonly name = 'Pkcs11Error';
  readonly reason: Pkcs11Reason;
  /** The module's return value (CKR_…), 0 where it has no part in the failure. */
  readonly rv: number;

  constructor(reason: Pkcs11Reason, rv: number, text: string) {
    super(text);
    this.reason = reason;
    this.rv = rv;
  }
}
