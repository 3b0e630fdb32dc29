/** Vectors of C2SP/wycheproof, which are data beside this repository and no part of it. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const FOLDER = path.join(process.env['KEYWRIGHT_VECTORS'] ?? path.resolve(ROOT, '../shared/vectors'), 'wycheproof');
const isPresent = existsSync(FOLDER);

/** `it`, where there are vectors. */
export const itWithVectors = it.skipIf(!isPresent);
/** For the names of tests. */
export const HINT = isPresent ? '' : ' (skipped: no vectors; set KEYWRIGHT_VECTORS to the folder of wycheproof/)';

export function requireVectors(): void {
  expect(isPresent, `no vectors in ${FOLDER}; set KEYWRIGHT_VECTORS`).toBe(true);
}

type Outcome = 'valid' | 'invalid' | 'acceptable';

/** What every vector has. */
export interface AnyVector {
  readonly tcId: number;
  readonly flags: readonly string[];
  readonly result: Outcome;
}

export interface AnyGroup<Vector extends AnyVector> {
  readonly tests: readonly Vector[];
}

export const hex = (text: string): Buffer => Buffer.from(text, 'hex');

interface VectorFile<Group> {
  readonly numberOfTests: number;
  readonly testGroups: readonly Group[];
}

/**
 * Runs every vector of a file that `skip` gives no reason to leave out, and checks that none was lost: those that ran
 * and those left out, which `skipped` lists by reason, are all that the file says it has.
 */
export function runVectors<Vector extends AnyVector, Group extends AnyGroup<Vector>>(
  name: string,
  skip: (vector: Vector, group: Group) => string | undefined,
  skipped: Readonly<Record<string, number>>,
  check: (vector: Vector, group: Group) => void,
): void {
  const text = readFileSync(path.join(FOLDER, `${name}_test.json`), 'utf8');
  const file = JSON.parse(text) as VectorFile<Group>;
  const leftOut: Record<string, number> = {};
  let count = 0;
  for (const group of file.testGroups) {
    for (const vector of group.tests) {
      count++;
      const reason = skip(vector, group);
      if (reason === undefined) withName(`${name} ${vector.tcId}`, () => check(vector, group));
      else leftOut[reason] = (leftOut[reason] ?? 0) + 1;
    }
  }
  expect(count).toBe(file.numberOfTests);
  expect(leftOut).toEqual(skipped);
}

export const nothing = (): undefined => undefined;

function withName(name: string, action: () => void): void {
  try {
    action();
  } catch (cause) {
    throw new Error(`vector ${name} failed`, { cause });
  }
}
