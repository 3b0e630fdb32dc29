import type { Row } from '../lib/group.ts';
import { programRow, runProgram } from '../lib/program.ts';

export type LimitOperation = 'encrypt' | 'decrypt' | 'encryptMessage' | 'decryptMessage' | 'generateDataKey';

/** Names of the rows that the core's single and batch calls are compared with. */
export const LIMIT = 'limit: C loop';
export function batchLimit(items: number): string {
  return `limit: C loop over ${items} items`;
}

/** The plain C loop over the same libcrypto. */
export function limitRow(
  name: string,
  operation: LimitOperation,
  sizeBytes: number,
  items: number,
  threads: number = 1,
): Row {
  return programRow(name, 'limit', [operation, ...[sizeBytes, items, threads].map(String)]);
}

/** As that libcrypto prints it. */
export function limitOpensslVersion(): string {
  return runProgram('limit', ['version']);
}
