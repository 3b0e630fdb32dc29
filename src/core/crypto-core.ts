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

/** Hashes of FIPS 180-4, named as in OpenSSL; their digests have 28, 32, 48 and 64 bytes. */
export type DigestAlgorithm = 'SHA-224' | 'SHA-256' | 'SHA-384' | 'SHA-512';

/** Items laid end to end in one buffer: item `i` is `data[ends[i - 1] ?? 0 .. ends[i])`. */
export interface PackedItems {
  /** The items themselves; bytes behind the last end are ignored. */
  readonly data: Uint8Array;
  /** Exclusive end of each item in `data`, in bytes, never decreasing; the last one is at most `data.length`. */
  readonly ends: Uint32Array;
}

/** Facts about the core that runs, for `keywright info`, logs and tests. */
export interface CoreInfo {
  /** What carries the core: the native addon or the WebAssembly module. */
  readonly binding: 'napi' | 'wasm';
  /** As OpenSSL prints it, for example `OpenSSL 3.5.7 9 Jun 2026`. */
  readonly opensslVersion: string;
  /** True when the libcrypto that runs is the one linked into the binding, and not a copy that the host exports. */
  readonly isOwnLibcrypto: boolean;
  /** The memory that keys lie in. It does not grow. */
  readonly secureHeap: {
    /** All of it, in bytes. */
    readonly sizeBytes: number;
    /** What is taken now, in bytes, with the rounding of its allocator. */
    readonly usedBytes: number;
    /** True when the operating system granted mlock: the pages are never swapped. Always false for WebAssembly. */
    readonly isLocked: boolean;
  };
  /** What the binding does not harden against side channels, in words; absent where it is as OpenSSL hardens it. */
  readonly notHardened?: readonly string[];
}

/** Cost of {@link CryptoCore.deriveKeyFromPassphrase} (Argon2id, RFC 9106). */
export interface PassphraseCost {
  /** Memory, in units of 1024 bytes; it is taken from the secure heap. */
  readonly memoryKiB: number;
  /** Passes over the memory. */
  readonly iterations: number;
}

/** The whole core; what concerns key pairs, imported keys and long operations stands in the interfaces it extends. */
export interface CryptoCore extends AsymmetricCore, KeyTransportCore, AsyncCore {
  /** Which binding and OpenSSL run, and how full the secure heap is, at this moment. */
  info(): CoreInfo;

  // Randomness (SP 800-90A CTR_DRBG of OpenSSL)

  /**
   * Fresh random bytes; `length` from 0 to 2^20.
   *
   * @source NIST SP 800-90A §10.2
   */
  randomBytes(length: number): Buffer;

  // Keys

  /** Makes a fresh random key. `lengthBytes`, 1 to 1024, only for `hmac` (default 32). */
  generateKey(type: SymmetricKeyType, lengthBytes?: number): KeyHandle;
  /**
   * Copies `bytes` into the secure heap; the caller still owns `bytes` and wipes them. 32 bytes, 16 for `aes128Gcm`,
   * 1 to 1024 for `hmac`.
   *
   * @throws CoreError `invalidArgument` for a length that the type does not have; `outOfSecureMemory` when the heap is
   *   full.
   */
  importKey(type: SymmetricKeyType, bytes: Uint8Array): KeyHandle;

  // Derivation

  /**
   * Key derivation in counter mode under a `backing` key, PRF HMAC-SHA-256, 32-bit counter and length:
   * K(i) = HMAC(key, [i] ‖ label ‖ 0x00 ‖ context ‖ [L]). `lengthBytes` from 1 to 8160.
   *
   * @throws CoreError `invalidArgument` for a label with a zero byte, or one that begins with `keywright/message` or
   *   `keywright/wrap`, which the core derives with itself.
   * @source NIST SP 800-108r1 §4.1
   */
  deriveBytes(key: KeyHandle, label: Uint8Array, context: Uint8Array, lengthBytes: number): Buffer;
  /** As {@link deriveBytes}, 32 bytes (16 for `aes128Gcm`), which stay in the secure heap as a new key of `type`. */
  deriveKey(key: KeyHandle, label: Uint8Array, context: Uint8Array, type: SymmetricKeyType): KeyHandle;
  /**
   * Argon2id (RFC 9106) with one lane and 32 bytes of output, as a `backing` key. `passphrase` of 1 to 65536 bytes,
   * `salt` of 16 to 64; `memoryKiB` from 8 to 2^22, `iterations` from 1 to 1024. Blocks the thread for as long as it
   * takes.
   *
   * @throws CoreError `invalidArgument` for what is out of these bounds; `libcryptoFailed` when the secure heap has not
   *   that much memory.
   * @source RFC 9106 §3
   */
  deriveKeyFromPassphrase(passphrase: Uint8Array, salt: Uint8Array, cost: PassphraseCost): KeyHandle;

  /**
   * HKDF, extract and expand; `lengthBytes` from 1 to 255 digests. Input and output are bytes of the caller.
   *
   * @source RFC 5869 §2
   */
  hkdf(
    algorithm: DigestAlgorithm,
    keyMaterial: Uint8Array,
    salt: Uint8Array,
    info: Uint8Array,
    lengthBytes: number,
  ): Buffer;

  // Digests and MACs

  /** The hash of `data`: 28, 32, 48 or 64 bytes. @source FIPS 180-4 */
  digest(algorithm: DigestAlgorithm, data: Uint8Array): Buffer;
  /** HMAC under an `hmac` key; as long as the digest. @source RFC 2104, FIPS 198-1 */
  hmac(key: KeyHandle, algorithm: DigestAlgorithm, data: Uint8Array): Buffer;
  /** Whether `mac` is the HMAC of `data`. Compares in constant time; false for a MAC of any other length. */
  hmacVerify(key: KeyHandle, algorithm: DigestAlgorithm, data: Uint8Array, mac: Uint8Array): boolean;
  /** HMAC whose result stays in the secure heap as a new `hmac` key (one link of a SigV4 signing-key chain). */
  deriveHmacKey(key: KeyHandle, algorithm: DigestAlgorithm, data: Uint8Array): KeyHandle;

  // AES-256-GCM under an `aesGcm` key, AES-128-GCM under an `aes128Gcm` key (SP 800-38D), random 96-bit nonce:
  // nonce ‖ ciphertext ‖ tag. At most 2^32 messages per key; the caller who cannot count uses encryptMessage.

  /** Encrypts under a fresh nonce; the result has plaintext.length + 28 bytes. @source NIST SP 800-38D §7.1 */
  encrypt(key: KeyHandle, plaintext: Uint8Array, aad?: Uint8Array): Buffer;
  /**
   * Gives back sealed.length - 28 bytes of plaintext.
   *
   * @throws CoreError `authenticationFailed` for any blob, AAD or key that does not fit, and nothing is released.
   * @source NIST SP 800-38D §7.2
   */
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

  /**
   * Encrypts under a message key that is derived for this call; header.length + plaintext.length + 64 bytes.
   *
   * @source docs/reference/ciphertext.md; NIST SP 800-108r1 §4.1, SP 800-38D §7.1
   */
  encryptMessage(key: KeyHandle, header: Uint8Array, context: Uint8Array, plaintext: Uint8Array): Buffer;
  /**
   * Gives back the blob.length - headerLength - 64 bytes of plaintext. The commitment is compared in constant time
   * before anything is decrypted.
   *
   * @throws CoreError `authenticationFailed`, one failure for every cause.
   */
  decryptMessage(key: KeyHandle, headerLength: number, blob: Uint8Array, context: Uint8Array): Buffer;
  /** As {@link encryptMessage}, written at `out[outOffset]`; returns how many bytes. */
  encryptMessageInto(
    key: KeyHandle,
    header: Uint8Array,
    context: Uint8Array,
    plaintext: Uint8Array,
    out: Uint8Array,
    outOffset?: number,
  ): number;
  /** As {@link decryptMessage}, written at `out[outOffset]`; returns how many; on failure that region is zeroed. */
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
  /**
   * Decrypts every item in one call, with one context; their headers may differ, all of `headerLength` bytes.
   *
   * @throws CoreError `authenticationFailed` if one fails; what `out` would have got is then zeroed.
   */
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
  /**
   * Opens what {@link wrapKey} made.
   *
   * @throws CoreError `authenticationFailed` when kek, aad, type or bytes do not fit.
   */
  unwrapKey(kek: KeyHandle, wrapped: Uint8Array, aad: Uint8Array, type: KeyType): KeyHandle;
  /**
   * AES key wrap with padding under an `aesKwp` key: the length of the key, rounded up to a multiple of 8, + 8 bytes.
   *
   * @source RFC 5649 §4.1, NIST SP 800-38F §6.3
   */
  kwpWrap(kek: KeyHandle, key: KeyHandle): Buffer;
  /**
   * Opens what {@link kwpWrap} made.
   *
   * @throws CoreError `authenticationFailed` for whatever is no wrapped key of `type`.
   */
  kwpUnwrap(kek: KeyHandle, wrapped: Uint8Array, type: KeyType): KeyHandle;
}
