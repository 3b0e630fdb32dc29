import type { CoreInfo } from './crypto-core.ts';
import type { NativeAsymmetricBinding } from './native-asymmetric-binding.ts';

/**
 * The functions that a binding of the native core offers. Each answers a number: bytes written, a key handle or a flag
 * when it is not negative, else minus the number of a status (status.ts). They check every argument and never throw.
 * `key` and `kek` are handles; `type` and `algorithm` are numbers of codes.ts.
 */
export interface NativeBinding extends NativeAsymmetricBinding {
  info(): CoreInfo;

  randomInto(out: Uint8Array): number;
  digestInto(algorithm: number, data: Uint8Array, out: Uint8Array): number;
  hmacInto(key: number, algorithm: number, data: Uint8Array, out: Uint8Array): number;
  hmacVerify(key: number, algorithm: number, data: Uint8Array, mac: Uint8Array): number;
  deriveHmacKey(key: number, algorithm: number, data: Uint8Array): number;
  hkdfInto(algorithm: number, keyMaterial: Uint8Array, salt: Uint8Array, info: Uint8Array, out: Uint8Array): number;

  generateKey(type: number, lengthBytes: number): number;
  importKey(type: number, bytes: Uint8Array): number;
  destroyKey(key: number): number;
  keyLength(key: number): number;
  deriveBytesInto(key: number, label: Uint8Array, context: Uint8Array, out: Uint8Array): number;
  deriveKey(key: number, label: Uint8Array, context: Uint8Array, type: number): number;
  deriveKeyFromPassphrase(passphrase: Uint8Array, salt: Uint8Array, memoryKiB: number, iterations: number): number;
  wrapKeyInto(kek: number, key: number, aad: Uint8Array, out: Uint8Array): number;
  unwrapKey(kek: number, wrapped: Uint8Array, aad: Uint8Array, type: number): number;
  kwpWrapInto(kek: number, key: number, out: Uint8Array): number;
  kwpUnwrap(kek: number, wrapped: Uint8Array, type: number): number;
  kwWrapInto(kek: number, key: number, out: Uint8Array): number;
  kwUnwrap(kek: number, wrapped: Uint8Array, type: number): number;

  encryptInto(key: number, plaintext: Uint8Array, aad: Uint8Array, out: Uint8Array, outOffset: number): number;
  decryptInto(key: number, sealed: Uint8Array, aad: Uint8Array, out: Uint8Array, outOffset: number): number;
  encryptBatchInto(
    key: number,
    data: Uint8Array,
    ends: Uint32Array,
    aad: Uint8Array,
    out: Uint8Array,
    outEnds: Uint32Array,
  ): number;
  decryptBatchInto(
    key: number,
    data: Uint8Array,
    ends: Uint32Array,
    aad: Uint8Array,
    out: Uint8Array,
    outEnds: Uint32Array,
  ): number;

  encryptMessageInto(
    key: number,
    header: Uint8Array,
    context: Uint8Array,
    plaintext: Uint8Array,
    out: Uint8Array,
    outOffset: number,
  ): number;
  decryptMessageInto(
    key: number,
    headerLength: number,
    blob: Uint8Array,
    context: Uint8Array,
    out: Uint8Array,
    outOffset: number,
  ): number;
  encryptMessageBatchInto(
    key: number,
    header: Uint8Array,
    context: Uint8Array,
    data: Uint8Array,
    ends: Uint32Array,
    out: Uint8Array,
    outEnds: Uint32Array,
  ): number;
  decryptMessageBatchInto(
    key: number,
    headerLength: number,
    context: Uint8Array,
    data: Uint8Array,
    ends: Uint32Array,
    out: Uint8Array,
    outEnds: Uint32Array,
  ): number;
  generateDataKeysInto(
    key: number,
    header: Uint8Array,
    context: Uint8Array,
    lengthBytes: number,
    count: number,
    plaintexts: Uint8Array,
    blobs: Uint8Array,
  ): number;
  generateDataKeyWithoutPlaintextInto(
    key: number,
    header: Uint8Array,
    context: Uint8Array,
    lengthBytes: number,
    blob: Uint8Array,
  ): number;
}
