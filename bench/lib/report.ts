import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Fingerprint } from './machine.ts';
import type { Effort, GroupResult } from './rounds.ts';
import type { Verdict } from './targets.ts';

/** What is kept of a run. */
export interface Report {
  readonly suite: string;
  readonly machine: Fingerprint;
  /** Versions of what was measured, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly effort: Effort;
  /** Cores with nothing to do during the run; all but one on a machine without other work. */
  readonly idleCores: number;
  readonly groups: readonly GroupResult[];
  readonly targets: readonly Verdict[];
}

/** Numbers are kept to five digits, which is more than any of them is worth. */
export function reportJson(report: Report): string {
  const round = (_key: string, value: unknown): unknown =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
  // Samples are the bulk: a list of numbers goes on one line.
  const text = JSON.stringify(report, round, 2).replace(/\[[\s\d.,e+-]+\]/g, (list) => list.replace(/\s+/g, ''));
  return `${text}\n`;
}

/** @param path of a file, in a folder that is made when it is missing. */
export function writeReport(path: string, report: Report): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, reportJson(report));
}
