import type { Measured, Row } from '../lib/group.ts';
import { runProgram } from '../lib/program.ts';
import type { HsmCase, Operation } from './cases.ts';
import { environmentOf, type BenchToken } from './modules.ts';

/** What bench/native/hsm.cc prints. */
type Output = Measured | { readonly refused: string };

/** Why a token does not do an operation, in the words of the C program; undefined when it does. */
export function refusalOf(token: BenchToken, operation: Operation, keys: HsmCase['keys']): string | undefined {
  const output = run(token, operation, keys, 1, 1, 0);
  return 'refused' in output ? output.refused : undefined;
}

/** The C loop with as many threads as sessions. */
export function limitRow(
  name: string,
  token: BenchToken,
  operation: Operation,
  keys: HsmCase['keys'],
  sessions: number,
): Row {
  const measure = (minimumMs: number, samples: number): Measured => {
    const output = run(token, operation, keys, sessions, minimumMs, samples);
    if ('refused' in output) throw new Error(`${token.name}: ${operation}: ${output.refused}`);
    return output;
  };
  return { name, series: name, measure };
}

function run(
  token: BenchToken,
  operation: Operation,
  keys: HsmCase['keys'],
  threads: number,
  minimumMs: number,
  samples: number,
): Output {
  const numbers = [threads, minimumMs, samples].map(String);
  const args = [token.modulePath, token.tokenLabel, operation, keys, ...numbers];
  return JSON.parse(runProgram('hsm', args, Buffer.from(`${token.pin}\n`), environmentOf(token))) as Output;
}
