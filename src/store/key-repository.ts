import { sql, type CompiledQuery, type Insertable, type Kysely, type Selectable } from 'kysely';
import { keyArn } from '../base/arn.ts';
import type { Clock } from '../base/clock.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { KeyManager } from '../keys/aws-managed.ts';
import { importedMaterialsOf, nextMaterialExpiryMs } from '../keys/imported-materials.ts';
import type { KeyOrigin, KeySpec, KeyUsage } from '../keys/key-spec.ts';
import type { KeyState } from '../keys/key-state.ts';
import type { ConnectionState, KeyStoreMembership } from '../keys/key-store.ts';
import type { KmsKey, MultiRegionConfiguration } from '../keys/kms-key.ts';
import type { RotationType } from '../keys/rotation.ts';
import { loadPolicy } from '../policy/policy.ts';
import type {
  KeyChange,
  KeyRepository,
  MaterialEntry,
  NewMaterial,
  Page,
  PageRequest,
  WrappedMaterial,
} from '../service/ports.ts';
import type { Change, ChangeFeed } from './change-feed.ts';
import { changeOfAlias, insertAlias } from './alias-repository.ts';
import { EntityCache } from '../base/entity-cache.ts';
import { decodeImported, encodeImported } from './imported-column.ts';
import { outboxStatement } from './outbox.ts';
import { cutPage } from './page.ts';
import type { CustomKeyStoreTable, Database, KmsKeyTable } from './schema.ts';
import type { OpenDatabase, Statement } from './sqlite.ts';
import { writeVersioned } from './versioned-write.ts';

/** About 1.5 KB each with a default policy. */
const MAX_CACHED_KEYS = 50_000;

/** Keys in the store, behind a cache that every door of the store keeps fresh. */
export class StoredKeys implements KeyRepository {
  readonly #database: OpenDatabase;
  readonly #db: Kysely<Database>;
  readonly #feed: ChangeFeed;
  readonly #clock: Clock;
  readonly #cache = new EntityCache<KmsKey>(MAX_CACHED_KEYS);

  constructor(database: OpenDatabase, feed: ChangeFeed, clock: Clock) {
    this.#database = database;
    this.#db = database.db;
    this.#feed = feed;
    this.#clock = clock;
    feed.subscribe((change) => {
      if (change.entity === 'key') {
        this.#cache.drop(`${change.region}/${change.entity_id}`);
      } else if (change.entity === 'keyStore') {
        // Rare: which of the keys are in that store is not worth remembering.
        this.#cache.dropAll(`${change.region}/`);
      }
    });
  }

  find(region: string, keyId: string): MaybePromise<KmsKey | undefined> {
    const waiting = this.#feed.confirm();
    const lookUp = (): MaybePromise<KmsKey | undefined> =>
      this.#cache.get(`${region}/${keyId}`, () => this.#load(region, keyId));
    return waiting === undefined ? lookUp() : waiting.then(lookUp);
  }

  async list(region: string, accountId: string, page: PageRequest): Promise<Page<{ readonly keyId: string }>> {
    const rows = await this.#db
      .selectFrom('kms_keys')
      .select('key_id as keyId')
      .where('region', '=', region)
      .where('account_id', '=', accountId)
      .where('key_id', '>', page.after ?? '')
      .orderBy('key_id')
      .limit(page.limit + 1)
      .execute();
    return cutPage(rows, page.limit);
  }

  async countCustomerManaged(region: string, accountId: string): Promise<number> {
    const manager: KeyManager = 'CUSTOMER';
    const row = await this.#db
      .selectFrom('kms_keys')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('region', '=', region)
      .where('account_id', '=', accountId)
      .where('manager', '=', manager)
      .executeTakeFirst();
    return row?.count ?? 0;
  }

  async commit(changes: readonly KeyChange[]): Promise<void> {
    const statements = await Promise.all(changes.map((change) => this.#statementsOf(change)));
    const changed = changes.flatMap(changesOf);
    const records = changed.map(({ change, version }) =>
      outboxStatement(this.#db, change, version, this.#clock.nowMs()),
    );
    try {
      await writeVersioned(this.#database, [...statements.flat(), ...records]);
    } finally {
      for (const { change } of changed) {
        // Also after a conflict: what the cache holds is what the caller could not change.
        this.#feed.announce(change);
      }
    }
    if (changes.some(mayErase)) {
      this.#database.erase();
    }
  }

  async listMaterials(key: KmsKey, after: number, limit: number): Promise<Page<MaterialEntry>> {
    const rows = await this.#db
      .selectFrom('key_materials')
      .select(['sequence', 'material_id', 'rotation_type', 'rotated_ms'])
      .where('region', '=', key.region)
      .where('key_id', '=', key.keyId)
      .where('sequence', '>', after)
      .orderBy('sequence')
      .limit(limit + 1)
      .execute();
    const entries = rows.map(({ sequence, material_id: materialId, rotation_type: type, rotated_ms: atMs }) => ({
      sequence,
      materialId,
      rotation: type === null || atMs === null ? undefined : { type: type as RotationType, atMs },
    }));
    return cutPage(entries, limit);
  }

  async findDeletionDue(nowMs: number, limit: number): Promise<readonly KmsKey[]> {
    const rows = await this.#selectKeys()
      .where('state', '=', 'PendingDeletion')
      .where('deletion_ms', '<=', nowMs)
      .orderBy('deletion_ms')
      .limit(limit)
      .execute();
    return rows.map(fromRow);
  }

  async findRotationDue(nowMs: number, limit: number): Promise<readonly KmsKey[]> {
    const rows = await this.#selectKeys()
      .where('state', '=', 'Enabled')
      .where('next_rotation_ms', '<=', nowMs)
      .where((where) => where.or([where('multi_region_type', 'is', null), where('multi_region_type', '=', 'PRIMARY')]))
      .orderBy('next_rotation_ms')
      .limit(limit)
      .execute();
    return rows.map(fromRow);
  }

  async findMaterialExpiryDue(nowMs: number, limit: number): Promise<readonly KmsKey[]> {
    const rows = await this.#selectKeys()
      .where('material_expiry_ms', '<=', nowMs)
      .orderBy('material_expiry_ms')
      .limit(limit)
      .execute();
    return rows.map(fromRow);
  }

  async findMaterial(key: KmsKey, materialId: string): Promise<WrappedMaterial | undefined> {
    const row = await this.#db
      .selectFrom('key_materials')
      .select(['material_id', 'wrapped', 'region_key_version', 'created_ms'])
      .where('region', '=', key.region)
      .where('key_id', '=', key.keyId)
      .where('material_id', '=', materialId)
      .executeTakeFirst();
    return row === undefined
      ? undefined
      : {
          materialId: row.material_id,
          wrapped: row.wrapped,
          regionKeyVersion: row.region_key_version,
          createdMs: row.created_ms,
        };
  }

  #selectKeys() {
    return this.#db
      .selectFrom('kms_keys')
      .leftJoin('custom_key_stores as key_store', (join) =>
        join
          .onRef('key_store.region', '=', 'kms_keys.region')
          .onRef('key_store.store_id', '=', 'kms_keys.key_store_id'),
      )
      .selectAll('kms_keys')
      .select(['key_store.connection_state', 'key_store.cluster_id']);
  }

  async #load(region: string, keyId: string): Promise<KmsKey | undefined> {
    const row = await this.#selectKeys()
      .where('kms_keys.region', '=', region)
      .where('key_id', '=', keyId)
      .executeTakeFirst();
    return row === undefined ? undefined : fromRow(row);
  }

  async #statementsOf(change: KeyChange): Promise<readonly Statement[]> {
    const { key } = change;
    switch (change.kind) {
      case 'create':
        return [
          this.#insertKey(key),
          ...change.materials.map((material, index) => this.#insertMaterial(key, material, index + 1)),
          ...(change.alias === undefined ? [] : [{ query: insertAlias(this.#db, change.alias), mustChange: true }]),
        ];
      case 'update': {
        const { materials = [] } = change;
        // Two changes at once take the same numbers; the version of the key lets only one of them through.
        const last = materials.length === 0 ? 0 : await this.#lastSequence(key);
        return [
          this.#updateKey(key),
          ...(key.imported === undefined ? [] : [this.#deleteAbsentMaterials(key)]),
          ...materials.map((material, index) => this.#insertMaterial(key, material, last + index + 1)),
        ];
      }
      case 'delete':
        return this.#deleteKey(key);
    }
  }

  #insertKey(key: KmsKey): Statement {
    const query = this.#db
      .insertInto('kms_keys')
      .values(toRow(key))
      .onConflict((conflict) => conflict.doNothing());
    return { query: query.compile(), mustChange: true };
  }

  #updateKey(changed: KmsKey): Statement {
    const query = this.#db
      .updateTable('kms_keys')
      .set(toRow(changed))
      .where('region', '=', changed.region)
      .where('key_id', '=', changed.keyId)
      .where('version', '=', changed.version - 1);
    return { query: query.compile(), mustChange: true };
  }

  #deleteKey({ region, keyId, version }: KmsKey): readonly Statement[] {
    const aliases = this.#db.deleteFrom('aliases').where('region', '=', region).where('target_key_id', '=', keyId);
    const key = this.#db
      .deleteFrom('kms_keys')
      .where('region', '=', region)
      .where('key_id', '=', keyId)
      .where('version', '=', version);
    return [
      { query: this.#recordLostAliases(region, keyId) },
      { query: aliases.compile() },
      { query: key.compile(), mustChange: true },
    ];
  }

  /** What an imported key does not say to be there is not kept. */
  #deleteAbsentMaterials(key: KmsKey): Statement {
    const present = importedMaterialsOf(key).filter(({ presence }) => presence !== undefined);
    const query = this.#db
      .deleteFrom('key_materials')
      .where('region', '=', key.region)
      .where('key_id', '=', key.keyId)
      .where(
        'material_id',
        'not in',
        present.map(({ materialId }) => materialId),
      );
    return { query: query.compile() };
  }

  async #lastSequence(key: KmsKey): Promise<number> {
    const last = await this.#db
      .selectFrom('key_materials')
      .select(({ fn }) => fn.max('sequence').as('sequence'))
      .where('region', '=', key.region)
      .where('key_id', '=', key.keyId)
      .executeTakeFirst();
    return last?.sequence ?? 0;
  }

  /** An imported material that is there already is imported again, with another date or description. */
  #insertMaterial(key: KmsKey, { material, rotation }: NewMaterial, sequence: number): Statement {
    const query = this.#db.insertInto('key_materials').values({
      region: key.region,
      key_id: key.keyId,
      material_id: material.materialId,
      sequence,
      wrapped: material.wrapped,
      region_key_version: material.regionKeyVersion,
      rotation_type: rotation?.type ?? null,
      rotated_ms: rotation?.atMs ?? null,
      created_ms: material.createdMs,
    });
    const again = query.onConflict((conflict) =>
      conflict.columns(['region', 'key_id', 'material_id']).doUpdateSet({
        wrapped: material.wrapped,
        region_key_version: material.regionKeyVersion,
      }),
    );
    return { query: (key.imported === undefined ? query : again).compile() };
  }

  /** Tells the outbox of every alias that goes with its key. */
  #recordLostAliases(region: string, keyId: string): CompiledQuery {
    return this.#db
      .insertInto('outbox')
      .columns(['entity', 'region', 'entity_id', 'version', 'at_ms'])
      .expression((query) =>
        query
          .selectFrom('aliases')
          .select([
            sql.lit('alias').as('entity'),
            'region',
            sql<string>`account_id || ':' || name`.as('entity_id'),
            sql.lit(0).as('version'),
            sql.lit(this.#clock.nowMs()).as('at_ms'),
          ])
          .where('region', '=', region)
          .where('target_key_id', '=', keyId),
      )
      .compile();
  }
}

/** What the outbox tells of a change, and caches hear of. */
function changesOf(made: KeyChange): { readonly change: Change; readonly version: number }[] {
  const { key } = made;
  const ofKey = {
    change: { entity: 'key', region: key.region, entity_id: key.keyId },
    version: key.version,
  } as const;
  return made.kind === 'create' && made.alias !== undefined
    ? [ofKey, { change: changeOfAlias(made.alias), version: 0 }]
    : [ofKey];
}

/** Deleted keys and imported materials leave no bytes behind. */
function mayErase({ kind, key }: KeyChange): boolean {
  return kind === 'delete' || (kind === 'update' && key.imported !== undefined);
}

function toRow(key: KmsKey): Insertable<KmsKeyTable> {
  return {
    region: key.region,
    key_id: key.keyId,
    account_id: key.accountId,
    manager: key.manager,
    key_spec: key.keySpec,
    key_usage: key.keyUsage,
    origin: key.origin,
    state: key.state,
    description: key.description,
    policy: key.policy.text,
    tags: JSON.stringify([...key.tags]),
    multi_region_type: key.multiRegion?.type ?? null,
    multi_region: key.multiRegion === undefined ? null : JSON.stringify(key.multiRegion),
    current_material_id: key.currentMaterialId ?? null,
    imported: key.imported === undefined ? null : encodeImported(key.imported),
    material_expiry_ms: nextMaterialExpiryMs(key) ?? null,
    rotation_period_days: key.rotation?.periodDays ?? null,
    next_rotation_ms: key.rotation?.nextMs ?? null,
    on_demand_rotations: key.onDemandRotations,
    created_ms: key.createdMs,
    deletion_ms: key.deletionMs ?? null,
    pending_window_days: key.pendingWindowDays ?? null,
    key_store_id: key.keyStore?.storeId ?? null,
    xks_key_id: key.keyStore?.xksKeyId ?? null,
    version: key.version,
  };
}

/** A key with what it needs of its custom key store. */
type KeyRow = Selectable<KmsKeyTable> & NullableStore;
type NullableStore = {
  readonly [Column in 'connection_state' | 'cluster_id']: Selectable<CustomKeyStoreTable>[Column] | null;
};

function keyStoreOf(row: KeyRow): KeyStoreMembership | undefined {
  return row.key_store_id === null
    ? undefined
    : {
        storeId: row.key_store_id,
        clusterId: row.cluster_id ?? undefined,
        xksKeyId: row.xks_key_id ?? undefined,
        isConnected: (row.connection_state as ConnectionState | null) === 'CONNECTED',
      };
}

function fromRow(row: KeyRow): KmsKey {
  return {
    region: row.region,
    accountId: row.account_id,
    keyId: row.key_id,
    arn: keyArn(row.region, row.account_id, row.key_id),
    manager: row.manager as KeyManager,
    keySpec: row.key_spec as KeySpec,
    keyUsage: row.key_usage as KeyUsage,
    origin: row.origin as KeyOrigin,
    state: row.state as KeyState,
    description: row.description,
    policy: loadPolicy(row.policy, 'key'),
    tags: new Map(JSON.parse(row.tags) as [string, string][]),
    multiRegion: row.multi_region === null ? undefined : (JSON.parse(row.multi_region) as MultiRegionConfiguration),
    currentMaterialId: row.current_material_id ?? undefined,
    imported: row.imported === null ? undefined : decodeImported(row.imported),
    rotation:
      row.rotation_period_days === null || row.next_rotation_ms === null
        ? undefined
        : { periodDays: row.rotation_period_days, nextMs: row.next_rotation_ms },
    onDemandRotations: row.on_demand_rotations,
    createdMs: row.created_ms,
    deletionMs: row.deletion_ms ?? undefined,
    pendingWindowDays: row.pending_window_days ?? undefined,
    keyStore: keyStoreOf(row),
    version: row.version,
  };
}
