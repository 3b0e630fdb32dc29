/** The side of a process that measures for the suite: one implementation on one module, asked over a channel. */
import type { Measured, Timed } from '../lib/group.ts';
import { LatencyCounter } from '../lib/latency.ts';
import { timePerCall } from '../lib/pool.ts';
import type { BenchToken } from './modules.ts';

/** Where a worker finds its settings, as JSON. */
export const SETTINGS_VARIABLE = 'KEYWRIGHT_BENCH_WORKER';

/** What a worker is started with. */
export interface WorkerSettings {
  readonly token: BenchToken;
  readonly sessions: number;
}

/** What the suite asks for. */
export interface Question {
  /** Names the work to the worker. */
  readonly work: string;
  /** Calls under way at the same time; 1 for work that is done at once. */
  readonly inFlight: number;
  readonly minimumMs: number;
  /** 0: the work is only made, and done once. */
  readonly samples: number;
}

export type Answer = { readonly measured: Measured } | { readonly error: string };

/** Something to measure. */
export interface Work {
  /** Messages that one call does. */
  readonly messages: number;
  /** Does it at once. */
  readonly now?: () => unknown;
  /** Or begins it; lanes are numbered from 0, and each waits for its call before it makes the next. */
  readonly start?: (lane: number) => Promise<unknown>;
}

/** The clock is asked once for so many calls of work that is done at once. */
const STRIDE = 8;

/** Answers questions, one after the other, until the suite hangs up. @param open makes the work of a name, once. */
export function serve(open: (work: string) => Work | Promise<Work>): void {
  const opened = new Map<string, Work>();
  const answer = async ({ work: name, inFlight, minimumMs, samples }: Question): Promise<Measured> => {
    let work = opened.get(name);
    if (work === undefined) {
      work = await open(name);
      await (work.now ?? work.start)?.(0);
      opened.set(name, work);
    }
    return measure(work, inFlight, minimumMs, samples);
  };
  process.on('message', (question: Question) => {
    answer(question).then(
      (measured) => process.send?.({ measured } satisfies Answer),
      (error: unknown) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        process.send?.({ error: text } satisfies Answer);
      },
    );
  });
  process.on('disconnect', () => process.exit());
}

export function settings(): WorkerSettings {
  return JSON.parse(process.env[SETTINGS_VARIABLE] ?? '{}') as WorkerSettings;
}

async function measure(work: Work, inFlight: number, minimumMs: number, samples: number): Promise<Measured> {
  globalThis.gc?.();
  const taken: Timed[] = [];
  while (taken.length < samples) {
    const { ns, cpuNs } = await time(work, inFlight, minimumMs);
    taken.push({ ns: ns / work.messages, cpuNs: cpuNs / work.messages });
  }
  const latencies = new LatencyCounter();
  if (samples > 0) await time(timed(work, latencies), inFlight, minimumMs);
  return { samples: taken, latencies: latencies.histogram() };
}

/** @returns times of one call */
async function time({ now, start }: Work, inFlight: number, minimumMs: number): Promise<Timed> {
  if (now !== undefined) return timeAtOnce(now, minimumMs);
  if (start !== undefined) return timePerCall(inFlight, start, minimumMs);
  throw new Error('there is nothing to measure');
}

function timeAtOnce(now: () => unknown, minimumMs: number): Timed {
  const cpuBegin = process.cpuUsage();
  const begin = process.hrtime.bigint();
  let calls = 0;
  let elapsedNs = 0;
  while (elapsedNs < minimumMs * 1e6) {
    for (let call = 0; call < STRIDE; call++) now();
    calls += STRIDE;
    elapsedNs = Number(process.hrtime.bigint() - begin);
  }
  const { user, system } = process.cpuUsage(cpuBegin);
  return { ns: elapsedNs / calls, cpuNs: ((user + system) * 1000) / calls };
}

function timed({ messages, now, start }: Work, latencies: LatencyCounter): Work {
  const since = (beginMs: number): void => {
    latencies.add((performance.now() - beginMs) * 1e6);
  };
  return {
    messages,
    ...(now === undefined
      ? {}
      : {
          now: () => {
            const begin = performance.now();
            now();
            since(begin);
          },
        }),
    ...(start === undefined
      ? {}
      : {
          start: async (lane) => {
            const begin = performance.now();
            await start(lane);
            since(begin);
          },
        }),
  };
}
