import type { Clock } from '../../base/clock.ts';
import { Faults } from './faults.ts';
import { Lag } from './lag.ts';
import { MovableClock } from './movable-clock.ts';

const SYSTEM_CLOCK: Clock = { nowMs: () => Date.now() };

/**
 * What tests may do to an engine, and to the clients that they test against it: move its time, let its calls fail, and
 * let its changes take effect late. An engine has them only when it is opened with them (`EngineOptions.testPowers`).
 */
export class TestPowers {
  /**
   * The time of the service: dates, schedules and expiry go by it, once maintenance ran (`Engine.runMaintenance`).
   * Signatures of requests are still checked against real time, by which clients sign.
   */
  readonly clock: MovableClock;
  readonly faults = new Faults();
  readonly lag: Lag;

  /** @param base what the clock follows until it is moved; default: the time of the system */
  constructor(base: Clock = SYSTEM_CLOCK) {
    this.clock = new MovableClock(base);
    this.lag = new Lag(this.clock);
  }
}
