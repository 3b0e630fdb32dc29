/**
 * The cryptographic core: AES-256-GCM, per-message keys, key wrap, derivation, MACs and digests over keys that never
 * become JavaScript values. This is the native addon over its own OpenSSL 3.5 or, where no addon is to be had, the same
 * sources as WebAssembly.
 */
import type { CryptoCore } from './crypto-core.ts';
import { loadCoreOf, requestedBinding, type CoreBinding } from './load-core.ts';

export * from './crypto-core.ts';
export type { CoreBinding } from './load-core.ts';
export * from './status.ts';
export { loadWasmCore, type PlainCore, type WasmOptions, type WasmSource } from './wasm.ts';

const loaded = new Map<CoreBinding | undefined, CryptoCore>();

/**
 * The core of this thread; the same object on every call with the same `binding`. Key handles belong to the core and
 * the thread that made them. `binding` defaults to KEYWRIGHT_CORE (`napi` or `wasm`); without either it is the addon,
 * and WebAssembly where no addon is there for this platform. {@link CryptoCore.info} tells which one runs.
 *
 * @throws Error when there is no core for this platform (the text names the command that builds it), when the addon was
 *   linked to another libcrypto than its own, when KEYWRIGHT_CORE is another word, or when KEYWRIGHT_SECURE_HEAP_MIB,
 *   the size of the secure heap, is not a whole number from 1 to 1024 (512 for WebAssembly).
 */
export function loadCore(binding: CoreBinding | undefined = requestedBinding()): CryptoCore {
  const found = loaded.get(binding) ?? loadCoreOf(binding);
  loaded.set(binding, found);
  return found;
}

/** What {@link loadCore} gives when this module is loaded. */
export const core: CryptoCore = loadCore();
