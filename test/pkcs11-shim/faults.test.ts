import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import pkcs11js from 'pkcs11js';
import { beforeEach, describe, expect, it } from 'vitest';
import { buildShim } from '../support/pkcs11-shim.ts';
import { missingSoftHsm } from '../support/softhsm.ts';
import {
  CKF_TOKEN_PRESENT,
  CKS_RW_PUBLIC_SESSION,
  CKS_RW_USER_FUNCTIONS,
  codeOf,
  SESSION_FLAGS,
  shimmedToken,
  type ShimmedToken,
} from './fixture.ts';

const AES_KEY = [
  { type: pkcs11js.CKA_VALUE_LEN, value: 32 },
  { type: pkcs11js.CKA_TOKEN, value: false },
  { type: pkcs11js.CKA_ENCRYPT, value: true },
  { type: pkcs11js.CKA_DECRYPT, value: true },
];
/** CKR_VENDOR_DEFINED | 0x6B77 (faults.h). */
const BAD_CONTROL_FILE = '0x80006b77';
const BLOCK = Buffer.alloc(16, 7);

let shimmed: ShimmedToken;
let pkcs11: pkcs11js.PKCS11;

beforeEach(({ skip }) => {
  if (missingSoftHsm !== undefined) skip(missingSoftHsm);
  shimmed = shimmedToken();
  pkcs11 = shimmed.pkcs11;
  return () => shimmed.remove();
});

const aesKey = (session: pkcs11js.Handle): pkcs11js.Handle =>
  pkcs11.C_GenerateKey(session, { mechanism: pkcs11js.CKM_AES_KEY_GEN }, AES_KEY);

function encrypt(session: pkcs11js.Handle, key: pkcs11js.Handle): Buffer {
  pkcs11.C_EncryptInit(session, { mechanism: pkcs11js.CKM_AES_ECB }, key);
  return pkcs11.C_Encrypt(session, BLOCK, Buffer.alloc(32));
}

const random = (session: pkcs11js.Handle): Buffer => pkcs11.C_GenerateRandom(session, Buffer.alloc(16));

/** Which of so many calls failed, as a row of 0 and 1. */
const outcomes = (calls: number, call: () => unknown): string =>
  Array.from({ length: calls }, () => (codeOf(call) === 'CKR_OK' ? '0' : '1')).join('');

describe('without faults', () => {
  it('answers as the module behind it does', () => {
    const session = shimmed.session();
    const key = aesKey(session);

    expect(pkcs11.C_GetInfo().cryptokiVersion).toEqual({ major: 2, minor: 40 });
    const encrypted = encrypt(session, key);
    pkcs11.C_DecryptInit(session, { mechanism: pkcs11js.CKM_AES_ECB }, key);
    expect(pkcs11.C_Decrypt(session, encrypted, Buffer.alloc(32))).toEqual(BLOCK);
    expect(codeOf(() => pkcs11.C_Login(session, pkcs11js.CKU_USER, shimmed.token.pin))).toBe(
      'CKR_USER_ALREADY_LOGGED_IN',
    );
  });

  it('counts the calls of every function', () => {
    const session = shimmed.session();
    const { calls } = shimmed.counts()['C_GenerateRandom'] ?? { calls: Number.NaN };
    random(session);
    random(session);

    expect(shimmed.counts()['C_GenerateRandom']).toEqual({ calls: calls + 2, faults: 0 });
    expect(shimmed.counts()['C_Login']).toEqual({ calls: 1, faults: 0 });
    expect(Object.keys(shimmed.counts())).toHaveLength(68);
  });

  it('refuses to load without a module, or with one that is none', () => {
    const load = (module: string): string => {
      const { status, stderr } = runChild('', { KEYWRIGHT_SHIM_MODULE: module });
      expect(status).not.toBe(0);
      return stderr;
    };
    expect(load('/nowhere.so')).toContain('pkcs11-shim: /nowhere.so: cannot open shared object file');
    expect(load('libm.so.6')).toContain('pkcs11-shim: libm.so.6 is no PKCS#11 module');
    expect(runChild('', { KEYWRIGHT_SHIM_PERSONALITY: 'none' }).stderr).toContain('there is no personality none');
  });
});

describe('the control file', () => {
  it('is obeyed from the call after it changed, and no longer when it is empty', () => {
    const session = shimmed.session();
    expect(codeOf(() => random(session))).toBe('CKR_OK');
    shimmed.faults('C_GenerateRandom fail CKR_DEVICE_ERROR');
    expect(codeOf(() => random(session))).toBe('CKR_DEVICE_ERROR');
    shimmed.faults();
    expect(codeOf(() => random(session))).toBe('CKR_OK');
  });

  it('names functions in full or by their begin, and has comments', () => {
    const session = shimmed.session();
    shimmed.faults('# a comment', '', '  C_Generate*  fail\tCKR_DEVICE_MEMORY  # another');
    expect(codeOf(() => random(session))).toBe('CKR_DEVICE_MEMORY');
    expect(codeOf(() => aesKey(session))).toBe('CKR_DEVICE_MEMORY');
    expect(codeOf(() => pkcs11.C_GetSessionInfo(session))).toBe('CKR_OK');
    shimmed.faults('* fail 0x30');
    expect(codeOf(() => pkcs11.C_GetSessionInfo(session))).toBe('CKR_DEVICE_ERROR');
  });

  it.each([
    ['an action that is none', 'C_Sign explode'],
    ['a function that is none', 'C_Sing fail CKR_DEVICE_ERROR'],
    ['a return code that is none', 'C_Sign fail CKR_NEVER_HEARD_OF'],
    ['no return code', 'C_Sign fail'],
    ['a probability above 1', 'C_Sign hang 1.5'],
    ['words after the rule', 'C_Sign hang 0.5 often'],
    ['a zeroth call', 'C_Sign hang at 0'],
    ['a session to lose where there is none', 'C_GetSlotList lose-session'],
    ['a limit of anything but sessions', 'C_Sign limit 3'],
    ['a seed that is no number', 'seed me'],
    ['a state that tokens do not have', 'token broken'],
  ])('fails every call when it has %s', (_, line) => {
    const session = shimmed.session();
    shimmed.faults(line);
    expect(codeOf(() => random(session))).toBe(BAD_CONTROL_FILE);
    expect(codeOf(() => pkcs11.C_GetSlotList(true))).toBe(BAD_CONTROL_FILE);
  });
});

describe('when a rule applies', () => {
  it('at the nth call, when it says so', () => {
    const session = shimmed.session();
    shimmed.faults('C_GenerateRandom fail CKR_DEVICE_ERROR at 3');
    expect(outcomes(5, () => random(session))).toBe('00100');
  });

  it('to the first calls, when it says so', () => {
    const session = shimmed.session();
    shimmed.faults('C_GenerateRandom fail CKR_DEVICE_ERROR first 2');
    expect(outcomes(5, () => random(session))).toBe('11000');
  });

  it('with its probability, the same way for the same seed', () => {
    const session = shimmed.session();
    const run = (seed: number): string => {
      shimmed.faults(`seed ${seed}`, 'C_GenerateRandom fail CKR_DEVICE_ERROR 0.25');
      return outcomes(2000, () => random(session));
    };
    const first = run(1);
    const failures = first.split('1').length - 1;

    expect(run(1)).toBe(first);
    expect(run(2)).not.toBe(first);
    // Five standard deviations: sqrt(2000 · 0.25 · 0.75) is 19.4.
    expect(Math.abs(failures - 500)).toBeLessThan(97);
  });

  it('is counted as a fault only then', () => {
    const session = shimmed.session();
    const before = shimmed.counts()['C_GenerateRandom']?.calls ?? 0;
    shimmed.faults('C_GenerateRandom fail CKR_DEVICE_ERROR at 2');
    outcomes(3, () => random(session));
    expect(shimmed.counts()['C_GenerateRandom']).toEqual({ calls: before + 3, faults: 1 });
  });
});

describe('fail', () => {
  it('answers instead of the module', () => {
    const session = shimmed.session();
    const objects = (): number => {
      pkcs11.C_FindObjectsInit(session, []);
      const found = pkcs11.C_FindObjects(session, 100);
      pkcs11.C_FindObjectsFinal(session);
      return found.length;
    };
    shimmed.faults('C_GenerateKey fail CKR_DEVICE_MEMORY');
    expect(codeOf(() => aesKey(session))).toBe('CKR_DEVICE_MEMORY');
    expect(objects()).toBe(0);
  });

  it.each(['C_Encrypt', 'C_EncryptInit'])('leaves no operation active after %s', (name) => {
    const session = shimmed.session();
    const key = aesKey(session);
    const expected = encrypt(session, key);
    shimmed.faults(`${name} fail CKR_DEVICE_ERROR first 1`);
    expect(codeOf(() => encrypt(session, key))).toBe('CKR_DEVICE_ERROR');
    expect(encrypt(session, key)).toEqual(expected);
  });

  it.each(['C_EncryptUpdate', 'C_EncryptFinal'])('ends the operation of several parts after %s', (name) => {
    const session = shimmed.session();
    const key = aesKey(session);
    const expected = encrypt(session, key);
    shimmed.faults(`${name} fail CKR_DEVICE_ERROR first 1`);
    pkcs11.C_EncryptInit(session, { mechanism: pkcs11js.CKM_AES_ECB }, key);
    const inParts = (): void => {
      pkcs11.C_EncryptUpdate(session, BLOCK, Buffer.alloc(32));
      pkcs11.C_EncryptFinal(session, Buffer.alloc(32));
    };
    expect(codeOf(inParts)).toBe('CKR_DEVICE_ERROR');
    expect(encrypt(session, key)).toEqual(expected);
  });

  it('ends a signature, a verification and a digest that it made fail', () => {
    const session = shimmed.session();
    const template = [
      { type: pkcs11js.CKA_VALUE_LEN, value: 32 },
      { type: pkcs11js.CKA_SIGN, value: true },
      { type: pkcs11js.CKA_VERIFY, value: true },
    ];
    const key = pkcs11.C_GenerateKey(session, { mechanism: pkcs11js.CKM_GENERIC_SECRET_KEY_GEN }, template);
    const mechanism = { mechanism: pkcs11js.CKM_SHA256_HMAC };
    const sign = (): Buffer => {
      pkcs11.C_SignInit(session, mechanism, key);
      return pkcs11.C_Sign(session, BLOCK, Buffer.alloc(32));
    };
    const verify = (): boolean => {
      pkcs11.C_VerifyInit(session, mechanism, key);
      return pkcs11.C_Verify(session, BLOCK, signature);
    };
    const digest = (): Buffer => {
      pkcs11.C_DigestInit(session, { mechanism: pkcs11js.CKM_SHA256 });
      return pkcs11.C_Digest(session, BLOCK, Buffer.alloc(32));
    };
    const signature = sign();
    shimmed.faults(...['Sign', 'Verify', 'Digest'].map((name) => `C_${name} fail CKR_DEVICE_ERROR first 1`));

    expect([sign, verify, digest].map(codeOf)).toEqual(Array(3).fill('CKR_DEVICE_ERROR'));
    expect(sign()).toEqual(signature);
    expect(verify()).toBe(true);
    expect(digest()).toHaveLength(32);
  });

  it('refuses a PIN that is right', () => {
    shimmed.faults('C_Login fail CKR_PIN_INCORRECT');
    expect(codeOf(() => shimmed.session())).toBe('CKR_PIN_INCORRECT');
  });
});

describe('lose-answer', () => {
  it('lets the module do its work and says that it failed', () => {
    const session = shimmed.session();
    shimmed.faults('C_GenerateKey lose-answer CKR_DEVICE_ERROR first 1');
    expect(codeOf(() => aesKey(session))).toBe('CKR_DEVICE_ERROR');
    pkcs11.C_FindObjectsInit(session, []);
    expect(pkcs11.C_FindObjects(session, 100)).toHaveLength(1);
  });

  it("keeps the module's own failure", () => {
    const session = shimmed.session();
    shimmed.faults('C_* lose-answer CKR_DEVICE_ERROR');
    expect(codeOf(() => pkcs11.C_Encrypt(session, BLOCK, Buffer.alloc(32)))).toBe('CKR_OPERATION_NOT_INITIALIZED');
  });
});

describe('lost sessions', () => {
  it('lose-session closes the session of the call, and no other', () => {
    const [session, other] = [shimmed.session(), shimmed.session()];
    shimmed.faults('C_GenerateRandom lose-session first 1');
    expect(codeOf(() => random(session))).toBe('CKR_SESSION_HANDLE_INVALID');
    expect(codeOf(() => random(session))).toBe('CKR_SESSION_HANDLE_INVALID');
    expect(codeOf(() => random(other))).toBe('CKR_OK');
    expect(pkcs11.C_GetSessionInfo(other).state).toBe(CKS_RW_USER_FUNCTIONS);
  });

  it('lose-all-sessions closes every session, and the user is logged out', () => {
    const sessions = [shimmed.session(), shimmed.session()];
    shimmed.faults('C_GenerateRandom lose-all-sessions at 1');
    for (const session of sessions) expect(codeOf(() => random(session))).toBe('CKR_SESSION_HANDLE_INVALID');
    const fresh = pkcs11.C_OpenSession(shimmed.slot(), SESSION_FLAGS);
    expect(pkcs11.C_GetSessionInfo(fresh).state).toBe(CKS_RW_PUBLIC_SESSION);
  });

  it('logout leaves the sessions open, without the user', () => {
    const session = shimmed.session();
    shimmed.faults('C_GenerateKey logout at 1');
    expect(codeOf(() => aesKey(session))).toBe('CKR_USER_NOT_LOGGED_IN');
    pkcs11.C_Login(session, pkcs11js.CKU_USER, shimmed.token.pin);
    expect(codeOf(() => aesKey(session))).toBe('CKR_OK');
  });

  it('limit allows so many open sessions at a time', () => {
    const open = (): pkcs11js.Handle => pkcs11.C_OpenSession(shimmed.slot(), SESSION_FLAGS);
    const first = open();
    shimmed.faults('C_OpenSession limit 2');
    const second = open();
    expect(codeOf(open)).toBe('CKR_SESSION_COUNT');
    pkcs11.C_CloseSession(first);
    expect(codeOf(open)).toBe('CKR_OK');
    expect(codeOf(open)).toBe('CKR_SESSION_COUNT');
    pkcs11.C_CloseAllSessions(shimmed.slot());
    expect(codeOf(open)).toBe('CKR_OK');
    expect(codeOf(() => pkcs11.C_GetSessionInfo(second))).toBe('CKR_SESSION_HANDLE_INVALID');
  });
});

describe('token absent', () => {
  it('takes the token out with its sessions, and brings it back without them', () => {
    const session = shimmed.session();
    const slot = shimmed.slot();
    shimmed.faults('token absent');
    expect(pkcs11.C_GetSlotList(true)).toEqual([]);
    expect(pkcs11.C_GetSlotList(false)).not.toEqual([]);
    expect(pkcs11.C_GetSlotInfo(slot).flags & CKF_TOKEN_PRESENT).toBe(0);
    expect(codeOf(() => pkcs11.C_GetTokenInfo(slot))).toBe('CKR_TOKEN_NOT_PRESENT');
    expect(codeOf(() => pkcs11.C_OpenSession(slot, SESSION_FLAGS))).toBe('CKR_TOKEN_NOT_PRESENT');
    expect(codeOf(() => random(session))).toBe('CKR_SESSION_HANDLE_INVALID');

    shimmed.faults();
    expect(pkcs11.C_GetSlotInfo(slot).flags & CKF_TOKEN_PRESENT).toBe(CKF_TOKEN_PRESENT);
    expect(codeOf(() => random(session))).toBe('CKR_SESSION_HANDLE_INVALID');
    expect(codeOf(() => random(shimmed.session()))).toBe('CKR_OK');
  });
});

describe('slow tokens', () => {
  it('delay-ms waits before the call', () => {
    const session = shimmed.session();
    shimmed.faults('C_GenerateRandom delay-ms 60');
    const start = process.hrtime.bigint();
    expect(random(session)).toHaveLength(16);
    expect(process.hrtime.bigint() - start).toBeGreaterThanOrEqual(60_000_000n);
  });

  it('hang keeps the call until the control file changes', async () => {
    const session = shimmed.session();
    const key = aesKey(session);
    const expected = encrypt(session, key);
    pkcs11.C_EncryptInit(session, { mechanism: pkcs11js.CKM_AES_ECB }, key);
    shimmed.faults('C_Encrypt hang');
    let isDone = false;
    const hanging = pkcs11.C_EncryptAsync(session, BLOCK, Buffer.alloc(32)).finally(() => (isDone = true));
    await expect.poll(() => shimmed.counts()['C_Encrypt']?.faults).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isDone).toBe(false);
    shimmed.faults();
    expect(await hanging).toEqual(expected);
  });
});

describe('under random faults, with calls in parallel', () => {
  it('no answer is wrong', async () => {
    const keeper = shimmed.session();
    const key = aesKey(keeper);
    const expected = encrypt(keeper, key);
    const seed = 6;
    shimmed.faults(
      `seed ${seed}`,
      'C_Encrypt* fail CKR_DEVICE_ERROR 0.05',
      'C_Encrypt lose-answer CKR_FUNCTION_FAILED 0.05',
      'C_Encrypt* lose-session 0.03',
      'C_Encrypt delay-ms 1 0.02',
    );
    const codes = new Map<string, number>();
    const work = async (): Promise<void> => {
      let session = shimmed.session();
      for (let i = 0; i < 500; i += 1) {
        let code = codeOf(() => pkcs11.C_EncryptInit(session, { mechanism: pkcs11js.CKM_AES_ECB }, key));
        if (code === 'CKR_OK') {
          const answer = await pkcs11.C_EncryptAsync(session, BLOCK, Buffer.alloc(32)).catch((error: unknown) => error);
          if (Buffer.isBuffer(answer)) expect(answer).toEqual(expected);
          else code = codeOf(() => fail(answer));
        }
        codes.set(code, (codes.get(code) ?? 0) + 1);
        if (code === 'CKR_SESSION_HANDLE_INVALID') session = shimmed.session();
      }
    };
    await Promise.all([work(), work(), work(), work()]);

    const sum = (...names: readonly string[]): number =>
      names.reduce((total, name) => total + (codes.get(name) ?? 0), 0);
    const known = ['CKR_DEVICE_ERROR', 'CKR_FUNCTION_FAILED', 'CKR_SESSION_HANDLE_INVALID'];
    for (const name of known) expect([name, sum(name)]).not.toEqual([name, 0]);
    expect({ seed, answered: sum('CKR_OK', ...known) }).toEqual({ seed, answered: 2000 });
  });
});

describe('a process with the module', () => {
  it.each([
    ['abort', 'SIGABRT'],
    ['kill', 'SIGKILL'],
  ])('ends by %s at the call that is named', (action, signal) => {
    shimmed.faults(`C_GenerateRandom ${action} at 3`);
    const code = `for (let i = 0; i < 5; i++) { pkcs11.C_GenerateRandom(session, Buffer.alloc(8)); console.log(i); }`;
    const child = runChild(
      `const session = pkcs11.C_OpenSession(pkcs11.C_GetSlotList(true)[0], ${SESSION_FLAGS}); ${code}`,
    );
    expect(child.signal).toBe(signal);
    expect(child.stdout).toBe('0\n1\n');
    // The counters outlive the process.
    expect(shimmed.counts()['C_GenerateRandom']).toEqual({ calls: 3, faults: 1 });
  });
});

function fail(error: unknown): never {
  throw error;
}

/** Runs code in a child process that has the shim loaded and initialized as `pkcs11`. */
function runChild(code: string, environment: Readonly<Record<string, string>> = {}) {
  const path = createRequire(import.meta.url).resolve('pkcs11js');
  const program = `const pkcs11js = require(${JSON.stringify(path)}); const pkcs11 = new pkcs11js.PKCS11();
    pkcs11.load(${JSON.stringify(buildShim())}); pkcs11.C_Initialize(); ${code}`;
  return spawnSync(process.execPath, ['-e', program], {
    env: { ...shimmed.environment, ...environment },
    encoding: 'utf8',
  });
}
