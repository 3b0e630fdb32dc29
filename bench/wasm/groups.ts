import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { AEAD_OVERHEAD_BYTES, loadWasmCore, type PlainCore } from 'keywright/core';
import { AAD_BYTES, KEY_BYTES, requireEqual, sizeName } from '../core/workload.ts';
import type { Group, Row } from '../lib/group.ts';
import { inProcess } from '../lib/loop.ts';
import { nobleDecrypt, nobleEncrypt, type NobleSealed } from './noble.ts';

/** Sizes of plaintexts, in bytes. */
export const WASM_SIZES = [32, 64 * 1024, 1024 * 1024];
/** What is shipped. */
export const SHIPPED = 'WebAssembly, constant-time AES';
/** What is built for this comparison only; its time depends on the key. */
export const AES_TABLES = 'WebAssembly, AES by tables (not shipped)';
const BASELINE = '@noble/ciphers';
const NONCE_BYTES = 12;

/** Both builds of the module, by the names of their rows; relative to the checkout, where script/bench runs suites. */
const MODULES = {
  [SHIPPED]: 'build/wasm/keywright.wasm',
  [AES_TABLES]: 'build/wasm-aes-tables/keywright.wasm',
} as const;

interface Variant {
  readonly name: string;
  readonly core: PlainCore;
}

const variants: readonly Variant[] = await Promise.all(
  Object.entries(MODULES).map(async ([name, path]) => ({ name, core: await loadWasmCore(readFileSync(path)) })),
);

/** Bytes of each module, and of its gzip, by its name. */
export function moduleSizes(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(MODULES).map(([name, path]) => {
      const bytes = readFileSync(path);
      return [name, `${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} with gzip`];
    }),
  );
}

export function wasmEncryptName(sizeBytes: number): string {
  return `WebAssembly: encrypt ${sizeName(sizeBytes)}`;
}

export function wasmDecryptName(sizeBytes: number): string {
  return `WebAssembly: decrypt ${sizeName(sizeBytes)}`;
}

export function wasmEncryptGroup(sizeBytes: number): Group {
  const open = (): Row[] => {
    const { keyBytes, aad, plaintext, out } = scene(sizeBytes);
    const row = ({ name, core }: Variant): Row => {
      const key = core.importKey('aesGcm', keyBytes);
      const { nonce, ciphertext } = nobleEncrypt(keyBytes, plaintext, aad);
      requireEqual(core.decrypt(key, Buffer.concat([nonce, ciphertext]), aad), plaintext, `${name}: of @noble/ciphers`);
      return inProcess(name, 1, () => core.encryptInto(key, plaintext, aad, out));
    };
    return [...variants.map(row), inProcess(BASELINE, 1, () => nobleEncrypt(keyBytes, plaintext, aad))];
  };
  return { name: wasmEncryptName(sizeBytes), sizeBytes, baseline: BASELINE, open };
}

export function wasmDecryptGroup(sizeBytes: number): Group {
  const open = (): Row[] => {
    const { keyBytes, aad, plaintext, out: sealed } = scene(sizeBytes);
    const out = Buffer.alloc(sizeBytes);
    // Copies of its own: the library is faster on data that begins at a multiple of four bytes.
    const nobleSealed = (): NobleSealed => ({
      nonce: Uint8Array.from(sealed.subarray(0, NONCE_BYTES)),
      ciphertext: Uint8Array.from(sealed.subarray(NONCE_BYTES)),
    });
    const row = ({ name, core }: Variant): Row => {
      const key = core.importKey('aesGcm', keyBytes);
      core.encryptInto(key, plaintext, aad, sealed);
      requireEqual(nobleDecrypt(keyBytes, nobleSealed(), aad), plaintext, `${name}: to @noble/ciphers`);
      return inProcess(name, 1, () => core.decryptInto(key, sealed, aad, out));
    };
    const rows = variants.map(row);
    const forNoble = nobleSealed();
    return [...rows, inProcess(BASELINE, 1, () => nobleDecrypt(keyBytes, forNoble, aad))];
  };
  return { name: wasmDecryptName(sizeBytes), sizeBytes, baseline: BASELINE, open };
}

function scene(sizeBytes: number): Record<'keyBytes' | 'aad' | 'plaintext' | 'out', Buffer> {
  return {
    keyBytes: randomBytes(KEY_BYTES),
    aad: randomBytes(AAD_BYTES),
    plaintext: randomBytes(sizeBytes),
    out: Buffer.alloc(sizeBytes + AEAD_OVERHEAD_BYTES),
  };
}
