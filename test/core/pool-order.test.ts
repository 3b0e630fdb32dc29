/** Who waits for whom on the pool of threads. */
import { describe, expect, it } from 'vitest';
import { loadCore, type PackedItems } from '../../src/core/index.ts';

const core = loadCore('napi');
const key = core.generateKeyPair('p256');
const DIGEST_BYTES = 32;

function digests(count: number): PackedItems {
  const ends = Uint32Array.from({ length: count }, (_, index) => DIGEST_BYTES * (index + 1));
  return { data: new Uint8Array(DIGEST_BYTES * count), ends };
}

const signBatch = (count: number): Promise<unknown> =>
  core.batchAsync(key, { operation: 'sign', algorithm: 'ECDSA_SHA_256', messageType: 'DIGEST' }, digests(count));
const signOne = (): Promise<unknown> => core.signAsync(key, 'ECDSA_SHA_256', 'DIGEST', new Uint8Array(DIGEST_BYTES));

describe('the pool', () => {
  it('does not let a single operation wait for a large batch', async () => {
    const settled: string[] = [];
    const batch = signBatch(50_000).then(() => settled.push('batch'));
    await signOne().then(() => settled.push('one'));
    await batch;
    expect(settled).toEqual(['one', 'batch']);
  });

  it('finishes batches one after the other', async () => {
    let count = 0;
    const stop = new AbortController();
    const onesMeanwhile = (async () => {
      for (; !stop.signal.aborted; count++) await signOne();
    })();
    const counts = await Promise.all([signBatch(10_000), signBatch(10_000)].map((batch) => batch.then(() => count)));
    stop.abort();
    await onesMeanwhile;
    const [afterFirst = 0, afterSecond = 0] = counts;
    // Single operations take turns with the batches, and so tell how much of them was done.
    expect(afterSecond).toBeGreaterThan(0);
    expect(afterFirst / afterSecond).toBeLessThan(0.8);
  });
});
