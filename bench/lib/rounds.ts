import type { Group, Row, Sample } from './group.ts';
import { LatencyCounter, type Latency } from './latency.ts';
import { medianOf, summarize, type Summary } from './statistics.ts';

export interface Effort {
  /** Turns that count. */
  readonly rounds: number;
  /** Turns before them, which do not: code gets compiled, caches and pools get filled. */
  readonly warmUpRounds: number;
  /** Samples of every row in a turn. */
  readonly samples: number;
  /** Milliseconds that a sample lasts at least. */
  readonly minimumMs: number;
}

export interface RowResult {
  readonly name: string;
  /** Nanoseconds per message: per round, its samples. */
  readonly samplesNs: readonly (readonly number[])[];
  /** Nanoseconds per message, over the medians of the rounds. */
  readonly time: Summary;
  readonly opsPerSecond: number;
  /** 10^9 bytes of plaintext per second. */
  readonly gigabytesPerSecond: number;
  /** How many times as fast as the baseline; 1 for itself. */
  readonly timesBaseline: Summary;
  /** Speed as a fraction of the limit's; absent for a row without one. */
  readonly ofLimit?: Summary;
  /** Nanoseconds of processor time per message, as {@link samplesNs}; where it was counted. */
  readonly cpuSamplesNs?: readonly (readonly number[])[];
  /** The processor time of the limit as a fraction of this one's; where both were counted. */
  readonly ofLimitCpu?: Summary;
  /** Over all rounds; where it was measured. */
  readonly latency?: Latency;
  /** As {@link Row} has them. */
  readonly baseline?: string;
  readonly series?: string;
  readonly inFlight?: number;
}

export interface GroupResult {
  readonly name: string;
  readonly sizeBytes: number;
  readonly baseline: string;
  readonly rows: readonly RowResult[];
}

/** Measures the rows of a group in turns. Every round begins with another row, so that none profits from its place. */
export async function measureGroup(group: Group, effort: Effort): Promise<GroupResult> {
  const rows = await group.open();
  const latencies = new Map<string, LatencyCounter>();
  const samples = new Map<string, Sample[][]>(rows.map(({ name }) => [name, []]));
  for (let round = 0; round < effort.warmUpRounds + effort.rounds; round++) {
    const first = round % rows.length;
    for (const row of [...rows.slice(first), ...rows.slice(0, first)]) {
      // Nobody's time is spent on the garbage of the row before, and everybody's on their own.
      globalThis.gc?.();
      const measured = await row.measure(effort.minimumMs, effort.samples);
      if (round < effort.warmUpRounds) continue;
      samples.get(row.name)?.push('samples' in measured ? measured.samples : measured);
      if ('samples' in measured) {
        const counter = latencies.get(row.name) ?? new LatencyCounter();
        counter.addAll(measured.latencies);
        latencies.set(row.name, counter);
      }
    }
  }
  const result = evaluate(group, rows, samples);
  const withLatency = (row: RowResult): RowResult => {
    const latency = latencies.get(row.name)?.summary();
    return latency === undefined ? row : { ...row, latency };
  };
  return { ...result, rows: result.rows.map(withLatency) };
}

/**
 * Figures of a group from its samples. A ratio is taken within each round, and the median of the rounds reported: what
 * slows the machine down for seconds meets both sides of it.
 *
 * @param samples per name of a row, its rounds with their samples.
 * @throws Error when a row, or one that it refers to, was not measured.
 */
export function evaluate(
  group: Omit<Group, 'open'>,
  rows: readonly Omit<Row, 'measure'>[],
  samples: ReadonlyMap<string, readonly (readonly Sample[])[]>,
): GroupResult {
  const samplesOf = (name: string): Rounds => {
    const rounds = samples.get(name);
    if (rounds === undefined) throw new Error(`${group.name}: there is no row named ${name}`);
    return rounds;
  };
  const speedAgainst = (other: string, name: string): Summary =>
    ratio(wallTimes(samplesOf(other)), wallTimes(samplesOf(name)));

  const results = rows.map(({ name, limit, baseline, series, inFlight }): RowResult => {
    const samplesNs = wallTimes(samplesOf(name));
    const time = summarize(samplesNs.map(medianOf));
    const cpuSamplesNs = cpuTimes(samplesOf(name));
    const limitCpuNs = limit === undefined ? undefined : cpuTimes(samplesOf(limit));
    return {
      name,
      samplesNs,
      time,
      opsPerSecond: 1e9 / time.median,
      gigabytesPerSecond: group.sizeBytes / time.median,
      timesBaseline: speedAgainst(baseline ?? group.baseline, name),
      ...(limit === undefined ? {} : { ofLimit: speedAgainst(limit, name) }),
      ...(cpuSamplesNs === undefined ? {} : { cpuSamplesNs }),
      ...(baseline === undefined ? {} : { baseline }),
      ...(series === undefined ? {} : { series }),
      ...(inFlight === undefined ? {} : { inFlight }),
      ...(cpuSamplesNs && limitCpuNs ? { ofLimitCpu: ratio(limitCpuNs, cpuSamplesNs) } : {}),
    };
  });
  return { name: group.name, sizeBytes: group.sizeBytes, baseline: group.baseline, rows: results };
}

type Rounds = readonly (readonly Sample[])[];

/** Of the medians of each round. */
function ratio(times: readonly (readonly number[])[], own: readonly (readonly number[])[]): Summary {
  return summarize(times.map((samples, round) => medianOf(samples) / medianOf(own[round] ?? [])));
}

function wallTimes(rounds: Rounds): number[][] {
  return rounds.map((samples) => samples.map((sample) => (typeof sample === 'number' ? sample : sample.ns)));
}

/** Undefined for rows that do not count processor time. */
function cpuTimes(rounds: Rounds): number[][] | undefined {
  const times = rounds.map((samples) =>
    samples.flatMap((sample) => (typeof sample === 'number' ? [] : [sample.cpuNs])),
  );
  return times.some(({ length }) => length === 0) ? undefined : times;
}
