import type { GroupResult, RowResult } from './rounds.ts';
import { medianOf } from './statistics.ts';
import type { Target, Verdict } from './targets.ts';

const HEADINGS = ['', 'ops/s', 'GB/s', 'ns/op', 'spread', 'x baseline', 'of limit'];
const CPU_HEADING = 'in CPU time';
const LATENCY_HEADINGS = ['CPU µs', 'p50 µs', 'p99 µs', 'p99.9 µs'];
const VERDICT_HEADINGS = ['target', '', 'wanted', 'reached', ''];

/** The figures of a group as lines of text: medians; `spread` is half the distance between the quartiles. */
export function groupTable(group: GroupResult): string {
  const countsCpu = group.rows.some(({ ofLimitCpu }) => ofLimitCpu !== undefined);
  const rows = group.rows.map((row) => cellsOf(row, group.baseline).slice(0, countsCpu ? undefined : -1));
  const headings = countsCpu ? [...HEADINGS, CPU_HEADING] : HEADINGS;
  if (group.rows.every(({ latency }) => latency === undefined))
    return `${group.name}\n${table([headings, ...rows], 1)}`;
  const longer = rows.map((cells, index) => [...cells, ...latencyCellsOf(group.rows[index])]);
  return `${group.name}\n${table([[...headings, ...LATENCY_HEADINGS], ...longer], 1)}`;
}

/** One line per target; an empty string for none. */
export function targetTable(verdicts: readonly Verdict[]): string {
  if (verdicts.length === 0) return '';
  const rows = verdicts.map((verdict) => [
    verdict.kind,
    subjectOf(verdict),
    `>= ${quantity(verdict.atLeast, verdict.measure)}`,
    quantity(verdict.reached, verdict.measure),
    verdict.isMet ? 'met' : 'MISSED',
  ]);
  return table([VERDICT_HEADINGS, ...rows], 2);
}

/** Groups of three digits, apart: 1 234 567. */
export function grouped(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ' ');
}

function cellsOf(row: RowResult, baseline: string): string[] {
  return [
    row.name,
    grouped(row.opsPerSecond),
    row.gigabytesPerSecond === 0 ? '' : significant(row.gigabytesPerSecond),
    row.time.median < 1000 ? row.time.median.toFixed(1) : grouped(row.time.median),
    `±${percent(row.time.spread)}`,
    row.name === (row.baseline ?? baseline) ? 'baseline' : `${row.timesBaseline.median.toFixed(2)}x`,
    row.ofLimit === undefined ? '' : percent(row.ofLimit.median),
    row.ofLimitCpu === undefined ? '' : percent(row.ofLimitCpu.median),
  ];
}

/** Processor time per message, and latencies, in microseconds. */
function latencyCellsOf(row: RowResult | undefined): string[] {
  const cpu = row?.cpuSamplesNs === undefined ? undefined : medianOf(row.cpuSamplesNs.map(medianOf));
  const { p50Ns, p99Ns, p999Ns } = row?.latency ?? {};
  return [cpu, p50Ns, p99Ns, p999Ns].map((ns) => (ns === undefined ? '' : significant(ns / 1000)));
}

/** What a verdict is on. */
export function subjectOf({ group, row, note }: Verdict): string {
  return `${group}: ${row}${note === undefined ? '' : ` (${note})`}`;
}

/** In the words of a table of targets. */
export function quantity(value: number, measure: Target['measure']): string {
  switch (measure) {
    case 'timesBaseline':
      return `${value.toFixed(1)}x baseline`;
    case 'ofLimit':
      return `${percent(value)} of limit`;
    case 'ofLimitCpu':
      return `${percent(value)} of limit in CPU time`;
    case 'opsPerSecond':
      return `${(value / 1e6).toFixed(2)} M/s`;
  }
}

function percent(fraction: number): string {
  return `${Math.round(fraction * 100)} %`;
}

function significant(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** The first `textColumns` columns stand on the left, the others, figures, on the right. */
function table(rows: readonly (readonly string[])[], textColumns: number): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column < textColumns ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return rows.map((cells) => `  ${line(cells)}`).join('\n');
}
