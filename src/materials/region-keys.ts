import type { CryptoCore, KeyHandle } from '../core/crypto-core.ts';
import type { Clock } from '../base/clock.ts';
import { InvariantError } from '../base/errors.ts';
import { encodeFields } from '../base/fields.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { HierarchyRecords, RegionKeyRecord } from '../base/stored-records.ts';
import type { RootKeys } from './root-keys.ts';

interface RegionKeyRing {
  readonly currentVersion: number;
  readonly handles: ReadonlyMap<number, KeyHandle>;
}

/** Not a Region: its key protects what all Regions share, the secrets of access keys. */
export const GLOBAL_REGION = 'global';

/**
 * The region keys: one per Region (versioned), each wrapped under the root key and bound to its Region and version. A
 * Region's key is made when the Region is first used.
 */
export class RegionKeys {
  readonly #core: CryptoCore;
  readonly #records: HierarchyRecords;
  readonly #rootKeys: RootKeys;
  readonly #clock: Clock;
  readonly #rings = new Map<string, MaybePromise<RegionKeyRing>>();

  constructor(core: CryptoCore, records: HierarchyRecords, rootKeys: RootKeys, clock: Clock) {
    this.#core = core;
    this.#records = records;
    this.#rootKeys = rootKeys;
    this.#clock = clock;
  }

  /** The key that new material is wrapped under. */
  current(region: string): MaybePromise<{ readonly handle: KeyHandle; readonly version: number }> {
    return chain(this.#ring(region), (ring) => ({
      handle: requireVersion(ring, region, ring.currentVersion),
      version: ring.currentVersion,
    }));
  }

  /** @throws InvariantError when the Region has no such version */
  byVersion(region: string, version: number): MaybePromise<KeyHandle> {
    return chain(this.#ring(region), (ring) => requireVersion(ring, region, version));
  }

  /** For versions that a caller claims: undefined when the Region has no such version. */
  findVersion(region: string, version: number): MaybePromise<KeyHandle | undefined> {
    return chain(this.#ring(region), (ring) => ring.handles.get(version));
  }

  #ring(region: string): MaybePromise<RegionKeyRing> {
    const known = this.#rings.get(region);
    if (known !== undefined) {
      return known;
    }
    const loading = this.#load(region).then(
      (ring) => {
        this.#rings.set(region, ring);
        return ring;
      },
      (error: unknown) => {
        this.#rings.delete(region);
        throw error;
      },
    );
    this.#rings.set(region, loading);
    return loading;
  }

  async #load(region: string): Promise<RegionKeyRing> {
    let records = await this.#records.findRegionKeys(region);
    while (records.length === 0) {
      const isInserted = await this.#records.insertRegionKey(await this.#create(region, 1));
      // Read again: another process may have been first, and then its key counts.
      records = await this.#records.findRegionKeys(region);
      if (!isInserted && records.length === 0) {
        // Another process moved the region keys to a new root key.
        await this.#rootKeys.refresh();
      }
    }
    const handles = new Map<number, KeyHandle>();
    for (const record of records) {
      handles.set(record.version, await this.#unwrap(record));
    }
    return { currentVersion: Math.max(...handles.keys()), handles };
  }

  async #create(region: string, version: number): Promise<RegionKeyRecord> {
    const root = await this.#rootKeys.current();
    const key = this.#core.generateKey('backing');
    const wrapped = await root.wrap(key, regionKeyAad(region, version));
    key.destroy();
    return { region, version, rootKeyVersion: root.version, wrapped, createdMs: this.#clock.nowMs() };
  }

  async #unwrap({ region, version, rootKeyVersion, wrapped }: RegionKeyRecord): Promise<KeyHandle> {
    const root = await this.#rootKeys.byVersion(rootKeyVersion);
    return root.unwrap(wrapped, regionKeyAad(region, version));
  }
}

function requireVersion(ring: RegionKeyRing, region: string, version: number): KeyHandle {
  const handle = ring.handles.get(version);
  if (handle === undefined) {
    throw new InvariantError(`version ${String(version)} of the region key of ${region} is missing`);
  }
  return handle;
}

/** What a wrapped region key is bound to. */
export function regionKeyAad(region: string, version: number): Buffer {
  return encodeFields('keywright/region-key/v1', region, String(version));
}
