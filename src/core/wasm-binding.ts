import type { CoreInfo } from './crypto-core.ts';
import type { NativeBinding } from './native-binding.ts';
import { CORE_STATUS, CoreError } from './status.ts';
import { asyncOver } from './wasm-async.ts';
import { callWasm } from './wasm-call.ts';
import type { CompiledModule } from './wasm-host.ts';
import { WasmMemory } from './wasm-memory.ts';
import { startModule } from './wasm-module.ts';
import { SIGNATURES, type SyncBinding } from './wasm-signatures.ts';

const MIB = 2 ** 20;
/** As of the addon. Argon2id works in this heap too. */
const DEFAULT_SECURE_HEAP_MIB = 16;

/** docs/concepts/side-channels.md */
const NOT_HARDENED = [
  'constant-time code is only as constant as the engine compiles it',
  'memory is neither locked nor between guard pages',
];

/** How the WebAssembly core is set up. */
export interface WasmOptions {
  /** Size of the heap that holds the keys, rounded up to a power of two. Default 16. */
  readonly secureHeapMiB?: number;
}

/**
 * Starts the core of `module`; see {@link NativeBinding} for what its functions do.
 *
 * @throws Error when the runtime has no cryptographic randomness, when `module` is not the core of this version, or
 *   when it has no memory for its heap.
 */
export function startWasmBinding(module: CompiledModule, options: WasmOptions = {}): NativeBinding {
  const { exports, functionNamed } = startModule(module);
  const status = exports.kw_initialize((options.secureHeapMiB ?? DEFAULT_SECURE_HEAP_MIB) * MIB);
  if (status !== CORE_STATUS.ok) {
    throw new Error('keywright: the WebAssembly core could not start', { cause: CoreError.fromCode(-status) });
  }
  const memory = new WasmMemory(exports);

  // A module that stopped in the middle of something must not go on from there.
  let isStopped = false;
  const functions = Object.entries(SIGNATURES).map(([name, signature]) => {
    const exported = functionNamed(`kw_${name}`);
    const run = (slots: number): number => {
      try {
        return isStopped ? -CORE_STATUS.libcryptoFailed : exported(slots);
      } catch {
        isStopped = true;
        return -CORE_STATUS.libcryptoFailed;
      }
    };
    const call = (...values: unknown[]): number => {
      try {
        return callWasm(memory, run, signature, values);
      } catch {
        // What only pretends to be a typed array.
        return -CORE_STATUS.invalidArgument;
      }
    };
    return [name, call] as const;
  });

  const info = (): CoreInfo => ({
    binding: 'wasm',
    opensslVersion: memory.textAt(exports.kw_opensslVersion()),
    isOwnLibcrypto: true,
    secureHeap: {
      sizeBytes: exports.kw_secureHeapSize(),
      usedBytes: exports.kw_secureHeapUsed(),
      isLocked: false,
    },
    notHardened: NOT_HARDENED,
  });
  const native = Object.fromEntries(functions) as unknown as SyncBinding;
  return { ...native, ...asyncOver(native), info };
}
