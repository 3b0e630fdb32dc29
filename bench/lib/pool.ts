import type { Row, Timed } from './group.ts';

/** Threads of the pool that asynchronous work of this process runs on, those of libuv. */
export function poolThreads(): number {
  // What libuv takes when the variable says nothing.
  return Number(process.env['UV_THREADPOOL_SIZE']) || 4;
}

/**
 * A row that keeps `inFlight` operations going, each of which `start` begins: nanoseconds per message of all of them
 * together, and the processor time of the whole process.
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
  const measure = async (minimumMs: number, samples: number): Promise<Timed[]> => {
    const times: Timed[] = [];
    while (times.length < samples) {
      const { ns, cpuNs } = await timePerCall(count, start, minimumMs);
      times.push({ ns: ns / messagesPerCall, cpuNs: cpuNs / messagesPerCall });
    }
    return times;
  };
  return limit === undefined ? { name, measure } : { name, measure, limit };
}

/** Begins to count when each of the lanes has gone round once, and stops at the first completion after the time. */
async function timePerCall(
  lanes: number,
  start: (lane: number) => Promise<unknown>,
  minimumMs: number,
): Promise<Timed> {
  const minimumNs = minimumMs * 1e6;
  let done = 0;
  let begin = 0n;
  let elapsed = 0;
  let cpuBegin = process.cpuUsage();
  let cpuNs = 0;
  const run = async (lane: number): Promise<void> => {
    while (elapsed < minimumNs) {
      await start(lane);
      if (elapsed >= minimumNs) return;
      if (++done === lanes) {
        begin = process.hrtime.bigint();
        cpuBegin = process.cpuUsage();
      }
      if (done > lanes) elapsed = Number(process.hrtime.bigint() - begin);
      if (elapsed >= minimumNs) {
        const { user, system } = process.cpuUsage(cpuBegin);
        cpuNs = (user + system) * 1000;
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, lane) => run(lane)));
  return { ns: elapsed / (done - lanes), cpuNs: cpuNs / (done - lanes) };
}
