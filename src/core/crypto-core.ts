/**
 * What every cryptographic core offers, whichever binding carries it (N-API addon or WASM).
 *
 * Defaults for every member, unless its text says otherwise: byte parameters are read during the call and never kept;
 * an input may not overlap an output; results are fresh and belong to the caller, who wipes them when they are secret;
 * a handle of the wrong type or one that was destroyed raises {@link CoreError} `wrongKeyType` or `destroyedKey`; an
 * output region that is too small raises `bufferTooSmall` and nothing is written.
 */

import type { AsymmetricCore } from './asymmetric.ts';
import type { AsyncCore } from './async.ts';
import type { KeyHandle, KeyType, SymmetricKeyType } from './key-handle.ts';
import type { KeyTransportCore } from './key-transport.ts';

export type * from './asymmetric.ts';
export type * from './async.ts';
export type * from './key-handle.ts';
export type * from './key-transport.ts';

/** Bytes added by {@link CryptoCore.encrypt}: 12-byte nonce in front, 16-byte tag behind. */
export const AEAD_OVERHEAD_BYTES = 28;

/** Bytes added by {@link CryptoCore.encryptMessage}: 16-byte KDF nonce, 32-byte commitment, 16-byte tag. */
export const MESSAGE_OVERHEAD_BYTES = 64;

export type DigestAlgorithm = 'SHA-224' | 'SHA-256' | 'SHA-384' | 'SHA-512';

/** Items laid end to end in one buffer: item `i` is `data[ends[i - 1] ?? 0 .. ends[i])`. */
export interface PackedItems {
  readonly data: Uint8Array;
  /** Exclusive end of each item in `data`, in bytes, never decreasing; the last one is at most `data.length`. */
  readonly ends: Uint32Array;
}

/** Facts about the core that runs, for `keywright info`, logs and tests. */
export interface CoreInfo {
  readonly binding: 'napi' | 'wasm';
  /** As OpenSSL prints it, for example `OpenSSL 3.5.7 9 Jun 2026`. */
  readonly opensslVersion: string;
  /** True when the libcrypto that runs is the one linked into the binding, and not a copy that the host exports. */
  readonly isOwnLibcrypto: boolean;
  readonly secureHeap: {
    readonly sizeBytes: number;
    readonly usedBytes: number;
    /** True when the operating system granted mlock: the pages are never swapped. */
    readonly isLocked: boolean;
  };
}

/** Cost of {@link CryptoCore.deriveKeyFromPassphrase} (Argon2id, RFC 9106). */
export interface PassphraseCost {
  readonly memoryKiB: number;
  readonly iterations: number;
}

export interface CryptoCore extends AsymmetricCore, KeyTransportCore, AsyncCore {
  info(): CoreInfo;

  // Randomness (SP 800-90A CTR_DRBG of OpenSSL)

  /** Fresh random bytes; `length` from 0 to 2^20. */
  randomBytes(length: number): Buffer;

  // Keys

  /** Makes a fresh random key. `lengthBytes` only for `hmac` (default 32). */
  generateKey(type: SymmetricKeyType, lengthBytes?: number): KeyHandle;
  /** Copies `bytes` into the secure heap; the caller still owns `bytes` and wipes them. */
  importKey(type: SymmetricKeyType, bytes: Uint8Array): KeyHandle;

  // Derivation

  /**
   * SP 800-108r1 §4.1, counter mode, PRF HMAC-SHA-256, 32-bit counter and length:
   * K(i) = HMAC(key, [i] ‖ label ‖ 0x00 ‖ context ‖ [L]). `lengthBytes` from 1 to 8160.
   *
   * @throws CoreError `invalidArgument` for a label with a zero byte, or one that begins with `keywright/message` or
   *   `keywright/wrap`, which the core derives with itself.
   */
  deriveBytes(key: KeyHandle, label: Uint8Array, context: Uint8Array, lengthBytes: number): Buffer;
  /** As {@link deriveBytes}, 32 bytes, which stay in the secure heap as a new key of `type`. */
  deriveKey(key: KeyHandle, label: Uint8Array, context: Uint8Array, type: SymmetricKeyType): KeyHandle;
  /**
   * Argon2id (RFC 9106) with one lane and 32 bytes of output, as a `backing` key. `passphrase` of 1 to 65536 bytes,
   * `salt` of 16 to 64; `memoryKiB` from 8 to 2^22, `iterations` from 1 to 1024. Blocks the thread for as long as it
   * takes.
   */
  deriveKeyFromPassphrase(passphrase: Uint8Array, salt: Uint8Array, cost: PassphraseCost): KeyHandle;

  /** HKDF (RFC 5869), extract and expand; `lengthBytes` from 1 to 255 digests. */
  hkdf(
    algorithm: DigestAlgorithm,
    keyMaterial: Uint8Array,
    salt: Uint8Array,
    info: Uint8Array,
    lengthBytes: number,
  ): Buffer;

  // Digests and MACs

  digest(algorithm: DigestAlgorithm, data: Uint8Array): Buffer;
  /** HMAC (RFC 2104) under an `hmac` key; as long as the digest. */
  hmac(key: KeyHandle, algorithm: DigestAlgorithm, data: Uint8Array): Buffer;
  /** Compares in constant time; false for a MAC of any other length. */
  hmacVerify(key: KeyHandle, algorithm: DigestAlgorithm, data: Uint8Array, mac: Uint8Array): boolean;
  /** HMAC whose result stays in the secure heap as a new `hmac` key (one link of a SigV4 signing-key chain). */
  deriveHmacKey(key: KeyHandle, algorithm: DigestAlgorithm, data: Uint8Array): KeyHandle;

  // AES-256-GCM under an `aesGcm` key (SP 800-38D), random 96-bit nonce: nonce ‖ ciphertext ‖ tag.
  // At most 2^32 messages per key; the caller who cannot count uses encryptMessage.

  encrypt(key: KeyHandle, plaintext: Uint8Array, aad?: Uint8Array): Buffer;
  /** @throws CoreError `authenticationFailed` for any blob, AAD or key that does not fit, and nothing is released. */
  decrypt(key: KeyHandle, sealed: Uint8Array, aad?: Uint8Array): Buffer;
  /** Writes plaintext.length + 28 bytes at `out[outOffset]`; returns how many. */
  encryptInto(
    key: KeyHandle,
    plaintext: Uint8Array,
    aad: Uint8Array | undefined,
    out: Uint8Array,
    outOffset?: number,
  ): number;
  /** Writes sealed.length - 28 bytes at `out[outOffset]`; returns how many; on failure that region is zeroed. */
  decryptInto(
    key: KeyHandle,
    sealed: Uint8Array,
    aad: Uint8Array | undefined,
    out: Uint8Array,
    outOffset?: number,
  ): number;
  /** Encrypts every item in one call, with one AAD for all; `out` holds at least items + 28 bytes each. */
  encryptBatchInto(key: KeyHandle, items: PackedItems, aad: Uint8Array | undefined, out: Uint8Array): PackedItems;
  /**
   * Decrypts every item in one call. @throws CoreError `authenticationFailed` if one fails; what `out` would have got
   * is then zeroed.
   */
  decryptBatchInto(key: KeyHandle, items: PackedItems, aad: Uint8Array | undefined, out: Uint8Array): PackedItems;

  // AEAD under a `backing` key with a key of its own for every message (docs/adr/0003-ciphertext-blob.md):
  // header ‖ KDF nonce (16) ‖ commitment (32) ‖ ciphertext ‖ tag (16); header and context are both authenticated, in a
  // row: the format must let the length of a header, at most 4096 bytes, follow from its content.

  encryptMessage(key: KeyHandle, header: Uint8Array, context: Uint8Array, plaintext: Uint8Array): Buffer;
  /** @throws CoreError `authenticationFailed`, one failure for every cause. */
  decryptMessage(key: KeyHandle, headerLength: number, blob: Uint8Array, context: Uint8Array): Buffer;
  encryptMessageInto(
    key: KeyHandle,
    header: Uint8Array,
    context: Uint8Array,
    plaintext: Uint8Array,
    out: Uint8Array,
    outOffset?: number,
  ): number;
  decryptMessageInto(
    key: KeyHandle,
    headerLength: number,
    blob: Uint8Array,
    context: Uint8Array,
    out: Uint8Array,
    outOffset?: number,
  ): number;
  /** One header and one context for all items; `out` holds at least items + (header + 64) bytes each. */
  encryptMessageBatchInto(
    key: KeyHandle,
    header: Uint8Array,
    context: Uint8Array,
    items: PackedItems,
    out: Uint8Array,
  ): PackedItems;
  decryptMessageBatchInto(
    key: KeyHandle,
    headerLength: number,
    context: Uint8Array,
    items: PackedItems,
    out: Uint8Array,
  ): PackedItems;

  /** Draws a data key of `lengthBytes` (1 to 1024) and encrypts it like {@link encryptMessage}, in one call. */
  generateDataKey(
    key: KeyHandle,
    header: Uint8Array,
    context: Uint8Array,
    lengthBytes: number,
  ): { plaintext: Buffer; blob: Buffer };
  /** As {@link generateDataKey}, but the plaintext never leaves the core. */
  generateDataKeyWithoutPlaintext(key: KeyHandle, header: Uint8Array, context: Uint8Array, lengthBytes: number): Buffer;
  /**
   * `count` data keys in one call: keys end to end in `plaintexts` (count × lengthBytes), blobs end to end in `blobs`.
   */
  generateDataKeyBatchInto(
    key: KeyHandle,
    header: Uint8Array,
    context: Uint8Array,
    lengthBytes: number,
    count: number,
    plaintexts: Uint8Array,
    blobs: Uint8Array,
  ): void;

  // Keys under keys

  /**
   * Protects `key`, symmetric or private, under a `backing` key by the construction of {@link encryptMessage}, bound to
   * `aad` and the type.
   */
  wrapKey(kek: KeyHandle, key: KeyHandle, aad: Uint8Array): Buffer;
  /** @throws CoreError `authenticationFailed` when kek, aad or bytes do not fit. */
  unwrapKey(kek: KeyHandle, wrapped: Uint8Array, aad: Uint8Array, type: KeyType): KeyHandle;
  /** AES key wrap with padding (RFC 5649, SP 800-38F §6.3) under an `aesKwp` key. */
  kwpWrap(kek: KeyHandle, key: KeyHandle): Buffer;
  /** @throws CoreError `authenticationFailed`. */
  kwpUnwrap(kek: KeyHandle, wrapped: Uint8Array, type: KeyType): KeyHandle;
}
