import type { CryptoCore, KeyHandle } from '../core/crypto-core.ts';
import type { Clock } from '../base/clock.ts';
import { InvariantError } from '../base/errors.ts';
import { encodeFields } from '../base/fields.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { HierarchyRecords, RegionKeyRecord } from '../base/stored-records.ts';

interface RegionKeyRing {
  readonly currentVersion: number;
  readonly handles: ReadonlyMap<number, KeyHandle>;
}

/**
 * The region keys: one per Region (versioned), each wrapped under the root key and bound to its Region and version. A
 * Region's key is made when the Region is first used.
 */
export class RegionKeys {
  readonly #core: CryptoCore;
  readonly #records: HierarchyRecords;
  readonly #root: { readonly handle: KeyHandle; readonly version: number };
  readonly #clock: Clock;
  readonly #rings = new Map<string, MaybePromise<RegionKeyRing>>();

  constructor(
    core: CryptoCore,
    records: HierarchyRecords,
    root: { readonly handle: KeyHandle; readonly version: number },
    clock: Clock,
  ) {
    this.#core = core;
    this.#records = records;
    this.#root = root;
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
    if (records.length === 0) {
      await this.#records.insertRegionKey(this.#create(region, 1));
      // Read again: another process may have been first, and then its key counts.
      records = await this.#records.findRegionKeys(region);
    }
    const handles = new Map(records.map((record) => [record.version, this.#unwrap(record)]));
    return { currentVersion: Math.max(...handles.keys()), handles };
  }

  #create(region: string, version: number): RegionKeyRecord {
    const key = this.#core.generateKey('backing');
    const wrapped = this.#core.wrapKey(this.#root.handle, key, regionKeyAad(region, version));
    key.destroy();
    return { region, version, rootKeyVersion: this.#root.version, wrapped, createdMs: this.#clock.nowMs() };
  }

  #unwrap(record: RegionKeyRecord): KeyHandle {
    if (record.rootKeyVersion !== this.#root.version) {
      throw new InvariantError(`the region key of ${record.region} is under another root key`);
    }
    return this.#core.unwrapKey(
      this.#root.handle,
      record.wrapped,
      regionKeyAad(record.region, record.version),
      'backing',
    );
  }
}

function requireVersion(ring: RegionKeyRing, region: string, version: number): KeyHandle {
  const handle = ring.handles.get(version);
  if (handle === undefined) {
    throw new InvariantError(`version ${String(version)} of the region key of ${region} is missing`);
  }
  return handle;
}

function regionKeyAad(region: string, version: number): Buffer {
  return encodeFields('keywright/region-key/v1', region, String(version));
}
