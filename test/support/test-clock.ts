import type { Clock } from '../../src/base/clock.ts';

/** A clock that stands still unless it is moved; starts at the present second. */
export class TestClock implements Clock {
  #nowMs = Math.floor(Date.now() / 1000) * 1000;

  nowMs(): number {
    return this.#nowMs;
  }

  advanceMs(ms: number): void {
    this.#nowMs += ms;
  }
}
