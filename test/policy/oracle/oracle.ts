import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RandomPolicies, RandomRequest } from '../random-policies.ts';

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));

/** What is asked of the oracle in one go: requests under the same policies. */
export interface OracleCase {
  readonly policies: RandomPolicies;
  readonly requests: readonly (RandomRequest & { readonly accountId: string })[];
}

export interface Oracle {
  /** One result per request: `Allowed`, `ExplicitlyDenied`, `ImplicitlyDenied`, or `error: …`. */
  ask(question: OracleCase): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Starts an oracle. It answers questions in the order in which they are asked. */
export function startOracle(): Oracle {
  const child = spawn(process.execPath, [WORKER], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting: ((results: readonly string[]) => void)[] = [];
  const failing: ((error: Error) => void)[] = [];
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  createInterface({ input: child.stdout }).on('line', (line) => {
    failing.shift();
    waiting.shift()?.(JSON.parse(line) as string[]);
  });
  void ended.then(() => failing.forEach((fail) => fail(new Error('the oracle ended before it answered'))));
  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        waiting.push(resolve);
        failing.push(reject);
        child.stdin.write(`${JSON.stringify(question)}\n`);
      }),
    close: () => {
      child.stdin.end();
      return ended;
    },
  };
}
