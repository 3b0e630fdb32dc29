/** Runs tests of {@link Pkcs11Token} on every way to reach a token. */
import { join } from 'node:path';
import { describe } from 'vitest';
import { openPkcs11Token } from '../../../src/pkcs11/index.ts';
import type { Pkcs11Token, Pkcs11TokenOptions } from '../../../src/pkcs11/token.ts';
import {
  buildShim,
  readCounts,
  shimEnvironment,
  useShimInThisProcess,
  writeFaults,
  type CallCount,
} from '../../support/pkcs11-shim.ts';
import { createSoftHsm, missingSoftHsm, type SoftToken } from '../../support/softhsm.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

type Way = 'this' | 'helper';

const WAYS: readonly (readonly [name: string, way: Way])[] = [
  ['in this process', 'this'],
  ['in a helper process', 'helper'],
];

/** A token of SoftHSM2 behind the module of faults. */
export interface Bench {
  readonly softToken: SoftToken;
  readonly process: Way;
  open(options?: Partial<Pkcs11TokenOptions>): Promise<Pkcs11Token>;
  /** The faults from now on. */
  faults(...lines: readonly string[]): void;
  counts(): Readonly<Record<string, CallCount>>;
  /** Closes what was opened. */
  end(): Promise<void>;
}

/** Declares `declare`'s tests for every way; each makes its bench with the function that it is given. */
export function describeTokens(title: string, declare: (makeBench: () => Bench) => void): void {
  for (const [name, way] of WAYS) {
    const reason = missingSoftHsm;
    const suffix = reason === undefined ? '' : ` (skipped: ${reason})`;
    describe.skipIf(reason !== undefined)(`${title}, ${name}${suffix}`, () => declare(() => makeBench(way)));
  }
}

function makeBench(way: Way): Bench {
  const hsm = createSoftHsm();
  const folder = temporaryFolder();
  const softToken = hsm.addToken('bench');
  const files = { faults: join(folder.path, 'faults'), counts: join(folder.path, 'counts') };
  // SoftHSM2 can crash, or lose keys, when its threads do such things at once.
  const shim = { module: hsm.module, isSerial: true, ...files };
  const place: Partial<Pkcs11TokenOptions> =
    way === 'helper' ? { process: 'helper', environment: { ...hsm.environment, ...shimEnvironment(shim) } } : {};
  if (way === 'this') {
    hsm.useInThisProcess();
    useShimInThisProcess(shim);
  }
  const opened: Pkcs11Token[] = [];
  return {
    softToken,
    process: way,
    open: async (options) => {
      const token = await openPkcs11Token({
        modulePath: buildShim(),
        token: { label: softToken.label },
        pin: Buffer.from(softToken.pin),
        profile: 'softhsm',
        ...place,
        ...options,
      });
      opened.push(token);
      return token;
    },
    faults: (...lines) => writeFaults(files.faults, ...lines),
    counts: () => readCounts(files.counts),
    end: async () => {
      writeFaults(files.faults);
      await Promise.all(opened.map((token) => token.close()));
      hsm.remove();
      folder.remove();
    },
  };
}
