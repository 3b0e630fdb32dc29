import { sql, type Kysely, type Selectable } from 'kysely';
import { principalUniqueId, type Caller, type CallerSession } from '../base/caller.ts';
import type { Clock } from '../base/clock.ts';
import type { AccessKeyRecord, AccessKeyRecords } from '../base/stored-records.ts';
import type { Change, ChangeFeed } from './change-feed.ts';
import { outboxStatement } from './outbox.ts';
import type { AccessKeyTable, Database } from './schema.ts';
import type { OpenDatabase, Statement } from './sqlite.ts';

/** Access keys belong to no Region. */
const NO_REGION = '';

/** Access keys at rest, long-term ones and those of sessions. */
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
    return row === undefined ? undefined : toRecord(row);
  }

  async put(record: AccessKeyRecord): Promise<boolean> {
    const { identity, temporary } = record;
    const content = {
      account_id: identity.accountId,
      principal_arn: identity.arn,
      principal_id: identity.principalId,
      session: identity.session === undefined ? null : encodeSession(identity.session),
      secret: record.secret,
      token_digest: temporary?.tokenDigest ?? null,
      expires_ms: temporary?.expiresMs ?? null,
      is_active: record.isActive ? 1 : 0,
    };
    const query = this.#db
      .insertInto('access_keys')
      .values({ access_key_id: record.accessKeyId, created_ms: record.createdMs, ...content })
      .onConflict((conflict) => conflict.column('access_key_id').doUpdateSet(content))
      .compile();
    const change = changeOf(record.accessKeyId);
    return this.#write(change, [...this.#requirePrincipal(identity), { query }]);
  }

  /** In one transaction with the row: a deletion of the principal meanwhile would not have seen the access key. */
  #requirePrincipal(identity: Caller): readonly Statement[] {
    if (identity.principalId === identity.accountId) {
      return [];
    }
    const query = this.#db
      .updateTable('principals')
      .set({ version: sql`version` })
      .where('unique_id', '=', principalUniqueId(identity))
      .compile();
    return [{ query, mustChange: true }];
  }

  setActive(accessKeyId: string, isActive: boolean): Promise<boolean> {
    const query = this.#db
      .updateTable('access_keys')
      .set({ is_active: isActive ? 1 : 0 })
      .where('access_key_id', '=', accessKeyId)
      .compile();
    return this.#write(changeOf(accessKeyId), [{ query, mustChange: true }]);
  }

  delete(accessKeyId: string): Promise<boolean> {
    const query = this.#db.deleteFrom('access_keys').where('access_key_id', '=', accessKeyId).compile();
    return this.#write(changeOf(accessKeyId), [{ query, mustChange: true }]);
  }

  async listOfPrincipal(principalId: string): Promise<readonly AccessKeyRecord[]> {
    const rows = await this.#db
      .selectFrom('access_keys')
      .selectAll()
      .where('principal_id', '=', principalId)
      .where('expires_ms', 'is', null)
      .orderBy('created_ms')
      .orderBy('access_key_id')
      .execute();
    return rows.map(toRecord);
  }

  async deleteExpired(nowMs: number): Promise<number> {
    // Nobody needs to be told: an expired session is refused by its date.
    const query = this.#db.deleteFrom('access_keys').where('expires_ms', '<=', nowMs);
    return Number((await query.executeTakeFirst()).numDeletedRows);
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

  async #write(change: Change, statements: readonly Statement[]): Promise<boolean> {
    const isDone = await this.#database.write([
      ...statements,
      outboxStatement(this.#db, change, 0, this.#clock.nowMs()),
    ]);
    if (isDone) {
      this.#feed.announce(change);
    }
    return isDone;
  }
}

function changeOf(accessKeyId: string): Change {
  return { entity: 'accessKey', region: NO_REGION, entity_id: accessKeyId };
}

function toRecord(row: Selectable<AccessKeyTable>): AccessKeyRecord {
  return {
    accessKeyId: row.access_key_id,
    identity: {
      accountId: row.account_id,
      arn: row.principal_arn,
      principalId: row.principal_id,
      ...(row.session === null ? {} : { session: decodeSession(row.session) }),
    },
    secret: row.secret,
    isActive: row.is_active !== 0,
    createdMs: row.created_ms,
    temporary:
      row.token_digest === null || row.expires_ms === null
        ? undefined
        : { tokenDigest: row.token_digest, expiresMs: row.expires_ms },
  };
}

function encodeSession(session: CallerSession): string {
  return JSON.stringify({ ...session, tags: [...session.tags] });
}

function decodeSession(text: string): CallerSession {
  const { tags, ...session } = JSON.parse(text) as Omit<CallerSession, 'tags'> & { readonly tags: [string, string][] };
  return { ...session, tags: new Map(tags) };
}
