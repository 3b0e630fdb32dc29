import type { Insertable, Kysely, Selectable } from 'kysely';
import type { Clock } from '../base/clock.ts';
import type {
  ConnectionErrorCode,
  ConnectionState,
  CustomKeyStore,
  KeyStoreType,
  XksConnectivity,
} from '../keys/key-store.ts';
import type { KeyStoreRepository } from '../service/key-store-ports.ts';
import type { Change, ChangeFeed } from './change-feed.ts';
import { outboxStatement } from './outbox.ts';
import type { CustomKeyStoreTable, Database } from './schema.ts';
import type { OpenDatabase, Statement } from './sqlite.ts';
import { writeVersioned } from './versioned-write.ts';

/** Custom key stores in the store. They are few and seldom asked for, so every answer comes from the tables. */
export class StoredKeyStores implements KeyStoreRepository {
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

  async find(region: string, storeId: string): Promise<CustomKeyStore | undefined> {
    const row = await this.#db
      .selectFrom('custom_key_stores')
      .selectAll()
      .where('region', '=', region)
      .where('store_id', '=', storeId)
      .executeTakeFirst();
    return row === undefined ? undefined : fromRow(row);
  }

  async list(region: string, accountId: string): Promise<readonly CustomKeyStore[]> {
    const rows = await this.#db
      .selectFrom('custom_key_stores')
      .selectAll()
      .where('region', '=', region)
      .where('account_id', '=', accountId)
      .orderBy('store_id')
      .execute();
    return rows.map(fromRow);
  }

  async findUnsettled(): Promise<readonly CustomKeyStore[]> {
    const rows = await this.#db
      .selectFrom('custom_key_stores')
      .selectAll()
      .where('connection_state', 'in', ['CONNECTING', 'DISCONNECTING'])
      .execute();
    return rows.map(fromRow);
  }

  async findConnected(type: KeyStoreType): Promise<readonly CustomKeyStore[]> {
    const rows = await this.#db
      .selectFrom('custom_key_stores')
      .selectAll()
      .where('connection_state', '=', 'CONNECTED')
      .where('type', '=', type)
      .execute();
    return rows.map(fromRow);
  }

  insert(store: CustomKeyStore): Promise<void> {
    return this.#write(store, { query: this.#db.insertInto('custom_key_stores').values(toRow(store)).compile() });
  }

  update(store: CustomKeyStore): Promise<void> {
    const query = this.#db
      .updateTable('custom_key_stores')
      .set(toRow(store))
      .where('region', '=', store.region)
      .where('store_id', '=', store.storeId)
      .where('version', '=', store.version - 1);
    return this.#write(store, { query: query.compile(), mustChange: true });
  }

  delete(store: CustomKeyStore): Promise<void> {
    const query = this.#db
      .deleteFrom('custom_key_stores')
      .where('region', '=', store.region)
      .where('store_id', '=', store.storeId)
      .where('version', '=', store.version);
    return this.#write(store, { query: query.compile(), mustChange: true });
  }

  async hasKeys({ region, storeId }: CustomKeyStore): Promise<boolean> {
    return (await this.#keysIn(region, storeId).executeTakeFirst()) !== undefined;
  }

  async hasExternalKey({ region, storeId }: CustomKeyStore, xksKeyId: string): Promise<boolean> {
    const query = this.#keysIn(region, storeId).where('xks_key_id', '=', xksKeyId);
    return (await query.executeTakeFirst()) !== undefined;
  }

  #keysIn(region: string, storeId: string) {
    return this.#db
      .selectFrom('kms_keys')
      .select('key_id')
      .where('region', '=', region)
      .where('key_store_id', '=', storeId)
      .limit(1);
  }

  async #write(store: CustomKeyStore, statement: Statement): Promise<void> {
    const change: Change = { entity: 'keyStore', region: store.region, entity_id: store.storeId };
    const record = outboxStatement(this.#db, change, store.version, this.#clock.nowMs());
    await writeVersioned(this.#database, [statement, record]);
    this.#feed.announce(change);
  }
}

function toRow(store: CustomKeyStore): Insertable<CustomKeyStoreTable> {
  const { backing } = store;
  const cluster = backing.type === 'AWS_CLOUDHSM' ? backing : undefined;
  const proxy = backing.type === 'EXTERNAL_KEY_STORE' ? backing : undefined;
  return {
    region: store.region,
    store_id: store.storeId,
    account_id: store.accountId,
    name: store.name,
    type: backing.type,
    cluster_id: cluster?.clusterId ?? null,
    trust_anchor_certificate: cluster?.trustAnchorCertificate ?? null,
    connectivity: proxy?.connectivity ?? null,
    uri_endpoint: proxy?.uriEndpoint ?? null,
    uri_path: proxy?.uriPath ?? null,
    vpc_service_name: proxy?.vpcServiceName ?? null,
    vpc_service_owner: proxy?.vpcServiceOwner ?? null,
    access_key_id: proxy?.accessKeyId ?? null,
    sealed_secret: store.sealedSecret,
    connection_state: store.connectionState,
    connection_error_code: store.connectionErrorCode ?? null,
    created_ms: store.createdMs,
    version: store.version,
  };
}

function fromRow(row: Selectable<CustomKeyStoreTable>): CustomKeyStore {
  return {
    region: row.region,
    accountId: row.account_id,
    storeId: row.store_id,
    name: row.name,
    backing: backingOf(row),
    sealedSecret: row.sealed_secret,
    connectionState: row.connection_state as ConnectionState,
    connectionErrorCode: (row.connection_error_code ?? undefined) as ConnectionErrorCode | undefined,
    createdMs: row.created_ms,
    version: row.version,
  };
}

function backingOf(row: Selectable<CustomKeyStoreTable>): CustomKeyStore['backing'] {
  // The table's checks see to it that the columns of the type are there.
  return (row.type as KeyStoreType) === 'AWS_CLOUDHSM'
    ? {
        type: 'AWS_CLOUDHSM',
        clusterId: row.cluster_id ?? '',
        trustAnchorCertificate: row.trust_anchor_certificate ?? '',
      }
    : {
        type: 'EXTERNAL_KEY_STORE',
        connectivity: row.connectivity as XksConnectivity,
        uriEndpoint: row.uri_endpoint ?? '',
        uriPath: row.uri_path ?? '',
        vpcServiceName: row.vpc_service_name ?? undefined,
        vpcServiceOwner: row.vpc_service_owner ?? undefined,
        accessKeyId: row.access_key_id ?? '',
      };
}
