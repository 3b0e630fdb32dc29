import type { Clock } from '../base/clock.ts';
import { RootKeyError, type RootKey, type RootKeyProvider } from '../base/root-key.ts';
import type { HierarchyRecords, RootKeyRecord } from '../base/stored-records.ts';

/**
 * The root keys of a store, each from the provider that its record names. Region keys are under the newest; older ones
 * are only met while another process moves the region keys to a new one.
 */
export class RootKeys {
  readonly #records: HierarchyRecords;
  readonly #providers: readonly RootKeyProvider[];
  readonly #open = new Map<number, Promise<RootKey>>();
  #current: Promise<RootKey> | undefined;

  constructor(records: HierarchyRecords, providers: readonly RootKeyProvider[]) {
    this.#records = records;
    this.#providers = providers;
  }

  /**
   * The newest root key; the first start makes it.
   *
   * @param firstProvider who makes the root key of a new store
   * @throws RootKeyError
   */
  async openOrCreate(firstProvider: string, clock: Clock): Promise<RootKey> {
    const record = await this.#records.findRootKey();
    if (record !== undefined) {
      return this.current();
    }
    const made = await this.provider(firstProvider).create(1, clock.nowMs());
    if (await this.#records.insertRootKey(made.record)) {
      this.#open.set(made.key.version, Promise.resolve(made.key));
    }
    return this.current();
  }

  /** The newest root key, as this process knows it; see {@link refresh}. @throws RootKeyError */
  current(): Promise<RootKey> {
    if (this.#current === undefined) {
      const loading = this.#load();
      this.#current = loading;
      loading.catch(() => {
        this.#current = undefined;
      });
    }
    return this.#current;
  }

  /** Looks again which root key is the newest. @throws RootKeyError */
  refresh(): Promise<RootKey> {
    this.#current = undefined;
    return this.current();
  }

  /** @throws RootKeyError when there is no such version, or it cannot be had */
  async byVersion(version: number): Promise<RootKey> {
    const record = this.#open.has(version) ? undefined : await this.#records.findRootKey(version);
    return this.#opened(version, record);
  }

  /** @throws RootKeyError for a name that nobody here has */
  provider(name: string): RootKeyProvider {
    const found = this.#providers.find((provider) => provider.name === name);
    if (found === undefined) {
      throw new RootKeyError(
        `the root key comes from "${name}", which is not set up here: see "keywright root-key --help"`,
      );
    }
    return found;
  }

  async close(): Promise<void> {
    await Promise.all(this.#providers.map((provider) => provider.close()));
  }

  async #load(): Promise<RootKey> {
    const record = await this.#records.findRootKey();
    return this.#opened(record?.version ?? 0, record);
  }

  #opened(version: number, record: RootKeyRecord | undefined): Promise<RootKey> {
    const found = this.#open.get(version);
    if (found !== undefined) {
      return found;
    }
    if (record === undefined) {
      return Promise.reject(new RootKeyError(`this store has no root key of version ${String(version)}`));
    }
    const opening = Promise.resolve().then(() => this.provider(record.provider).open(record));
    this.#open.set(version, opening);
    opening.catch(() => this.#open.delete(version));
    return opening;
  }
}
