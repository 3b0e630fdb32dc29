import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { NativeBinding } from './native-binding.ts';
import { startWasmBinding } from './wasm-binding.ts';
import { wasmHost } from './wasm-host.ts';

// From src/core as from dist/core: the module that was compiled here, else the one that came with the package.
const CANDIDATES = ['../../build/wasm/keywright.wasm', '../../prebuilds/wasm/keywright.wasm'].map((relative) =>
  fileURLToPath(new URL(relative, import.meta.url)),
);

const SECURE_HEAP_VARIABLE = 'KEYWRIGHT_SECURE_HEAP_MIB';
/** The address space of the module is 1 GiB, and more than its keys must fit. */
const MAX_SECURE_HEAP_MIB = 512;

/** Path of the WebAssembly module; undefined when it is not there. */
export function findWasm(): string | undefined {
  return CANDIDATES.find((path) => existsSync(path));
}

/**
 * Compiles and starts the WebAssembly core of this package.
 *
 * @throws Error that names the command to run when there is no module, and when it cannot start; its text says why.
 */
export function loadWasm(): NativeBinding {
  const path = findWasm();
  if (path === undefined) {
    throw new Error(`keywright: there is no WebAssembly core at ${CANDIDATES[0]}. Run \`script/wasm\` to build it.`);
  }
  const secureHeapMiB = requestedSecureHeapMiB();
  const module = new (wasmHost().Module)(readFileSync(path));
  return startWasmBinding(module, secureHeapMiB === undefined ? {} : { secureHeapMiB });
}

function requestedSecureHeapMiB(): number | undefined {
  const text = process.env[SECURE_HEAP_VARIABLE];
  if (text === undefined) return undefined;
  const value = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > MAX_SECURE_HEAP_MIB) {
    throw new Error(
      `keywright: ${SECURE_HEAP_VARIABLE} must be a whole number from 1 to ${MAX_SECURE_HEAP_MIB} (MiB) ` +
        'for the WebAssembly core.',
    );
  }
  return value;
}
