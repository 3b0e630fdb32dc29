import type { Kysely } from 'kysely';
import type { Change } from './change-feed.ts';
import type { Database } from './schema.ts';
import type { Statement } from './sqlite.ts';

/** The record of a change, to be written in the transaction that makes it. */
export function outboxStatement(db: Kysely<Database>, change: Change, version: number, atMs: number): Statement {
  return {
    query: db
      .insertInto('outbox')
      .values({ ...change, version, at_ms: atMs })
      .compile(),
  };
}
