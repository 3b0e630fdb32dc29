/** Tokens: keywright/hsm beside graphene-pk11, a C loop over the module and software keys, on every module present. */
import { readFileSync } from 'node:fs';
import { loadCore } from 'keywright/core';
import { HSM_CASES } from '../hsm/cases.ts';
import { hsmGroup, kmsGroups } from '../hsm/groups.ts';
import { openTokens } from '../hsm/modules.ts';
import { hsmVerdicts } from '../hsm/targets.ts';
import { Workers } from '../hsm/workers.ts';
import { runSuite } from '../lib/suite.ts';

const graphene = JSON.parse(readFileSync('node_modules/graphene-pk11/package.json', 'utf8')) as { version: string };
const { tokens, remove } = openTokens();
const workers = new Workers();
try {
  await runSuite(
    {
      name: 'hsm',
      versions: {
        coreOpenssl: loadCore('napi').info().opensslVersion,
        graphenePk11: graphene.version,
        modules: tokens.map(({ name }) => name).join(', '),
      },
      // An RSA signature takes a millisecond.
      effort: { minimumMs: 100 },
      hasPage: true,
      groups: tokens.flatMap((token) => [
        // In a token of the user's own nothing is made that stays.
        ...HSM_CASES.filter(({ keys }) => keys === 'session' || !token.isOwn).map((hsmCase) =>
          hsmGroup(workers, token, hsmCase),
        ),
        ...(token.isOwn ? [] : kmsGroups(workers, token)),
      ]),
      targets: hsmVerdicts,
    },
    process.argv.slice(2),
  );
} finally {
  await workers.close();
  remove();
}
