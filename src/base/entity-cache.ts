import type { MaybePromise } from './maybe-promise.ts';

/**
 * A bounded cache of stored entities. A missing entry is loaded once, however many callers wait for it; a load that was
 * under way when its entry was dropped does not come back as a cached value.
 */
export class EntityCache<T extends object> {
  readonly #maxEntries: number;
  readonly #entries = new Map<string, T>();
  readonly #loads = new Map<string, Promise<T | undefined>>();

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get(id: string, load: () => Promise<T | undefined>): MaybePromise<T | undefined> {
    return this.#entries.get(id) ?? this.#loads.get(id) ?? this.#startLoad(id, load);
  }

  drop(id: string): void {
    this.#entries.delete(id);
    this.#loads.delete(id);
  }

  /** Drops every entry whose id begins with `prefix`; takes a look at each entry. */
  dropAll(prefix: string): void {
    for (const id of [...this.#entries.keys(), ...this.#loads.keys()]) {
      if (id.startsWith(prefix)) {
        this.drop(id);
      }
    }
  }

  #startLoad(id: string, load: () => Promise<T | undefined>): Promise<T | undefined> {
    const loading = load().then(
      (entity) => {
        if (this.#loads.get(id) === loading) {
          this.#loads.delete(id);
          if (entity !== undefined) {
            this.#insert(id, entity);
          }
        }
        return entity;
      },
      (error: unknown) => {
        if (this.#loads.get(id) === loading) {
          this.#loads.delete(id);
        }
        throw error;
      },
    );
    this.#loads.set(id, loading);
    return loading;
  }

  /** The oldest entry makes room: a reload is cheap, so recency of use is not worth tracking on the hot path. */
  #insert(id: string, entity: T): void {
    if (this.#entries.size >= this.#maxEntries) {
      const oldest = this.#entries.keys().next();
      if (oldest.done !== true) {
        this.#entries.delete(oldest.value);
      }
    }
    this.#entries.set(id, entity);
  }
}
