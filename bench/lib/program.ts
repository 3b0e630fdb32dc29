import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Row, Sample } from './group.ts';

/** What build/bench/native/`program` prints, which script/bench makes of bench/native/`program`.cc. */
export function runProgram(
  program: string,
  args: readonly string[],
  input: Uint8Array = new Uint8Array(0),
  env = process.env,
): string {
  const path = fileURLToPath(new URL(`../native/${program}`, import.meta.url));
  return execFileSync(path, args, { encoding: 'utf8', input, env }).trim();
}

/**
 * A row that a C++ program measures, in a process of its own that starts anew for every measurement: its last arguments
 * are the milliseconds and the number of samples, and it prints nanoseconds per message and of processor time per
 * message, one sample a line.
 */
export function programRow(name: string, program: string, args: readonly string[], input?: Uint8Array): Row {
  const measure = (minimumMs: number, samples: number): Sample[] =>
    runProgram(program, [...args, String(minimumMs), String(samples)], input)
      .split('\n')
      .map((line) => {
        const [ns = NaN, cpuNs = NaN] = line.split(' ').map(Number);
        return { ns, cpuNs };
      });
  return { name, measure };
}
