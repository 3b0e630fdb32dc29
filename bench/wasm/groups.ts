import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { AEAD_OVERHEAD_BYTES, loadWasmCore } from 'keywright/core';
import { AAD_BYTES, KEY_BYTES, requireEqual, sizeName } from '../core/workload.ts';
import type { Group, Row } from '../lib/group.ts';
import { inProcess } from '../lib/loop.ts';
import { nobleDecrypt, nobleEncrypt, type NobleSealed } from './noble.ts';

/** Sizes of plaintexts, in bytes. */
export const WASM_SIZES = [32, 64 * 1024, 1024 * 1024];
export const SHIPPED = 'WebAssembly';
const BASELINE = '@noble/ciphers';
const NONCE_BYTES = 12;

/** Relative to the checkout, where script/bench runs suites. */
const bytes = readFileSync('build/wasm/keywright.wasm');
const core = await loadWasmCore(bytes);

/** Of the module, and of its gzip. */
export function moduleSize(): string {
  return `${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} with gzip`;
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
    const key = core.importKey('aesGcm', keyBytes);
    const { nonce, ciphertext } = nobleEncrypt(keyBytes, plaintext, aad);
    requireEqual(core.decrypt(key, Buffer.concat([nonce, ciphertext]), aad), plaintext, 'what @noble/ciphers sealed');
    return [
      inProcess(SHIPPED, 1, () => core.encryptInto(key, plaintext, aad, out)),
      inProcess(BASELINE, 1, () => nobleEncrypt(keyBytes, plaintext, aad)),
    ];
  };
  return { name: wasmEncryptName(sizeBytes), sizeBytes, baseline: BASELINE, open };
}

export function wasmDecryptGroup(sizeBytes: number): Group {
  const open = (): Row[] => {
    const { keyBytes, aad, plaintext, out: sealed } = scene(sizeBytes);
    const out = Buffer.alloc(sizeBytes);
    const key = core.importKey('aesGcm', keyBytes);
    core.encryptInto(key, plaintext, aad, sealed);
    // Copies of its own: the library is faster on data that begins at a multiple of four bytes.
    const nobleSealed: NobleSealed = {
      nonce: Uint8Array.from(sealed.subarray(0, NONCE_BYTES)),
      ciphertext: Uint8Array.from(sealed.subarray(NONCE_BYTES)),
    };
    requireEqual(nobleDecrypt(keyBytes, nobleSealed, aad), plaintext, 'what the core sealed');
    return [
      inProcess(SHIPPED, 1, () => core.decryptInto(key, sealed, aad, out)),
      inProcess(BASELINE, 1, () => nobleDecrypt(keyBytes, nobleSealed, aad)),
    ];
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
