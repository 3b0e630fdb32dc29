import { matchesWildcard, wildcardPattern, type Pattern } from '../../policy/wildcard.ts';

/** What requests must say of themselves to use a key: one of the patterns of every list that is there. */
export class AllowList {
  readonly #lists: readonly { readonly fact: Fact; readonly patterns: readonly Pattern[] }[];

  /** @param lists texts with `*` and `?` as wildcards; a list that is absent allows everything */
  constructor(lists: Partial<Readonly<Record<Fact, readonly string[]>>>) {
    this.#lists = FACTS.flatMap((fact) => {
      const texts = lists[fact];
      return texts === undefined ? [] : [{ fact, patterns: texts.map(wildcardPattern) }];
    });
  }

  /** The first fact that is not allowed; undefined when all are. A fact that the request does not state is allowed. */
  findDenied(facts: Partial<Readonly<Record<Fact, string>>>): Fact | undefined {
    return this.#lists.find(({ fact, patterns }) => {
      const value = facts[fact];
      return value !== undefined && !patterns.some((pattern) => matchesWildcard(pattern, value));
    })?.fact;
  }
}

/** Members of the request metadata that a list can be about; GetKeyMetadata states no KMS key. */
export const FACTS = ['awsPrincipalArn', 'kmsOperation', 'kmsKeyArn'] as const;
export type Fact = (typeof FACTS)[number];
