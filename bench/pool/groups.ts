import { randomBytes } from 'node:crypto';
import { loadCore } from 'keywright/core';
import type { Group, Row } from '../lib/group.ts';
import { inProcess } from '../lib/loop.ts';
import { inFlight, poolThreads } from '../lib/pool.ts';
import { programRow } from '../lib/program.ts';
import type { Target } from '../lib/targets.ts';
import { batches, POOL_CASES, type PoolCase } from './cases.ts';

const THREADS = poolThreads();
/** Enough that no thread of the pool waits while JavaScript takes in results. */
const IN_FLIGHT = 64;
const BATCHES_IN_FLIGHT = 4;
const BASELINE = 'one after the other, without the pool';
const LIMIT = `limit: C loop, ${THREADS} threads`;
const ON_POOL = `on the pool, ${IN_FLIGHT} in flight`;

/** Sizes of batches: the larger one, where an operation takes tens of microseconds, as long as a few of the others. */
const SMALL_BATCH = 16;
const BATCH = 64;
const LARGE_BATCH = 256;
/** HMAC of a few bytes takes a tenth of a microsecond. */
const MAC_BATCH = 4096;

function batchName(items: number): string {
  return `on the pool, batches of ${items}, ${BATCHES_IN_FLIGHT} in flight`;
}

/** Milliseconds of a sample where an operation takes some. */
const LONG_SAMPLE_MS = 200;

function isLong({ type, limit }: PoolCase): boolean {
  return type.startsWith('rsa') && (limit.startsWith('sign') || limit === 'decrypt');
}

/** Curves and signatures of which an operation takes hundreds of microseconds, as those of private RSA keys do. */
const SLOW = /^(?:p384|p521|secp256k1|mlDsa)/;

function batchSizes(poolCase: PoolCase): readonly number[] {
  if (poolCase.limit === 'generate') return [];
  return isLong(poolCase) || SLOW.test(poolCase.type) ? [SMALL_BATCH, BATCH] : [BATCH, LARGE_BATCH];
}

function batchRows(sizes: readonly number[], start: ReturnType<typeof batches> | undefined): Row[] {
  if (start === undefined) return [];
  return sizes.map((items) => inFlight(batchName(items), BATCHES_IN_FLIGHT, items, start(items), LIMIT));
}

function groupName({ type, title }: PoolCase): string {
  return `${type}: ${title}`;
}

export function poolGroup(poolCase: PoolCase): Group {
  const { type, limit } = poolCase;
  const open = (): Row[] => {
    const { now, onPool, inBatches, privateKey } = poolCase.open();
    return [
      inFlight(ON_POOL, IN_FLIGHT, 1, onPool, LIMIT),
      ...batchRows(batchSizes(poolCase), inBatches),
      inProcess(BASELINE, 1, now),
      programRow(LIMIT, 'pool', [type, limit, String(THREADS)], privateKey),
    ];
  };
  const long = isLong(poolCase) ? { minimumMs: LONG_SAMPLE_MS } : {};
  return { name: groupName(poolCase), sizeBytes: 0, baseline: BASELINE, ...long, open };
}

const MAC_BYTES = 32;
const MAC_GROUP = `HMAC-SHA-256 of ${MAC_BYTES} B`;
const MAC_LIMIT = 'limit: C loop, one thread';

/** HMAC takes less than the way to the pool and back: one at a time without the pool, and batches on it. */
export function hmacGroup(): Group {
  const baseline = 'hmac, new Buffer';
  const open = (): Row[] => {
    const core = loadCore('napi');
    const key = core.importKey('hmac', randomBytes(MAC_BYTES));
    const data = randomBytes(MAC_BYTES);
    return [
      inProcess(baseline, 1, () => core.hmac(key, 'SHA-256', data), MAC_LIMIT),
      programRow(MAC_LIMIT, 'pool', ['hmac', 'mac', '1']),
      ...batchRows([LARGE_BATCH, MAC_BATCH], batches(key, { operation: 'hmac', algorithm: 'SHA-256' }, data)),
      programRow(LIMIT, 'pool', ['hmac', 'mac', String(THREADS)]),
    ];
  };
  return { name: MAC_GROUP, sizeBytes: MAC_BYTES, baseline, open };
}

/**
 * Within 10 % of the C loop with all cores busy, in batches: what has none, a promise for each key pair, is not judged.
 * By the clock, for a quiet machine, and in processor time, which other work on the machine disturbs less.
 */
export function poolTargets(): Target[] {
  const within = (group: string, items: number): Target[] =>
    (['ofLimit', 'ofLimitCpu'] as const).map((measure) => ({
      group,
      row: batchName(items),
      measure,
      atLeast: 0.9,
      kind: 'goal',
    }));
  return [
    ...POOL_CASES.flatMap((poolCase) => {
      const largest = batchSizes(poolCase).at(-1);
      return largest === undefined ? [] : within(groupName(poolCase), largest);
    }),
    ...within(MAC_GROUP, MAC_BATCH),
  ];
}
