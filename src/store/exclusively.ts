import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';

const POLL_MS = 10;
/** Longer than any first start takes; who holds the lock for so long hangs. */
const TIMEOUT_MS = 60_000;

/**
 * Does what only one process may do at a time, such as making what the first start makes. The lock is that of SQLite on
 * the empty file `lockFile`: the system releases it when its holder dies. Callers in this process take turns too, for
 * waiting does not block them.
 *
 * @throws Error when the lock is not to be had within 60 s; whatever `work` throws
 */
export async function exclusively<T>(lockFile: string, work: () => Promise<T>): Promise<T> {
  closeSync(openSync(lockFile, 'a', 0o600));
  const connection = new SqliteDatabase(lockFile, { timeout: 0 });
  try {
    const deadline = performance.now() + TIMEOUT_MS;
    while (!tryLock(connection)) {
      if (performance.now() > deadline) {
        throw new Error(`another process holds ${lockFile} for more than ${String(TIMEOUT_MS / 1000)} s`);
      }
      await sleep(POLL_MS);
    }
    return await work();
  } finally {
    connection.close();
  }
}

function tryLock(connection: SqliteDatabase.Database): boolean {
  try {
    connection.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if ((error as { readonly code?: string }).code === 'SQLITE_BUSY') {
      return false;
    }
    throw error;
  }
}
