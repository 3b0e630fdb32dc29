import { loadCore } from '../../src/core/index.ts';
import { coreConformance } from './conformance.ts';

coreConformance('native core', loadCore('napi'));
