import { sql, type Kysely, type Selectable, type SqlBool } from 'kysely';
import type { Clock } from '../base/clock.ts';
import type { PrincipalKind, PrincipalRecord, PrincipalRecords } from '../base/stored-records.ts';
import type { Change, ChangeFeed } from './change-feed.ts';
import { outboxStatement } from './outbox.ts';
import type { Database, PrincipalTable } from './schema.ts';
import type { OpenDatabase, Statement } from './sqlite.ts';

/** Principals belong to no Region. */
const NO_REGION = '';

/** Users, roles and services at rest. */
export class StoredPrincipals implements PrincipalRecords {
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

  async find(uniqueId: string): Promise<PrincipalRecord | undefined> {
    const query = this.#db.selectFrom('principals').selectAll().where('unique_id', '=', uniqueId);
    const row = await query.executeTakeFirst();
    return row === undefined ? undefined : toRecord(row);
  }

  async findByName(accountId: string, kind: PrincipalKind, name: string): Promise<PrincipalRecord | undefined> {
    const row = await this.#db
      .selectFrom('principals')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('kind', '=', kind)
      .where('name', '=', name)
      .executeTakeFirst();
    return row === undefined ? undefined : toRecord(row);
  }

  async list(accountId?: string): Promise<readonly PrincipalRecord[]> {
    const all = this.#db.selectFrom('principals').selectAll().orderBy('account_id').orderBy('kind').orderBy('name');
    const rows = await (accountId === undefined ? all : all.where('account_id', '=', accountId)).execute();
    return rows.map(toRecord);
  }

  async hasAny(accountId: string): Promise<boolean> {
    const query = this.#db.selectFrom('principals').select('unique_id').where('account_id', '=', accountId).limit(1);
    return (await query.executeTakeFirst()) !== undefined;
  }

  insert(record: PrincipalRecord): Promise<boolean> {
    const query = this.#db
      .insertInto('principals')
      .values(toRow(record))
      .onConflict((conflict) => conflict.doNothing())
      .compile();
    return this.#change(record, [{ query, mustChange: true }]);
  }

  update(record: PrincipalRecord): Promise<boolean> {
    const query = this.#db
      .updateTable('principals')
      .set(toRow(record))
      .where('unique_id', '=', record.uniqueId)
      .where('version', '=', record.version - 1)
      .compile();
    return this.#change(record, [{ query, mustChange: true }]);
  }

  async delete(record: PrincipalRecord): Promise<boolean> {
    const query = this.#db
      .deleteFrom('principals')
      .where('unique_id', '=', record.uniqueId)
      .where('version', '=', record.version)
      .compile();
    const { last } = await this.#db
      .selectFrom('outbox')
      .select(({ fn }) => fn.max<number | null>('sequence').as('last'))
      .executeTakeFirstOrThrow();
    // In the transaction itself: an access key that was made a moment ago goes with its principal.
    const isDone = await this.#change(record, [{ query, mustChange: true }, ...this.#deleteAccessKeys(record)]);
    if (isDone) {
      const gone = await this.#db
        .selectFrom('outbox')
        .select(['entity', 'region', 'entity_id'])
        .where('sequence', '>', last ?? 0)
        .where('entity', '=', 'accessKey')
        .execute();
      gone.forEach((change) => {
        this.#feed.announce(change);
      });
    }
    return isDone;
  }

  /** Those of the principal, and of sessions of a role: its unique id, a colon and the session's name. */
  #deleteAccessKeys({ uniqueId }: PrincipalRecord): readonly Statement[] {
    const isOwned = sql<SqlBool>`(principal_id = ${uniqueId}
      or (principal_id >= ${`${uniqueId}:`} and principal_id < ${`${uniqueId};`}))`;
    const records = this.#db.insertInto('outbox').columns(['entity', 'region', 'entity_id', 'version', 'at_ms']);
    const changes = this.#db
      .selectFrom('access_keys')
      .select([
        sql.lit('accessKey').as('entity'),
        sql.lit(NO_REGION).as('region'),
        'access_key_id',
        sql.lit(0).as('version'),
        sql.lit(this.#clock.nowMs()).as('at_ms'),
      ])
      .where(isOwned);
    return [
      { query: records.expression(changes).compile() },
      { query: this.#db.deleteFrom('access_keys').where(isOwned).compile() },
    ];
  }

  onChange(listener: (uniqueId: string) => void): void {
    this.#feed.subscribe((change) => {
      if (change.entity === 'principal') {
        listener(change.entity_id);
      }
    });
  }

  confirm(): Promise<void> | undefined {
    return this.#feed.confirm();
  }

  async #change({ uniqueId, version }: PrincipalRecord, statements: readonly Statement[]): Promise<boolean> {
    const change: Change = { entity: 'principal', region: NO_REGION, entity_id: uniqueId };
    const isDone = await this.#database.write([
      ...statements,
      outboxStatement(this.#db, change, version, this.#clock.nowMs()),
    ]);
    if (isDone) {
      this.#feed.announce(change);
    }
    return isDone;
  }
}

function toRow(record: PrincipalRecord): PrincipalTable {
  return {
    unique_id: record.uniqueId,
    kind: record.kind,
    account_id: record.accountId,
    name: record.name,
    arn: record.arn,
    policies: JSON.stringify([...record.policies]),
    permissions_boundary: record.permissionsBoundary ?? null,
    trust_policy: record.trustPolicy ?? null,
    max_session_seconds: record.maxSessionSeconds ?? null,
    tags: JSON.stringify([...record.tags]),
    created_ms: record.createdMs,
    version: record.version,
  };
}

function toRecord(row: Selectable<PrincipalTable>): PrincipalRecord {
  return {
    uniqueId: row.unique_id,
    kind: row.kind as PrincipalKind,
    accountId: row.account_id,
    name: row.name,
    arn: row.arn,
    policies: new Map(JSON.parse(row.policies) as [string, string][]),
    permissionsBoundary: row.permissions_boundary ?? undefined,
    trustPolicy: row.trust_policy ?? undefined,
    maxSessionSeconds: row.max_session_seconds ?? undefined,
    tags: new Map(JSON.parse(row.tags) as [string, string][]),
    createdMs: row.created_ms,
    version: row.version,
  };
}
