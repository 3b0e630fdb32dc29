import type { GroupResult, RowResult } from '../lib/rounds.ts';
import { medianOf, summarize } from '../lib/statistics.ts';
import type { Verdict } from '../lib/targets.ts';
import { IN_FLIGHT } from './cases.ts';
import { grapheneName, LIMIT, NATIVE } from './groups.ts';

const OF_LIMIT = 0.9;
const TIMES_GRAPHENE = 3;

/**
 * Our path at its best number of sessions against the C loop at its own best, one request for each message and batches
 * apart; and single requests against asynchronous calls of graphene-pk11 with as many in flight.
 */
export function hsmVerdicts(results: readonly GroupResult[]): Verdict[] {
  return results.flatMap(({ name, rows }) => {
    const native = rows.filter((row) => row.name.startsWith(`${NATIVE}, `));
    if (native.length === 0) return [];
    const verdict = (measure: Verdict['measure'], own: RowResult, other: RowResult, atLeast: number): Verdict => {
      const reached = timesAsFast(own, other);
      return { group: name, row: own.name, measure, atLeast, kind: 'floor', reached, isMet: reached >= atLeast };
    };
    const limit = fastest(rows.filter((row) => row.name.startsWith(LIMIT)));
    const [single, batches] = [
      native.filter(({ series }) => series !== undefined),
      native.filter(({ series }) => series === undefined),
    ];
    return [
      ...[single, batches].flatMap((own) =>
        own.length === 0 ? [] : [verdict('ofLimit', fastest(own), limit, OF_LIMIT)],
      ),
      ...IN_FLIGHT.flatMap((inFlight) => {
        const graphene = rows.find((row) => row.name === grapheneName(inFlight));
        const equal = single.filter((row) => row.inFlight === inFlight);
        return graphene === undefined || equal.length === 0
          ? []
          : [verdict('timesBaseline', fastest(equal), graphene, TIMES_GRAPHENE)];
      }),
    ];
  });
}

function fastest(rows: readonly RowResult[]): RowResult {
  return rows.reduce((best, row) => (row.opsPerSecond > best.opsPerSecond ? row : best));
}

/** The median of the ratios within rounds. */
function timesAsFast(own: RowResult, other: RowResult): number {
  return summarize(other.samplesNs.map((samples, round) => medianOf(samples) / medianOf(own.samplesNs[round] ?? [])))
    .median;
}
