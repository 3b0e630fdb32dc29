import fc from 'fast-check';
import { expect, it } from 'vitest';
import { grantSelector, selectorsFor } from '../../src/policy/grant-selector.ts';
import { SEED } from '../support/seed.ts';

const context = fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), fc.constantFrom('1', '2'), { maxKeys: 4 });

const holds = (given: Record<string, string>, wanted: Record<string, string>): boolean =>
  Object.entries(wanted).every(([name, value]) => Object.hasOwn(given, name) && given[name] === value);

it(`the selectors of a context name exactly the grants that it satisfies (seed ${String(SEED)})`, () => {
  fc.assert(
    fc.property(context, context, (given, wanted) => {
      const selectors = selectorsFor(given);
      expect(selectors?.includes(grantSelector({ EncryptionContextSubset: wanted }))).toBe(holds(given, wanted));
      expect(selectors?.includes(grantSelector({ EncryptionContextEquals: wanted }))).toBe(
        holds(given, wanted) && holds(wanted, given),
      );
      expect(selectors).toContain(grantSelector(undefined));
      expect(selectors).toContain(grantSelector({ SourceArn: 'arn:aws:s3:::b' }));
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});

it('a context of many pairs has no selectors', () => {
  const pairs = Array.from({ length: 9 }, (_, index) => [`name${String(index)}`, 'x'] as const);
  expect(selectorsFor(Object.fromEntries(pairs.slice(1)))).toHaveLength(257);
  expect(selectorsFor(Object.fromEntries(pairs))).toBeUndefined();
});
