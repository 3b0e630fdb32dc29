/** Key pairs and HMAC on the pool of threads, all cores busy; against a C loop with as many threads. */
import { loadCore } from 'keywright/core';
import { limitOpensslVersion } from '../core/limit.ts';
import { poolThreads } from '../lib/pool.ts';
import { runSuite } from '../lib/suite.ts';
import { POOL_CASES } from '../pool/cases.ts';
import { hmacGroup, poolGroup, poolTargets } from '../pool/groups.ts';

await runSuite(
  {
    name: 'pool',
    versions: {
      coreOpenssl: loadCore('napi').info().opensslVersion,
      limitOpenssl: limitOpensslVersion(),
      poolThreads: String(poolThreads()),
    },
    // Many short turns, because all cores are at work and whatever else runs takes from them.
    effort: { rounds: 12, samples: 1, minimumMs: 60 },
    groups: [...POOL_CASES.map(poolGroup), hmacGroup()],
    targets: poolTargets(),
  },
  process.argv.slice(2),
);
