/** Starts the WebAssembly module of the core. Nothing of Node is used here: it runs in browsers too. */
import { wasmHost, type CompiledModule, type LinearMemory, type ModuleImports } from './wasm-host.ts';

/** What `native/wasm` exports beside one function for each member of the binding. */
export interface WasmExports {
  readonly memory: LinearMemory;
  kw_initialize(secureHeapBytes: number): number;
  kw_allocate(size: number): number;
  kw_free(address: number, size: number): void;
  kw_opensslVersion(): number;
  kw_secureHeapSize(): number;
  kw_secureHeapUsed(): number;
}

/** A function of the binding; takes the address of its slots (native/wasm/slots.h). */
export type WasmFunction = (slots: number) => number;

/** An instance of the module that has its memory and its entropy, and nothing else of the host. */
export interface WasmInstance {
  readonly exports: WasmExports;
  /** The exported function `name`. @throws Error when the module has none: it is older or newer than this code. */
  readonly functionNamed: (name: string) => WasmFunction;
}

/** What getRandomValues fills in one call. */
const ENTROPY_QUOTA_BYTES = 65_536;
/** Numbers of WASI. */
const WASI_SUCCESS = 0;
const WASI_BAD_DESCRIPTOR = 8;
const WASI_IO_ERROR = 29;
/** "No such system call", as Emscripten's C library counts. */
const ENOSYS = 52;
const NANOSECONDS_PER_MILLISECOND = 1_000_000n;

type FillRandom = (region: Uint8Array) => void;

/** @throws Error when the host has no cryptographic randomness. */
function hostEntropy(): FillRandom {
  const host = (globalThis as { crypto?: { getRandomValues?: (region: Uint8Array) => unknown } }).crypto;
  const { getRandomValues } = host ?? {};
  if (typeof getRandomValues !== 'function') {
    throw new Error('keywright: the WebAssembly core needs crypto.getRandomValues, which this runtime does not have.');
  }
  // What is taken now is used later: nobody who replaces the global afterwards decides what the keys are.
  return (region) => {
    for (let start = 0; start < region.length; start += ENTROPY_QUOTA_BYTES) {
      getRandomValues.call(host, region.subarray(start, start + ENTROPY_QUOTA_BYTES));
    }
  };
}

/** Refuses a source that fails or that gives nothing, before any key is made of it. */
function requireWorking(fill: FillRandom): void {
  const first = new Uint8Array(32);
  const second = new Uint8Array(32);
  fill(first);
  fill(second);
  if (first.every((byte, index) => byte === second[index])) {
    throw new Error(
      'keywright: crypto.getRandomValues of this runtime is not random; the WebAssembly core will not start.',
    );
  }
}

/** All that the module imports. WASI's randomness and clock are there; files and the environment do not exist. */
function importsOver(memory: () => ArrayBuffer, fill: FillRandom): ModuleImports {
  const view = (): DataView => new DataView(memory());
  return {
    env: {
      emscripten_notify_memory_growth: () => undefined,
      __syscall_getdents64: () => -ENOSYS,
      __syscall_stat64: () => -ENOSYS,
    },
    wasi_snapshot_preview1: {
      random_get(address: number, length: number): number {
        try {
          fill(new Uint8Array(memory(), address >>> 0, length >>> 0));
          return WASI_SUCCESS;
        } catch {
          return WASI_IO_ERROR;
        }
      },
      clock_time_get(_clock: number, _precision: bigint, out: number): number {
        view().setBigUint64(out >>> 0, BigInt(Date.now()) * NANOSECONDS_PER_MILLISECOND, true);
        return WASI_SUCCESS;
      },
      environ_sizes_get(count: number, size: number): number {
        view().setUint32(count >>> 0, 0, true);
        view().setUint32(size >>> 0, 0, true);
        return WASI_SUCCESS;
      },
      environ_get: () => WASI_SUCCESS,
      fd_close: () => WASI_BAD_DESCRIPTOR,
      fd_read: () => WASI_BAD_DESCRIPTOR,
      fd_seek: () => WASI_BAD_DESCRIPTOR,
      fd_write: () => WASI_BAD_DESCRIPTOR,
      proc_exit(code: number): never {
        throw new Error(`keywright: the WebAssembly core stopped (${code})`);
      },
    },
  };
}

/**
 * Starts an instance of `module`.
 *
 * @throws Error when the runtime has no cryptographic randomness, or `module` is not the core.
 */
export function startModule(module: CompiledModule): WasmInstance {
  const fill = hostEntropy();
  requireWorking(fill);
  // Called by the imports, which the module calls once it runs: `exports` is there by then.
  const buffer = (): ArrayBuffer => (exports['memory'] as LinearMemory).buffer;
  const { exports } = new (wasmHost().Instance)(module, importsOver(buffer, fill));
  const functionNamed = (name: string): WasmFunction => {
    const found = exports[name];
    if (typeof found !== 'function') {
      throw new Error(`keywright: keywright.wasm has no ${name}: it does not belong to this version. Run script/wasm.`);
    }
    return found as WasmFunction;
  };
  // Runs the constructors of the C++ sources.
  (functionNamed('_initialize') as unknown as () => void)();
  return { exports: exports as unknown as WasmExports, functionNamed };
}
