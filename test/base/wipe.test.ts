import { expect, it } from 'vitest';
import { wipeAfter } from '../../src/base/wipe.ts';

const failure = new Error('failed');

it.each([
  ['returns', () => 1],
  ['resolves', () => Promise.resolve(1)],
  [
    'throws',
    () => {
      throw failure;
    },
  ],
  ['rejects', () => Promise.reject(failure)],
])('a secret is there during its use and wiped when the use %s', async (_how, end: () => number | Promise<number>) => {
  const secret = Buffer.from('secret');
  const outcome = await Promise.resolve()
    .then(() =>
      wipeAfter(secret, (given) => {
        expect(Buffer.from(given).toString()).toBe('secret');
        return end();
      }),
    )
    .catch((error: unknown) => error);
  expect([1, failure]).toContain(outcome);
  expect(secret).toEqual(Buffer.alloc(6));
});
