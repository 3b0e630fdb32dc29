import type { GroupResult, RowResult } from './rounds.ts';

/** What a row is meant to reach. */
export interface Target {
  readonly group: string;
  readonly row: string;
  readonly measure: 'timesBaseline' | 'ofLimit' | 'ofLimitCpu' | 'opsPerSecond';
  readonly atLeast: number;
  /** A floor has to hold; a goal is where the work goes. */
  readonly kind: 'floor' | 'goal';
}

export interface Verdict extends Target {
  readonly reached: number;
  readonly isMet: boolean;
  /** What has to be known to read it. */
  readonly note?: string;
}

/** The verdict on every target whose row was measured. */
export function judge(targets: readonly Target[], results: readonly GroupResult[]): Verdict[] {
  return targets.flatMap((target) => {
    const row = results.find(({ name }) => name === target.group)?.rows.find(({ name }) => name === target.row);
    const reached = row === undefined ? undefined : reachedBy(row, target.measure);
    return reached === undefined ? [] : [{ ...target, reached, isMet: reached >= target.atLeast }];
  });
}

function reachedBy(row: RowResult, measure: Target['measure']): number | undefined {
  switch (measure) {
    case 'timesBaseline':
      return row.timesBaseline.median;
    case 'ofLimit':
      return row.ofLimit?.median;
    case 'ofLimitCpu':
      return row.ofLimitCpu?.median;
    case 'opsPerSecond':
      return row.opsPerSecond;
  }
}
