import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { AEAD_OVERHEAD_BYTES, loadCore } from 'keywright/core';
import type { Group, Row } from '../lib/group.ts';
import { inProcess } from '../lib/loop.ts';
import { inFlight } from '../lib/pool.ts';
import { limitRow } from './limit.ts';
import { AAD_BYTES, KEY_BYTES, sizeName } from './workload.ts';

const core = loadCore('napi');
const IN_FLIGHT = 4;
const THREADS = availableParallelism();
const LIMIT = `limit: C loop, ${THREADS} threads`;
const BASELINE = 'encryptInto, reused buffer';
const DECRYPT_BASELINE = 'decryptInto, reused buffer';

/** Sizes, in bytes, that the pool is worth it for. */
export const ASYNC_SIZES = [2 ** 20, 16 * 2 ** 20];
export const ENCRYPT_ASYNC = `encryptIntoAsync, ${IN_FLIGHT} in flight`;

export function encryptAsyncName(sizeBytes: number): string {
  return `AES-256-GCM on the pool: encrypt ${sizeName(sizeBytes)}`;
}

/** Large messages on the pool, each lane with buffers of its own, against the same at once. */
export function encryptAsyncGroup(sizeBytes: number): Group {
  const open = (): Row[] => {
    const { key, aad, lanes } = scene(sizeBytes);
    const [{ plaintext, sealed }] = lanes;
    const start = (lane: number): Promise<number> => {
      const { plaintext: from, sealed: to } = lanes[lane] ?? lanes[0];
      return core.encryptIntoAsync(key, from, aad, to);
    };
    return [
      inFlight(ENCRYPT_ASYNC, IN_FLIGHT, 1, start, LIMIT),
      inProcess(BASELINE, 1, () => core.encryptInto(key, plaintext, aad, sealed)),
      limitRow(LIMIT, 'encrypt', sizeBytes, 1, THREADS),
    ];
  };
  return { name: encryptAsyncName(sizeBytes), sizeBytes, baseline: BASELINE, open };
}

export function decryptAsyncGroup(sizeBytes: number): Group {
  const open = (): Row[] => {
    const { key, aad, lanes } = scene(sizeBytes);
    for (const { plaintext, sealed } of lanes) core.encryptInto(key, plaintext, aad, sealed);
    const [{ plaintext, sealed }] = lanes;
    const start = (lane: number): Promise<number> => {
      const { plaintext: to, sealed: from } = lanes[lane] ?? lanes[0];
      return core.decryptIntoAsync(key, from, aad, to);
    };
    return [
      inFlight(`decryptIntoAsync, ${IN_FLIGHT} in flight`, IN_FLIGHT, 1, start, LIMIT),
      inProcess(DECRYPT_BASELINE, 1, () => core.decryptInto(key, sealed, aad, plaintext)),
      limitRow(LIMIT, 'decrypt', sizeBytes, 1, THREADS),
    ];
  };
  const name = `AES-256-GCM on the pool: decrypt ${sizeName(sizeBytes)}`;
  return { name, sizeBytes, baseline: DECRYPT_BASELINE, open };
}

interface Lane {
  readonly plaintext: Buffer;
  readonly sealed: Buffer;
}

function scene(sizeBytes: number): { key: ReturnType<typeof core.importKey>; aad: Buffer; lanes: [Lane, ...Lane[]] } {
  const lane = (): Lane => ({
    plaintext: Buffer.alloc(sizeBytes, 7),
    sealed: Buffer.alloc(sizeBytes + AEAD_OVERHEAD_BYTES),
  });
  const others = Array.from({ length: IN_FLIGHT - 1 }, lane);
  return {
    key: core.importKey('aesGcm', randomBytes(KEY_BYTES)),
    aad: randomBytes(AAD_BYTES),
    lanes: [lane(), ...others],
  };
}
