import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type { KeyStoreConnections } from './key-store-connections.ts';
import { VersionConflictError, type KeyMaterialProvider, type KeyRepository } from '../service/ports.ts';
import { expireMaterials } from '../service/change-materials.ts';
import { deleteKey } from '../service/delete-key.ts';
import { rotateKey } from '../service/rotate-key.ts';

const INTERVAL_MS = 60_000;
const BATCH = 100;

/** What one round of maintenance did. */
export interface MaintenanceReport {
  readonly deletedKeys: number;
  /** Keys of which an imported material was deleted. */
  readonly expiredKeys: number;
  readonly rotatedKeys: number;
}

interface Job {
  readonly find: (nowMs: number, limit: number) => Promise<readonly KmsKey[]>;
  readonly perform: (key: KmsKey, nowMs: number) => Promise<void>;
  readonly done: string;
}

/**
 * What falls due by time: keys whose waiting period is over are deleted for good, imported material that expired is
 * deleted, keys whose rotation has come are rotated, and sessions that expired are forgotten. The dates stand in the
 * store, so whatever fell due while no process ran is made up for at the next start. Custom key stores that a process
 * left on their way are taken up too, and connected ones are asked for their health; neither is waited for.
 */
export class Maintenance {
  readonly #catchUp: () => Promise<void>;
  readonly #forgetSessions: () => Promise<unknown>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #deletion: Job;
  readonly #expiry: Job;
  readonly #rotation: Job;
  readonly #connections: KeyStoreConnections;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<MaintenanceReport> | undefined;

  /**
   * `catchUp` lets a process that serves no requests drop what others deleted; `forgetSessions` deletes temporary
   * credentials that expired long ago.
   */
  constructor(
    keys: KeyRepository,
    materials: KeyMaterialProvider,
    connections: KeyStoreConnections,
    catchUp: () => Promise<void>,
    forgetSessions: () => Promise<unknown>,
    clock: Clock,
    log: Log,
  ) {
    this.#connections = connections;
    this.#catchUp = catchUp;
    this.#forgetSessions = forgetSessions;
    this.#clock = clock;
    this.#log = log;
    this.#deletion = {
      find: (nowMs, limit) => keys.findDeletionDue(nowMs, limit),
      perform: (key, nowMs) => deleteKey({ keys, materials }, key, nowMs),
      done: 'key deleted',
    };
    this.#expiry = {
      find: (nowMs, limit) => keys.findMaterialExpiryDue(nowMs, limit),
      perform: (key, nowMs) => expireMaterials(keys, key, nowMs),
      done: 'expired key material deleted',
    };
    this.#rotation = {
      find: (nowMs, limit) => keys.findRotationDue(nowMs, limit),
      perform: (key, nowMs) => rotateKey({ keys, materials }, key, 'AUTOMATIC', nowMs),
      done: 'key rotated',
    };
  }

  /** Runs a round now and then every minute. */
  start(): void {
    const round = (): void => {
      this.run().catch((error: unknown) => {
        this.#log.error('maintenance failed; it will be tried again', { error: String(error) });
      });
    };
    this.#timer = setInterval(round, INTERVAL_MS).unref();
    round();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running?.catch(() => undefined);
  }

  /** Does everything that is due. Rounds do not overlap: a call during one gets its report. */
  run(): Promise<MaintenanceReport> {
    this.#running ??= this.#runRound().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #runRound(): Promise<MaintenanceReport> {
    await this.#catchUp();
    const deletedKeys = await this.#runJob(this.#deletion);
    const expiredKeys = await this.#runJob(this.#expiry);
    const rotatedKeys = await this.#runJob(this.#rotation);
    await this.#forgetSessions();
    await this.#connections.resume();
    await this.#connections.checkHealth();
    return { deletedKeys, expiredKeys, rotatedKeys };
  }

  async #runJob({ find, perform, done }: Job): Promise<number> {
    let total = 0;
    for (;;) {
      const nowMs = this.#clock.nowMs();
      const due = await find(nowMs, BATCH);
      let count = 0;
      for (const key of due) {
        if (await this.#attempt(key, () => perform(key, nowMs))) {
          count++;
          this.#log.info(done, { key: key.arn });
        }
      }
      total += count;
      // What failed is found again, so a batch without progress ends the round.
      if (due.length < BATCH || count === 0) {
        return total;
      }
    }
  }

  /** Returns whether it worked. One key that fails does not hold up the others. */
  async #attempt(key: KmsKey, perform: () => Promise<void>): Promise<boolean> {
    try {
      await perform();
      return true;
    } catch (error) {
      // After a conflict the key was changed, or done by another process, since it was found: the next round will tell.
      if (!(error instanceof VersionConflictError)) {
        this.#log.error('maintenance of a key failed; it will be tried again', { key: key.arn, error: String(error) });
      }
      return false;
    }
  }
}
