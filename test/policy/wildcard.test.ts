import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesWildcard, wildcardPattern } from '../../src/policy/wildcard.ts';

describe('wildcards', () => {
  it('match as the regular expression of the same meaning does', () => {
    const symbols = fc.constantFrom('a', 'b', '*', '?');
    const pattern = fc.array(symbols, { maxLength: 8 }).map((parts) => parts.join(''));
    const text = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(pattern, text, fc.nat(3), fc.nat(3), (wild, candidate, before, after) => {
        const expression = new RegExp(`^${wild.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        const framed = `${'a'.repeat(before)}${candidate}${'b'.repeat(after)}`;
        const end = before + candidate.length;
        const matches = matchesWildcard(wildcardPattern(wild), framed, before, end);
        expect(matches).toBe(expression.test(candidate));
      }),
      { numRuns: 3000 },
    );
  });

  it('do not take time that grows with the number of stars', () => {
    const pattern = wildcardPattern('*a'.repeat(200));
    expect(matchesWildcard(pattern, `${'a'.repeat(2000)}b`)).toBe(false);
  });
});
