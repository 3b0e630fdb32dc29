/** The cryptographic core: AES-256-GCM, messages under a backing key, data keys; against node:crypto and a C loop. */
import { loadCore } from 'keywright/core';
import { decryptGroup, encryptGroup } from '../core/aead.ts';
import { ASYNC_SIZES, decryptAsyncGroup, encryptAsyncGroup } from '../core/async.ts';
import { limitOpensslVersion } from '../core/limit.ts';
import { dataKeyGroup, decryptMessageGroup, encryptMessageGroup } from '../core/message.ts';
import { coreTargets } from '../core/targets.ts';
import { SIZES } from '../core/workload.ts';
import { nodeMajor } from '../lib/options.ts';
import { runSuite } from '../lib/suite.ts';

await runSuite(
  {
    name: 'core',
    versions: { coreOpenssl: loadCore('napi').info().opensslVersion, limitOpenssl: limitOpensslVersion() },
    groups: [
      ...SIZES.map(encryptGroup),
      ...SIZES.map(decryptGroup),
      ...SIZES.map(encryptMessageGroup),
      ...SIZES.map(decryptMessageGroup),
      dataKeyGroup(),
      ...ASYNC_SIZES.map(encryptAsyncGroup),
      ...ASYNC_SIZES.map(decryptAsyncGroup),
    ],
    targets: coreTargets(nodeMajor()),
  },
  process.argv.slice(2),
);
