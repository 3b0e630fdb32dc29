import type { PackedItems } from 'keywright/core';

/** Bytes of additional data, or of encryption context, with every message. */
export const AAD_BYTES = 32;
export const KEY_BYTES = 32;

/** Sizes of plaintexts, in bytes, from a data key to a large object. */
export const SIZES = [32, 256, 4 * 1024, 64 * 1024, 1024 * 1024, 16 * 1024 * 1024];

/** Items of a batch: 64 as long as they are small, then as many as keep it at 1 MiB, and 2 at least. */
export function batchItems(sizeBytes: number): number {
  return Math.max(2, Math.min(64, 2 ** 20 / sizeBytes));
}

/** The sizes of batches that are measured: {@link batchItems}, and 1024 where 64 fit. */
export function batchSizes(sizeBytes: number): number[] {
  const items = batchItems(sizeBytes);
  return items === 64 ? [items, LARGE_BATCH_ITEMS] : [items];
}

const LARGE_BATCH_ITEMS = 1024;

/** `32 B`, `4 KiB`, `16 MiB`. */
export function sizeName(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 2 ** 20 ? `${bytes / 1024} KiB` : `${bytes / 2 ** 20} MiB`;
}

/** `count` items of `sizeBytes` each. */
export function packedItems(sizeBytes: number, count: number): PackedItems {
  const ends = Uint32Array.from({ length: count }, (_, index) => (index + 1) * sizeBytes);
  return { data: Buffer.alloc(sizeBytes * count, 7), ends };
}

/** @throws Error when two ways of doing the same do not agree, and there is nothing to compare. */
export function requireEqual(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (Buffer.compare(actual, expected) !== 0) throw new Error(`${what}: the plaintext did not come back`);
}
