import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { temporaryFolder } from './temporary-folder.ts';

/** Where Debian, other distributions and a build from source put the module. */
const MODULES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib64/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
];
const MODULE = MODULES.find((path) => existsSync(path));

function findUtility(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, 'softhsm2-util')).find((path) => existsSync(path));
}

/**
 * Why tests over SoftHSM2 cannot run here, or undefined when they can. For `describe.skipIf(missingSoftHsm)`: never a
 * reason where CI=true, so that the tests fail there instead of being skipped.
 */
export const missingSoftHsm: string | undefined =
  process.env['CI'] === 'true' || (MODULE !== undefined && findUtility() !== undefined)
    ? undefined
    : 'SoftHSM2 is not installed: run script/setup --test';

/** A token that SoftHSM2 keeps in files. */
export interface SoftToken {
  readonly label: string;
  /** The user's PIN; 4 to 255 characters. */
  readonly pin: string;
  readonly soPin: string;
  /** The slot the token is in, for as long as it exists. */
  readonly slot: number;
}

/** A folder of tokens, of which nothing stays after `remove`. */
export interface SoftHsm {
  /** The path of SoftHSM2's PKCS#11 module. */
  readonly module: string;
  /** The folder with the tokens: one folder each. A test may make it unreadable. */
  readonly tokens: string;
  /** What a child process needs in its environment to find the tokens. */
  readonly environment: Readonly<Record<'SOFTHSM2_CONF', string>>;
  /** Makes one more token; the module sees it from its next C_Initialize on. */
  addToken(label: string, pins?: { readonly pin?: string; readonly soPin?: string }): SoftToken;
  /**
   * Makes the module of this process find the tokens. It reads the variable in every C_Initialize, and a worker thread
   * cannot set it: `process.env` is a copy there.
   */
  useInThisProcess(): void;
  remove(): void;
}

/** Makes an empty folder of tokens. */
export function createSoftHsm(): SoftHsm {
  const utility = findUtility();
  if (MODULE === undefined || utility === undefined) throw new Error('SoftHSM2 is missing: run script/setup --test');
  const folder = temporaryFolder();
  const tokens = join(folder.path, 'tokens');
  const configuration = join(folder.path, 'softhsm2.conf');
  mkdirSync(tokens, { mode: 0o700 });
  writeFileSync(configuration, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  const environment = { SOFTHSM2_CONF: configuration };

  return {
    module: MODULE,
    tokens,
    environment,
    addToken: (label, { pin = 'user-pin-1234', soPin = 'officer-pin-1234' } = {}) => {
      const args = ['--init-token', '--free', '--label', label, '--pin', pin, '--so-pin', soPin];
      const output = execFileSync(utility, args, { env: { ...process.env, ...environment }, encoding: 'utf8' });
      const slot = /reassigned to slot (\d+)/.exec(output)?.[1];
      if (slot === undefined) throw new Error(`softhsm2-util names no slot: ${output}`);
      return { label, pin, soPin, slot: Number(slot) };
    },
    useInThisProcess: () => {
      process.env['SOFTHSM2_CONF'] = configuration;
    },
    remove: () => {
      if (process.env['SOFTHSM2_CONF'] === configuration) delete process.env['SOFTHSM2_CONF'];
      folder.remove();
    },
  };
}
