import type { HierarchyRecords, RegionKeyRecord, RootKeyRecord } from '../base/stored-records.ts';
import type { Compilable } from 'kysely';
import type { OpenDatabase, Statement } from './sqlite.ts';

/** Root and region keys at rest. */
export class StoredHierarchy implements HierarchyRecords {
  readonly #database: OpenDatabase;

  constructor(database: OpenDatabase) {
    this.#database = database;
  }

  findRootKey(version?: number): Promise<RootKeyRecord | undefined> {
    const newest = this.#database.db
      .selectFrom('root_keys')
      .select(['version', 'provider', 'parameters', 'created_ms as createdMs'])
      .orderBy('version', 'desc');
    return (version === undefined ? newest : newest.where('version', '=', version)).executeTakeFirst();
  }

  insertRootKey(record: RootKeyRecord): Promise<boolean> {
    return this.#database.write([{ query: this.#insertRootKey(record).compile(), mustChange: true }]);
  }

  findRegionKeys(region?: string): Promise<readonly RegionKeyRecord[]> {
    const all = this.#database.db
      .selectFrom('region_keys')
      .select(['region', 'version', 'root_key_version as rootKeyVersion', 'wrapped', 'created_ms as createdMs']);
    return (region === undefined ? all : all.where('region', '=', region)).execute();
  }

  insertRegionKey(record: RegionKeyRecord): Promise<boolean> {
    const insert = this.#database.db
      .insertInto('region_keys')
      .values({
        region: record.region,
        version: record.version,
        root_key_version: record.rootKeyVersion,
        wrapped: record.wrapped,
        created_ms: record.createdMs,
      })
      .onConflict((conflict) => conflict.doNothing());
    return this.#database.write([
      this.#requireNewest(record.rootKeyVersion),
      { query: insert.compile(), mustChange: true },
    ]);
  }

  replaceRootKey(record: RootKeyRecord, regionKeys: readonly RegionKeyRecord[]): Promise<boolean> {
    const updates = regionKeys.map(({ region, version, wrapped }): Statement => {
      const update = this.#database.db
        .updateTable('region_keys')
        .set({ wrapped, root_key_version: record.version })
        .where('region', '=', region)
        .where('version', '=', version);
      return { query: update.compile(), mustChange: true };
    });
    return this.#database.write([
      { query: this.#insertRootKey(record).compile(), mustChange: true },
      this.#requireNewest(record.version),
      ...updates,
      this.#requireNoneLeft(record.version),
    ]);
  }

  #insertRootKey({ version, provider, parameters, createdMs }: RootKeyRecord): Compilable {
    return this.#database.db
      .insertInto('root_keys')
      .values({ version, provider, parameters, created_ms: createdMs })
      .onConflict((conflict) => conflict.doNothing());
  }

  /** Changes nothing, and meets a row only while no root key is newer than this one. */
  #requireNewest(version: number): Statement {
    const query = this.#database.db
      .updateTable('root_keys')
      .set({ version })
      .where('version', '=', version)
      .where((is) =>
        is.not(
          is.exists(is.selectFrom('root_keys as other').select('other.version').where('other.version', '>', version)),
        ),
      );
    return { query: query.compile(), mustChange: true };
  }

  /** Changes nothing, and meets a row only when every region key is under this root key. */
  #requireNoneLeft(version: number): Statement {
    const query = this.#database.db
      .updateTable('root_keys')
      .set({ version })
      .where('version', '=', version)
      .where((is) =>
        is.not(is.exists(is.selectFrom('region_keys').select('region').where('root_key_version', '!=', version))),
      );
    return { query: query.compile(), mustChange: true };
  }
}
