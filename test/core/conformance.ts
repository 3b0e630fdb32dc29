/** What every {@link CryptoCore} must do, whichever binding carries it. */
import { describe } from 'vitest';
import type { CryptoCore } from '../../src/core/crypto-core.ts';
import { aeadConformance } from './conformance/aead.ts';
import { argumentConformance } from './conformance/arguments.ts';
import { hashConformance } from './conformance/hash.ts';
import { keyConformance } from './conformance/keys.ts';
import { messageConformance } from './conformance/message.ts';
import type { Suite } from './conformance/support.ts';
import { wycheproofConformance } from './conformance/wycheproof.ts';

const SUITES: readonly Suite[] = [
  ...aeadConformance,
  ...messageConformance,
  ...keyConformance,
  ...hashConformance,
  ...argumentConformance,
  ...wycheproofConformance,
];

/** Declares the tests of the suite for `core`. */
export function coreConformance(name: string, core: CryptoCore): void {
  describe(`${name} conformance`, () => {
    for (const { name: chapter, declare } of SUITES) describe(chapter, () => declare(core));
  });
}
