import type { Clock } from '../../base/clock.ts';

/** Longest lag, in milliseconds. AWS speaks of up to five minutes for grants. */
const MAX_LAG_MS = 600_000;

/** How long changes stay unseen, as under the eventual consistency of AWS KMS. */
export class Lag {
  readonly #clock: Clock;
  #ms = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** 0 while changes are seen at once. */
  get ms(): number {
    return this.#ms;
  }

  /** @throws RangeError outside of 0 to 600,000 */
  set(ms: number): void {
    if (!(ms >= 0 && ms <= MAX_LAG_MS)) {
      throw new RangeError(`the lag must be 0 to ${String(MAX_LAG_MS)} milliseconds`);
    }
    this.#ms = ms;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  /** Whether a change of that time is still unseen. */
  hides(changedMs: number): boolean {
    const ageMs = this.#clock.nowMs() - changedMs;
    return ageMs >= 0 && ageMs < this.#ms;
  }
}

interface Past<T> {
  /** What was there before the change; undefined when nothing was. */
  readonly value: T | undefined;
  readonly changedMs: number;
}

/** What entities were before their last changes, for as long as the lag shows it. */
export class History<T> {
  readonly #lag: Lag;
  /** Oldest first. */
  readonly #pasts = new Map<string, Past<T>[]>();

  constructor(lag: Lag) {
    this.#lag = lag;
  }

  /** Notes a change that was just made. */
  record(id: string, previous: T | undefined): void {
    if (this.#lag.ms === 0) {
      return;
    }
    this.#forgetOld();
    const past = { value: previous, changedMs: this.#lag.nowMs() };
    this.#pasts.set(id, [...(this.#pasts.get(id) ?? []), past]);
  }

  /** What is still shown instead of the present state; undefined when the present state is. */
  shown(id: string): Past<T> | undefined {
    return this.#pasts.get(id)?.find(({ changedMs }) => this.#lag.hides(changedMs));
  }

  /** Everything that is still shown instead of the present state. */
  allShown(): readonly Past<T>[] {
    return [...this.#pasts.keys()].map((id) => this.shown(id)).filter((past) => past !== undefined);
  }

  #forgetOld(): void {
    for (const [id, pasts] of this.#pasts) {
      const kept = pasts.filter(({ changedMs }) => this.#lag.hides(changedMs));
      if (kept.length === 0) {
        this.#pasts.delete(id);
      } else {
        this.#pasts.set(id, kept);
      }
    }
  }
}
