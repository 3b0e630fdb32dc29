import { randomBytes } from 'node:crypto';
import { loadCore } from 'keywright/core';
import type { Group, Row } from '../lib/group.ts';
import { inProcess } from '../lib/loop.ts';
import { inFlight, poolThreads } from '../lib/pool.ts';
import { programRow } from '../lib/program.ts';
import type { PoolCase } from './cases.ts';

const THREADS = poolThreads();
/** Enough that no thread of the pool waits while JavaScript takes in results. */
const IN_FLIGHT = 64;
const BASELINE = 'one after the other, without the pool';
const LIMIT = `limit: C loop, ${THREADS} threads`;
export const ON_POOL = `on the pool, ${IN_FLIGHT} in flight`;

export function poolGroupName({ type, title }: Pick<PoolCase, 'type' | 'title'>): string {
  return `${type}: ${title}`;
}

export function poolGroup(poolCase: PoolCase): Group {
  const { type, limit, open } = poolCase;
  const rows = (): Row[] => {
    const { now, onPool, privateKey } = open();
    return [
      inFlight(ON_POOL, IN_FLIGHT, 1, onPool, LIMIT),
      inProcess(BASELINE, 1, now),
      programRow(LIMIT, 'pool', [type, limit, String(THREADS)], privateKey),
    ];
  };
  return { name: poolGroupName(poolCase), sizeBytes: 0, baseline: BASELINE, open: rows };
}

const HMAC_LIMIT = 'limit: C loop, one thread';
const HMAC_BYTES = 32;

/** HMAC takes less than the way to the pool and back: one thread, the core's own call against the plain loop. */
export function hmacGroup(): Group {
  const baseline = 'hmac, new Buffer';
  const open = (): Row[] => {
    const core = loadCore();
    const key = core.importKey('hmac', randomBytes(HMAC_BYTES));
    const data = randomBytes(HMAC_BYTES);
    return [
      inProcess(baseline, 1, () => core.hmac(key, 'SHA-256', data), HMAC_LIMIT),
      programRow(HMAC_LIMIT, 'pool', ['hmac', 'mac', '1']),
    ];
  };
  return { name: `HMAC-SHA-256 of ${HMAC_BYTES} B`, sizeBytes: HMAC_BYTES, baseline, open };
}
