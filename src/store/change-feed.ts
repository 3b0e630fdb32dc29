import type { OpenDatabase } from './sqlite.ts';
import type { OutboxTable } from './schema.ts';

/**
 * How stale a cached answer may be when another process changed the store: the time between two looks at it. A look
 * costs some microseconds, so the hot path does not take one for every request.
 */
export const MAX_STALENESS_MS = 5;

export type Change = Pick<OutboxTable, 'entity' | 'region' | 'entity_id'>;

/** Tells caches what any process changed: this one at once, others by tailing the outbox. */
export class ChangeFeed {
  readonly #database: OpenDatabase;
  readonly #listeners: ((change: Change) => void)[] = [];
  #checkedMs = Number.NEGATIVE_INFINITY;
  #dataVersion: number;
  #sequence: number;
  #pending: Promise<void> | undefined;

  private constructor(database: OpenDatabase, sequence: number) {
    this.#database = database;
    this.#dataVersion = database.dataVersion();
    this.#sequence = sequence;
  }

  static async open(database: OpenDatabase): Promise<ChangeFeed> {
    const last = await database.db
      .selectFrom('outbox')
      .select(({ fn }) => fn.max('sequence').as('sequence'))
      .executeTakeFirst();
    return new ChangeFeed(database, last?.sequence ?? 0);
  }

  subscribe(listener: (change: Change) => void): void {
    this.#listeners.push(listener);
  }

  /** Tells every listener of a change; for our own commits, which the data version does not show. */
  announce(change: Change): void {
    for (const listener of this.#listeners) {
      listener(change);
    }
  }

  /** Returns undefined when caches may be used as they are, and otherwise a promise to wait for before using them. */
  confirm(): Promise<void> | undefined {
    if (this.#pending !== undefined) {
      return this.#pending;
    }
    // Monotonic time: the clock of the service may be moved, the age of a cache may not.
    const nowMs = performance.now();
    if (nowMs - this.#checkedMs < MAX_STALENESS_MS) {
      return undefined;
    }
    this.#checkedMs = nowMs;
    const dataVersion = this.#database.dataVersion();
    if (dataVersion === this.#dataVersion) {
      return undefined;
    }
    this.#pending = this.#read(dataVersion).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #read(dataVersion: number): Promise<void> {
    const changes = await this.#database.db
      .selectFrom('outbox')
      .select(['sequence', 'entity', 'region', 'entity_id'])
      .where('sequence', '>', this.#sequence)
      .orderBy('sequence')
      .execute();
    for (const change of changes) {
      this.announce(change);
      this.#sequence = change.sequence;
    }
    this.#dataVersion = dataVersion;
  }
}
