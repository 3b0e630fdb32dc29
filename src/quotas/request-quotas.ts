import type { Clock } from '../base/clock.ts';
import type { QuotaRecords } from '../base/stored-records.ts';
import type { RequestQuotas } from '../service/ports.ts';
import { DEFAULT_RATES, defaultRate } from '../service/quota-groups.ts';

export interface QuotaSettings {
  /** Requests a second by name of the quota, instead of AWS's default; Infinity for none. */
  readonly rates?: ReadonlyMap<string, number>;
  /** How many seconds' worth of requests an idle account may make at once; default 60. */
  readonly burstSeconds?: number;
  /** The smallest burst, in requests; default 100. */
  readonly minBurst?: number;
}

const DEFAULT_BURST_SECONDS = 60;
const DEFAULT_MIN_BURST = 100;
/** A process draws requests from the shared bucket for this part of a second at once. */
const LEASES_PER_SECOND = 20;
/** An empty bucket is looked at again after this time at the latest. */
const MAX_WAIT_MS = 50;

/** What this process may still let through of one quota. */
interface Lease {
  remaining: number;
  /** Nothing is to be had from the shared bucket before this time. */
  emptyUntilMs: number;
}

/**
 * Token buckets by holder (account or custom key store), Region and quota, shared by all processes on one store:
 * a process leases a small share
 * of the bucket at once, so that most requests are counted in memory, and the sum stays within the rate.
 */
export class LeasedRequestQuotas implements RequestQuotas {
  readonly #records: QuotaRecords;
  readonly #settings: QuotaSettings;
  readonly #clock: Clock;
  readonly #leases = new Map<string, Lease>();

  /**
   * @param clock of the machine, which all processes on the store share; not that of the service, which tests may move
   * @throws RangeError for a rate or a burst that is no positive number, or the rate of a quota that there is not
   */
  constructor(records: QuotaRecords, clock: Clock, settings: QuotaSettings = {}) {
    for (const [quota, rate] of settings.rates ?? []) {
      if (!DEFAULT_RATES.has(quota) || !(rate > 0)) {
        throw new RangeError(`there is no quota ${quota} of ${String(rate)} requests a second`);
      }
    }
    for (const burst of [settings.burstSeconds, settings.minBurst]) {
      if (burst !== undefined && !(burst > 0 && Number.isFinite(burst))) {
        throw new RangeError('a burst must be a positive number');
      }
    }
    this.#records = records;
    this.#settings = settings;
    this.#clock = clock;
  }

  take(holder: string, region: string, quota: string): boolean {
    const rate = this.#settings.rates?.get(quota) ?? defaultRate(quota, region) ?? Number.POSITIVE_INFINITY;
    if (rate === Number.POSITIVE_INFINITY) {
      return true;
    }
    const bucket = `${holder}/${region}/${quota}`;
    const lease = this.#leases.get(bucket) ?? { remaining: 0, emptyUntilMs: 0 };
    this.#leases.set(bucket, lease);
    if (lease.remaining < 1 && !this.#renew(bucket, lease, rate)) {
      return false;
    }
    lease.remaining--;
    return true;
  }

  #renew(bucket: string, lease: Lease, rate: number): boolean {
    const nowMs = this.#clock.nowMs();
    const waitMs = lease.emptyUntilMs - nowMs;
    // A longer wait than there is means that the clock went back.
    if (waitMs > 0 && waitMs <= MAX_WAIT_MS) {
      return false;
    }
    const { burstSeconds = DEFAULT_BURST_SECONDS, minBurst = DEFAULT_MIN_BURST } = this.#settings;
    const capacity = Math.max(rate * burstSeconds, minBurst);
    lease.remaining = this.#records.take({
      bucket,
      wanted: Math.max(1, Math.floor(rate / LEASES_PER_SECOND)),
      perSecond: rate,
      capacity,
      nowMs,
    });
    lease.emptyUntilMs = lease.remaining < 1 ? nowMs + Math.min(1000 / rate, MAX_WAIT_MS) : 0;
    return lease.remaining >= 1;
  }
}
