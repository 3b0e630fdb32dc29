import type { GroupResult, RowResult } from '../lib/rounds.ts';
import { medianOf, summarize } from '../lib/statistics.ts';
import type { Verdict } from '../lib/targets.ts';
import { BATCH_ITEMS, IN_FLIGHT, SESSIONS } from './cases.ts';
import { grapheneName, limitName, NATIVE } from './groups.ts';

const OF_LIMIT = 0.9;
const TIMES_GRAPHENE = 3;

/**
 * Our best row, batches included, against the best of the C loop; and our rows against asynchronous calls of
 * graphene-pk11 with as many messages under way, of which a batch of 64 is one way to have 64.
 */
export function hsmVerdicts(results: readonly GroupResult[]): Verdict[] {
  return results.flatMap((result) => {
    const native = result.rows.filter((row) => row.name.startsWith(`${NATIVE}, `));
    if (native.length === 0) return [];
    return [
      ofLimit(result, native),
      ...IN_FLIGHT.flatMap((inFlight) => {
        const graphene = result.rows.find((row) => row.name === grapheneName(inFlight));
        const equal = native.filter((row) => messagesOf(row) === inFlight);
        return graphene === undefined || equal.length === 0
          ? []
          : [againstGraphene(result, fastest(equal), graphene, inFlight)];
      }),
    ];
  });
}

function ofLimit(result: GroupResult, native: readonly RowResult[]): Verdict {
  const limit = limitOf(result, Math.max(...SESSIONS));
  const single = timesAsFast(fastest(native.filter((row) => !isBatch(row))), limit);
  const note = `of ${limit.name}; single requests: ${percent(single)}`;
  return { ...verdict(result, 'ofLimit', fastest(native), limit, OF_LIMIT), note };
}

/** Where the C loop itself is not three times as fast, 90 % of the C loop is what can be asked for. */
function againstGraphene(result: GroupResult, own: RowResult, graphene: RowResult, inFlight: number): Verdict {
  const times = verdict(result, 'timesBaseline', own, graphene, TIMES_GRAPHENE);
  const limit = limitOf(result, inFlight);
  const bound = timesAsFast(limit, graphene);
  const place = `for ${inFlight} in flight`;
  if (bound >= TIMES_GRAPHENE) return { ...times, note: place };
  const [reached, most] = [times.reached, bound].map((value) => `${value.toFixed(1)}x`);
  const note = `${place}: ${reached} baseline; ${TIMES_GRAPHENE}x not judged, ${limit.name} has ${most}`;
  return { ...verdict(result, 'ofLimit', own, limit, OF_LIMIT), note };
}

function verdict(
  { name: group }: GroupResult,
  measure: Verdict['measure'],
  own: RowResult,
  other: RowResult,
  atLeast: number,
): Verdict {
  const reached = timesAsFast(own, other);
  return { group, row: own.name, measure, atLeast, kind: 'floor', reached, isMet: reached >= atLeast };
}

/** The best of the C loop; with fewer messages under way than sessions, some sessions have nothing to do. */
function limitOf({ rows }: GroupResult, inFlight: number): RowResult {
  const names = SESSIONS.filter((sessions) => sessions <= inFlight).map(limitName);
  return fastest(rows.filter(({ name }) => names.includes(name)));
}

/** Batches are in no chart. */
function isBatch({ series }: RowResult): boolean {
  return series === undefined;
}

/** Messages under way at the same time. */
function messagesOf(row: RowResult): number {
  return (row.inFlight ?? 1) * (isBatch(row) ? BATCH_ITEMS : 1);
}

function fastest(rows: readonly RowResult[]): RowResult {
  return rows.reduce((best, row) => (row.opsPerSecond > best.opsPerSecond ? row : best));
}

/** The median of the ratios within rounds. */
function timesAsFast(own: RowResult, other: RowResult): number {
  return summarize(other.samplesNs.map((samples, round) => medianOf(samples) / medianOf(own.samplesNs[round] ?? [])))
    .median;
}

function percent(fraction: number): string {
  return `${Math.round(fraction * 100)} %`;
}
