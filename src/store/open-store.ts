import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { QuotaRecords } from '../base/stored-records.ts';
import { StoredAccessKeys } from './access-key-records.ts';
import { StoredAliases } from './alias-repository.ts';
import { ChangeFeed, type Change } from './change-feed.ts';
import { exclusively } from './exclusively.ts';
import { StoredGrants } from './grant-repository.ts';
import { StoredHierarchy } from './hierarchy-records.ts';
import { StoredLastUses } from './last-use-records.ts';
import { StoredKeyStores } from './key-store-repository.ts';
import { StoredKeys } from './key-repository.ts';
import { StoredPrincipals } from './principal-records.ts';
import { openQuotaFile, type OpenQuotas } from './quota-records.ts';
import { openSqlite } from './sqlite.ts';

/** An open store with its repositories. */
export interface Store {
  readonly keys: StoredKeys;
  readonly aliases: StoredAliases;
  readonly grants: StoredGrants;
  readonly lastUses: StoredLastUses;
  readonly keyStores: StoredKeyStores;
  readonly hierarchy: StoredHierarchy;
  /** Counts of requests, shared by all processes on this store; opened when they are first asked for. */
  quotas(): QuotaRecords;
  readonly accessKeys: StoredAccessKeys;
  readonly principals: StoredPrincipals;
  /** Calls `listener` for every key that changes or is deleted, in whatever process. */
  onKeyChange(listener: (region: string, keyId: string) => void): void;
  /** As {@link onKeyChange}, of custom key stores. */
  onKeyStoreChange(listener: (region: string, storeId: string) => void): void;
  /** Tells the listeners what other processes changed; requests do so by themselves. */
  catchUp(): Promise<void>;
  /** Runs `work` while no other process on this store runs any; for what a first start makes. Calls do not nest. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when the store answers; for readiness checks. */
  ping(): Promise<void>;
  /** Writes what is still in memory, then closes. */
  close(): Promise<void>;
}

const SQLITE_PREFIX = 'sqlite:';

/**
 * Opens the store behind a URL: `sqlite:PATH`. The file is made, readable by its owner alone, when it is missing.
 *
 * @throws Error for any other kind of URL, or when the store cannot be opened
 */
export async function openStore(url: string, clock: Clock, log: Log): Promise<Store> {
  if (!url.startsWith(SQLITE_PREFIX) || url.length === SQLITE_PREFIX.length) {
    throw new Error(`the store URL must have the form sqlite:PATH`);
  }
  const path = url.slice(SQLITE_PREFIX.length);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // SQLite gives its side files the mode of the main file, which it would make by the umask alone.
  closeSync(openSync(path, 'a', 0o600));
  const takeTurns = <T>(work: () => Promise<T>): Promise<T> => exclusively(`${path}-lock`, work);
  // The migrator has no lock between processes, and changing to the WAL does not wait for others.
  const database = await takeTurns(() => openSqlite(path));
  const feed = await ChangeFeed.open(database);
  let quotas: OpenQuotas | undefined;
  const { db } = database;
  const lastUses = new StoredLastUses(database, log);
  return {
    keys: new StoredKeys(database, feed, clock),
    aliases: new StoredAliases(database, feed, clock),
    grants: new StoredGrants(database, feed, clock),
    lastUses,
    keyStores: new StoredKeyStores(database, feed, clock),
    hierarchy: new StoredHierarchy(database),
    accessKeys: new StoredAccessKeys(database, feed, clock),
    principals: new StoredPrincipals(database, feed, clock),
    quotas: () => (quotas ??= openQuotaFile(`${path}-quotas`)),
    onKeyChange: (listener) => {
      subscribe(feed, 'key', listener);
    },
    onKeyStoreChange: (listener) => {
      subscribe(feed, 'keyStore', listener);
    },
    catchUp: async () => {
      await feed.confirm();
    },
    exclusively: takeTurns,
    ping: async () => {
      await db.selectFrom('root_keys').select('version').limit(1).execute();
    },
    close: async () => {
      await lastUses.close();
      quotas?.close();
      await database.close();
    },
  };
}

function subscribe(feed: ChangeFeed, entity: Change['entity'], listener: (region: string, id: string) => void): void {
  feed.subscribe((change) => {
    if (change.entity === entity) {
      listener(change.region, change.entity_id);
    }
  });
}
