import type { Kysely } from 'kysely';
import type { Log } from '../base/log.ts';
import type { KeyUse, TrackedOperation } from '../keys/last-use.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type { LastUses } from '../service/ports.ts';
import type { Database } from './schema.ts';
import type { OpenDatabase, Statement } from './sqlite.ts';

/** How long a use may stay in memory only: what a process that is killed forgets. */
const FLUSH_INTERVAL_MS = 5_000;

/** Keys in one transaction: some milliseconds, in which other requests of the process wait. */
const BATCH = 200;

interface PendingUse {
  readonly key: KmsKey;
  readonly use: KeyUse;
}

/**
 * The last use of every key. A use is noted in memory, one entry a key, and written in the background; of the uses that
 * several processes write, the latest stays. Nobody caches what stands in the store, so the outbox does not tell of it.
 */
export class StoredLastUses implements LastUses {
  readonly #database: OpenDatabase;
  readonly #db: Kysely<Database>;
  readonly #log: Log;
  /** By key ARN. */
  readonly #pending = new Map<string, PendingUse>();
  #timer: NodeJS.Timeout | undefined;
  #lastFlush = Promise.resolve();

  constructor(database: OpenDatabase, log: Log) {
    this.#database = database;
    this.#db = database.db;
    this.#log = log;
  }

  note(key: KmsKey, use: KeyUse): void {
    const earlier = this.#pending.get(key.arn);
    if (earlier === undefined || earlier.use.atMs <= use.atMs) {
      this.#pending.set(key.arn, { key, use });
      this.#schedule();
    }
  }

  async find(key: KmsKey): Promise<KeyUse | undefined> {
    // Taken first: what is written meanwhile is no longer here afterwards.
    const noted = this.#pending.get(key.arn)?.use;
    const stored = await this.#load(key);
    return noted === undefined || (stored !== undefined && stored.atMs > noted.atMs) ? stored : noted;
  }

  /** Writes what is noted, for the last time: no use may be noted afterwards. */
  async close(): Promise<void> {
    await this.#flush();
    clearTimeout(this.#timer);
  }

  /** Flushes take turns, so that none is still writing when the last one is done. */
  #flush(): Promise<void> {
    this.#lastFlush = this.#lastFlush.then(() => this.#writePending());
    return this.#lastFlush;
  }

  /** What cannot be written is logged, kept and tried again later. */
  async #writePending(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const pending = [...this.#pending];
    try {
      for (let start = 0; start < pending.length; start += BATCH) {
        const batch = pending.slice(start, start + BATCH);
        await this.#database.write(batch.map(([, { key, use }]) => this.#put(key, use)));
        for (const [arn, written] of batch) {
          if (this.#pending.get(arn) === written) {
            this.#pending.delete(arn);
          }
        }
        // Lets requests that came meanwhile go first: a write does not yield.
        await new Promise(setImmediate);
      }
    } catch (error) {
      this.#log.error('the last uses of keys could not be written; it will be tried again', { error: String(error) });
      this.#schedule();
    }
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => void this.#flush(), FLUSH_INTERVAL_MS).unref();
  }

  async #load({ region, keyId }: KmsKey): Promise<KeyUse | undefined> {
    const row = await this.#db
      .selectFrom('key_last_uses')
      .select(['operation', 'used_ms', 'request_id'])
      .where('region', '=', region)
      .where('key_id', '=', keyId)
      .executeTakeFirst();
    return row === undefined
      ? undefined
      : { operation: row.operation as TrackedOperation, atMs: row.used_ms, requestId: row.request_id };
  }

  /** Changes nothing when a later use is there, or the key is gone. */
  #put({ region, keyId }: KmsKey, use: KeyUse): Statement {
    const query = this.#db
      .insertInto('key_last_uses')
      .columns(['region', 'key_id', 'operation', 'used_ms', 'request_id'])
      .expression((build) =>
        build
          .selectFrom('kms_keys')
          .select([
            'region',
            'key_id',
            build.val(use.operation).as('operation'),
            build.val(use.atMs).as('used_ms'),
            build.val(use.requestId).as('request_id'),
          ])
          .where('region', '=', region)
          .where('key_id', '=', keyId),
      )
      .onConflict((conflict) =>
        conflict
          .columns(['region', 'key_id'])
          .doUpdateSet((row) => ({
            operation: row.ref('excluded.operation'),
            used_ms: row.ref('excluded.used_ms'),
            request_id: row.ref('excluded.request_id'),
          }))
          .whereRef('excluded.used_ms', '>=', 'key_last_uses.used_ms'),
      );
    return { query: query.compile() };
  }
}
