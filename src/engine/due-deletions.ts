import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { VersionConflictError, type KeyRepository } from '../service/ports.ts';

const INTERVAL_MS = 60_000;
const BATCH = 100;

/**
 * Deletes, for good, the keys whose waiting period is over. AWS allows itself 24 hours for that; here it is a minute.
 */
export class DueDeletions {
  readonly #keys: KeyRepository;
  readonly #clock: Clock;
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<number> | undefined;

  constructor(keys: KeyRepository, clock: Clock, log: Log) {
    this.#keys = keys;
    this.#clock = clock;
    this.#log = log;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.run().catch((error: unknown) => {
        this.#log.error('deleting due keys failed; it will be tried again', { error: String(error) });
      });
    }, INTERVAL_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running?.catch(() => undefined);
  }

  /** Returns how many keys were deleted. Runs do not overlap. */
  run(): Promise<number> {
    this.#running ??= this.#deleteAll().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #deleteAll(): Promise<number> {
    let count = 0;
    for (;;) {
      const due = await this.#keys.findDue(this.#clock.nowMs(), BATCH);
      for (const key of due) {
        try {
          await this.#keys.delete(key);
          count++;
          this.#log.info('key deleted', { key: key.arn });
        } catch (error) {
          // Cancelled, or deleted by another process, since it was found: the next look will tell.
          if (!(error instanceof VersionConflictError)) {
            throw error;
          }
        }
      }
      if (due.length < BATCH) {
        return count;
      }
    }
  }
}
