/** Times from call to answer: how many lie around 2^(bucket/32) ns, as [bucket, count], in any order. */
export type Histogram = readonly (readonly [bucket: number, count: number])[];

/** One bucket is 2 % wide, which no latency is worth more than. */
const BUCKETS_PER_OCTAVE = 32;

export interface Latency {
  readonly count: number;
  readonly p50Ns: number;
  /** Absent where so few were taken that it would be the slowest of them. */
  readonly p99Ns?: number;
  readonly p999Ns?: number;
}

/** Counts latencies. */
export class LatencyCounter {
  readonly #counts = new Map<number, number>();

  add(nanoseconds: number): void {
    this.#count(Math.round(Math.log2(Math.max(1, nanoseconds)) * BUCKETS_PER_OCTAVE), 1);
  }

  addAll(histogram: Histogram): void {
    for (const [bucket, count] of histogram) this.#count(bucket, count);
  }

  histogram(): Histogram {
    return [...this.#counts].sort(([a], [b]) => a - b);
  }

  /** Absent when nothing was counted. */
  summary(): Latency | undefined {
    const buckets = this.histogram();
    const count = buckets.reduce((sum, [, each]) => sum + each, 0);
    if (count === 0) return undefined;
    const quantile = (fraction: number): number => {
      let seen = 0;
      const found = buckets.find(([, each]) => (seen += each) >= fraction * count);
      return 2 ** ((found?.[0] ?? 0) / BUCKETS_PER_OCTAVE);
    };
    return {
      count,
      p50Ns: quantile(0.5),
      ...(count < 1e3 ? {} : { p99Ns: quantile(0.99) }),
      ...(count < 1e4 ? {} : { p999Ns: quantile(0.999) }),
    };
  }

  #count(bucket: number, count: number): void {
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
  }
}
