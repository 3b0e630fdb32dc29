import type { Kysely } from 'kysely';
import type { Clock } from '../base/clock.ts';
import type { AccessKeyRecord, AccessKeyRecords } from '../base/stored-records.ts';
import type { Change, ChangeFeed } from './change-feed.ts';
import { outboxStatement } from './outbox.ts';
import type { Database } from './schema.ts';
import type { OpenDatabase } from './sqlite.ts';

/** Access keys belong to no Region. */
const NO_REGION = '';

/** Access keys at rest. */
export class StoredAccessKeys implements AccessKeyRecords {
  readonly #database: OpenDatabase;
  readonly #db: Kysely<Database>;
  readonly #feed: ChangeFeed;
  readonly #clock: Clock;

  constructor(database: OpenDatabase, feed: ChangeFeed, clock: Clock) {
    this.#database = database;
    this.#db = database.db;
    this.#feed = feed;
    this.#clock = clock;
  }

  async find(accessKeyId: string): Promise<AccessKeyRecord | undefined> {
    const row = await this.#db
      .selectFrom('access_keys')
      .selectAll()
      .where('access_key_id', '=', accessKeyId)
      .executeTakeFirst();
    return row === undefined
      ? undefined
      : {
          accessKeyId: row.access_key_id,
          accountId: row.account_id,
          principalArn: row.principal_arn,
          principalId: row.principal_id,
          secret: row.secret,
          isActive: row.is_active !== 0,
          createdMs: row.created_ms,
        };
  }

  async put(record: AccessKeyRecord): Promise<void> {
    const change: Change = { entity: 'accessKey', region: NO_REGION, entity_id: record.accessKeyId };
    const content = {
      account_id: record.accountId,
      principal_arn: record.principalArn,
      principal_id: record.principalId,
      secret: record.secret,
      is_active: record.isActive ? 1 : 0,
    };
    const query = this.#db
      .insertInto('access_keys')
      .values({ access_key_id: record.accessKeyId, created_ms: record.createdMs, ...content })
      .onConflict((conflict) => conflict.column('access_key_id').doUpdateSet(content))
      .compile();
    await this.#database.write([{ query }, outboxStatement(this.#db, change, 0, this.#clock.nowMs())]);
    this.#feed.announce(change);
  }

  async hasAny(accountId?: string): Promise<boolean> {
    const any = this.#db.selectFrom('access_keys').select('access_key_id').limit(1);
    const query = accountId === undefined ? any : any.where('account_id', '=', accountId);
    return (await query.executeTakeFirst()) !== undefined;
  }

  onChange(listener: (accessKeyId: string) => void): void {
    this.#feed.subscribe((change) => {
      if (change.entity === 'accessKey') {
        listener(change.entity_id);
      }
    });
  }

  confirm(): Promise<void> | undefined {
    return this.#feed.confirm();
  }
}
