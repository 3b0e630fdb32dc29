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

/** Rounds of the lanes in a sample at least: where one takes longer than a sample should, its ends would weigh. */
const MINIMUM_ROUNDS = 4;

/**
 * Keeps as many calls under way as there are lanes, until they were timed: at least so long, and four rounds.
 *
 * @returns times of one call, of all lanes together.
 */
export async function timePerCall(
  lanes: number,
  start: (lane: number) => Promise<unknown>,
  minimumMs: number,
): Promise<Timed> {
  const rounds = new Rounds(lanes, minimumMs * 1e6);
  const run = async (lane: number): Promise<void> => {
    while (rounds.timed === undefined) {
      await start(lane);
      rounds.count();
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, lane) => run(lane)));
  return rounds.timed ?? { ns: NaN, cpuNs: NaN };
}

/**
 * Times whole rounds, of as many calls as there are lanes, and not the first: calls that are begun together end
 * together, and a sample must not end between them.
 */
class Rounds {
  timed: Timed | undefined;
  readonly #lanes: number;
  readonly #minimumNs: number;
  #done = 0;
  #begin = 0n;
  #cpuBegin = process.cpuUsage();

  constructor(lanes: number, minimumNs: number) {
    this.#lanes = lanes;
    this.#minimumNs = minimumNs;
  }

  /** Another call has ended. */
  count(): void {
    if (++this.#done % this.#lanes !== 0 || this.timed !== undefined) return;
    const calls = this.#done - this.#lanes;
    if (calls === 0) {
      this.#cpuBegin = process.cpuUsage();
      this.#begin = process.hrtime.bigint();
      return;
    }
    const elapsedNs = Number(process.hrtime.bigint() - this.#begin);
    if (elapsedNs < this.#minimumNs || calls < MINIMUM_ROUNDS * this.#lanes) return;
    const { user, system } = process.cpuUsage(this.#cpuBegin);
    this.timed = { ns: elapsedNs / calls, cpuNs: ((user + system) * 1000) / calls };
  }
}
