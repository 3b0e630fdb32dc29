/** `keywright hsm` as operators use and misuse it, on SoftHSM2. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HsmStatus } from '../../src/hsm/provisioning/status.ts';
import { runKeywright, type CommandResult } from '../support/server-process.ts';
import { createSoftHsm, missingSoftHsm, type SoftHsm } from '../support/softhsm.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const SO_PIN = 'officer-pin-1234';
const PIN = 'user-pin-1234';

/** Runs a command on a terminal of its own, which `script` makes, and answers its questions; all that was shown. */
async function atTerminal(
  command: string,
  environment: Record<string, string>,
  answers: readonly string[],
): Promise<string> {
  const child = spawn('script', ['-qc', `${process.execPath} ${MAIN} hsm ${command}`, '/dev/null'], {
    env: { PATH: process.env['PATH'], SHELL: '/bin/sh', ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  let asked = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    while (asked < shown.split(': ').length - 1 && asked < answers.length) {
      child.stdin.write(`${answers[asked++] ?? ''}\r`);
    }
  });
  await once(child, 'close');
  return shown;
}

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => {
  folder.remove();
});

function file(name: string, content: string): string {
  const path = join(folder.path, name);
  writeFileSync(path, content);
  return path;
}

const hsm = (args: readonly string[], environment: Record<string, string> = {}): Promise<CommandResult> =>
  runKeywright(folder.path, ['hsm', ...args], environment);

describe('keywright hsm without an HSM', () => {
  it('explains itself', async () => {
    const { status, stdout } = await hsm(['--help']);
    expect(status).toBe(0);
    for (const word of ['init', 'status', 'keys', 'test', 'KEYWRIGHT_PKCS11_PIN_FILE', '--erase', 'Exit status']) {
      expect(stdout).toContain(word);
    }
  });

  it.each([
    [['bench-mark'], {}, /unknown command "hsm bench-mark"/],
    [['status', 'now'], {}, /unknown command "hsm status now"/],
    [['status'], {}, /Set KEYWRIGHT_PKCS11_MODULE, or --module/],
    [['status', '--pin-file', 'x'], { KEYWRIGHT_PKCS11_MODULE: 'x' }, /hsm status does not take --pin-file/],
    [['status', '--pin', '1234'], { KEYWRIGHT_PKCS11_MODULE: 'x' }, /Unknown option '--pin'/],
    [['status', '--slot', 'first'], { KEYWRIGHT_PKCS11_MODULE: 'x' }, /must be a number .*, not "first"/],
    [['keys'], { KEYWRIGHT_PKCS11_MODULE: 'x' }, /the PIN of the user is missing: set KEYWRIGHT_PKCS11_PIN/],
    [
      ['keys', '--pin-file', '/dev/null'],
      { KEYWRIGHT_PKCS11_MODULE: 'x', KEYWRIGHT_PKCS11_PIN: '1234' },
      /there are two PINs: one in KEYWRIGHT_PKCS11_PIN, one in the file \/dev\/null/,
    ],
    [['keys', '--pin-file', '/nowhere'], { KEYWRIGHT_PKCS11_MODULE: 'x' }, /ENOENT.*\/nowhere/],
    [['init'], { KEYWRIGHT_PKCS11_MODULE: 'x' }, /how shall the token be called/],
    [['init', '--token-label', 'a', '--erase'], { KEYWRIGHT_PKCS11_MODULE: 'x' }, /--erase needs --slot/],
  ])('refuses %j with status 64', async (args, environment, text) => {
    const { status, stdout, stderr } = await hsm(args, environment);
    expect(stderr).toMatch(text);
    expect(status).toBe(64);
    expect(stdout).toBe('');
  });

  it.each([
    ['/nowhere/module.so', /the PKCS#11 module \/nowhere\/module\.so cannot be loaded/],
    [
      fileURLToPath(new URL('../../build/Release/keywright.node', import.meta.url)),
      /cannot be loaded: .*C_GetFunctionList/,
    ],
  ])('refuses the module %s with status 1', async (module, text) => {
    const { status, stderr } = await hsm(['status', '--module', module]);
    expect(stderr).toMatch(text);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(status).toBe(1);
  });

  it('names the optional packages where they are not installed', async () => {
    const hook = file(
      'absent.cjs',
      `const Module = require('node:module');
       const load = Module._load;
       Module._load = (name, ...rest) => {
         if (name === 'graphene-pk11') {
           throw Object.assign(new Error("Cannot find module 'graphene-pk11'"), { code: 'MODULE_NOT_FOUND' });
         }
         return load(name, ...rest);
       };`,
    );
    const withHook = { NODE_OPTIONS: `--require ${hook}` };
    const { status, stderr } = await hsm(['status', '--module', '/nowhere.so'], withHook);
    expect(stderr).toMatch(
      /needs the optional packages graphene-pk11 and pkcs11js.*npm install graphene-pk11 pkcs11js/,
    );
    expect(status).toBe(1);
    expect(await runKeywright(folder.path, ['--version'], withHook)).toMatchObject({ status: 0 });
  });
});

describe.skipIf(missingSoftHsm)(missingSoftHsm ?? 'keywright hsm on SoftHSM2', () => {
  let softHsm: SoftHsm;
  let settings: Record<string, string>;

  beforeEach(() => {
    softHsm = createSoftHsm();
    settings = {
      ...softHsm.environment,
      KEYWRIGHT_PKCS11_MODULE: softHsm.module,
      KEYWRIGHT_PKCS11_SO_PIN: SO_PIN,
      KEYWRIGHT_PKCS11_PIN: PIN,
    };
  });
  afterEach(() => {
    softHsm.remove();
  });

  it('says that no token is initialised yet', async () => {
    const { status, stdout } = await hsm(['status'], settings);
    expect(status).toBe(0);
    expect(stdout).toContain('none is initialised: keywright hsm init --token-label LABEL does it');
    const keys = await hsm(['keys'], settings);
    expect(keys).toMatchObject({ status: 1 });
    expect(keys.stderr).toContain('the module has no token. It has slot 0 (not initialised)');
  });

  it('takes PINs out of files, up to the end of the first line', async () => {
    const { KEYWRIGHT_PKCS11_PIN: _, KEYWRIGHT_PKCS11_SO_PIN: __, ...others } = settings;
    const files = ['--pin-file', file('pin', `${PIN}\r\nnext line`), '--so-pin-file', file('so-pin', `${SO_PIN}\n`)];
    expect(await hsm(['init', '--token-label', 'keys', ...files], others)).toMatchObject({ status: 0, stderr: '' });
    expect(await hsm(['keys'], settings)).toMatchObject({ status: 0, stdout: 'no keys\n' });
  });

  it('asks for PINs at a terminal without showing them, and for new ones twice', async () => {
    const { KEYWRIGHT_PKCS11_PIN: _, KEYWRIGHT_PKCS11_SO_PIN: __, ...others } = settings;
    const typo = `${PIN}x\u007f`;
    const made = await atTerminal('init --token-label keys', others, [SO_PIN, SO_PIN, typo, PIN]);
    expect(made).toContain('PIN of the security officer, again:');
    expect(made).toContain('token "keys" is ready');
    expect(made).not.toContain(PIN);
    expect(await hsm(['keys'], settings)).toMatchObject({ status: 0 });
    expect(await atTerminal('keys', others, ['\u0003'])).toContain('no answer to: PIN of the user');
  }, 60_000);

  it('chooses tokens by slot or label, and lists them when that fails', async () => {
    for (const label of ['one', 'zwölf']) {
      expect(await hsm(['init', '--token-label', label], settings)).toMatchObject({ status: 0 });
    }
    const statusOf = async (...args: readonly string[]): Promise<HsmStatus> =>
      JSON.parse((await hsm(['status', '--json', ...args], settings)).stdout) as HsmStatus;
    const { token } = await statusOf('--token-label', 'zwölf');
    expect(token?.label).toBe('zwölf');
    expect((await statusOf('--slot', `0x${token!.slot.toString(16)}`)).token).toEqual(token);
    const any = await hsm(['keys'], settings);
    expect(any.stderr).toMatch(
      /the module has more than one token\. It has slot \d+ "\S+", slot \d+ "\S+", slot 2 \(not/,
    );
    expect(any.status).toBe(1);
    const byEnvironment = { ...settings, KEYWRIGHT_PKCS11_TOKEN_LABEL: 'three' };
    expect((await hsm(['keys'], byEnvironment)).stderr).toMatch(/has no token called "three"\. It has slot/);
    // The option replaces slot and label of the environment.
    expect(await hsm(['keys', '--token-label', 'one'], byEnvironment)).toMatchObject({ status: 0 });
  });

  it('refuses a second token of the same name, names that are too long, and PINs that the token refuses', async () => {
    expect(await hsm(['init', '--token-label', 'keys'], settings)).toMatchObject({ status: 0 });
    const refusal = async (args: readonly string[], environment: Record<string, string> = {}): Promise<string> => {
      const { status, stderr } = await hsm(['init', ...args], { ...settings, ...environment });
      expect(status).toBe(1);
      return stderr;
    };
    expect(await refusal(['--token-label', 'keys'])).toMatch(/a token called "keys" is there already, in slot \d+/);
    expect(await refusal(['--token-label', 'ü'.repeat(17)])).toContain('a token label has 1 to 32 bytes');
    expect(await refusal(['--token-label', 'a', '--slot', '77'])).toContain('there is no token in slot 77');
    const short = await refusal(['--token-label', 'a'], { KEYWRIGHT_PKCS11_PIN: '1' });
    expect(short).toMatch(/setting the user PIN of "a": the module answered CKR_PIN_LEN_RANGE \(it must have 4 to 255/);
  });

  it('initialises a token anew only with --erase and the PIN of its security officer', async () => {
    expect(await hsm(['init', '--token-label', 'old'], settings)).toMatchObject({ status: 0 });
    const { token } = JSON.parse((await hsm(['status', '--json'], settings)).stdout) as HsmStatus;
    const again = ['init', '--token-label', 'new', '--slot', String(token?.slot)];
    expect(await hsm(again, settings)).toMatchObject({ status: 1 });
    const wrong = await hsm([...again, '--erase'], { ...settings, KEYWRIGHT_PKCS11_SO_PIN: 'another-pin' });
    expect(wrong.stderr).toContain('CKR_PIN_INCORRECT (an initialised token needs the PIN of its security officer)');
    expect(await hsm([...again, '--erase'], settings)).toMatchObject({ status: 0 });
    expect(await hsm(['keys', '--token-label', 'new'], settings)).toMatchObject({ status: 0 });
    expect(await hsm(['keys', '--token-label', 'old'], settings)).toMatchObject({ status: 1 });
  });

  it('tells of a PIN that is about to be locked', async () => {
    expect(await hsm(['init', '--token-label', 'keys'], settings)).toMatchObject({ status: 0 });
    expect((await hsm(['status'], settings)).stdout).toContain('user PIN  set, good');
    await hsm(['keys'], { ...settings, KEYWRIGHT_PKCS11_PIN: 'wrong' });
    expect((await hsm(['status'], settings)).stdout).toContain('user PIN  set, a wrong PIN was entered');
  });
});
