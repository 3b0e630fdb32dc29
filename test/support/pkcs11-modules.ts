/** PKCS#11 modules of different makers that a test can run on, each with a throw-away token. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runKeywright } from './server-process.ts';
import { createSoftHsm, missingSoftHsm } from './softhsm.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A module that is ready to run, with no token that is initialised. */
export interface BlankModule {
  readonly name: string;
  readonly modulePath: string;
  /** What C_Initialize gets as pReserved. */
  readonly initArgs: string | undefined;
  /** What must be in the environment of the process that loads the module, from before it does. */
  readonly env: Readonly<Record<string, string>>;
  /** PIN of the security officer that the module takes at first. */
  readonly soPin: string;
  /** Stops what was started for it and deletes all its files. */
  remove(): Promise<void>;
}

/** A module with an initialised token. */
export interface ProvisionedModule extends BlankModule {
  readonly tokenLabel: string;
  readonly pin: string;
  readonly profile: Pkcs11Module['profile'];
}

export interface Pkcs11Module {
  readonly name: 'SoftHSM2' | 'NSS softokn' | 'kryoptic' | 'tpm2-pkcs11';
  /** Whose quirks it has. */
  readonly profile: 'softhsm' | 'softokn' | 'kryoptic' | 'tpm2';
  /**
   * Why tests over the module cannot run here, or undefined when they can. Never a reason where CI=true, so that the
   * tests fail there instead of being skipped.
   */
  readonly absent: string | undefined;
  prepare(): Promise<BlankModule>;
}

export const TOKEN_LABEL = 'keys';
export const PIN = 'user-pin-1234';

const isCi = process.env['CI'] === 'true';

/** Where Debian and other distributions put libraries. */
function findLibrary(name: string): string | undefined {
  const folders = [`/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`, '/usr/lib64', '/usr/lib'];
  return folders.flatMap((folder) => [join(folder, name), join(folder, 'nss', name)]).find((path) => existsSync(path));
}

function absentUnless(isThere: boolean, what: string): string | undefined {
  return isThere || isCi ? undefined : `${what} is not installed: CI=true script/setup --test does it`;
}

const softHsm: Pkcs11Module = {
  name: 'SoftHSM2',
  profile: 'softhsm',
  absent: missingSoftHsm,
  prepare: async () => {
    const { module, environment, remove } = createSoftHsm();
    return {
      name: 'SoftHSM2',
      modulePath: module,
      initArgs: undefined,
      env: environment,
      soPin: 'officer-pin-1234',
      remove: async () => {
        remove();
      },
    };
  },
};

const softokn = findLibrary('libsoftokn3.so');

const nss: Pkcs11Module = {
  name: 'NSS softokn',
  profile: 'softokn',
  absent: absentUnless(softokn !== undefined, 'NSS softokn (libnss3)'),
  prepare: async () => {
    if (softokn === undefined) throw new Error('libsoftokn3.so is missing: run script/setup --test');
    const folder = temporaryFolder();
    return {
      name: 'NSS softokn',
      modulePath: softokn,
      // The label comes from here: softokn drops that of C_InitToken.
      initArgs: `configdir='sql:${folder.path}' certPrefix='' keyPrefix='' dbTokenDescription='${TOKEN_LABEL}' flags=`,
      env: {},
      soPin: '',
      remove: async () => {
        folder.remove();
      },
    };
  },
};

/** The path that script/kryoptic built the module at, or where CI=true builds it now. */
function findKryoptic(): string | undefined {
  const script = fileURLToPath(new URL('../../script/kryoptic', import.meta.url));
  const { status, stdout } = spawnSync(script, isCi ? [] : ['--find'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

const kryopticPath = findKryoptic();

const kryoptic: Pkcs11Module = {
  name: 'kryoptic',
  profile: 'kryoptic',
  absent: kryopticPath === undefined && !isCi ? 'kryoptic is not built: script/kryoptic does it' : undefined,
  prepare: async () => {
    if (kryopticPath === undefined) throw new Error('kryoptic is missing: run script/kryoptic');
    const folder = temporaryFolder();
    const configuration = join(folder.path, 'kryoptic.toml');
    const database = join(folder.path, 'token.sql');
    writeFileSync(configuration, `[[slots]]\nslot = 7\ndbtype = "sqlite"\ndbargs = ${JSON.stringify(database)}\n`);
    return {
      name: 'kryoptic',
      modulePath: kryopticPath,
      initArgs: undefined,
      env: { KRYOPTIC_CONF: configuration },
      soPin: 'officer-pin-1234',
      remove: async () => {
        folder.remove();
      },
    };
  },
};

const tpm2 = findLibrary('libtpm2_pkcs11.so.1');
const hasTpm =
  tpm2 !== undefined && existsSync('/usr/bin/swtpm') && findLibrary('libtss2-tcti-swtpm.so.0') !== undefined;

/** A TPM in software, for as long as the test runs. */
const tpm: Pkcs11Module = {
  name: 'tpm2-pkcs11',
  profile: 'tpm2',
  absent: absentUnless(hasTpm, 'tpm2-pkcs11 with swtpm'),
  prepare: async () => {
    if (tpm2 === undefined) throw new Error('libtpm2_pkcs11.so is missing: run CI=true script/setup --test');
    const folder = temporaryFolder();
    const socket = join(folder.path, 'tpm');
    const [state, store] = [join(folder.path, 'state'), join(folder.path, 'store')];
    mkdirSync(state);
    mkdirSync(store);
    const server = spawn(
      'swtpm',
      [
        ...['socket', '--tpm2', '--tpmstate', `dir=${state}`, '--flags', 'not-need-init,startup-clear'],
        ...['--server', `type=unixio,path=${socket}`, '--ctrl', `type=unixio,path=${socket}.ctrl`],
      ],
      { stdio: 'ignore' },
    );
    const ended = once(server, 'exit');
    while (!existsSync(socket) || !existsSync(`${socket}.ctrl`)) {
      if (server.exitCode !== null) throw new Error(`swtpm ended with status ${server.exitCode}`);
      await delay(20);
    }
    return {
      name: 'tpm2-pkcs11',
      modulePath: tpm2,
      initArgs: undefined,
      env: {
        TPM2_PKCS11_TCTI: `swtpm:path=${socket}`,
        TPM2_PKCS11_STORE: store,
        TPM2_PKCS11_LOG_LEVEL: '0',
        TSS2_LOG: 'all+none',
      },
      soPin: 'officer-pin-1234',
      remove: async () => {
        server.kill();
        await ended;
        folder.remove();
      },
    };
  },
};

/** All of them. openCryptoki is none: its state is one for the whole machine, and a daemon of root's. */
export const PKCS11_MODULES: readonly Pkcs11Module[] = [softHsm, nss, kryoptic, tpm];

/** The environment in which `keywright hsm` uses a module; `tokenLabel` and `pin` are set for a token. */
export function hsmEnvironment(module: BlankModule): Record<string, string> {
  return {
    ...module.env,
    KEYWRIGHT_PKCS11_MODULE: module.modulePath,
    ...(module.initArgs === undefined ? {} : { KEYWRIGHT_PKCS11_INIT_ARGS: module.initArgs }),
    // An empty PIN can only stand in a file.
    ...(module.soPin === ''
      ? { KEYWRIGHT_PKCS11_SO_PIN_FILE: '/dev/null' }
      : { KEYWRIGHT_PKCS11_SO_PIN: module.soPin }),
    KEYWRIGHT_PKCS11_PIN: PIN,
    KEYWRIGHT_PKCS11_TOKEN_LABEL: TOKEN_LABEL,
  };
}

/** Prepares a module and initialises its token with `keywright hsm init`. */
export async function provision(module: Pkcs11Module): Promise<ProvisionedModule> {
  const blank = await module.prepare();
  const { status, stderr } = await runKeywright('', ['hsm', 'init'], hsmEnvironment(blank));
  if (status !== 0) {
    await blank.remove();
    throw new Error(`${module.name}: no token: ${stderr}`);
  }
  return { ...blank, tokenLabel: TOKEN_LABEL, pin: PIN, profile: module.profile };
}
