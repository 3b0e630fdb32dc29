/** The core as WebAssembly: AES-256-GCM against @noble/ciphers. */
import type { Target } from '../lib/targets.ts';
import { runSuite } from '../lib/suite.ts';
import {
  moduleSize,
  SHIPPED,
  WASM_SIZES,
  wasmDecryptGroup,
  wasmDecryptName,
  wasmEncryptGroup,
  wasmEncryptName,
} from '../wasm/groups.ts';
import { nobleVersion } from '../wasm/noble.ts';

const SMALL_BYTES = 32;

/** Ten times as fast on a data key and half again in bulk. */
const targets = WASM_SIZES.flatMap((size) =>
  [wasmEncryptName(size), wasmDecryptName(size)].map((group): Target => {
    const atLeast = size === SMALL_BYTES ? 10 : 1.5;
    return { group, row: SHIPPED, measure: 'timesBaseline', atLeast, kind: 'goal' };
  }),
);

await runSuite(
  {
    name: 'wasm',
    versions: { nobleCiphers: nobleVersion(), wasm: moduleSize() },
    groups: [...WASM_SIZES.map(wasmEncryptGroup), ...WASM_SIZES.map(wasmDecryptGroup)],
    targets,
  },
  process.argv.slice(2),
);
