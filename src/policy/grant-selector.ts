/**
 * What a grant can be found by, without looking at every grant of its key: a text for its encryption context
 * constraint, such that the texts for the context of a request name exactly the grants whose constraint it satisfies.
 */
import type { GrantConstraints } from './grant.ts';

type Context = Readonly<Record<string, string>>;
type Pair = readonly [string, string];

const UNCONSTRAINED = 'any';
/** Contexts of more pairs have too many subsets to name. */
const MAX_PAIRS = 8;

/** `equals` or `subset`, and the whole constraint in the order of its names. */
export function grantSelector(constraints: GrantConstraints | undefined): string {
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = constraints ?? {};
  if (equals !== undefined) {
    return `equals${JSON.stringify(sortedPairs(equals))}`;
  }
  const pairs = sortedPairs(subset ?? {});
  return pairs.length === 0 ? UNCONSTRAINED : subsetSelector(pairs);
}

/**
 * The selectors of all grants that may let a request with this context in; the first one tells contexts apart.
 *
 * @returns undefined for a context of more than 8 pairs: then the constraints must be looked at one by one
 */
export function selectorsFor(context: Context | undefined): readonly string[] | undefined {
  const pairs = sortedPairs(context ?? {});
  return pairs.length > MAX_PAIRS
    ? undefined
    : [`equals${JSON.stringify(pairs)}`, UNCONSTRAINED, ...subsetsOf(pairs).map(subsetSelector)];
}

function subsetSelector(pairs: readonly Pair[]): string {
  return `subset${JSON.stringify(pairs)}`;
}

/** Every subset but the empty one, each in the order of `pairs`. */
function subsetsOf(pairs: readonly Pair[]): readonly (readonly Pair[])[] {
  let subsets: (readonly Pair[])[] = [[]];
  for (const pair of pairs) {
    subsets = [...subsets, ...subsets.map((subset) => [...subset, pair])];
  }
  return subsets.slice(1);
}

function sortedPairs(context: Context): readonly Pair[] {
  return Object.entries(context).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
}
