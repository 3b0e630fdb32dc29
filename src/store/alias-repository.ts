import type { CompiledQuery, Kysely, Selectable } from 'kysely';
import type { Clock } from '../base/clock.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { Alias } from '../keys/alias.ts';
import type { AliasRepository, Page, PageRequest } from '../service/ports.ts';
import type { Change, ChangeFeed } from './change-feed.ts';
import { EntityCache } from '../base/entity-cache.ts';
import { outboxStatement } from './outbox.ts';
import { cutPage } from './page.ts';
import type { AliasTable, Database } from './schema.ts';
import type { OpenDatabase } from './sqlite.ts';

const MAX_CACHED_ALIASES = 50_000;

/** Aliases in the store, behind a cache that every door of the store keeps fresh. */
export class StoredAliases implements AliasRepository {
  readonly #database: OpenDatabase;
  readonly #db: Kysely<Database>;
  readonly #feed: ChangeFeed;
  readonly #clock: Clock;
  readonly #cache = new EntityCache<Alias>(MAX_CACHED_ALIASES);

  constructor(database: OpenDatabase, feed: ChangeFeed, clock: Clock) {
    this.#database = database;
    this.#db = database.db;
    this.#feed = feed;
    this.#clock = clock;
    feed.subscribe((change) => {
      if (change.entity === 'alias') {
        this.#cache.drop(`${change.region}/${change.entity_id}`);
      }
    });
  }

  find(region: string, accountId: string, name: string): MaybePromise<Alias | undefined> {
    const waiting = this.#feed.confirm();
    const lookUp = (): MaybePromise<Alias | undefined> =>
      this.#cache.get(`${region}/${accountId}:${name}`, () => this.#load(region, accountId, name));
    return waiting === undefined ? lookUp() : waiting.then(lookUp);
  }

  async list(
    region: string,
    accountId: string,
    targetKeyId: string | undefined,
    page: PageRequest,
  ): Promise<Page<Alias>> {
    let query = this.#db
      .selectFrom('aliases')
      .selectAll()
      .where('region', '=', region)
      .where('account_id', '=', accountId)
      .where('name', '>', page.after ?? '');
    if (targetKeyId !== undefined) {
      query = query.where('target_key_id', '=', targetKeyId);
    }
    const rows = await query
      .orderBy('name')
      .limit(page.limit + 1)
      .execute();
    return cutPage(rows.map(fromRow), page.limit);
  }

  async countOfKey(region: string, targetKeyId: string): Promise<number> {
    const row = await this.#db
      .selectFrom('aliases')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('region', '=', region)
      .where('target_key_id', '=', targetKeyId)
      .executeTakeFirst();
    return row?.count ?? 0;
  }

  insert(alias: Alias): Promise<boolean> {
    return this.#write(alias, insertAlias(this.#db, alias));
  }

  update(alias: Alias): Promise<boolean> {
    const query = this.#db
      .updateTable('aliases')
      .set({ target_key_id: alias.targetKeyId, updated_ms: alias.updatedMs })
      .where('region', '=', alias.region)
      .where('account_id', '=', alias.accountId)
      .where('name', '=', alias.name);
    return this.#write(alias, query.compile());
  }

  delete(alias: Alias): Promise<boolean> {
    const query = this.#db
      .deleteFrom('aliases')
      .where('region', '=', alias.region)
      .where('account_id', '=', alias.accountId)
      .where('name', '=', alias.name);
    return this.#write(alias, query.compile());
  }

  async #load(region: string, accountId: string, name: string): Promise<Alias | undefined> {
    const row = await this.#db
      .selectFrom('aliases')
      .selectAll()
      .where('region', '=', region)
      .where('account_id', '=', accountId)
      .where('name', '=', name)
      .executeTakeFirst();
    return row === undefined ? undefined : fromRow(row);
  }

  /** Returns whether the query changed a row; the outbox tells of it only then. */
  async #write(alias: Alias, query: CompiledQuery): Promise<boolean> {
    const change = changeOfAlias(alias);
    const record = outboxStatement(this.#db, change, 0, this.#clock.nowMs());
    const isChanged = await this.#database.write([{ query, mustChange: true }, record]);
    this.#feed.announce(change);
    return isChanged;
  }
}

/** Changes nothing when the name is taken. */
export function insertAlias(db: Kysely<Database>, alias: Alias): CompiledQuery {
  return db
    .insertInto('aliases')
    .values({
      region: alias.region,
      account_id: alias.accountId,
      name: alias.name,
      target_key_id: alias.targetKeyId,
      created_ms: alias.createdMs,
      updated_ms: alias.updatedMs,
    })
    .onConflict((conflict) => conflict.doNothing())
    .compile();
}

export function changeOfAlias({ region, accountId, name }: Alias): Change {
  return { entity: 'alias', region, entity_id: `${accountId}:${name}` };
}

function fromRow(row: Selectable<AliasTable>): Alias {
  return {
    region: row.region,
    accountId: row.account_id,
    name: row.name,
    targetKeyId: row.target_key_id,
    createdMs: row.created_ms,
    updatedMs: row.updated_ms,
  };
}
