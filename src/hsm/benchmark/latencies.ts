/** Milliseconds from call to answer of many calls, and what is told of them. */
export class Latencies {
  readonly #milliseconds: number[] = [];

  add(milliseconds: number): void {
    this.#milliseconds.push(milliseconds);
  }

  /**
   * Percentiles in microseconds. Those that would rest on fewer than ten calls are left out: p99 of fewer than 1,000
   * calls, p99.9 of fewer than 10,000.
   */
  percentiles(): { readonly p50Us?: number; readonly p99Us?: number; readonly p999Us?: number } {
    const sorted = Float64Array.from(this.#milliseconds).sort();
    const at = (fraction: number): number => (sorted[Math.ceil(fraction * sorted.length) - 1] ?? NaN) * 1000;
    return {
      ...(sorted.length < 1 ? {} : { p50Us: at(0.5) }),
      ...(sorted.length < 1e3 ? {} : { p99Us: at(0.99) }),
      ...(sorted.length < 1e4 ? {} : { p999Us: at(0.999) }),
    };
  }
}
