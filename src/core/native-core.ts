import { DIGEST_BYTES, DIGEST_CODES, KEY_TYPE_CODES } from './codes.ts';
import {
  AEAD_OVERHEAD_BYTES,
  MESSAGE_OVERHEAD_BYTES,
  type CoreInfo,
  type CryptoCore,
  type DigestAlgorithm,
  type PackedItems,
  type PassphraseCost,
} from './crypto-core.ts';
import type { KeyHandle, KeyType, SymmetricKeyType } from './key-handle.ts';
import type { NativeBinding } from './native-binding.ts';
import { NativeKey, type DestroyKey } from './native-key.ts';
import { NativeKeyTransport } from './native-key-transport.ts';
import {
  allocate,
  allocateSecret,
  check,
  codeOf,
  lengthOf,
  MAX_DATA_BYTES,
  NO_BYTES,
  requireWithin,
} from './native-support.ts';

const MAX_RANDOM_BYTES = 2 ** 20;
const keyBytesOf = (type: SymmetricKeyType): number => (type === 'aes128Gcm' ? 16 : 32);

const { handleOf } = NativeKey;

/**
 * {@link CryptoCore} over a native binding. Outputs are allocated here, because a Buffer made by Node-API costs several
 * times the encryption; secrets get memory of their own and never a slice of the pool that other Buffers share.
 */
export class NativeCore extends NativeKeyTransport implements CryptoCore {
  readonly #native: NativeBinding;
  readonly #destroyKey: DestroyKey;

  constructor(native: NativeBinding) {
    super(native);
    this.#native = native;
    this.#destroyKey = (handle) => native.destroyKey(handle);
  }

  info(): CoreInfo {
    return this.#native.info();
  }

  randomBytes(length: number): Buffer {
    const out = allocateSecret(requireWithin(length, 0, MAX_RANDOM_BYTES));
    check(this.#native.randomInto(out));
    return out;
  }

  generateKey(type: SymmetricKeyType, lengthBytes: number = keyBytesOf(type)): KeyHandle {
    return this.#key(type, this.#native.generateKey(codeOf(KEY_TYPE_CODES, type), lengthBytes));
  }

  importKey(type: SymmetricKeyType, bytes: Uint8Array): KeyHandle {
    return this.#key(type, this.#native.importKey(codeOf(KEY_TYPE_CODES, type), bytes));
  }

  deriveBytes(key: KeyHandle, label: Uint8Array, context: Uint8Array, lengthBytes: number): Buffer {
    const out = allocateSecret(requireWithin(lengthBytes, 1, 8160));
    check(this.#native.deriveBytesInto(handleOf(key), label, context, out));
    return out;
  }

  deriveKey(key: KeyHandle, label: Uint8Array, context: Uint8Array, type: SymmetricKeyType): KeyHandle {
    return this.#key(type, this.#native.deriveKey(handleOf(key), label, context, codeOf(KEY_TYPE_CODES, type)));
  }

  deriveKeyFromPassphrase(passphrase: Uint8Array, salt: Uint8Array, cost: PassphraseCost): KeyHandle {
    const { memoryKiB, iterations } = cost;
    return this.#key('backing', this.#native.deriveKeyFromPassphrase(passphrase, salt, memoryKiB, iterations));
  }

  hkdf(
    algorithm: DigestAlgorithm,
    keyMaterial: Uint8Array,
    salt: Uint8Array,
    info: Uint8Array,
    lengthBytes: number,
  ): Buffer {
    const code = codeOf(DIGEST_CODES, algorithm);
    const out = allocateSecret(requireWithin(lengthBytes, 1, 255 * DIGEST_BYTES[algorithm]));
    check(this.#native.hkdfInto(code, keyMaterial, salt, info, out));
    return out;
  }

  digest(algorithm: DigestAlgorithm, data: Uint8Array): Buffer {
    const code = codeOf(DIGEST_CODES, algorithm);
    const out = allocate(DIGEST_BYTES[algorithm]);
    check(this.#native.digestInto(code, data, out));
    return out;
  }

  hmac(key: KeyHandle, algorithm: DigestAlgorithm, data: Uint8Array): Buffer {
    const code = codeOf(DIGEST_CODES, algorithm);
    const out = allocate(DIGEST_BYTES[algorithm]);
    check(this.#native.hmacInto(handleOf(key), code, data, out));
    return out;
  }

  hmacVerify(key: KeyHandle, algorithm: DigestAlgorithm, data: Uint8Array, mac: Uint8Array): boolean {
    return check(this.#native.hmacVerify(handleOf(key), codeOf(DIGEST_CODES, algorithm), data, mac)) === 1;
  }

  deriveHmacKey(key: KeyHandle, algorithm: DigestAlgorithm, data: Uint8Array): KeyHandle {
    return this.#key('hmac', this.#native.deriveHmacKey(handleOf(key), codeOf(DIGEST_CODES, algorithm), data));
  }

  encrypt(key: KeyHandle, plaintext: Uint8Array, aad: Uint8Array = NO_BYTES): Buffer {
    const out = allocate(lengthOf(plaintext) + AEAD_OVERHEAD_BYTES);
    check(this.#native.encryptInto(handleOf(key), plaintext, aad, out, 0));
    return out;
  }

  decrypt(key: KeyHandle, sealed: Uint8Array, aad: Uint8Array = NO_BYTES): Buffer {
    const out = allocateSecret(Math.max(0, lengthOf(sealed) - AEAD_OVERHEAD_BYTES));
    check(this.#native.decryptInto(handleOf(key), sealed, aad, out, 0));
    return out;
  }

  encryptInto(
    key: KeyHandle,
    plaintext: Uint8Array,
    aad: Uint8Array | undefined,
    out: Uint8Array,
    outOffset: number = 0,
  ): number {
    return check(this.#native.encryptInto(handleOf(key), plaintext, aad ?? NO_BYTES, out, outOffset));
  }

  decryptInto(
    key: KeyHandle,
    sealed: Uint8Array,
    aad: Uint8Array | undefined,
    out: Uint8Array,
    outOffset: number = 0,
  ): number {
    return check(this.#native.decryptInto(handleOf(key), sealed, aad ?? NO_BYTES, out, outOffset));
  }

  encryptBatchInto(key: KeyHandle, items: PackedItems, aad: Uint8Array | undefined, out: Uint8Array): PackedItems {
    const ends = endsFor(items);
    check(this.#native.encryptBatchInto(handleOf(key), items.data, items.ends, aad ?? NO_BYTES, out, ends));
    return { data: out, ends };
  }

  decryptBatchInto(key: KeyHandle, items: PackedItems, aad: Uint8Array | undefined, out: Uint8Array): PackedItems {
    const ends = endsFor(items);
    check(this.#native.decryptBatchInto(handleOf(key), items.data, items.ends, aad ?? NO_BYTES, out, ends));
    return { data: out, ends };
  }

  encryptMessage(key: KeyHandle, header: Uint8Array, context: Uint8Array, plaintext: Uint8Array): Buffer {
    const out = allocate(lengthOf(header) + lengthOf(plaintext) + MESSAGE_OVERHEAD_BYTES);
    check(this.#native.encryptMessageInto(handleOf(key), header, context, plaintext, out, 0));
    return out;
  }

  decryptMessage(key: KeyHandle, headerLength: number, blob: Uint8Array, context: Uint8Array): Buffer {
    const overhead = requireWithin(headerLength, 0, MAX_DATA_BYTES) + MESSAGE_OVERHEAD_BYTES;
    const out = allocateSecret(Math.max(0, lengthOf(blob) - overhead));
    check(this.#native.decryptMessageInto(handleOf(key), headerLength, blob, context, out, 0));
    return out;
  }

  encryptMessageInto(
    key: KeyHandle,
    header: Uint8Array,
    context: Uint8Array,
    plaintext: Uint8Array,
    out: Uint8Array,
    outOffset: number = 0,
  ): number {
    return check(this.#native.encryptMessageInto(handleOf(key), header, context, plaintext, out, outOffset));
  }

  decryptMessageInto(
    key: KeyHandle,
    headerLength: number,
    blob: Uint8Array,
    context: Uint8Array,
    out: Uint8Array,
    outOffset: number = 0,
  ): number {
    return check(this.#native.decryptMessageInto(handleOf(key), headerLength, blob, context, out, outOffset));
  }

  encryptMessageBatchInto(
    key: KeyHandle,
    header: Uint8Array,
    context: Uint8Array,
    items: PackedItems,
    out: Uint8Array,
  ): PackedItems {
    const ends = endsFor(items);
    check(this.#native.encryptMessageBatchInto(handleOf(key), header, context, items.data, items.ends, out, ends));
    return { data: out, ends };
  }

  decryptMessageBatchInto(
    key: KeyHandle,
    headerLength: number,
    context: Uint8Array,
    items: PackedItems,
    out: Uint8Array,
  ): PackedItems {
    const ends = endsFor(items);
    const { data, ends: itemEnds } = items;
    check(this.#native.decryptMessageBatchInto(handleOf(key), headerLength, context, data, itemEnds, out, ends));
    return { data: out, ends };
  }

  generateDataKey(
    key: KeyHandle,
    header: Uint8Array,
    context: Uint8Array,
    lengthBytes: number,
  ): { plaintext: Buffer; blob: Buffer } {
    const plaintext = allocateSecret(requireWithin(lengthBytes, 1, 1024));
    const blob = allocate(lengthOf(header) + lengthBytes + MESSAGE_OVERHEAD_BYTES);
    check(this.#native.generateDataKeysInto(handleOf(key), header, context, lengthBytes, 1, plaintext, blob));
    return { plaintext, blob };
  }

  generateDataKeyWithoutPlaintext(
    key: KeyHandle,
    header: Uint8Array,
    context: Uint8Array,
    lengthBytes: number,
  ): Buffer {
    const blob = allocate(lengthOf(header) + requireWithin(lengthBytes, 1, 1024) + MESSAGE_OVERHEAD_BYTES);
    check(this.#native.generateDataKeyWithoutPlaintextInto(handleOf(key), header, context, lengthBytes, blob));
    return blob;
  }

  generateDataKeyBatchInto(
    key: KeyHandle,
    header: Uint8Array,
    context: Uint8Array,
    lengthBytes: number,
    count: number,
    plaintexts: Uint8Array,
    blobs: Uint8Array,
  ): void {
    check(this.#native.generateDataKeysInto(handleOf(key), header, context, lengthBytes, count, plaintexts, blobs));
  }

  wrapKey(kek: KeyHandle, key: KeyHandle, aad: Uint8Array): Buffer {
    const out = allocate(this.#lengthOf(key) + MESSAGE_OVERHEAD_BYTES);
    check(this.#native.wrapKeyInto(handleOf(kek), handleOf(key), aad, out));
    return out;
  }

  unwrapKey(kek: KeyHandle, wrapped: Uint8Array, aad: Uint8Array, type: KeyType): KeyHandle {
    return this.#key(type, this.#native.unwrapKey(handleOf(kek), wrapped, aad, codeOf(KEY_TYPE_CODES, type)));
  }

  kwpWrap(kek: KeyHandle, key: KeyHandle): Buffer {
    // RFC 5649 §4.1: padded to a multiple of 8, and one block of 8 in front.
    const out = allocate(Math.ceil(this.#lengthOf(key) / 8) * 8 + 8);
    check(this.#native.kwpWrapInto(handleOf(kek), handleOf(key), out));
    return out;
  }

  kwpUnwrap(kek: KeyHandle, wrapped: Uint8Array, type: KeyType): KeyHandle {
    return this.#key(type, this.#native.kwpUnwrap(handleOf(kek), wrapped, codeOf(KEY_TYPE_CODES, type)));
  }

  #key(type: KeyType, code: number): KeyHandle {
    return new NativeKey(type, check(code), this.#destroyKey);
  }

  #lengthOf(key: KeyHandle): number {
    return check(this.#native.keyLength(handleOf(key)));
  }
}

/** Room for as many ends as `items` has. */
function endsFor(items: PackedItems | undefined): Uint32Array {
  return new Uint32Array(lengthOf(items?.ends));
}
