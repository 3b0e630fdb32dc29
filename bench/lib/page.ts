/** A report as a page with charts: one file that opens from disk and loads nothing. */
import { writeFileSync } from 'node:fs';
import { chartSvg, colourOf, escapeHtml, short, type Chart } from './chart.ts';
import type { Report } from './report.ts';
import type { GroupResult, RowResult } from './rounds.ts';
import { medianOf } from './statistics.ts';
import { quantity, subjectOf } from './table.ts';

/** @param jsonPath of the JSON that the page stands beside. @returns the path of the page */
export function writePage(jsonPath: string, report: Report): string {
  const path = `${jsonPath.replace(/\.json$/, '')}.html`;
  writeFileSync(path, pageOf(report));
  return path;
}

const STYLE = `
:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }
body { max-width: 1180px; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
td, th { padding: 2px 10px; text-align: right; border-bottom: 1px solid #8884; }
td:first-child, th:first-child { text-align: left; }
.charts { display: flex; flex-wrap: wrap; gap: 1rem; } .charts svg { flex: 1 1 460px; max-width: 560px; }
svg text { fill: currentColor; font-size: 11px; } svg .title { font-size: 13px; font-weight: 600; }
svg polyline { stroke-width: 2; } svg .level { stroke-width: 1.5; stroke-dasharray: 5 4; }
svg .grid { stroke: currentColor; opacity: .2; }
.key { list-style: none; padding: 0; columns: 2; } .key i { display: inline-block; width: 1em; height: .25em; }
.met { color: #009e73; } .missed { color: #d55e00; font-weight: 600; }`;

export function pageOf(report: Report): string {
  const { suite, machine, versions, targets, groups, idleCores } = report;
  const facts = { ...machine, ...versions, 'idle cores': idleCores.toFixed(2) };
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><title>Keywright: ${escapeHtml(suite)}</title>`,
    `<style>${STYLE}</style></head><body>`,
    `<h1>Keywright: ${escapeHtml(suite)}</h1>`,
    table(
      ['', ''],
      Object.entries(facts).map(([name, value]) => [name, String(value)]),
    ),
    ...(targets.length === 0
      ? []
      : [
          '<h2>Targets</h2>',
          table(
            ['', 'wanted', 'reached', ''],
            targets.map((verdict) => [
              subjectOf(verdict),
              `≥ ${quantity(verdict.atLeast, verdict.measure)}`,
              quantity(verdict.reached, verdict.measure),
              verdict.isMet ? 'met' : 'MISSED',
            ]),
          ),
        ]),
    ...groups.map(sectionOf),
    '</body></html>',
    '',
  ].join('\n');
}

function sectionOf(group: GroupResult): string {
  const charts = [
    chartOf(group, 'operations a second', ({ opsPerSecond }) => opsPerSecond),
    chartOf(group, 'median latency, µs', ({ latency }) => inMicroseconds(latency?.p50Ns)),
  ];
  const names = charts[0]?.series.map(({ name }) => name) ?? [];
  return [
    `<h2>${escapeHtml(group.name)}</h2>`,
    `<div class="charts">${charts.map(chartSvg).join('')}</div>`,
    `<ul class="key">${names.map((name, index) => keyOf(name, colourOf(index))).join('')}</ul>`,
    table(
      ['', 'ops/s', 'x baseline', 'of limit', 'of limit, CPU', 'CPU µs', 'p50 µs', 'p99 µs', 'p99.9 µs'],
      group.rows.map(cellsOf),
    ),
  ].join('\n');
}

/** Rows of one series are points of one line; in flight is the x axis. */
function chartOf(group: GroupResult, title: string, valueOf: (row: RowResult) => number | undefined): Chart {
  const rows = group.rows.filter(({ series }) => series !== undefined);
  const places = [...new Set(rows.flatMap(({ inFlight }) => inFlight ?? []))].sort((a, b) => a - b);
  const series = [...new Set(rows.map((row) => row.series ?? ''))].map((name) => {
    const own = rows.filter((row) => row.series === name);
    const level = own.find(({ inFlight }) => inFlight === undefined);
    const values = places.map((place) => level ?? own.find(({ inFlight }) => inFlight === place));
    return {
      name,
      values: values.map((row) => (row === undefined ? undefined : valueOf(row))),
      isLevel: level !== undefined,
    };
  });
  return { title: `${title}, by requests in flight`, places: places.map(String), series };
}

function cellsOf(row: RowResult): string[] {
  const { latency, cpuSamplesNs, ofLimit, ofLimitCpu } = row;
  const percent = (fraction: number | undefined): string =>
    fraction === undefined ? '' : `${Math.round(fraction * 100)} %`;
  const cpuNs = cpuSamplesNs === undefined ? undefined : medianOf(cpuSamplesNs.map(medianOf));
  const microseconds = [cpuNs, latency?.p50Ns, latency?.p99Ns, latency?.p999Ns].map(inMicroseconds);
  return [
    row.name,
    short(row.opsPerSecond),
    row.timesBaseline.median.toFixed(2),
    percent(ofLimit?.median),
    percent(ofLimitCpu?.median),
    ...microseconds.map((value) => (value === undefined ? '' : String(Number(value.toPrecision(3))))),
  ];
}

function inMicroseconds(ns: number | undefined): number | undefined {
  return ns === undefined ? undefined : ns / 1000;
}

function keyOf(name: string, colour: string): string {
  return `<li><i style="background:${colour}"></i> ${escapeHtml(name)}</li>`;
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: 'td' | 'th'): string =>
    `<tr>${cells.map((cell) => `<${tag}${mark(cell)}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  return `<table>${line(headings, 'th')}${rows.map((cells) => line(cells, 'td')).join('\n')}</table>`;
}

function mark(cell: string): string {
  if (cell === 'met') return ' class="met"';
  return cell === 'MISSED' ? ' class="missed"' : '';
}
