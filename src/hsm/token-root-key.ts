import { randomBytes } from 'node:crypto';
import type { KeyHandle } from '../core/key-handle.ts';
import { encodeFields } from '../base/fields.ts';
import { RootKeyError, type RootKey, type RootKeyProvider } from '../base/root-key.ts';
import type { RootKeyRecord } from '../base/stored-records.ts';
import { Pkcs11Error, type Pkcs11Token } from '../pkcs11/token.ts';

export const TOKEN_PROVIDER = 'pkcs11';

const KEY_ID_BYTES = 16;
const PROBE = Buffer.from('keywright/root-key-probe/v1');

interface Parameters {
  /** CKA_ID of the root key, hexadecimal. */
  readonly keyId: string;
  /** Token that it was made in, for people. */
  readonly token: string;
  /** {@link PROBE} under the root key: tells another key with the same id. */
  readonly check: string;
}

/**
 * Root keys that live in a PKCS#11 token: AES-256, sensitive and never extractable. Region keys go in and out of it
 * without becoming JavaScript values; once they are open, everything runs in the software.
 */
export class TokenRootKeyProvider implements RootKeyProvider {
  readonly name = TOKEN_PROVIDER;
  readonly #open: () => Promise<Pkcs11Token>;
  #token: Promise<Pkcs11Token> | undefined;

  /** @param open opens the token; it runs in this process, because keys of the core do not leave it */
  constructor(open: () => Promise<Pkcs11Token>) {
    this.#open = open;
  }

  async create(version: number, nowMs: number): Promise<{ readonly record: RootKeyRecord; readonly key: RootKey }> {
    const token = await this.#opened();
    const id = randomBytes(KEY_ID_BYTES);
    await token.generateSecretKey({ type: 'aesGcm', id, label: `keywright root key ${String(version)}` });
    const parameters: Parameters = {
      keyId: id.toString('hex'),
      token: `${token.info.label} (${token.info.manufacturer} ${token.info.model} ${token.info.serialNumber})`,
      check: (await token.encryptGcm(id, PROBE, checkAad())).toString('base64'),
    };
    const record = { version, provider: this.name, parameters: JSON.stringify(parameters), createdMs: nowMs };
    return { record, key: new TokenRootKey(version, token, id) };
  }

  async open({ version, parameters: text }: RootKeyRecord): Promise<RootKey> {
    const parameters = JSON.parse(text) as Parameters;
    const token = await this.#opened();
    const id = Buffer.from(parameters.keyId, 'hex');
    const problem = await findProblem(token, id, parameters);
    if (problem !== undefined) {
      throw new RootKeyError(`token ${token.info.label}: ${problem}; the root key was made in ${parameters.token}`);
    }
    return new TokenRootKey(version, token, id);
  }

  async close(): Promise<void> {
    const token = this.#token;
    this.#token = undefined;
    await (await token?.catch(() => undefined))?.close();
  }

  /** One token for all versions, opened when it is first needed. */
  #opened(): Promise<Pkcs11Token> {
    if (this.#token === undefined) {
      const opening = this.#open().catch((error: unknown) => {
        this.#token = undefined;
        throw toRootKeyError(error);
      });
      this.#token = opening;
    }
    return this.#token;
  }
}

class TokenRootKey implements RootKey {
  readonly version: number;
  readonly #token: Pkcs11Token;
  readonly #id: Uint8Array;

  constructor(version: number, token: Pkcs11Token, id: Uint8Array) {
    this.version = version;
    this.#token = token;
    this.#id = id;
  }

  wrap(key: KeyHandle, aad: Uint8Array): Promise<Uint8Array> {
    return this.#token.sealKey(this.#id, key, aad).catch(rethrowAsRootKeyError);
  }

  unwrap(wrapped: Uint8Array, aad: Uint8Array): Promise<KeyHandle> {
    return this.#token.openKey(this.#id, wrapped, aad, 'backing').catch(rethrowAsRootKeyError);
  }
}

/** What is wrong with the key that shall be the root key; undefined for nothing. */
async function findProblem(token: Pkcs11Token, id: Buffer, { check }: Parameters): Promise<string | undefined> {
  const [found] = await token.findKeys(id).catch(rethrowAsRootKeyError);
  if (found === undefined) {
    return `it has no key with the id ${id.toString('hex')}`;
  }
  if (!found.isSensitive || found.isExtractable) {
    return `the key ${id.toString('hex')} can be read or exported, and a root key must not`;
  }
  try {
    const probe = await token.decryptGcm(id, Buffer.from(check, 'base64'), checkAad());
    return probe.equals(PROBE) ? undefined : `the key ${id.toString('hex')} is another one`;
  } catch (error) {
    if (error instanceof Pkcs11Error && error.reason === 'authenticationFailed') {
      return `the key ${id.toString('hex')} is another one`;
    }
    throw toRootKeyError(error);
  }
}

function checkAad(): Buffer {
  return encodeFields('keywright/root-key-check/v1');
}

function rethrowAsRootKeyError(error: unknown): never {
  throw toRootKeyError(error);
}

/** What was not wrapped by the key stays what it is: a store that was changed is no matter of the HSM. */
function toRootKeyError(error: unknown): unknown {
  return error instanceof Pkcs11Error && error.reason !== 'authenticationFailed'
    ? new RootKeyError(`the HSM of the root key cannot be used: ${error.message}`, { cause: error })
    : error;
}
