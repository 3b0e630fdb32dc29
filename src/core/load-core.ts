import type { CryptoCore } from './crypto-core.ts';
import { findAddon, loadAddon } from './load-addon.ts';
import { findWasm, loadWasm } from './load-wasm.ts';
import type { NativeBinding } from './native-binding.ts';
import { NativeCore } from './native-core.ts';

/** What carries the core: the native addon or the WebAssembly module. */
export type CoreBinding = 'napi' | 'wasm';

const VARIABLE = 'KEYWRIGHT_CORE';

/** The binding that the environment asks for. @throws Error for a word that is none. */
export function requestedBinding(): CoreBinding | undefined {
  const text = process.env[VARIABLE];
  if (text === undefined || text === 'napi' || text === 'wasm') return text;
  throw new Error(`keywright: ${VARIABLE} must be napi or wasm`);
}

/** A core over `binding`; over the addon, or WebAssembly where there is no addon, when it is undefined. */
export function loadCoreOf(binding: CoreBinding | undefined): CryptoCore {
  return new NativeCore(binding === 'wasm' ? loadWasm() : loadAddonOr(binding));
}

/**
 * Only an addon that is missing, or that this platform cannot load at all, is replaced. One that loads and then
 * refuses to run says that something is wrong here, and a slower core must not hide that.
 */
function loadAddonOr(binding: 'napi' | undefined): NativeBinding {
  if (binding === 'napi' || findWasm() === undefined) return loadAddon();
  try {
    findAddon();
  } catch {
    return loadWasm();
  }
  try {
    return loadAddon();
  } catch (error) {
    if (isForeign(error)) return loadWasm();
    throw error;
  }
}

/** True for a file that the dynamic linker rejects: of another processor, C library or Node-API. */
function isForeign(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'ERR_DLOPEN_FAILED';
}
