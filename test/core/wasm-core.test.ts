import { loadCore } from '../../src/core/index.ts';
import { coreConformance } from './conformance.ts';

coreConformance('WebAssembly core', loadCore('wasm'));
