import { parseArgs } from 'node:util';
import type { Effort } from './rounds.ts';

export interface Options {
  /** One short round, to see that everything works: its figures mean nothing. */
  readonly isQuick: boolean;
  readonly effort: Effort;
  /** File for the JSON. */
  readonly out: string;
  /** Only groups whose name contains this; all for an empty string. */
  readonly only: string;
}

const FULL: Effort = { rounds: 8, warmUpRounds: 2, samples: 2, minimumMs: 40 };
const QUICK: Effort = { rounds: 1, warmUpRounds: 0, samples: 1, minimumMs: 1 };

/** @throws Error that says what is wrong with the arguments. */
export function parseOptions(suite: string, args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      out: { type: 'string', default: `bench/results/${suite}-${nodeMajor()}.local.json` },
      only: { type: 'string', default: '' },
      quick: { type: 'boolean', default: false },
    },
  });
  const isQuick = values.quick;
  return { isQuick, effort: isQuick ? QUICK : FULL, out: values.out, only: values.only };
}

export function nodeMajor(): number {
  return Number.parseInt(process.versions.node, 10);
}
