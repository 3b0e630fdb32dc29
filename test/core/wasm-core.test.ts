import { describe } from 'vitest';
import { loadCore } from '../../src/core/index.ts';
import { findWasm } from '../../src/core/load-wasm.ts';
import { coreConformance } from './conformance.ts';

// CI must run it: there, loading fails when the module is missing.
if (findWasm() !== undefined || process.env['CI'] === 'true') coreConformance('WebAssembly core', loadCore('wasm'));
else describe.skip('WebAssembly core (skipped: run script/wasm)', () => undefined);
