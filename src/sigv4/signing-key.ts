import type { CryptoCore, KeyHandle } from '../core/crypto-core.ts';
import type { CredentialScope } from './authorization-header.ts';

/** Signing keys that a {@link SigningKeys} holds unless told otherwise. */
export const DEFAULT_SIGNING_KEYS = 1024;

const TERMINATOR = octets('aws4_request');

/** What a signing key is derived for; all in ASCII. */
export interface SigningKeyScope {
  /** `yyyymmdd`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** One signature to check. */
export interface SignatureToVerify {
  readonly scope: CredentialScope;
  /** `hmac` key over `"AWS4" + secret`; undefined when there is no usable credential. */
  readonly secret: KeyHandle | undefined;
  readonly stringToSign: Uint8Array;
  /** 32 bytes. */
  readonly signature: Uint8Array;
}

interface CachedKey {
  readonly accessKeyId: string;
  /** The handle that `key` was derived from: a new secret under the same id comes with a new handle. */
  readonly secret: KeyHandle;
  readonly key: KeyHandle;
}

/**
 * Derives kSigning = HMAC(HMAC(HMAC(HMAC(secret, date), region), service), "aws4_request"), 32 bytes that never leave
 * the core. The caller destroys the handle; the keys in between are destroyed here.
 * @param secret - `hmac` key whose bytes are `"AWS4" + secret access key`
 * @throws CoreError `destroyedKey` or `wrongKeyType` when `secret` is not usable
 * @source AWS IAM User Guide, "Create a signed AWS API request", step 4
 */
export function deriveSigningKey(core: CryptoCore, secret: KeyHandle, scope: SigningKeyScope): KeyHandle {
  let key = core.deriveHmacKey(secret, 'SHA-256', octets(scope.date));
  for (const part of [octets(scope.region), octets(scope.service), TERMINATOR]) {
    const previous = key;
    try {
      key = core.deriveHmacKey(previous, 'SHA-256', part);
    } finally {
      previous.destroy();
    }
  }
  return key;
}

/**
 * Verifies signatures and keeps the signing keys that verified one, per access key id, date, region and service, least
 * recently used out first. Only keys that verified something are kept: who cannot sign can neither push keys out nor
 * see from later timing that one was made.
 */
export class SigningKeys {
  readonly #core: CryptoCore;
  readonly #capacity: number;
  /** In order of use; by `<access key id>/<scope>`, which is the `Credential` as it was written. */
  readonly #entries = new Map<string, CachedKey>();
  readonly #decoySecret: KeyHandle;
  readonly #decoyKey: KeyHandle;

  /**
   * @param capacity - most keys kept, at least 1; each is 32 bytes in the secure heap of the core
   * @throws RangeError when `capacity` is not a whole number from 1 on
   */
  constructor(core: CryptoCore, capacity: number = DEFAULT_SIGNING_KEYS) {
    if (!Number.isSafeInteger(capacity) || capacity < 1) {
      throw new RangeError('capacity must be at least 1');
    }
    this.#core = core;
    this.#capacity = capacity;
    // As long as "AWS4" and a secret of 40 characters, so that the HMACs hash the same number of blocks.
    this.#decoySecret = core.generateKey('hmac', 44);
    this.#decoyKey = core.generateKey('hmac', 32);
  }

  /** Keys kept now. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * True when `signature` is the HMAC of `stringToSign` under the signing key of `secret` and `scope`. The comparison
   * is that of {@link CryptoCore.hmacVerify}, constant in time. Every refusal costs the same two verifications and one
   * derivation, whether the credential is absent, or present with its key cached or not.
   * @throws CoreError `destroyedKey` or `wrongKeyType` when `secret` is not usable
   */
  verify(request: SignatureToVerify): boolean {
    const { scope, secret, stringToSign, signature } = request;
    const id = `${scope.accessKeyId}/${scope.scope}`;
    const cached = secret === undefined ? undefined : this.#find(id, secret);
    const matchesCached = this.#core.hmacVerify(cached ?? this.#decoyKey, 'SHA-256', stringToSign, signature);
    if (cached !== undefined && matchesCached) {
      return true;
    }

    const key = deriveSigningKey(this.#core, secret ?? this.#decoySecret, scope);
    let isKept = false;
    try {
      const matches = this.#core.hmacVerify(key, 'SHA-256', stringToSign, signature);
      if (secret === undefined || !matches) {
        return false;
      }
      this.#keep(id, { accessKeyId: scope.accessKeyId, secret, key });
      isKept = true;
      return true;
    } finally {
      if (!isKept) {
        key.destroy();
      }
    }
  }

  /** Destroys the keys of one access key id; for when it is deleted or its secret changes. */
  forget(accessKeyId: string): void {
    for (const [id, entry] of this.#entries) {
      if (entry.accessKeyId === accessKeyId) {
        this.#drop(id, entry);
      }
    }
  }

  /** Destroys every key, also what verification needs: later calls of {@link verify} raise `destroyedKey`. */
  destroy(): void {
    for (const [id, entry] of this.#entries) {
      this.#drop(id, entry);
    }
    this.#decoySecret.destroy();
    this.#decoyKey.destroy();
  }

  #find(id: string, secret: KeyHandle): KeyHandle | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      return undefined;
    }
    if (entry.secret !== secret) {
      this.#drop(id, entry);
      return undefined;
    }
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    return entry.key;
  }

  #keep(id: string, entry: CachedKey): void {
    const previous = this.#entries.get(id);
    if (previous !== undefined) {
      this.#drop(id, previous);
    }
    this.#entries.set(id, entry);
    if (this.#entries.size <= this.#capacity) {
      return;
    }
    for (const [oldestId, oldest] of this.#entries) {
      this.#drop(oldestId, oldest);
      return;
    }
  }

  #drop(id: string, entry: CachedKey): void {
    this.#entries.delete(id);
    entry.key.destroy();
  }
}

function octets(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}
