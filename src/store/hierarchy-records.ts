import type { Kysely } from 'kysely';
import type { HierarchyRecords, RegionKeyRecord, RootKeyRecord } from '../base/stored-records.ts';
import type { Database } from './schema.ts';

/** Root and region keys at rest. */
export class StoredHierarchy implements HierarchyRecords {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  findRootKey(): Promise<RootKeyRecord | undefined> {
    return this.#db
      .selectFrom('root_keys')
      .select(['version', 'provider', 'parameters', 'created_ms as createdMs'])
      .orderBy('version', 'desc')
      .executeTakeFirst();
  }

  async insertRootKey({ version, provider, parameters, createdMs }: RootKeyRecord): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('root_keys')
      .values({ version, provider, parameters, created_ms: createdMs })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows === 1n;
  }

  findRegionKeys(region: string): Promise<readonly RegionKeyRecord[]> {
    return this.#db
      .selectFrom('region_keys')
      .select(['region', 'version', 'root_key_version as rootKeyVersion', 'wrapped', 'created_ms as createdMs'])
      .where('region', '=', region)
      .execute();
  }

  async insertRegionKey(record: RegionKeyRecord): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await this.#db
      .insertInto('region_keys')
      .values({
        region: record.region,
        version: record.version,
        root_key_version: record.rootKeyVersion,
        wrapped: record.wrapped,
        created_ms: record.createdMs,
      })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows === 1n;
  }
}
