import { readFileSync } from 'node:fs';
import { encodeFields } from '../../base/fields.ts';
import { writeNewFile } from '../../base/new-file.ts';
import type { RootKey } from '../../base/root-key.ts';
import { AEAD_OVERHEAD_BYTES, type CryptoCore, type KeyHandle } from '../../core/crypto-core.ts';
import { CoreError } from '../../core/status.ts';
import { managerAdditionalData, TAG_BYTES, type ExternalCiphertext } from '../proxy-api.ts';
import type { ExternalKey, ExternalKeyManager, ManagerHealth } from './external-key.ts';

const IV_BYTES = AEAD_OVERHEAD_BYTES - TAG_BYTES;
/** Bytes of the metadata: the scheme, then the salt of the message key. */
const SCHEME = 1;
const SALT_BYTES = 16;
const MESSAGE_KEY_LABEL = Buffer.from('keywright/xks-message-key/v1');

/** A key file that cannot be used. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

/**
 * An external key in the cryptographic core. A busy store would exceed what one AES-GCM key may encrypt with random
 * initialization vectors (SP 800-38D §8.3: 2^32 messages), so that every message has a key of its own, derived with a
 * salt that goes with it as metadata.
 */
export class SoftwareKey implements ExternalKey {
  readonly #core: CryptoCore;
  readonly #key: KeyHandle;

  /** @param key of type `backing` */
  constructor(core: CryptoCore, key: KeyHandle) {
    this.#core = core;
    this.#key = key;
  }

  isPresent(): boolean {
    return true;
  }

  encrypt(plaintext: Uint8Array, additionalData: Uint8Array): ExternalCiphertext {
    const metadata = Buffer.concat([Buffer.of(SCHEME), this.#core.randomBytes(SALT_BYTES)]);
    const sealed = this.#withMessageKey(metadata, (key) =>
      this.#core.encrypt(key, plaintext, managerAdditionalData(additionalData, metadata)),
    );
    const tagAt = sealed.length - TAG_BYTES;
    return {
      iv: sealed.subarray(0, IV_BYTES),
      ciphertext: sealed.subarray(IV_BYTES, tagAt),
      tag: sealed.subarray(tagAt),
      metadata,
    };
  }

  decrypt({ iv, ciphertext, tag, metadata }: ExternalCiphertext, additionalData: Uint8Array): Uint8Array | undefined {
    if (metadata.length !== 1 + SALT_BYTES || metadata[0] !== SCHEME || iv.length !== IV_BYTES) {
      return undefined;
    }
    try {
      return this.#withMessageKey(metadata, (key) =>
        this.#core.decrypt(key, Buffer.concat([iv, ciphertext, tag]), managerAdditionalData(additionalData, metadata)),
      );
    } catch (error) {
      if (error instanceof CoreError && error.status === 'authenticationFailed') {
        return undefined;
      }
      throw error;
    }
  }

  #withMessageKey<T>(metadata: Uint8Array, use: (key: KeyHandle) => T): T {
    const key = this.#core.deriveKey(this.#key, MESSAGE_KEY_LABEL, metadata, 'aesGcm');
    try {
      return use(key);
    } finally {
      key.destroy();
    }
  }
}

/** The cryptographic core as a key manager. */
export class SoftwareKeyManager implements ExternalKeyManager {
  readonly #core: CryptoCore;
  readonly #probe: SoftwareKey;

  constructor(core: CryptoCore) {
    this.#core = core;
    this.#probe = new SoftwareKey(core, core.generateKey('backing'));
  }

  health(): ManagerHealth {
    return {
      id: 'software',
      model: `Keywright cryptographic core, ${this.#core.info().opensslVersion}`,
      healthStatus: this.#works() ? 'ACTIVE' : 'UNAVAILABLE',
    };
  }

  #works(): boolean {
    const nothing = new Uint8Array(0);
    const text = Buffer.from('health');
    try {
      const opened = this.#probe.decrypt(this.#probe.encrypt(text, nothing), nothing);
      return opened !== undefined && text.equals(opened);
    } catch {
      return false;
    }
  }
}

/** What a key file holds, as JSON. */
interface KeyFile {
  readonly format: 1;
  readonly keyId: string;
  /** The key under the root key, bound to its id; base64. */
  readonly wrapped: string;
}

/**
 * Draws a key and writes it to a file, wrapped; it is on disk when the promise resolves.
 *
 * @throws KeyFileError when there is such a file already, or it cannot be written
 */
export async function createKeyFile(core: CryptoCore, root: RootKey, path: string, keyId: string): Promise<void> {
  const key = core.generateKey('backing');
  const wrapped = await root.wrap(key, keyBinding(keyId));
  key.destroy();
  const content: KeyFile = { format: 1, keyId, wrapped: Buffer.from(wrapped).toString('base64') };
  try {
    writeNewFile(path, `${JSON.stringify(content)}\n`);
  } catch (error) {
    throw new KeyFileError(`the key file of ${keyId} cannot be written: ${(error as Error).message}`);
  }
}

/** @throws KeyFileError for a file that is missing, damaged, or was made for another key or under another root key */
export async function readKeyFile(root: RootKey, path: string, keyId: string): Promise<KeyHandle> {
  let content: Partial<KeyFile> | null;
  try {
    content = JSON.parse(readFileSync(path, 'utf8')) as Partial<KeyFile> | null;
  } catch (error) {
    throw new KeyFileError(`the key file of ${keyId} cannot be read: ${(error as Error).message}`);
  }
  if (content?.format !== 1 || typeof content.wrapped !== 'string') {
    throw new KeyFileError(`${path} is no key file that this version can read`);
  }
  try {
    return await root.unwrap(Buffer.from(content.wrapped, 'base64'), keyBinding(keyId));
  } catch (error) {
    if (error instanceof CoreError) {
      throw new KeyFileError(`${path} does not hold the key ${keyId} under the root key of this proxy`);
    }
    throw error;
  }
}

function keyBinding(keyId: string): Buffer {
  return encodeFields('keywright/xks-proxy-key/v1', keyId);
}
