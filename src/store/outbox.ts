import type { Kysely } from 'kysely';
import type { Change } from './change-feed.ts';
import type { Database } from './schema.ts';

/** Appends the record of a change, inside the transaction that makes it. */
export async function appendToOutbox(
  transaction: Kysely<Database>,
  change: Change,
  version: number,
  atMs: number,
): Promise<void> {
  await transaction
    .insertInto('outbox')
    .values({ ...change, version, at_ms: atMs })
    .execute();
}
