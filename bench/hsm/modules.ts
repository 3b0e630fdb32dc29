import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Pkcs11ProfileName } from 'keywright/hsm';

/** A token that the suite may make keys in, and how to reach it. */
export interface BenchToken {
  /** Of the module, for titles. */
  readonly name: string;
  readonly modulePath: string;
  /** What C_Initialize takes (pReserved); empty for nothing. */
  readonly initArgs: string;
  readonly tokenLabel: string;
  readonly pin: string;
  readonly profile: Pkcs11ProfileName;
  /** A token of the user's own: nothing is to be made in it that stays. */
  readonly isOwn: boolean;
  /** For the environment of the processes that load the module. */
  readonly environment: Readonly<Record<string, string>>;
}

const TOKEN_LABEL = 'benchmark';
const PIN = 'user-pin-1234';
const SO_PIN = 'officer-pin-1234';

/** Where Debian, other distributions and a build from source put libraries. */
const FOLDERS = [
  '/usr/lib/softhsm',
  '/usr/lib64/softhsm',
  '/usr/local/lib/softhsm',
  `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`,
  `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/nss`,
  '/usr/lib64',
];

/** Tokens of all modules that this machine has, made for the run; and what deletes them. */
export function openTokens(): { readonly tokens: readonly BenchToken[]; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'keywright-bench-hsm-'));
  try {
    const made = [softHsm, nss, kryoptic].flatMap((prepare) => prepare(folder) ?? []);
    for (const token of made) initialize(token);
    return {
      tokens: [...made, ...ownToken()],
      remove: () => {
        rmSync(folder, { recursive: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
}

/** The first of the libraries that there is. */
function library(name: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

type Prepare = (folder: string) => BenchToken | undefined;

const COMMON = { initArgs: '', tokenLabel: TOKEN_LABEL, pin: PIN, isOwn: false, environment: {} };

const softHsm: Prepare = (folder) => {
  const modulePath = library('libsofthsm2.so');
  if (modulePath === undefined) return undefined;
  const tokens = join(folder, 'softhsm');
  const configuration = join(folder, 'softhsm2.conf');
  mkdirSync(tokens);
  writeFileSync(configuration, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  const environment = { SOFTHSM2_CONF: configuration };
  return { ...COMMON, name: 'SoftHSM2', modulePath, profile: 'softhsm', environment };
};

const nss: Prepare = (folder) => {
  const modulePath = library('libsoftokn3.so');
  if (modulePath === undefined) return undefined;
  const database = join(folder, 'nss');
  mkdirSync(database);
  // The label comes from here: softokn drops that of C_InitToken.
  const initArgs = `configdir='sql:${database}' certPrefix='' keyPrefix='' dbTokenDescription='${TOKEN_LABEL}' flags=`;
  return { ...COMMON, name: 'NSS softokn', modulePath, profile: 'nss', initArgs };
};

const kryoptic: Prepare = (folder) => {
  const modulePath = runScript('script/kryoptic', '--find');
  if (modulePath === undefined) return undefined;
  const configuration = join(folder, 'kryoptic.toml');
  const database = JSON.stringify(join(folder, 'kryoptic.sql'));
  writeFileSync(configuration, `[[slots]]\nslot = 7\ndbtype = "sqlite"\ndbargs = ${database}\n`);
  const environment = { KRYOPTIC_CONF: configuration };
  return { ...COMMON, name: 'kryoptic', modulePath, profile: 'generic', environment };
};

/** The token that the variables of `keywright hsm` name, if they do. Only keys of sessions are made in it. */
function ownToken(): BenchToken[] {
  const { env } = process;
  const modulePath = env['KEYWRIGHT_PKCS11_MODULE'] ?? '';
  if (modulePath === '') return [];
  const [tokenLabel, pin] = [env['KEYWRIGHT_PKCS11_TOKEN_LABEL'], env['KEYWRIGHT_PKCS11_PIN']];
  if (tokenLabel === undefined || pin === undefined) {
    throw new Error('KEYWRIGHT_PKCS11_MODULE needs KEYWRIGHT_PKCS11_TOKEN_LABEL and KEYWRIGHT_PKCS11_PIN beside it');
  }
  const initArgs = env['KEYWRIGHT_PKCS11_INIT_ARGS'] ?? '';
  return [
    { name: modulePath, modulePath, initArgs, tokenLabel, pin, profile: 'generic', isOwn: true, environment: {} },
  ];
}

/** In processes of their own, because every process can initialize a module once. */
function initialize({ name, modulePath, initArgs, tokenLabel, pin, environment }: BenchToken): void {
  // softokn has no PIN at first, and an empty one can only stand in a file.
  const soPin =
    name === 'NSS softokn' ? { KEYWRIGHT_PKCS11_SO_PIN_FILE: '/dev/null' } : { KEYWRIGHT_PKCS11_SO_PIN: SO_PIN };
  execFileSync(process.execPath, ['dist/cli/main.js', 'hsm', 'init'], {
    env: {
      ...withoutOwnToken(),
      ...environment,
      ...soPin,
      KEYWRIGHT_PKCS11_MODULE: modulePath,
      KEYWRIGHT_PKCS11_INIT_ARGS: initArgs,
      KEYWRIGHT_PKCS11_TOKEN_LABEL: tokenLabel,
      KEYWRIGHT_PKCS11_PIN: pin,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** The environment without the variables that name a token of the user's. */
function withoutOwnToken(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('KEYWRIGHT_PKCS11_')));
}

/** The environment for a process that loads the module. */
export function environmentOf({ environment, initArgs }: BenchToken): NodeJS.ProcessEnv {
  const initialization = initArgs === '' ? {} : { KEYWRIGHT_PKCS11_INIT_ARGS: initArgs };
  return { ...withoutOwnToken(), ...environment, ...initialization };
}

function runScript(path: string, ...args: string[]): string | undefined {
  try {
    return execFileSync(resolve(path), args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
