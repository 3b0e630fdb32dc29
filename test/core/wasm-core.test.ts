import { conformanceOfWasm, coreConformance } from './conformance.ts';

conformanceOfWasm(coreConformance);
