/** External keys in a PKCS#11 token, which never leave it. */
import { randomBytes } from 'node:crypto';
import { encodeFields } from '../../base/fields.ts';
import type { CryptoCore } from '../../core/crypto-core.ts';
import type { Pkcs11Reason } from '../../pkcs11/codes.ts';
import { Pkcs11Error, type Pkcs11Token } from '../../pkcs11/token.ts';
import { TAG_BYTES, type ExternalCiphertext, type XksErrorName } from '../proxy-api.ts';
import type { ExternalKey, ExternalKeyManager, ManagerHealth } from './external-key.ts';
import { ProxyError } from './proxy-error.ts';

/** What the token makes; PKCS#11 2.40 §2.10.3 allows others, and no token offers them for certain. */
const IV_BYTES = 12;
const PROBE_ID_BYTES = 16;
const CKK_AES = 0x1f;
const NOTHING = new Uint8Array(0);

/** A key that the token does not have, or that must not be served; the text says why. */
export class TokenKeyError extends Error {
  override readonly name = 'TokenKeyError';
}

/**
 * AES-256-GCM inside the token, with the additional data as KMS sends it and without metadata. The key itself encrypts
 * every message, so that at most 2^32 may be encrypted under it (SP 800-38D §8.3).
 */
export class TokenKey implements ExternalKey {
  readonly #token: Pkcs11Token;
  readonly #id: Uint8Array;

  /** @param id CKA_ID */
  constructor(token: Pkcs11Token, id: Uint8Array) {
    this.#token = token;
    this.#id = id;
  }

  async isPresent(): Promise<boolean> {
    return (await this.#token.findKeys(this.#id).catch(refuse)).length > 0;
  }

  async encrypt(plaintext: Uint8Array, additionalData: Uint8Array): Promise<ExternalCiphertext> {
    const sealed = await this.#token.encryptGcm(this.#id, plaintext, additionalData).catch(refuse);
    const tagAt = sealed.length - TAG_BYTES;
    return {
      iv: sealed.subarray(0, IV_BYTES),
      ciphertext: sealed.subarray(IV_BYTES, tagAt),
      tag: sealed.subarray(tagAt),
      metadata: NOTHING,
    };
  }

  async decrypt(
    { iv, ciphertext, tag, metadata }: ExternalCiphertext,
    additionalData: Uint8Array,
  ): Promise<Uint8Array | undefined> {
    if (iv.length !== IV_BYTES || metadata.length > 0) {
      return undefined;
    }
    try {
      return await this.#token.decryptGcm(this.#id, Buffer.concat([iv, ciphertext, tag]), additionalData);
    } catch (error) {
      return error instanceof Pkcs11Error && error.reason === 'authenticationFailed' ? undefined : refuse(error);
    }
  }
}

/** A token as a key manager. */
export class TokenKeyManager implements ExternalKeyManager {
  readonly #token: Pkcs11Token;
  readonly #probe: TokenKey;
  readonly #probeId = randomBytes(PROBE_ID_BYTES);

  constructor(token: Pkcs11Token) {
    this.#token = token;
    this.#probe = new TokenKey(token, this.#probeId);
  }

  async health(): Promise<ManagerHealth> {
    const { label, manufacturer, model, serialNumber } = this.#token.info;
    return {
      id: `${label} ${serialNumber}`,
      model: `${manufacturer} ${model}`,
      healthStatus: await this.#status(),
    };
  }

  async #status(): Promise<ManagerHealth['healthStatus']> {
    const text = Buffer.from('health');
    try {
      await this.#makeProbe();
      const opened = await this.#probe.decrypt(await this.#probe.encrypt(text, NOTHING), NOTHING);
      return opened !== undefined && text.equals(opened) ? 'ACTIVE' : 'UNAVAILABLE';
    } catch (error) {
      return error instanceof ProxyError && error.name === 'ThrottlingException' ? 'DEGRADED' : 'UNAVAILABLE';
    }
  }

  /** The probe dies with the login, and is made again after the next one. */
  async #makeProbe(): Promise<void> {
    if (!(await this.#probe.isPresent())) {
      const plan = { type: 'aesGcm', id: this.#probeId, label: 'keywright xks health', isSession: true } as const;
      await this.#token.generateSecretKey(plan).catch((error: unknown) => {
        // Another call for the health was faster.
        if (!(error instanceof Pkcs11Error && error.reason === 'keyExists')) {
          refuse(error);
        }
      });
    }
  }
}

/**
 * Makes the key in the token: AES-256, sensitive and never extractable, which is read back.
 *
 * @throws TokenKeyError when the token has the key already; Pkcs11Error
 */
export async function createTokenKey(core: CryptoCore, token: Pkcs11Token, keyId: string): Promise<void> {
  try {
    await token.generateSecretKey({ type: 'aesGcm', id: tokenKeyId(core, keyId), label: `keywright xks ${keyId}` });
  } catch (error) {
    if (error instanceof Pkcs11Error && error.reason === 'keyExists') {
      throw new TokenKeyError(`token ${token.info.label} has the key ${keyId} already`);
    }
    throw error;
  }
}

/** @throws TokenKeyError when the token does not have the key, or could give it away; Pkcs11Error */
export async function findTokenKey(core: CryptoCore, token: Pkcs11Token, keyId: string): Promise<TokenKey> {
  const id = tokenKeyId(core, keyId);
  const [found] = await token.findKeys(id);
  if (found === undefined) {
    throw new TokenKeyError(`token ${token.info.label} does not have the key ${keyId}`);
  }
  const isProtected = found.isToken && found.isSensitive && !found.isExtractable;
  if (found.objectClass !== 'secret' || found.keyType !== CKK_AES || !isProtected) {
    throw new TokenKeyError(
      `the key ${keyId} in token ${token.info.label} is not an AES key that stays there, sensitive and not extractable`,
    );
  }
  return new TokenKey(token, id);
}

/** The CKA_ID (32 bytes) of an external key, whose name may be longer than modules take. */
function tokenKeyId(core: CryptoCore, keyId: string): Buffer {
  return core.digest('SHA-256', encodeFields('keywright/xks-proxy-token-key/v1', keyId));
}

/** Reasons that have an error of their own in the specification; all others are an InternalException. */
const REFUSALS: ReadonlyMap<Pkcs11Reason, readonly [name: XksErrorName, text: string]> = new Map([
  ['keyNotFound', ['KeyNotFoundException', 'The key manager does not have the external key.']],
  ['queueFull', ['ThrottlingException', 'Too many requests wait for the key manager.']],
  ['timedOut', ['DependencyTimeoutException', 'The key manager did not answer in time.']],
  ['tooLong', ['UnsupportedOperationException', 'The key manager does not take that much data.']],
  ['notOffered', ['UnsupportedOperationException', 'The key manager does not offer AES-GCM for this request.']],
]);

/** @throws ProxyError with the failure of the token as its cause, for the log */
function refuse(error: unknown): never {
  if (!(error instanceof Pkcs11Error)) {
    throw error;
  }
  const [name, text] = REFUSALS.get(error.reason) ?? [
    'InternalException',
    'The key manager cannot be used at present.',
  ];
  throw new ProxyError(name, text, error);
}
