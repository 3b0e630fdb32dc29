import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { CryptoCore, PackedItems } from '../../../src/core/crypto-core.ts';
import { CoreError, type CoreStatusName } from '../../../src/core/status.ts';

/** A chapter of the suite: declares its tests for a core. */
export interface Suite {
  readonly name: string;
  readonly declare: (core: CryptoCore) => void;
}

export function suite(name: string, declare: Suite['declare']): Suite {
  return { name, declare };
}

/** Milliseconds for tests that take many seconds in WebAssembly, or on a busy machine. */
export const SLOW = 300_000;

/** Checks that `action` throws the {@link CoreError} with `status`. */
export function expectStatus(action: () => unknown, status: CoreStatusName): void {
  let thrown: unknown;
  try {
    action();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(CoreError);
  expect((thrown as CoreError).status).toBe(status);
}

/** Bytes that fast-check draws, as the Uint8Array inside a larger buffer that callers often have. */
export function octets(maxLength: number, minLength = 0): fc.Arbitrary<Uint8Array> {
  return fc.tuple(fc.uint8Array({ minLength, maxLength }), fc.nat(9)).map(([bytes, before]) => {
    const memory = new Uint8Array(bytes.length + before + 5).fill(0xee);
    memory.set(bytes, before);
    return memory.subarray(before, before + bytes.length);
  });
}

/** Repeats a failed run: KEYWRIGHT_TEST_SEED with the seed that the failure printed. */
export function holds<Values extends [unknown, ...unknown[]]>(property: fc.IProperty<Values>, runs = 200): void {
  const seed = process.env['KEYWRIGHT_TEST_SEED'];
  fc.assert(property, {
    numRuns: runs,
    verbose: fc.VerbosityLevel.Verbose,
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  });
}

export function pack(items: readonly Uint8Array[]): PackedItems {
  let end = 0;
  return { data: Buffer.concat(items), ends: Uint32Array.from(items, (item) => (end += item.length)) };
}

export function unpack({ data, ends }: PackedItems): Uint8Array[] {
  return Array.from(ends, (end, index) => data.subarray(ends[index - 1] ?? 0, end));
}

/** `bytes` with one bit changed. */
export function flipBit(bytes: Uint8Array, bit: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7));
  return changed;
}

/** The same bytes for tests of the same process: what they are does not matter, that they differ does. */
export function sampleBytes(length: number, start = 0): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => start + index * 7));
}
