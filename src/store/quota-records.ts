import { closeSync, openSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import type { QuotaDemand, QuotaRecords } from '../base/stored-records.ts';

const BUSY_TIMEOUT_MS = 1_000;
/** Processes read the clock before they get their turn; a clock that is behind by more was set back. */
const MAX_DISORDER_MS = 10_000;

/** An open file of quotas. */
export interface OpenQuotas extends QuotaRecords {
  close(): void;
}

/**
 * Token buckets in a SQLite file of their own. It is not the store, and not flushed: what a power failure loses is a
 * count of some seconds, and the counting of requests must not wait for the disk or wake the caches of the store.
 */
export function openQuotaFile(path: string): OpenQuotas {
  closeSync(openSync(path, 'a', 0o600));
  const connection = new SqliteDatabase(path, { timeout: BUSY_TIMEOUT_MS });
  connection.pragma('journal_mode = WAL');
  connection.pragma('synchronous = OFF');
  connection.exec(
    'CREATE TABLE IF NOT EXISTS quota_buckets ' +
      '(bucket TEXT PRIMARY KEY, tokens REAL NOT NULL, at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID',
  );
  const find = connection.prepare<[string], { tokens: number; at_ms: number }>(
    'SELECT tokens, at_ms FROM quota_buckets WHERE bucket = ?',
  );
  const put = connection.prepare<[string, number, number]>(
    'INSERT INTO quota_buckets VALUES (?, ?, ?) ' +
      'ON CONFLICT (bucket) DO UPDATE SET tokens = excluded.tokens, at_ms = excluded.at_ms',
  );
  const take = connection.transaction(({ bucket, wanted, perSecond, capacity, nowMs }: QuotaDemand): number => {
    const stored = find.get(bucket) ?? { tokens: capacity, at_ms: nowMs };
    // A clock that went back adds nothing.
    const elapsedMs = Math.max(0, nowMs - stored.at_ms);
    const tokens = Math.min(capacity, stored.tokens + (elapsedMs * perSecond) / 1000);
    const granted = Math.min(wanted, Math.floor(tokens));
    // A clock that was set back must not stop the bucket from filling until it is there again.
    const wasSetBack = nowMs < stored.at_ms - MAX_DISORDER_MS;
    put.run(bucket, tokens - granted, wasSetBack ? nowMs : Math.max(nowMs, stored.at_ms));
    return granted;
  });
  return {
    take: (demand) => take.immediate(demand),
    close: () => connection.close(),
  };
}
