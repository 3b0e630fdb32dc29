import type { Group } from './group.ts';
import { fingerprint, watchIdleCores } from './machine.ts';
import { parseOptions } from './options.ts';
import { writePage } from './page.ts';
import { writeReport, type Report } from './report.ts';
import { measureGroup, type Effort, type GroupResult } from './rounds.ts';
import { groupTable, targetTable } from './table.ts';
import { judge, type Target, type Verdict } from './targets.ts';

export interface Suite {
  readonly name: string;
  /** Versions of what is measured, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly groups: readonly Group[];
  /** Or the verdicts themselves, of what was measured. */
  readonly targets: readonly Target[] | ((results: readonly GroupResult[]) => readonly Verdict[]);
  /** What a full run does otherwise than usual. */
  readonly effort?: Partial<Effort>;
  /** Whether a page with charts is written beside the JSON. */
  readonly hasPage?: boolean;
}

/** Measures a suite, prints its tables and writes the JSON. */
export async function runSuite(suite: Suite, args: readonly string[]): Promise<void> {
  const options = parseOptions(suite.name, args);
  const effort = options.isQuick ? options.effort : { ...options.effort, ...suite.effort };
  const machine = fingerprint();
  const facts = { ...machine, ...suite.versions };
  console.log(
    Object.entries(facts)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
  );

  const idleCoresSince = watchIdleCores();
  const groups: GroupResult[] = [];
  for (const group of suite.groups.filter(({ name }) => name.includes(options.only))) {
    const { minimumMs = effort.minimumMs } = options.isQuick ? effort : group;
    const result = await measureGroup(group, { ...effort, minimumMs });
    if (result.rows.length === 0) continue;
    console.log(`\n${groupTable(result)}`);
    groups.push(result);
  }
  const idleCores = idleCoresSince();
  const targets = typeof suite.targets === 'function' ? suite.targets(groups) : judge(suite.targets, groups);
  if (targets.length > 0) console.log(`\n${targetTable(targets)}`);
  const { name, versions } = suite;
  const report: Report = { suite: name, machine, versions, effort, idleCores, groups, targets };
  writeReport(options.out, report);
  console.log(`\nidle cores: ${idleCores.toFixed(2)} of ${machine.cores}; ${machine.cores - 1} when nothing else runs`);
  console.log(`raw samples: ${options.out}`);
  if (suite.hasPage === true) console.log(`charts: ${writePage(options.out, report)}`);
  if (options.isQuick) console.log('This was a quick run: it shows that the suite works, and nothing about speed.');
}
