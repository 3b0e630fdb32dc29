import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';

/** Tables that are written some time after a request. */
const LATE: readonly string[] = ['key_last_uses'];

/** Everything that is stored in the data directory of an engine, to compare it with what is stored later. */
export function storeContents(folder: string): object {
  const database = new SqliteDatabase(join(folder, 'keywright.db'), { readonly: true });
  try {
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all() as string[];
    const wanted = tables.filter((table) => !LATE.includes(table));
    return Object.fromEntries(wanted.map((table) => [table, database.prepare(`SELECT * FROM "${table}"`).all()]));
  } finally {
    database.close();
  }
}
