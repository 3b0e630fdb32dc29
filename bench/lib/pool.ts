import type { Row } from './group.ts';

/** Threads of the pool that asynchronous work of this process runs on, those of libuv. */
export function poolThreads(): number {
  // What libuv takes when the variable says nothing.
  return Number(process.env['UV_THREADPOOL_SIZE']) || 4;
}

/**
 * A row that keeps `inFlight` operations going, each of which `start` begins: nanoseconds per message of all of them
 * together.
 *
 * @param messagesPerCall messages that one call of `start` does.
 */
export function inFlight(
  name: string,
  count: number,
  messagesPerCall: number,
  start: (lane: number) => Promise<unknown>,
  limit?: string,
): Row {
  const measure = async (minimumMs: number, samples: number): Promise<number[]> => {
    const times: number[] = [];
    while (times.length < samples) times.push((await timePerCall(count, start, minimumMs)) / messagesPerCall);
    return times;
  };
  return limit === undefined ? { name, measure } : { name, measure, limit };
}

/** Begins to count when each of the lanes has gone round once, and stops at the first completion after the time. */
async function timePerCall(
  lanes: number,
  start: (lane: number) => Promise<unknown>,
  minimumMs: number,
): Promise<number> {
  const minimumNs = minimumMs * 1e6;
  let done = 0;
  let begin = 0n;
  let elapsed = 0;
  const run = async (lane: number): Promise<void> => {
    while (elapsed < minimumNs) {
      await start(lane);
      if (elapsed >= minimumNs) return;
      if (++done === lanes) begin = process.hrtime.bigint();
      if (done > lanes) elapsed = Number(process.hrtime.bigint() - begin);
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, lane) => run(lane)));
  return elapsed / (done - lanes);
}
