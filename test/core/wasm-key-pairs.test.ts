import { asymmetricConformance, conformanceOfWasm } from './conformance.ts';

conformanceOfWasm(asymmetricConformance);
