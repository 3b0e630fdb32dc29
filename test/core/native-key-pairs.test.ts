import { loadCore } from '../../src/core/index.ts';
import { asymmetricConformance } from './conformance.ts';

asymmetricConformance('native core', loadCore('napi'));
