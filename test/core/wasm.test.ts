/** What the WebAssembly core promises beyond the conformance suite: its imports, its memory, and when it is loaded. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it, vi } from 'vitest';
import { CORE_STATUS, loadCore, loadWasmCore } from '../../src/core/index.ts';
import { findWasm } from '../../src/core/load-wasm.ts';
import type { NativeBinding } from '../../src/core/native-binding.ts';
import { startWasmBinding } from '../../src/core/wasm-binding.ts';
import { SIGNATURES } from '../../src/core/wasm-signatures.ts';
import { wasmHost } from '../../src/core/wasm-host.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const wasmPath = findWasm();
const isBuilt = wasmPath !== undefined;
const isRequired = process.env['CI'] === 'true';
const compile = (): object => new (wasmHost().Module)(readFileSync(wasmPath ?? ''));
const AES_GCM = 1;

/** WebAssembly as TypeScript does not know it here: what a module asks for, and the memory of new instances. */
interface Inspection {
  Module: { imports(module: object): { module: string; name: string }[] };
  Instance: new (module: object, imports: object) => { exports: Record<string, unknown> };
}
const inspection = Reflect.get(globalThis, 'WebAssembly') as Inspection;

/** A binding, and the linear memory that its instance has. */
function startWatched(): { native: NativeBinding; memory: () => Uint8Array } {
  let exports: Record<string, unknown> = {};
  const { Instance } = inspection;
  const watched = function (module: object, imports: object): object {
    const instance = new Instance(module, imports);
    ({ exports } = instance);
    return instance;
  };
  const spy = vi.spyOn(inspection, 'Instance').mockImplementation(watched);
  const native = startWasmBinding(compile(), { secureHeapMiB: 1 });
  spy.mockRestore();
  return { native, memory: () => new Uint8Array((exports['memory'] as { buffer: ArrayBuffer }).buffer) };
}

const holds = (memory: Uint8Array, secret: Uint8Array): boolean =>
  Buffer.from(memory.buffer).includes(Buffer.from(secret));

describe.skipIf(!isBuilt && !isRequired)(`WebAssembly core${isBuilt ? '' : ' (skipped: run script/wasm)'}`, () => {
  it('imports randomness, the clock, and what answers that there is nothing', () => {
    const names = inspection.Module.imports(compile()).map(({ module, name }) => `${module}.${name}`);
    expect(names.sort()).toEqual([
      'env.__syscall_getdents64',
      'env.__syscall_stat64',
      'env.emscripten_notify_memory_growth',
      ...['clock_time_get', 'environ_get', 'environ_sizes_get', 'fd_close', 'fd_read', 'fd_seek', 'fd_write'].map(
        (name) => `wasi_snapshot_preview1.${name}`,
      ),
      'wasi_snapshot_preview1.proc_exit',
      'wasi_snapshot_preview1.random_get',
    ]);
  });

  it('tells what it is', () => {
    const { binding, isOwnLibcrypto, notHardened, opensslVersion, secureHeap } = loadCore('wasm').info();
    expect(notHardened?.[0]).toContain('as the engine compiles it');
    expect(loadCore('napi').info().notHardened).toBeUndefined();
    expect({ binding, isOwnLibcrypto }).toEqual({ binding: 'wasm', isOwnLibcrypto: true });
    expect(opensslVersion).toMatch(/^OpenSSL 3\.(?:[5-9]|\d\d)\./);
    expect(secureHeap).toMatchObject({ sizeBytes: 16 * 2 ** 20, isLocked: false });
  });

  it('holds no tables of AES and GHASH that a secret could be an index of', () => {
    const memory = Buffer.from(startWatched().memory());
    const words = (...values: number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);
    // Of libcrypto: Te0, Td0 and Td4 of aes_core.c, rem_4bit of gcm128.c.
    const [te0, td0] = [words(0xc66363a5, 0xf87c7c84), words(0x51f4a750, 0x7e416553)];
    const [td4, rem4Bit] = [Buffer.from('52096ad53036a538', 'hex'), words(0x1c200000, 0x38400000)];
    expect([te0, td0, td4, rem4Bit].map((table) => memory.includes(table))).toEqual([false, false, false, false]);
    // The search finds what is there: the constants of SHA-256.
    expect(memory.includes(words(0x428a2f98, 0x71374491))).toBe(true);
  });

  it('says what is missing in a runtime without SIMD', async () => {
    const spy = vi.spyOn(Reflect.get(globalThis, 'WebAssembly') as { validate(): boolean }, 'validate');
    spy.mockReturnValue(false);
    try {
      await expect(loadWasmCore(readFileSync(wasmPath ?? ''))).rejects.toThrow('the WebAssembly core needs SIMD');
    } finally {
      spy.mockRestore();
    }
  });

  it('answers calls without arguments, and with wrong ones, by a status', () => {
    const { native } = startWatched();
    for (const name of Object.keys(SIGNATURES) as (keyof typeof SIGNATURES)[]) {
      const run = native[name] as (...values: unknown[]) => number;
      expect(run(), name).toBe(-CORE_STATUS.invalidArgument);
      expect(run(...Array.from({ length: 20 }, () => ({}))), name).toBe(-CORE_STATUS.invalidArgument);
    }
    expect(native.encryptInto(12345, new Uint8Array(), new Uint8Array(), new Uint8Array(99), 0)).toBe(
      -CORE_STATUS.destroyedKey,
    );
  });

  it('leaves nothing of inputs, outputs and destroyed keys in its memory', () => {
    const { native, memory } = startWatched();
    for (const length of [48, 100_000]) {
      const secret = loadCore('napi').randomBytes(length);
      const keyBytes = loadCore('napi').randomBytes(32);
      const key = native.importKey(AES_GCM, keyBytes);
      const sealed = new Uint8Array(length + 28);
      expect(native.encryptInto(key, secret, new Uint8Array(), sealed, 0)).toBe(sealed.length);
      const opened = new Uint8Array(length);
      expect(native.decryptInto(key, sealed, new Uint8Array(), opened, 0)).toBe(length);
      expect(Buffer.from(opened).equals(secret)).toBe(true);
      // The search finds what is there.
      expect(holds(memory(), keyBytes.subarray(0, 16))).toBe(true);
      native.destroyKey(key);
      for (const start of [0, length / 2, length - 16]) {
        expect(holds(memory(), secret.subarray(start, start + 16))).toBe(false);
      }
      expect(holds(memory(), keyBytes.subarray(0, 16))).toBe(false);
    }
  });

  it('refuses what needs more memory than it may have, and goes on', () => {
    const { native, memory } = startWatched();
    // 2^22 KiB are allowed by the interface, and more than the module has.
    const salt = new Uint8Array(16);
    expect(native.deriveKeyFromPassphrase(new Uint8Array(8), salt, 2 ** 22, 1)).toBeLessThan(0);
    expect(native.randomInto(new Uint8Array(100))).toBe(0);
    expect(memory().length).toBeLessThanOrEqual(2 ** 30);
  });

  it('starts only with cryptographic randomness', () => {
    const start = (): unknown => startWasmBinding(compile());
    const { crypto } = globalThis;
    try {
      vi.stubGlobal('crypto', undefined);
      expect(start).toThrow('needs crypto.getRandomValues');
      vi.stubGlobal('crypto', { getRandomValues: (region: Uint8Array) => region.fill(4) });
      expect(start).toThrow('is not random');
    } finally {
      vi.stubGlobal('crypto', crypto);
    }
  });

  it('fails by a status when randomness fails later', () => {
    const { crypto } = globalThis;
    let isBroken = false;
    const getRandomValues = (region: Uint8Array<ArrayBuffer>): Uint8Array => {
      if (isBroken) throw new Error('no more');
      return crypto.getRandomValues(region);
    };
    try {
      vi.stubGlobal('crypto', { getRandomValues });
      const native = startWasmBinding(compile());
      isBroken = true;
      expect(native.generateKey(AES_GCM, 32)).toBe(-CORE_STATUS.randomFailed);
      isBroken = false;
      expect(native.generateKey(AES_GCM, 32)).toBeGreaterThan(0);
    } finally {
      vi.stubGlobal('crypto', crypto);
    }
  });

  it('keeps the keys of each core apart', async () => {
    const [one, other] = await Promise.all([loadWasmCore(readFileSync(wasmPath ?? '')), loadWasmCore(compile())]);
    const wrapped = one.kwpWrap(one.generateKey('aesKwp'), one.generateKey('hmac'));
    expect(() => other.kwpUnwrap(other.generateKey('aesKwp'), wrapped, 'hmac')).toThrow('authenticationFailed');
    await expect(loadWasmCore(new Uint8Array(8))).rejects.toThrow();
  });

  it('opens what the addon encrypted, and the other way round', () => {
    const [native, wasm] = [loadCore('napi'), loadCore('wasm')];
    const bytes = native.randomBytes(32);
    const none = new Uint8Array();
    for (const [from, to] of [
      [native, wasm],
      [wasm, native],
    ] as const) {
      const blob = from.encryptMessage(from.importKey('backing', bytes), none, none, Buffer.from('text'));
      expect(to.decryptMessage(to.importKey('backing', bytes), 0, blob, none).toString()).toBe('text');
    }
  });
});

/** The files that `file` imports at run time, it included; and the packages and modules of Node. */
function reach(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  if (!file.startsWith('/')) return found;
  const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true },
  });
  for (const { fileName } of ts.preProcessFile(outputText).importedFiles) {
    reach(fileName.startsWith('.') ? path.resolve(path.dirname(file), fileName) : fileName, found);
  }
  return found;
}

describe('the core for browsers', () => {
  it('reaches no module of Node and no package', () => {
    const files = [...reach(path.join(ROOT, 'src/core/wasm.ts'))];
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => !file.startsWith(path.join(ROOT, 'src/core/')))).toEqual([]);
  });
});

describe('choosing a binding', () => {
  const entry = JSON.stringify(path.join(ROOT, 'src/core/load-core.ts'));

  /** What the process says that loads the core with these variables. */
  function bindingWith(env: NodeJS.ProcessEnv, before = ''): { stdout: string; stderr: string } {
    // vite-node runs TypeScript on every Node.js that this package supports.
    const script = `
      import { createServer } from 'vite';
      const server = await createServer({ configFile: false, logLevel: 'error', server: { middlewareMode: true } });
      ${before}
      try {
        const { loadCoreOf, requestedBinding } = await server.ssrLoadModule(${entry});
        console.log(loadCoreOf(requestedBinding()).info().binding);
      } catch (error) { console.error(error.message); }
      await server.close();`;
    const options = { cwd: ROOT, encoding: 'utf8', env: { ...process.env, ...env } } as const;
    return spawnSync(process.execPath, ['--input-type=module', '-e', script], options);
  }

  it('follows KEYWRIGHT_CORE', () => {
    expect(bindingWith({ KEYWRIGHT_CORE: 'napi' }).stdout).toBe('napi\n');
    expect(bindingWith({ KEYWRIGHT_CORE: 'nativ' }).stderr).toContain('KEYWRIGHT_CORE must be napi or wasm');
    if (isBuilt) expect(bindingWith({ KEYWRIGHT_CORE: 'wasm' }).stdout).toBe('wasm\n');
  });

  it.skipIf(!isBuilt)('takes WebAssembly where there is no addon, unless the addon was asked for', () => {
    const elsewhere =
      "Object.defineProperty(process, 'dlopen', { value: () => { const error = new Error('no'); " +
      "error.code = 'ERR_DLOPEN_FAILED'; throw error; } });";
    expect(bindingWith({}).stdout).toBe('napi\n');
    expect(bindingWith({}, elsewhere).stdout).toBe('wasm\n');
    expect(bindingWith({ KEYWRIGHT_CORE: 'napi' }, elsewhere).stdout).toBe('');
  });
});
