import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadCore, type CryptoCore } from '../core/index.ts';
import { RootKeyError, type RootKey, type RootKeyProvider } from '../base/root-key.ts';
import { SILENT_LOG } from '../base/log.ts';
import type { RegionKeyRecord } from '../base/stored-records.ts';
import { PassphraseFileProvider } from '../materials/passphrase-file.ts';
import { regionKeyAad } from '../materials/region-keys.ts';
import { RootKeys } from '../materials/root-keys.ts';
import { openStore, type Store } from '../store/open-store.ts';

/** Where the store and its root keys are. */
export interface RootKeyPlace {
  readonly dataDirectory: string;
  /** `sqlite:PATH`; default: `keywright.db` in the data directory. */
  readonly store?: string;
  /** Besides the passphrase file in the data directory. */
  readonly rootKeyProviders?: readonly RootKeyProvider[];
}

/** What protects a store. */
export interface RootKeyStatus {
  readonly version: number;
  readonly provider: string;
  readonly createdMs: number;
  /** Region keys under this root key; that of what all Regions share counts as one. */
  readonly regionKeys: number;
}

/** How often a move begins again because a server made another region key meanwhile. */
const MAX_ATTEMPTS = 10;

/** The root keys of a store that is open. */
export function openRootKeys(core: CryptoCore, store: Store, place: RootKeyPlace): RootKeys {
  const passphraseFile = new PassphraseFileProvider(core, join(place.dataDirectory, 'root-key'));
  return new RootKeys(store.hierarchy, [passphraseFile, ...(place.rootKeyProviders ?? [])]);
}

/** @throws RootKeyError when the store has no root key yet */
export function readRootKeyStatus(place: RootKeyPlace): Promise<RootKeyStatus> {
  return withStore(place, (store) => statusOf(store));
}

/**
 * Makes a root key at another provider (or a new one at the same) and puts all region keys under it, in one change of
 * the store. Keys, ciphertexts and access keys stay as they are, and servers that run on the store go on: they hold the
 * region keys already, and open the new root key when they need it.
 *
 * @throws RootKeyError when one of the two root keys cannot be had; nothing has changed then
 */
export function moveRootKey(place: RootKeyPlace, providerName: string, nowMs: number): Promise<RootKeyStatus> {
  return withStore(place, async (store, rootKeys) => {
    const current = await rootKeys.current();
    const { record, key } = await rootKeys.provider(providerName).create(current.version + 1, nowMs);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const regionKeys = await store.hierarchy.findRegionKeys();
      const moved: RegionKeyRecord[] = [];
      for (const regionKey of regionKeys) {
        moved.push(await rewrap(regionKey, await rootKeys.byVersion(regionKey.rootKeyVersion), key));
      }
      if (await store.hierarchy.replaceRootKey(record, moved)) {
        return statusOf(store);
      }
      if ((await rootKeys.refresh()).version !== current.version) {
        throw new RootKeyError('another process moved the root key at the same time; this one changed nothing');
      }
    }
    throw new RootKeyError('the store changed again and again while its region keys were moved; nothing has changed');
  });
}

async function rewrap(regionKey: RegionKeyRecord, from: RootKey, to: RootKey): Promise<RegionKeyRecord> {
  const aad = regionKeyAad(regionKey.region, regionKey.version);
  const handle = await from.unwrap(regionKey.wrapped, aad);
  try {
    return { ...regionKey, rootKeyVersion: to.version, wrapped: await to.wrap(handle, aad) };
  } finally {
    handle.destroy();
  }
}

async function statusOf({ hierarchy }: Store): Promise<RootKeyStatus> {
  const record = await hierarchy.findRootKey();
  if (record === undefined) {
    throw new RootKeyError('this store has no root key yet: the first start of a server makes it');
  }
  const { version, provider, createdMs } = record;
  const regionKeys = (await hierarchy.findRegionKeys()).filter(({ rootKeyVersion }) => rootKeyVersion === version);
  return { version, provider, createdMs, regionKeys: regionKeys.length };
}

async function withStore<T>(place: RootKeyPlace, work: (store: Store, rootKeys: RootKeys) => Promise<T>): Promise<T> {
  mkdirSync(place.dataDirectory, { recursive: true, mode: 0o700 });
  const url = place.store ?? `sqlite:${join(place.dataDirectory, 'keywright.db')}`;
  const store = await openStore(url, { nowMs: () => Date.now() }, SILENT_LOG);
  const rootKeys = openRootKeys(loadCore(), store, place);
  try {
    return await work(store, rootKeys);
  } finally {
    await store.close();
    await rootKeys.close();
  }
}
