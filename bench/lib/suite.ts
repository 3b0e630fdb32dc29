import type { Group } from './group.ts';
import { fingerprint, watchIdleCores } from './machine.ts';
import { parseOptions } from './options.ts';
import { writeReport } from './report.ts';
import { measureGroup, type GroupResult } from './rounds.ts';
import { groupTable, targetTable } from './table.ts';
import { judge, type Target } from './targets.ts';

export interface Suite {
  readonly name: string;
  /** Versions of what is measured, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly groups: readonly Group[];
  readonly targets: readonly Target[];
  /** Milliseconds that a sample of a full run lasts at least; where one operation takes longer than usual. */
  readonly minimumMs?: number;
}

/** Measures a suite, prints its tables and writes the JSON. */
export async function runSuite(suite: Suite, args: readonly string[]): Promise<void> {
  const options = parseOptions(suite.name, args);
  const effort =
    options.isQuick || suite.minimumMs === undefined
      ? options.effort
      : { ...options.effort, minimumMs: suite.minimumMs };
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
    const result = await measureGroup(group, effort);
    console.log(`\n${groupTable(result)}`);
    groups.push(result);
  }
  const idleCores = idleCoresSince();
  const targets = judge(suite.targets, groups);
  if (targets.length > 0) console.log(`\n${targetTable(targets)}`);
  const { name, versions } = suite;
  writeReport(options.out, { suite: name, machine, versions, effort, idleCores, groups, targets });
  console.log(`\nidle cores: ${idleCores.toFixed(2)} of ${machine.cores}; ${machine.cores - 1} when nothing else runs`);
  console.log(`raw samples: ${options.out}`);
  if (options.isQuick) console.log('This was a quick run: it shows that the suite works, and nothing about speed.');
}
