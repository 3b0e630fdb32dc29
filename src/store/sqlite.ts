import SqliteDatabase from 'better-sqlite3';
import { Kysely, Migrator, SqliteDialect } from 'kysely';
import { MIGRATIONS } from './migrations.ts';
import type { Database } from './schema.ts';

/** How long a writer waits for another process to finish its transaction. */
const BUSY_TIMEOUT_MS = 5_000;

/** An open store: the query builder, and a cheap answer to "has another connection changed anything?". */
export interface OpenDatabase {
  readonly db: Kysely<Database>;
  /** A number that changes whenever another connection commits; unaffected by our own commits. */
  readonly dataVersion: () => number;
  close(): Promise<void>;
}

/**
 * Opens (or makes) the SQLite file and brings its tables up to date. A commit is on disk when its promise resolves
 * (WAL, `synchronous=FULL`); the file is readable by its owner alone.
 *
 * @throws Error when the file is no database, is of a newer version of Keywright, or cannot be opened
 */
export async function openSqlite(path: string): Promise<OpenDatabase> {
  const connection = new SqliteDatabase(path, { timeout: BUSY_TIMEOUT_MS });
  connection.pragma('journal_mode = WAL');
  connection.pragma('synchronous = FULL');
  connection.pragma('foreign_keys = ON');
  const db = new Kysely<Database>({ dialect: new SqliteDialect({ database: connection }) });
  try {
    const { error } = await new Migrator({ db, provider: MIGRATIONS }).migrateToLatest();
    if (error !== undefined) {
      throw new Error(`the store ${path} could not be brought up to date`, { cause: error });
    }
  } catch (error) {
    await db.destroy();
    throw error;
  }
  const readDataVersion = connection.prepare('PRAGMA data_version').pluck();
  return {
    db,
    dataVersion: () => readDataVersion.get() as number,
    close: async () => {
      // Leaves no WAL file behind, so that a copy of the one file is a whole backup.
      connection.pragma('wal_checkpoint(TRUNCATE)');
      await db.destroy();
    },
  };
}
