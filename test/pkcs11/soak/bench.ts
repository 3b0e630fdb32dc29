/**
 * A token of SoftHSM2 behind the shim, in this process. One call at a time gets to SoftHSM2: its threads read object
 * files while others write them, and take what they see half of for damaged.
 */
import { join } from 'node:path';
import type { Pkcs11TokenOptions } from '../../../src/pkcs11/index.ts';
import { buildShim, readCounts, useShimInThisProcess, writeFaults } from '../../support/pkcs11-shim.ts';
import { createSoftHsm } from '../../support/softhsm.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

export interface ShimmedBench {
  /** How the token is opened. */
  readonly options: Pkcs11TokenOptions;
  /** The faults from now on. */
  faults(...lines: readonly string[]): void;
  /** How many faults there were until now. */
  faultsHit(): number;
  remove(): void;
}

export function shimmedBench(): ShimmedBench {
  const hsm = createSoftHsm();
  const folder = temporaryFolder();
  const { label, pin } = hsm.addToken('soak');
  const files = { faults: join(folder.path, 'faults'), counts: join(folder.path, 'counts') };
  hsm.useInThisProcess();
  useShimInThisProcess({ module: hsm.module, isSerial: true, ...files });
  return {
    options: { modulePath: buildShim(), token: { label }, pin: Buffer.from(pin), profile: 'softhsm' },
    faults: (...lines) => writeFaults(files.faults, ...lines),
    faultsHit: () => Object.values(readCounts(files.counts)).reduce((sum, { faults }) => sum + faults, 0),
    remove: () => {
      hsm.remove();
      folder.remove();
    },
  };
}
