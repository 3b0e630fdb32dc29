import SqliteDatabase from 'better-sqlite3';
import { Kysely, Migrator, SqliteDialect, type CompiledQuery } from 'kysely';
import { MIGRATIONS } from './migrations.ts';
import type { Database } from './schema.ts';

/** How long a writer waits for another process to finish its transaction, in which nothing but writing happens. */
const BUSY_TIMEOUT_MS = 5_000;

/** One step of a change. */
export interface Statement {
  readonly query: CompiledQuery;
  /** When this statement changes no row, the whole change is taken back. */
  readonly mustChange?: boolean;
}

/** An open store: queries through Kysely, changes as whole transactions. */
export interface OpenDatabase {
  readonly db: Kysely<Database>;
  /**
   * Runs the statements as one transaction, on disk when the promise resolves.
   *
   * @returns false, with nothing changed, when a `mustChange` statement met no row
   */
  write(statements: readonly Statement[]): Promise<boolean>;
  /**
   * Empties the log of pages, which holds what was deleted until it is written over; the file itself is zeroed by each
   * deletion. A reader elsewhere that does not finish in time puts it off to the next call, or to the end.
   */
  erase(): void;
  /** A number that changes whenever another connection commits; unaffected by our own commits. */
  readonly dataVersion: () => number;
  close(): Promise<void>;
}

/**
 * Opens (or makes) the SQLite file and brings its tables up to date (WAL, `synchronous=FULL`). Only one caller may do
 * so at a time, in whatever process.
 *
 * @throws Error when the file is no database, is of a newer version of Keywright, or cannot be opened
 */
export async function openSqlite(path: string): Promise<OpenDatabase> {
  const connection = new SqliteDatabase(path, { timeout: BUSY_TIMEOUT_MS });
  connection.pragma('journal_mode = WAL');
  connection.pragma('synchronous = FULL');
  connection.pragma('foreign_keys = ON');
  connection.pragma('secure_delete = ON');
  const db = new Kysely<Database>({ dialect: new SqliteDialect({ database: connection }) });
  try {
    await migrate(db, path);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  const truncateLog = (): void => {
    connection.pragma('wal_checkpoint(TRUNCATE)');
  };
  const readDataVersion = connection.prepare('PRAGMA data_version').pluck();
  return {
    db,
    write: (statements) => Promise.resolve(writeNow(connection, statements)),
    erase: truncateLog,
    dataVersion: () => readDataVersion.get() as number,
    close: async () => {
      // Leaves no WAL file behind, so that a copy of the one file is a whole backup.
      truncateLog();
      await db.destroy();
    },
  };
}

class NothingChanged extends Error {}

/**
 * A transaction never yields to the event loop: another connection of this very process would wait for its lock in a
 * blocking call, and then nobody could release it.
 */
function writeNow(connection: SqliteDatabase.Database, statements: readonly Statement[]): boolean {
  const transaction = connection.transaction(() => {
    for (const { query, mustChange } of statements) {
      const { changes } = connection.prepare(query.sql).run(...query.parameters);
      if (mustChange === true && changes === 0) {
        throw new NothingChanged();
      }
    }
  });
  try {
    transaction.immediate();
    return true;
  } catch (error) {
    if (error instanceof NothingChanged) {
      return false;
    }
    throw error;
  }
}

async function migrate(db: Kysely<Database>, path: string): Promise<void> {
  const { error } = await new Migrator({ db, provider: MIGRATIONS }).migrateToLatest();
  if (error !== undefined) {
    throw new Error(`the store ${path} could not be brought up to date`, { cause: error });
  }
}
