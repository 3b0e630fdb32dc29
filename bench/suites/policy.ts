/** Policies: decisions over a typical set and over the largest key policy; against another implementation. */
import { readFileSync } from 'node:fs';
import { runSuite } from '../lib/suite.ts';
import { DECIDE, decisionGroup } from '../policy/groups.ts';
import { LARGE, TYPICAL } from '../policy/workload.ts';

const TYPICAL_NAME = 'key policy and identity policy';
const LARGE_NAME = 'key policy of 200 statements';
const oracle = JSON.parse(readFileSync('node_modules/@cloud-copilot/iam-simulate/package.json', 'utf8')) as {
  version: string;
};

await runSuite(
  {
    name: 'policy',
    versions: { iamSimulate: oracle.version },
    groups: [decisionGroup(TYPICAL_NAME, TYPICAL), decisionGroup(LARGE_NAME, LARGE)],
    targets: [
      { group: TYPICAL_NAME, row: DECIDE, measure: 'opsPerSecond', atLeast: 500_000, kind: 'floor' },
      { group: LARGE_NAME, row: DECIDE, measure: 'opsPerSecond', atLeast: 50_000, kind: 'floor' },
    ],
  },
  process.argv.slice(2),
);
