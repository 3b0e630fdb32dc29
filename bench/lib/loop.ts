import Benchmark from 'benchmark';
import type { Row } from './group.ts';

/** Messages are done in runs of about this many nanoseconds, next to which the loop of `benchmark` costs nothing. */
const RUN_NS = 20_000;
const NS_PER_SECOND = 1e9;

/**
 * A row that calls `work` in this process, on the timing loop of the package `benchmark`.
 *
 * @param messagesPerCall messages that one call of `work` does.
 */
export function inProcess(name: string, messagesPerCall: number, work: () => unknown, limit?: string): Row {
  let callsPerRun = 0;
  let initialCount = 1;
  const run = (): void => {
    for (let i = 0; i < callsPerRun; i++) work();
  };

  const measure = (minimumMs: number, samples: number): number[] => {
    callsPerRun ||= callsWithin(work, RUN_NS);
    const benchmark = new Benchmark({
      fn: run,
      initCount: initialCount,
      minTime: minimumMs / 1000,
      minSamples: samples,
      maxTime: 0,
    });
    benchmark.run({ async: false });
    if ((benchmark.error as Error | undefined) !== undefined) throw benchmark.error;
    // Later rounds need not feel their way up to the number of runs that fill the time.
    initialCount = benchmark.count;
    const messages = callsPerRun * messagesPerCall;
    return (benchmark.stats.sample as number[]).map((seconds) => (seconds * NS_PER_SECOND) / messages);
  };
  return limit === undefined ? { name, measure } : { name, measure, limit };
}

/** How often `work` fits into so many nanoseconds, at least once. The first calls, not compiled yet, do not count. */
function callsWithin(work: () => unknown, nanoseconds: number): number {
  let calls = 1;
  for (let round = 0; ; round++) {
    const begin = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) work();
    const elapsed = Number(process.hrtime.bigint() - begin);
    if (elapsed >= nanoseconds && round > 8) return Math.max(1, Math.round((calls * nanoseconds) / elapsed));
    if (elapsed < nanoseconds) calls *= 2;
  }
}
