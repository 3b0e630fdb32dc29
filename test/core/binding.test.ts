/** What the native addon promises beyond the conformance suite: threads, process ends, memory, forged handles. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { userInfo } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { CORE_STATUS, core, type CoreInfo } from '../../src/core/index.ts';
import { findAddon } from '../../src/core/load-addon.ts';
import type { NativeBinding } from '../../src/core/native-binding.ts';
import { REASON_CODES } from '../../src/pkcs11/codes.ts';
import { NO_MECHANISM } from '../../src/pkcs11/names.ts';

const ADDON = findAddon();
const native = createRequire(import.meta.url)(ADDON) as NativeBinding;
const AES_GCM = 1;

/** Runs `code` in a worker thread with `native` and `data` at hand; gives what it posts. */
async function inWorker(code: string, data: unknown): Promise<unknown> {
  const source = `
    const { parentPort, workerData: { addon, data } } = require('node:worker_threads');
    const native = require(addon);
    parentPort.postMessage((() => { ${code} })());`;
  const worker = new Worker(source, { eval: true, workerData: { addon: ADDON, data } });
  const exit = new Promise<number>((resolve) => worker.once('exit', resolve));
  const message = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  expect(await exit).toBe(0);
  return message;
}

/** Runs `code` in a process of its own with `native` at hand. */
function inProcess(
  code: string,
  environment: NodeJS.ProcessEnv = {},
  command: readonly string[] = [],
): { status: number | null; signal: string | null; stdout: string; stderr: string } {
  const script = `const native = require(${JSON.stringify(ADDON)}); ${code}`;
  const [program, ...options] = [...command, process.execPath, '-e', script];
  return spawnSync(program, options, { encoding: 'utf8', env: { ...process.env, ...environment } });
}

/** Requests to tokens answer with the numbers of a failure, and a token that is not open is closed already. */
function answerToNonsense(name: string): unknown {
  if (name === 'pkcs11Close') return undefined;
  return ['pkcs11Open', 'pkcs11Submit', 'pkcs11SealKey', 'pkcs11OpenKey'].includes(name)
    ? Uint32Array.of(REASON_CODES.invalidArgument, 0, NO_MECHANISM)
    : -CORE_STATUS.invalidArgument;
}

describe('native addon', () => {
  it('runs on its own libcrypto, which is OpenSSL 3.5 or newer', () => {
    const { binding, isOwnLibcrypto, opensslVersion } = core.info();
    expect({ binding, isOwnLibcrypto }).toEqual({ binding: 'napi', isOwnLibcrypto: true });
    const [, major, minor] = /^OpenSSL (\d+)\.(\d+)\./.exec(opensslVersion)!;
    expect(Number(major) * 100 + Number(minor)).toBeGreaterThanOrEqual(305);
  });

  it('answers every number that is no handle with destroyedKey', () => {
    const key = native.generateKey(AES_GCM, 32);
    const out = Buffer.alloc(100);
    const none = new Uint8Array(0);
    for (const number of [0, 1, key + 1, key + 2 ** 20, key - 2 ** 20, key + 2 ** 31, 2 ** 31, 2 ** 32 - 1]) {
      if (number < 0) continue;
      expect(native.encryptInto(number, none, none, out, 0)).toBe(-CORE_STATUS.destroyedKey);
      expect(native.destroyKey(number)).toBe(0);
    }
    expect(native.encryptInto(key, none, none, out, 0)).toBe(28);
    expect(native.destroyKey(key)).toBe(0);
    expect(native.encryptInto(key, none, none, out, 0)).toBe(-CORE_STATUS.destroyedKey);
  });

  it('answers calls without arguments, and with too many, by a status', () => {
    for (const [name, value] of Object.entries(native)) {
      if (name === 'info') continue;
      const run = value as (...values: unknown[]) => unknown;
      expect(run(), name).toEqual(answerToNonsense(name));
      expect(run(...Array.from({ length: 20 }, () => ({}))), name).toEqual(answerToNonsense(name));
    }
  });

  it('frees keys whose handle was forgotten', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = (): number => core.info().secureHeap.usedBytes;
    const before = used();
    for (let index = 0; index < 1000; index++) core.generateKey('backing');
    expect(used()).toBeGreaterThan(before);
    for (let round = 0; round < 100 && used() > before; round++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(used()).toBeLessThanOrEqual(before);
  });
});

describe('native addon in worker threads', () => {
  it('keeps the keys of each thread apart', async () => {
    const key = native.generateKey(AES_GCM, 32);
    const code = 'return native.encryptInto(data, new Uint8Array(0), new Uint8Array(0), new Uint8Array(99), 0);';
    expect(await inWorker(code, key)).toBe(-CORE_STATUS.destroyedKey);
  });

  it('computes in several threads at a time', async () => {
    const code = `
      const key = native.generateKey(3, 32);
      const none = new Uint8Array(0), plain = new Uint8Array(100).fill(7), blob = new Uint8Array(164);
      for (let i = 0; i < 5000; i++) {
        const opened = new Uint8Array(100);
        if (native.encryptMessageInto(key, none, none, plain, blob, 0) !== 164) return 'encrypt';
        if (native.decryptMessageInto(key, 0, blob, none, opened, 0) !== 100) return 'decrypt';
        if (opened.some((byte) => byte !== 7)) return 'bytes';
      }
      return 'fine';`;
    const results = Array.from({ length: 4 }, async () => inWorker(code, null));
    expect(await Promise.all(results)).toEqual(['fine', 'fine', 'fine', 'fine']);
  });

  it('frees the keys of a thread that ends', async () => {
    const code = 'for (let i = 0; i < 1000; i++) native.generateKey(3, 32); return native.info().secureHeap.usedBytes;';
    // The first worker also makes what libcrypto keeps for the process.
    await inWorker(code, null);
    const before = core.info().secureHeap.usedBytes;
    expect(await inWorker(code, null)).toBeGreaterThan(before);
    expect(core.info().secureHeap.usedBytes).toBeLessThanOrEqual(before);
  });

  it('loads again after the only thread that used it has ended', () => {
    const code = `
      const { Worker } = require('node:worker_threads');
      const source = 'require(' + JSON.stringify(${JSON.stringify(ADDON)}) + ').generateKey(1, 32)';
      const start = (left) => new Worker(source, { eval: true }).on('exit', (code) => {
        if (code !== 0 || left === 0) process.exit(code); else start(left - 1);
      });
      start(5);`;
    expect(spawnSync(process.execPath, ['-e', code]).status).toBe(0);
  });
});

describe('native addon when the process ends', () => {
  const use = 'const key = native.generateKey(1, 32); native.randomInto(new Uint8Array(10));';

  it('leaves no trace at a return, at process.exit and at an uncaught error', () => {
    expect(inProcess(use)).toMatchObject({ status: 0, signal: null, stderr: '' });
    expect(inProcess(`${use} process.exit(7);`)).toMatchObject({ status: 7, signal: null, stderr: '' });
    expect(inProcess(`${use} process.on('exit', () => native.generateKey(1, 32));`)).toMatchObject({ status: 0 });
    expect(inProcess(`${use} throw new Error('the end');`)).toMatchObject({ status: 1, signal: null });
  });

  it('survives process.exit while other threads compute', () => {
    const code = `${use}
      const { Worker } = require('node:worker_threads');
      const source = 'const native = require(' + JSON.stringify(${JSON.stringify(ADDON)}) + ');'
        + 'const key = native.generateKey(3, 32); const none = new Uint8Array(0); const out = new Uint8Array(164);'
        + 'require("node:worker_threads").parentPort.postMessage(0);'
        + 'for (;;) native.encryptMessageInto(key, none, none, new Uint8Array(100), out, 0);';
      let running = 0;
      for (let i = 0; i < 3; i++) new Worker(source, { eval: true }).on('message', () => {
        if (++running === 3) process.exit(9);
      });`;
    for (let round = 0; round < 3; round++) {
      expect(inProcess(code)).toMatchObject({ status: 9, signal: null, stderr: '' });
    }
  });
});

describe('secure heap', () => {
  const printInfo = 'console.log(JSON.stringify(native.info()));';
  const heapOf = (stdout: string): CoreInfo['secureHeap'] => (JSON.parse(stdout) as CoreInfo).secureHeap;

  it('has the size that KEYWRIGHT_SECURE_HEAP_MIB names, rounded up to a power of two', () => {
    for (const [value, mebibytes] of [
      ['1', 1],
      ['3', 4],
    ] as const) {
      const { stdout } = inProcess(printInfo, { KEYWRIGHT_SECURE_HEAP_MIB: value });
      expect(heapOf(stdout).sizeBytes).toBe(mebibytes * 2 ** 20);
    }
  });

  it('refuses a KEYWRIGHT_SECURE_HEAP_MIB that is no number in range', () => {
    for (const value of ['', '0', '-1', '1.5', '16M', '1025', '99999999999999999999']) {
      const { status, stderr } = inProcess(printInfo, { KEYWRIGHT_SECURE_HEAP_MIB: value });
      expect(status).toBe(1);
      expect(stderr).toContain('KEYWRIGHT_SECURE_HEAP_MIB must be a whole number from 1 to 1024');
    }
  });

  it('that is full raises outOfSecureMemory, and serves again once keys were freed', () => {
    const { stdout } = inProcess(
      `let code, keys = []; while ((code = native.generateKey(4, 1024)) > 0) keys.push(code);
       const full = code; keys.forEach(native.destroyKey); console.log(full, native.generateKey(4, 1024) > 0);`,
      { KEYWRIGHT_SECURE_HEAP_MIB: '1' },
    );
    expect(stdout).toBe(`-${CORE_STATUS.outOfSecureMemory} true\n`);
  });

  // A process of root may lock whatever it likes, and only root can start one of somebody else.
  it.skipIf(userInfo().uid !== 0)('is smaller where less can be locked, and unlocked where nothing can', () => {
    const asNobody = (bytes: number): CoreInfo['secureHeap'] => {
      const limit = ['prlimit', `--memlock=${bytes}`, 'setpriv', '--bounding-set=-all', '--inh-caps=-all'];
      const { stdout, stderr } = inProcess(printInfo, {}, [...limit, '--ambient-caps=-all']);
      expect(stderr).toBe('');
      return heapOf(stdout);
    };
    expect(asNobody(5 * 2 ** 20)).toMatchObject({ sizeBytes: 4 * 2 ** 20, isLocked: true });
    expect(asNobody(65536)).toMatchObject({ sizeBytes: 16 * 2 ** 20, isLocked: false });
  });
});
