import SqliteDatabase from 'better-sqlite3';
import { VersionConflictError } from '../service/ports.ts';
import type { OpenDatabase, Statement } from './sqlite.ts';

/** A row that must be unique was there already, or one that a row depends on is gone. */
const LOST_RACES: ReadonlySet<string> = new Set(['SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_FOREIGNKEY']);

/**
 * Runs statements that were made from what the store held a moment ago, as one transaction.
 *
 * @throws VersionConflictError, with nothing changed, when another writer was faster: a `mustChange` statement met no
 *   row, or the tables' constraints do not let the change in any more
 */
export async function writeVersioned(database: OpenDatabase, statements: readonly Statement[]): Promise<void> {
  let isWritten: boolean;
  try {
    isWritten = await database.write(statements);
  } catch (error) {
    if (!(error instanceof SqliteDatabase.SqliteError && LOST_RACES.has(error.code))) {
      throw error;
    }
    isWritten = false;
  }
  if (!isWritten) {
    throw new VersionConflictError('the store does not hold what the change was made from any more');
  }
}
