import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Engine } from '../engine/engine.ts';
import { ADMINISTRATOR } from '../iam/identities.ts';
import { applySeed } from '../seed/apply-seed.ts';
import { MAX_SEED_BYTES } from '../seed/yaml-text.ts';
import { ConfigError, readServerConfig, type ServerConfig } from './config.ts';
import { readRootKeyOptions } from './root-keys.ts';
import { saveCredentials } from './first-credentials.ts';
import { createStderrLog } from './stderr-log.ts';

const HELP = `Usage: keywright seed FILE [--check]

Makes the accounts, principals, keys, aliases and grants that FILE describes and the store does not have, and makes
users, roles and services that it has what FILE says, as a server with KEYWRIGHT_SEED does when it starts. Nothing is
deleted, and keys, aliases and grants that are there stay as they are. Store and Regions come from the environment, see
keywright server --help.

Options:
  --check        only check the file, against the store where there is one, and tell what would be done
  -h, --help     print this help
`;

/** @throws ConfigError, SeedError, RootKeyError */
export async function runSeed(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, check: { type: 'boolean' } },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return;
  }
  const [path] = positionals;
  if (path === undefined || positionals.length > 1) {
    throw new ConfigError('seed takes exactly one file; see keywright seed --help');
  }
  const config = readServerConfig(process.env);
  if (values.check === true) {
    process.stdout.write(await checkSeedFile(config, path));
    return;
  }
  const engine = await openEngine(config, config.dataDirectory);
  try {
    process.stdout.write(await applySeedFile(engine, config.dataDirectory, path));
  } finally {
    await engine.close();
  }
}

/**
 * Applies a seed file and leaves the credentials that it had made in the data directory.
 *
 * @returns lines that tell what was done
 * @throws ConfigError when the file cannot be read; SeedError
 */
export async function applySeedFile(engine: Engine, dataDirectory: string, path: string): Promise<string> {
  const { created, changes, existing, generatedAccessKeys } = await applySeed(engine, readSeedFile(path), {
    file: path,
  });
  const made = generatedAccessKeys.map((key) => {
    const isOfAdministrator = key.ownerName === ADMINISTRATOR;
    const profile = isOfAdministrator ? key.accountId : `${key.accountId}-${key.ownerName}`;
    const file = saveCredentials(dataDirectory, profile, key);
    const owner = isOfAdministrator ? '' : `${key.ownerName} of `;
    return `Access key ${key.accessKeyId} of ${owner}account ${key.accountId}: its secret stands in ${file}\n`;
  });
  const done = `Seed ${path}: ${String(created)} created, ${String(existing)} already there\n`;
  return `${done}${listChanges('changed', changes)}${made.join('')}`;
}

function listChanges(verb: string, changes: readonly string[]): string {
  return changes.map((change) => `  ${verb} ${change}\n`).join('');
}

/** Where there is no store yet the file is checked against an empty one, which leaves nothing behind. */
async function checkSeedFile(config: ServerConfig, path: string): Promise<string> {
  const source = readSeedFile(path);
  const hasStore = config.store !== undefined || existsSync(join(config.dataDirectory, 'keywright.db'));
  const directory = hasStore ? config.dataDirectory : mkdtempSync(join(tmpdir(), 'keywright-seed-'));
  try {
    const engine = await openEngine(config, directory);
    try {
      const report = await applySeed(engine, source, { file: path, isCheckOnly: true });
      const { created, changes, existing } = report;
      const found = `Seed ${path} is good: ${String(created)} to create, ${String(existing)} already there\n`;
      return `${found}${listChanges('would change', changes)}`;
    } finally {
      await engine.close();
    }
  } finally {
    if (!hasStore) {
      rmSync(directory, { recursive: true, force: true });
    }
  }
}

function openEngine({ store, regions, resourceQuotas }: ServerConfig, dataDirectory: string): Promise<Engine> {
  const log = createStderrLog();
  return Engine.open({
    dataDirectory,
    regions,
    resourceQuotas,
    log,
    ...readRootKeyOptions(process.env),
    ...(store === undefined ? {} : { store }),
  });
}

/** One byte more than is allowed is enough to see that a file is too large. */
function readSeedFile(path: string): string {
  const buffer = Buffer.alloc(MAX_SEED_BYTES + 1);
  try {
    const file = openSync(path, 'r');
    try {
      let length = 0;
      for (let count = -1; count !== 0 && length < buffer.length; length += count) {
        count = readSync(file, buffer, length, buffer.length - length, null);
      }
      return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new ConfigError(`the seed file ${path} cannot be read: ${(error as Error).message}`);
  } finally {
    buffer.fill(0);
  }
}
