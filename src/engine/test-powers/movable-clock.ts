import type { Clock } from '../../base/clock.ts';

/** 9999-12-31T23:59:59Z, the last second that ISO 8601 writes with four digits of a year. */
const MAX_MS = 253_402_300_799_000;

/** A clock that runs like another one, and can be moved. */
export class MovableClock implements Clock {
  readonly #base: Clock;
  #offsetMs = 0;

  constructor(base: Clock) {
    this.#base = base;
  }

  nowMs(): number {
    return this.#base.nowMs() + this.#offsetMs;
  }

  /** Sets the time, forwards or backwards. @throws RangeError before 1970 or after 9999 */
  set(nowMs: number): void {
    if (!(nowMs >= 0 && nowMs <= MAX_MS)) {
      throw new RangeError('the time must lie between 1970 and 9999');
    }
    this.#offsetMs = nowMs - this.#base.nowMs();
  }

  /** Takes every move back. */
  reset(): void {
    this.#offsetMs = 0;
  }

  /** @throws RangeError when the time would lie before 1970 or after 9999 */
  advance(ms: number): void {
    this.set(this.nowMs() + ms);
  }
}
