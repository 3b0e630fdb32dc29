/**
 * The cryptographic core: AES-256-GCM, per-message keys, key wrap, derivation, MACs and digests over keys that never
 * become JavaScript values. This is the native addon over its own OpenSSL 3.5.
 */
import type { CryptoCore } from './crypto-core.ts';
import { loadAddon } from './load-addon.ts';
import { NativeCore } from './native-core.ts';

export * from './crypto-core.ts';
export * from './status.ts';

let loaded: CryptoCore | undefined;

/**
 * The core of this thread; the same object on every call. Key handles belong to the thread that made them.
 *
 * @throws Error when no native addon is there for this platform (the text names the command that builds it), when the
 *   addon was linked to another libcrypto than its own, or when KEYWRIGHT_SECURE_HEAP_MIB, the size of the secure heap,
 * is
 *   not a whole number from 1 to 1024.
 */
export function loadCore(): CryptoCore {
  loaded ??= new NativeCore(loadAddon());
  return loaded;
}

export const core: CryptoCore = loadCore();
