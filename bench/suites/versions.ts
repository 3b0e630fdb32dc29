/** Versions of a key: Decrypt under the first material of keys that were rotated never, 24 and 999 times. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCore } from 'keywright/core';
import { runSuite } from '../lib/suite.ts';
import { GROUP_NAME, versionsGroup, versionsName } from '../versions/group.ts';
import { makeBlobs } from '../versions/store.ts';

const COUNTS = [1, 25, 1000];
/** What noise may take; a search through the versions would take nearly all. */
const AT_LEAST = 0.9;

const folder = mkdtempSync(join(tmpdir(), 'keywright-bench-'));
try {
  await runSuite(
    {
      name: 'versions',
      versions: { coreOpenssl: loadCore('napi').info().opensslVersion },
      groups: [versionsGroup(folder, await makeBlobs(folder, COUNTS))],
      targets: COUNTS.slice(1).map((count) => ({
        group: GROUP_NAME,
        row: versionsName(count),
        measure: 'timesBaseline',
        atLeast: AT_LEAST,
        kind: 'floor',
      })),
    },
    process.argv.slice(2),
  );
} finally {
  rmSync(folder, { recursive: true });
}
