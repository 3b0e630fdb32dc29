/**
 * What a grant can be found by, without looking at every grant of its key: a text for its encryption context
 * constraint, such that the few texts for the context of a request name all grants whose constraint it can satisfy.
 */
import type { GrantConstraints } from './grant.ts';

type Context = Readonly<Record<string, string>>;

const UNCONSTRAINED = 'any';

/** `equals` and the whole context; `subset` and the first pair of the constraint, which every match contains. */
export function grantSelector(constraints: GrantConstraints | undefined): string {
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = constraints ?? {};
  if (equals !== undefined) {
    return `equals${JSON.stringify(sortedPairs(equals))}`;
  }
  const [first] = sortedPairs(subset ?? {});
  return first === undefined ? UNCONSTRAINED : `subset${JSON.stringify(first)}`;
}

/** The selectors of all grants that may let a request with this context in. */
export function selectorsFor(context: Context | undefined): readonly string[] {
  const pairs = sortedPairs(context ?? {});
  return [UNCONSTRAINED, `equals${JSON.stringify(pairs)}`, ...pairs.map((pair) => `subset${JSON.stringify(pair)}`)];
}

function sortedPairs(context: Context): readonly (readonly [string, string])[] {
  return Object.entries(context).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
}
