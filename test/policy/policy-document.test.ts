import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePolicyDocument, type PolicyKind } from '../../src/policy/policy-document.ts';
import { allow, allowTo, BOB, ROLE, ROOT, SESSION } from './support.ts';

const KINDS: readonly PolicyKind[] = ['key', 'identity', 'boundary', 'session', 'vpcEndpoint', 'trust'];
const HAS_PRINCIPAL: readonly PolicyKind[] = ['key', 'vpcEndpoint', 'trust'];

/** What is wrong with a document; undefined for a good one. */
function problem(kind: PolicyKind, document: unknown): string | undefined {
  const parsed = parsePolicyDocument(typeof document === 'string' ? document : JSON.stringify(document), kind);
  return parsed.ok ? undefined : parsed.problem;
}

const one = (statement: object): object => ({ Version: '2012-10-17', Statement: statement });
const good = (kind: PolicyKind, parts: object = {}): object => {
  const principal = HAS_PRINCIPAL.includes(kind) ? { Principal: { AWS: BOB } } : {};
  return one({ ...allow(principal), ...(kind === 'trust' ? { Resource: undefined } : {}), ...parts });
};

describe('policy documents of every kind', () => {
  it.each(KINDS)('%s: one statement needs no list, and most elements are optional', (kind) => {
    expect(problem(kind, good(kind))).toBeUndefined();
    expect(problem(kind, { Statement: [(good(kind) as { Statement: object }).Statement] })).toBeUndefined();
    expect(problem(kind, good(kind, { Sid: 'Any thing', Condition: { Bool: { 'aws:x': true } } }))).toBeUndefined();
    expect(problem(kind, good(kind, { Action: undefined, NotAction: ['kms:Get*'] }))).toBeUndefined();
  });

  it.each(KINDS)('%s: what is not in the grammar is refused', (kind) => {
    const faults: readonly unknown[] = [
      '{',
      '[]',
      null,
      {},
      { Statement: [] },
      { ...good(kind), Version: '2020-01-01' },
      { ...good(kind), Extra: 1 },
      good(kind, { Effect: 'allow' }),
      good(kind, { Effect: undefined }),
      good(kind, { Sid: 1 }),
      good(kind, { Extra: 1 }),
      good(kind, { NotAction: 'kms:Get*' }),
      good(kind, { Action: [1] }),
      good(kind, { Action: 'Decrypt' }),
      good(kind, { Condition: [] }),
      good(kind, { Condition: { StringIs: { 'aws:x': '1' } } }),
      good(kind, { Condition: { NullIfExists: { 'aws:x': 'true' } } }),
      good(kind, { Condition: { 'ForSome:StringEquals': { 'aws:x': '1' } } }),
      good(kind, { Condition: { StringEquals: 'x' } }),
      good(kind, { Condition: { StringEquals: { 'aws:x': [null] } } }),
      good(kind, { Condition: { StringEquals: { 'aws:x': { a: 'b' } } } }),
    ];
    for (const fault of faults) {
      expect(problem(kind, fault), JSON.stringify(fault)).toBeTypeOf('string');
    }
  });

  it('statement ids are unique', () => {
    const statement = allow({ Sid: 'A' });
    expect(problem('identity', { Statement: [statement, statement] })).toBe(
      'Statement IDs (SID) in a single policy must be unique.',
    );
  });

  it('whatever the text, parsing answers and does not throw', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), fc.oneof(fc.string(), fc.json()), (kind, text) => {
        expect(typeof parsePolicyDocument(text, kind).ok).toBe('boolean');
      }),
    );
  });
});

describe('principals in policy documents', () => {
  it.each(['identity', 'boundary', 'session'] as const)('%s policies have none', (kind) => {
    expect(problem(kind, one(allowTo('*')))).toBe('Policy document should not specify a principal.');
  });

  it.each(HAS_PRINCIPAL)('%s policies have exactly one of Principal and NotPrincipal', (kind) => {
    expect(problem(kind, good(kind, { Principal: undefined }))).toBeTypeOf('string');
    expect(problem(kind, good(kind, { NotPrincipal: { AWS: BOB } }))).toBeTypeOf('string');
    expect(problem(kind, good(kind, { Principal: undefined, NotPrincipal: { AWS: BOB } }))).toBeUndefined();
  });

  it.each([
    ['everybody', '*'],
    ['everybody as AWS', { AWS: '*' }],
    [
      'several',
      { AWS: [ROOT, '111122223333', BOB, ROLE, SESSION, 'AROAEXAMPLEOPSROLE00'], Service: 's3.amazonaws.com' },
    ],
    ['identity providers', { Federated: ['accounts.google.com', 'arn:aws:iam::111122223333:saml-provider/idp'] }],
  ])('may be %s', (_what, principal) => {
    expect(problem('key', one(allowTo(principal)))).toBeUndefined();
  });

  it.each([
    ['a wildcard in an ARN', { AWS: 'arn:aws:iam::111122223333:role/*' }],
    ['a group', { AWS: 'arn:aws:iam::111122223333:group/g' }],
    ['part of an account', { AWS: '1111' }],
    ['a name', { AWS: 'bob' }],
    ['a service by a wildcard', { Service: '*.amazonaws.com' }],
    ['a provider by a wildcard', { Federated: '*' }],
  ])('may not be %s', (_what, principal) => {
    expect(problem('key', one(allowTo(principal)))).toBe(
      'Policy contains a statement with one or more invalid principals.',
    );
  });

  it('are of known types', () => {
    expect(problem('key', one(allowTo({ Group: 'x' })))).toBeTypeOf('string');
    expect(problem('key', one(allowTo({ AWS: 1 })))).toBeTypeOf('string');
    expect(problem('key', one(allowTo('bob')))).toBeTypeOf('string');
  });
});

describe('actions and resources in policy documents', () => {
  it('a statement of a key policy without them is taken', () => {
    expect(problem('key', good('key', { Action: undefined }))).toBeUndefined();
    expect(problem('key', good('key', { Resource: undefined }))).toBeUndefined();
  });

  it.each(['identity', 'boundary', 'session', 'vpcEndpoint'] as const)(
    'a statement of %s policies needs both',
    (kind) => {
      expect(problem(kind, good(kind, { Action: undefined }))).toBe('Policy statement must contain actions.');
      expect(problem(kind, good(kind, { Resource: undefined }))).toBe('Policy statement must contain resources.');
    },
  );

  it('a trust policy has no resource', () => {
    expect(problem('trust', good('trust', { Resource: '*' }))).toBe('Has prohibited field Resource');
  });

  it('an action has its service, and a resource is an ARN or a star', () => {
    expect(problem('identity', one(allow({ Action: 'Decrypt' })))).toBe(
      'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
    );
    expect(problem('identity', one(allow({ Resource: 'key/x' })))).toBe('Resource key/x must be in ARN format or "*".');
    expect(problem('identity', one(allow({ Resource: 'arn:aws:kms' })))).toBeTypeOf('string');
    expect(problem('identity', one(allow({ Resource: 'arn:aws:kms:*' })))).toBeUndefined();
    expect(
      problem('identity', one(allow({ NotResource: 'arn:aws:kms:*:*:key/*', Resource: undefined }))),
    ).toBeUndefined();
    expect(problem('identity', one(allow({ NotResource: '*' })))).toBeTypeOf('string');
  });
});
