/** What every {@link CryptoCore} must do, whichever binding carries it. */
import { describe, vi } from 'vitest';
import type { CryptoCore } from '../../src/core/crypto-core.ts';
import { loadCore } from '../../src/core/index.ts';
import { findWasm } from '../../src/core/load-wasm.ts';
import { aeadConformance } from './conformance/aead.ts';
import { argumentConformance } from './conformance/arguments.ts';
import { asyncConformance } from './conformance/async.ts';
import { batchConformance } from './conformance/batch.ts';
import { hashConformance } from './conformance/hash.ts';
import { keyPairDifferential } from './conformance/key-pairs-differential.ts';
import { keyPairConformance } from './conformance/key-pairs.ts';
import { keyTransportConformance } from './conformance/key-transport.ts';
import { keyConformance } from './conformance/keys.ts';
import { messageConformance } from './conformance/message.ts';
import { signatureConformance } from './conformance/signatures.ts';
import { SLOW, type Suite } from './conformance/support.ts';
import { wycheproofAsymmetricConformance } from './conformance/wycheproof-asymmetric.ts';
import { wycheproofConformance } from './conformance/wycheproof.ts';

const SUITES: readonly Suite[] = [
  ...aeadConformance,
  ...messageConformance,
  ...keyConformance,
  ...hashConformance,
  ...argumentConformance,
  ...wycheproofConformance,
];

const ASYMMETRIC_SUITES: readonly Suite[] = [
  ...signatureConformance,
  ...keyPairConformance,
  ...keyPairDifferential,
  ...keyTransportConformance,
  ...asyncConformance,
  ...batchConformance,
  ...wycheproofAsymmetricConformance,
];

/** Declares the tests of the symmetric part for `core`. */
export function coreConformance(name: string, core: CryptoCore): void {
  describe(`${name} conformance`, () => {
    for (const { name: chapter, declare } of SUITES) describe(chapter, () => declare(core));
  });
}

/** Declares the tests for key pairs, key transport and asynchronous operations. */
export function asymmetricConformance(name: string, core: CryptoCore): void {
  describe(`${name} conformance, key pairs`, () => {
    for (const { name: chapter, declare } of ASYMMETRIC_SUITES) describe(chapter, () => declare(core));
  });
}

/** Declares them for WebAssembly. CI must run it: there, loading fails when the module is missing. */
export function conformanceOfWasm(conformance: typeof coreConformance): void {
  vi.setConfig({ testTimeout: SLOW });
  if (findWasm() !== undefined || process.env['CI'] === 'true') conformance('WebAssembly core', loadCore('wasm'));
  else describe.skip('WebAssembly core (skipped: run script/wasm)', () => undefined);
}
