import { closeSync, fstatSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { CoreError } from '../core/status.ts';
import type { CryptoCore, KeyHandle, PassphraseCost } from '../core/crypto-core.ts';
import type { Clock } from '../base/clock.ts';
import { encodeFields } from '../base/fields.ts';
import type { HierarchyRecords, RootKeyRecord } from '../base/stored-records.ts';

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

/** The root key cannot be had: the file is missing, open to others, or not the one that made the store. */
export class RootKeyError extends Error {
  override readonly name = 'RootKeyError';
}

/**
 * Opens the root key that a passphrase file stands for (Argon2id), making file and record on the first start.
 *
 * @returns a handle of type `backing`
 * @throws RootKeyError with what to do about it
 * @source RFC 9106 (Argon2id)
 */
export async function openPassphraseFileRootKey(
  core: CryptoCore,
  records: HierarchyRecords,
  path: string,
  clock: Clock,
): Promise<{ readonly handle: KeyHandle; readonly version: number }> {
  const found = await records.findRootKey();
  if (found !== undefined) {
    return { handle: reopen(core, found, path), version: found.version };
  }
  const passphrase = readPassphrase(path) ?? createPassphrase(core, path);
  const salt = core.randomBytes(SALT_BYTES);
  const handle = deriveAndWipe(core, passphrase, salt, COST);
  const probe = core.generateKey('aesGcm');
  const check = core.wrapKey(handle, probe, checkAad());
  probe.destroy();
  const parameters: Parameters = { ...COST, salt: salt.toString('base64'), check: check.toString('base64') };
  const record: RootKeyRecord = {
    version: 1,
    provider: PASSPHRASE_FILE_PROVIDER,
    parameters: JSON.stringify(parameters),
    createdMs: clock.nowMs(),
  };
  if (await records.insertRootKey(record)) {
    return { handle, version: record.version };
  }
  handle.destroy();
  return openPassphraseFileRootKey(core, records, path, clock);
}

function reopen(core: CryptoCore, record: RootKeyRecord, path: string): KeyHandle {
  if (record.provider !== PASSPHRASE_FILE_PROVIDER) {
    throw new RootKeyError(
      `the root key of this store comes from "${record.provider}", which this version cannot open`,
    );
  }
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
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, passphrase);
    writeSync(file, '\n');
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
  return passphrase;
}
