import type { Target } from '../lib/targets.ts';
import { encryptName } from './aead.ts';
import { ENCRYPT_ASYNC, encryptAsyncName, ASYNC_SIZES } from './async.ts';
import { encryptMessageName } from './message.ts';

const SMALL = encryptName(32);
const MEBIBYTE = encryptName(2 ** 20);
const MESSAGE = encryptMessageName(32);
const INTO = 'encryptInto, reused buffer';
const BATCH = 'encryptBatchInto, 64 items';
const LARGE_BATCH = 'encryptBatchInto, 1024 items';
const MESSAGE_INTO = 'encryptMessageInto';
const MESSAGE_BATCH = 'encryptMessageBatchInto, 64 items';

/** For Node 20. Its node:crypto is slower than that of Node 24, so the same core is more times as fast as it. */
const NODE_20: readonly Target[] = [
  { group: SMALL, row: INTO, measure: 'timesBaseline', atLeast: 10, kind: 'floor' },
  { group: SMALL, row: BATCH, measure: 'timesBaseline', atLeast: 25, kind: 'floor' },
  { group: MEBIBYTE, row: INTO, measure: 'timesBaseline', atLeast: 5, kind: 'floor' },
  { group: SMALL, row: INTO, measure: 'timesBaseline', atLeast: 15, kind: 'goal' },
  { group: SMALL, row: 'encrypt, new Buffer', measure: 'timesBaseline', atLeast: 12, kind: 'goal' },
  { group: MEBIBYTE, row: INTO, measure: 'timesBaseline', atLeast: 6, kind: 'goal' },
];

const NODE_24: readonly Target[] = [
  { group: SMALL, row: INTO, measure: 'timesBaseline', atLeast: 13, kind: 'goal' },
  { group: SMALL, row: 'encrypt, new Buffer', measure: 'timesBaseline', atLeast: 10, kind: 'goal' },
  { group: MEBIBYTE, row: INTO, measure: 'timesBaseline', atLeast: 3.5, kind: 'goal' },
];

/** Rates are those of one core of the machine that docs/internals/benchmarking.md describes. */
const EVERYWHERE: readonly Target[] = [
  { group: SMALL, row: BATCH, measure: 'timesBaseline', atLeast: 30, kind: 'goal' },
  { group: SMALL, row: LARGE_BATCH, measure: 'timesBaseline', atLeast: 30, kind: 'goal' },
  { group: SMALL, row: BATCH, measure: 'ofLimit', atLeast: 0.8, kind: 'goal' },
  { group: SMALL, row: LARGE_BATCH, measure: 'ofLimit', atLeast: 0.8, kind: 'goal' },
  { group: SMALL, row: INTO, measure: 'opsPerSecond', atLeast: 3e6, kind: 'goal' },
  { group: SMALL, row: BATCH, measure: 'opsPerSecond', atLeast: 7e6, kind: 'goal' },
  { group: MESSAGE, row: MESSAGE_INTO, measure: 'opsPerSecond', atLeast: 1.7e6, kind: 'goal' },
  { group: MESSAGE, row: MESSAGE_BATCH, measure: 'opsPerSecond', atLeast: 2.4e6, kind: 'goal' },
  // The baseline of these is the same call without the pool, on one core.
  ...ASYNC_SIZES.map((size): Target => ({
    group: encryptAsyncName(size),
    row: ENCRYPT_ASYNC,
    measure: 'timesBaseline',
    atLeast: 1.6,
    kind: 'goal',
  })),
];

/** Targets of the core on a major version of Node. */
export function coreTargets(major: number): readonly Target[] {
  return [...(major < 24 ? NODE_20 : NODE_24), ...EVERYWHERE];
}
