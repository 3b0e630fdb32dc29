import { expect, it } from 'vitest';
import { trailingDaysWithoutUse, type KeyUse } from '../../src/keys/last-use.ts';
import type { KmsKey } from '../../src/keys/kms-key.ts';

const DAY_MS = 86_400_000;
const key = { createdMs: 10 * DAY_MS } as KmsKey;
const use = (atMs: number): KeyUse => ({ operation: 'Sign', atMs, requestId: 'r' });

it.each([
  ['was used just now', use(40 * DAY_MS), 0],
  ['was used almost 30 days ago', use(10 * DAY_MS + 1), 29],
  ['was used 30 days ago', use(10 * DAY_MS), 30],
  ['was never used: counts from its creation', undefined, 30],
  ['was used by a process whose clock is ahead', use(41 * DAY_MS), 0],
])('whole days without use of a key that %s', (_name, lastUse, days) => {
  expect(trailingDaysWithoutUse(key, lastUse, 40 * DAY_MS)).toBe(days);
});
