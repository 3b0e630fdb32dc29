import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { CoreError } from '../core/status.ts';
import type { CryptoCore, KeyHandle, PassphraseCost } from '../core/crypto-core.ts';
import { encodeFields } from '../base/fields.ts';
import { writeNewFile } from '../base/new-file.ts';
import { RootKeyError, type RootKey, type RootKeyProvider } from '../base/root-key.ts';
import type { RootKeyRecord } from '../base/stored-records.ts';

export const PASSPHRASE_FILE_PROVIDER = 'passphrase-file';

/**
 * 7 MiB and ten passes, twice the passes that OWASP's password storage cheat sheet asks for at this size; some 50 ms at
 * start. libcrypto takes the memory from the secure heap, so it is locked, and cannot be much larger.
 */
const COST: PassphraseCost = { memoryKiB: 7_168, iterations: 10 };
const SALT_BYTES = 16;
const MIN_PASSPHRASE_BYTES = 16;
const GENERATED_PASSPHRASE_BYTES = 32;
/** Bits of a file mode that let anybody but the owner in. */
const OTHERS_MASK = 0o077;

interface Parameters extends PassphraseCost {
  readonly salt: string;
  /** A random key wrapped under the root key: tells a wrong passphrase at start instead of at the first request. */
  readonly check: string;
}

/**
 * Root keys that a passphrase file stands for (Argon2id). The file is made with the first of them; later ones are
 * derived from the same passphrase with a salt of their own.
 *
 * @source RFC 9106 (Argon2id)
 */
export class PassphraseFileProvider implements RootKeyProvider {
  readonly name = PASSPHRASE_FILE_PROVIDER;
  readonly #core: CryptoCore;
  readonly #path: string;

  constructor(core: CryptoCore, path: string) {
    this.#core = core;
    this.#path = path;
  }

  create(version: number, nowMs: number): Promise<{ readonly record: RootKeyRecord; readonly key: RootKey }> {
    const core = this.#core;
    const passphrase = readPassphrase(this.#path) ?? createPassphrase(core, this.#path);
    const salt = core.randomBytes(SALT_BYTES);
    const handle = deriveAndWipe(core, passphrase, salt, COST);
    const probe = core.generateKey('aesGcm');
    const check = core.wrapKey(handle, probe, checkAad());
    probe.destroy();
    const parameters: Parameters = { ...COST, salt: salt.toString('base64'), check: check.toString('base64') };
    const record: RootKeyRecord = {
      version,
      provider: this.name,
      parameters: JSON.stringify(parameters),
      createdMs: nowMs,
    };
    return Promise.resolve({ record, key: this.#keyOf(version, handle) });
  }

  /** @throws RootKeyError when the file is missing, open to others, or not the one that made the store */
  open(record: RootKeyRecord): Promise<RootKey> {
    return Promise.resolve(this.#keyOf(record.version, reopen(this.#core, record, this.#path)));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #keyOf(version: number, handle: KeyHandle): RootKey {
    return {
      version,
      wrap: (key, aad) => this.#core.wrapKey(handle, key, aad),
      unwrap: (wrapped, aad) => this.#core.unwrapKey(handle, wrapped, aad, 'backing'),
    };
  }
}

function reopen(core: CryptoCore, record: RootKeyRecord, path: string): KeyHandle {
  const passphrase = readPassphrase(path);
  if (passphrase === undefined) {
    throw new RootKeyError(
      `the root key file ${path} is missing, and without it no key in this store can be used: restore it from a backup`,
    );
  }
  const parameters = JSON.parse(record.parameters) as Parameters;
  const handle = deriveAndWipe(core, passphrase, Buffer.from(parameters.salt, 'base64'), parameters);
  try {
    core.unwrapKey(handle, Buffer.from(parameters.check, 'base64'), checkAad(), 'aesGcm').destroy();
  } catch (error) {
    handle.destroy();
    if (error instanceof CoreError && error.status === 'authenticationFailed') {
      throw new RootKeyError(`the root key file ${path} does not belong to this store: restore the file that made it`);
    }
    throw error;
  }
  return handle;
}

function checkAad(): Buffer {
  return encodeFields('keywright/root-key-check/v1');
}

function deriveAndWipe(core: CryptoCore, passphrase: Buffer, salt: Uint8Array, cost: PassphraseCost): KeyHandle {
  try {
    return core.deriveKeyFromPassphrase(passphrase, salt, cost);
  } finally {
    passphrase.fill(0);
  }
}

/** Returns the file's bytes without a final newline, or undefined when there is no file. */
function readPassphrase(path: string): Buffer | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw new RootKeyError(`the root key file ${path} cannot be read: ${(error as Error).message}`);
  }
  try {
    if ((fstatSync(file).mode & OTHERS_MASK) !== 0) {
      throw new RootKeyError(`the root key file ${path} is open to other users: run chmod 600 on it`);
    }
    const bytes = readFileSync(file);
    const end = bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length;
    if (end < MIN_PASSPHRASE_BYTES) {
      throw new RootKeyError(`the root key file ${path} holds less than ${String(MIN_PASSPHRASE_BYTES)} bytes`);
    }
    return bytes.subarray(0, end);
  } finally {
    closeSync(file);
  }
}

/** Writes a random passphrase; it is on disk, and its folder entry too, before any key depends on it. */
function createPassphrase(core: CryptoCore, path: string): Buffer {
  const passphrase = Buffer.from(core.randomBytes(GENERATED_PASSPHRASE_BYTES).toString('base64url'));
  writeNewFile(path, passphrase, '\n');
  return passphrase;
}
