import type { Kysely, Selectable } from 'kysely';
import type { Clock } from '../base/clock.ts';
import { EntityCache } from '../base/entity-cache.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import { grantSelector } from '../policy/grant-selector.ts';
import { partyId, type Grant, type GrantConstraints, type GrantOperation, type GrantParty } from '../policy/grant.ts';
import type { GrantDemand, GrantFilter, GrantRepository, Page, PageRequest } from '../service/ports.ts';
import type { Change, ChangeFeed } from './change-feed.ts';
import { outboxStatement } from './outbox.ts';
import { cutPage } from './page.ts';
import type { Database, GrantTable } from './schema.ts';
import type { OpenDatabase, Statement } from './sqlite.ts';

/** Answers about usable grants kept ready. */
const MAX_CACHED_ANSWERS = 10_000;

/** Grants in the store. */
export class StoredGrants implements GrantRepository {
  readonly #database: OpenDatabase;
  readonly #db: Kysely<Database>;
  readonly #feed: ChangeFeed;
  readonly #clock: Clock;
  readonly #usable = new EntityCache<readonly Grant[]>(MAX_CACHED_ANSWERS);

  constructor(database: OpenDatabase, feed: ChangeFeed, clock: Clock) {
    this.#database = database;
    this.#db = database.db;
    this.#feed = feed;
    this.#clock = clock;
    feed.subscribe((change) => {
      if (change.entity === 'grant') {
        this.#usable.dropAll(`${change.region}/${change.entity_id}/`);
      }
    });
  }

  async find(region: string, keyId: string, grantId: string): Promise<Grant | undefined> {
    const row = await this.#db
      .selectFrom('grants')
      .selectAll()
      .where('region', '=', region)
      .where('key_id', '=', keyId)
      .where('grant_id', '=', grantId)
      .executeTakeFirst();
    return row === undefined ? undefined : fromRow(row);
  }

  async findSame(region: string, keyId: string, fingerprint: string): Promise<Grant | undefined> {
    const row = await this.#db
      .selectFrom('grants')
      .selectAll()
      .where('region', '=', region)
      .where('key_id', '=', keyId)
      .where('fingerprint', '=', fingerprint)
      .executeTakeFirst();
    return row === undefined ? undefined : fromRow(row);
  }

  async list(region: string, filter: GrantFilter, page: PageRequest): Promise<Page<Grant>> {
    let query = this.#db
      .selectFrom('grants')
      .selectAll()
      .where('region', '=', region)
      .where('grant_id', '>', page.after ?? '');
    if (filter.keyId !== undefined) {
      query = query.where('key_id', '=', filter.keyId);
    }
    if (filter.grantId !== undefined) {
      query = query.where('grant_id', '=', filter.grantId);
    }
    if (filter.grantee !== undefined) {
      query = query.where('grantee_kind', '=', filter.grantee.kind).where('grantee_id', '=', partyId(filter.grantee));
    }
    if (filter.retiring !== undefined) {
      query = query
        .where('retiring_kind', '=', filter.retiring.kind)
        .where('retiring_id', '=', partyId(filter.retiring));
    }
    const rows = await query
      .orderBy('grant_id')
      .limit(page.limit + 1)
      .execute();
    return cutPage(rows.map(fromRow), page.limit);
  }

  async countOfKey(region: string, keyId: string): Promise<number> {
    const row = await this.#db
      .selectFrom('grants')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('region', '=', region)
      .where('key_id', '=', keyId)
      .executeTakeFirst();
    return row?.count ?? 0;
  }

  findUsable(key: KmsKey, demand: GrantDemand): MaybePromise<readonly Grant[]> {
    const { kind, grantees, operation, selectors } = demand;
    // The first selector tells the contexts apart that the others follow from.
    const id = `${key.region}/${key.keyId}/${JSON.stringify([kind, grantees, operation, selectors?.[0]])}`;
    const find = (): MaybePromise<readonly Grant[]> =>
      chain(
        this.#usable.get(id, () => this.#queryUsable(key, demand)),
        (grants) => grants ?? [],
      );
    const waiting = this.#feed.confirm();
    return waiting === undefined ? find() : waiting.then(find);
  }

  async insert(grant: Grant, fingerprint: string): Promise<void> {
    const query = this.#db.insertInto('grants').values(toRow(grant, fingerprint)).compile();
    await this.#write(grant, { query });
  }

  delete(grant: Grant): Promise<boolean> {
    const query = this.#db
      .deleteFrom('grants')
      .where('region', '=', grant.region)
      .where('key_id', '=', grant.keyId)
      .where('grant_id', '=', grant.grantId)
      .compile();
    return this.#write(grant, { query, mustChange: true });
  }

  async #queryUsable({ region, keyId }: KmsKey, demand: GrantDemand): Promise<readonly Grant[]> {
    let query = this.#db
      .selectFrom('grants')
      .selectAll()
      .where('region', '=', region)
      .where('key_id', '=', keyId)
      .where('grantee_kind', '=', demand.kind)
      .where('grantee_id', 'in', demand.grantees)
      .where('operations', 'like', `%"${demand.operation}"%`);
    if (demand.selectors !== undefined) {
      query = query.where('selector', 'in', demand.selectors);
    }
    const rows = await query.execute();
    return rows.map(fromRow);
  }

  async #write({ region, keyId }: Grant, statement: Statement): Promise<boolean> {
    const change: Change = { entity: 'grant', region, entity_id: keyId };
    const record = outboxStatement(this.#db, change, 0, this.#clock.nowMs());
    const isChanged = await this.#database.write([statement, record]);
    this.#feed.announce(change);
    return isChanged;
  }
}

function toRow(grant: Grant, fingerprint: string): GrantTable {
  return {
    region: grant.region,
    key_id: grant.keyId,
    grant_id: grant.grantId,
    fingerprint,
    selector: grantSelector(grant.constraints),
    name: grant.name ?? null,
    grantee_kind: grant.grantee.kind,
    grantee: grant.grantee.name,
    grantee_id: partyId(grant.grantee),
    retiring_kind: grant.retiring?.kind ?? null,
    retiring: grant.retiring?.name ?? null,
    retiring_id: grant.retiring === undefined ? null : partyId(grant.retiring),
    issuing_account_id: grant.issuingAccountId,
    operations: JSON.stringify(grant.operations),
    constraints: grant.constraints === undefined ? null : JSON.stringify(grant.constraints),
    created_ms: grant.createdMs,
  };
}

function fromRow(row: Selectable<GrantTable>): Grant {
  return {
    region: row.region,
    keyId: row.key_id,
    grantId: row.grant_id,
    name: row.name ?? undefined,
    grantee: toParty(row.grantee_kind, row.grantee, row.grantee_id),
    retiring: row.retiring === null ? undefined : toParty(row.retiring_kind, row.retiring, row.retiring_id),
    issuingAccountId: row.issuing_account_id,
    operations: JSON.parse(row.operations) as GrantOperation[],
    constraints: row.constraints === null ? undefined : (JSON.parse(row.constraints) as GrantConstraints),
    createdMs: row.created_ms,
  };
}

function toParty(kind: string | null, name: string, id: string | null): GrantParty {
  return { kind: kind as GrantParty['kind'], name, ...(id === null || id === name ? {} : { uniqueId: id }) };
}
