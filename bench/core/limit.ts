import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Row } from '../lib/group.ts';

// Where script/bench puts the program that it makes of bench/native/limit.cc.
const PROGRAM = fileURLToPath(new URL('../native/limit', import.meta.url));

export type LimitOperation = 'encrypt' | 'decrypt' | 'encryptMessage' | 'decryptMessage' | 'generateDataKey';

/** Names of the rows that the core's single and batch calls are compared with. */
export const LIMIT = 'limit: C loop';
export const BATCH_LIMIT = 'limit: C loop over the batch';

/** The plain C loop over the same libcrypto, in a process of its own that starts anew for every measurement. */
export function limitRow(name: string, operation: LimitOperation, sizeBytes: number, items: number): Row {
  const measure = (minimumMs: number, samples: number): number[] =>
    run([operation, ...[sizeBytes, items, minimumMs, samples].map(String)])
      .split('\n')
      .map(Number);
  return { name, measure };
}

/** As that libcrypto prints it. */
export function limitOpensslVersion(): string {
  return run(['version']);
}

function run(args: readonly string[]): string {
  return execFileSync(PROGRAM, args, { encoding: 'utf8' }).trim();
}
