import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowsPolicyUpdateBy, matchesWildcard } from '../../src/policy/lockout.ts';
import { parsePolicyDocument } from '../../src/policy/policy-document.ts';

const caller = {
  accountId: '111122223333',
  arn: 'arn:aws:iam::111122223333:user/administrator',
  principalId: 'AIDAEXAMPLE',
};
const ROOT = { AWS: 'arn:aws:iam::111122223333:root' };

function allows(...statements: readonly object[]): boolean {
  const parsed = parsePolicyDocument(JSON.stringify({ Version: '2012-10-17', Statement: statements }));
  if (!parsed.ok) {
    throw new Error(parsed.problem);
  }
  return allowsPolicyUpdateBy(parsed.policy, caller);
}

const allow = (parts: object): object => ({
  Effect: 'Allow',
  Principal: ROOT,
  Action: 'kms:*',
  Resource: '*',
  ...parts,
});
const deny = (parts: object): object => ({ ...allow(parts), Effect: 'Deny' });

describe('the lockout check', () => {
  it.each([
    ['the account', allow({})],
    ['the account by its number', allow({ Principal: { AWS: '111122223333' } })],
    ['the caller', allow({ Principal: { AWS: [caller.arn, 'arn:aws:iam::444455556666:root'] } })],
    ['everybody', allow({ Principal: '*' })],
    ['everybody as AWS', allow({ Principal: { AWS: '*' } })],
    ['the action alone', allow({ Action: ['kms:Get*', 'kms:PutKeyPolicy'] })],
    ['the action in another case', allow({ Action: 'KMS:putkeypolicy' })],
    ['the action by a pattern', allow({ Action: 'kms:Put???Policy' })],
    ['all but other actions', allow({ Action: undefined, NotAction: 'kms:Decrypt' })],
    ['a condition that is not evaluated', allow({ Condition: { Bool: { 'aws:SecureTransport': 'true' } } })],
  ])('passes a policy that allows %s', (_what, statement) => {
    expect(allows(statement)).toBe(true);
  });

  it.each([
    ['another account', allow({ Principal: { AWS: 'arn:aws:iam::444455556666:root' } })],
    ['another user', allow({ Principal: { AWS: 'arn:aws:iam::111122223333:user/other' } })],
    ['a service', allow({ Principal: { Service: 's3.amazonaws.com' } })],
    ['other actions', allow({ Action: ['kms:Get*', 'kms:PutKeyPolic'] })],
    ['all actions but this one', allow({ Action: undefined, NotAction: 'kms:Put*' })],
    ['no action', allow({ Action: undefined })],
  ])('refuses a policy that allows only %s', (_what, statement) => {
    expect(allows(statement)).toBe(false);
  });

  it('a Deny beats an Allow, unless it has a condition', () => {
    expect(allows(allow({}), deny({ Action: 'kms:PutKeyPolicy' }))).toBe(false);
    expect(allows(allow({}), deny({ Principal: undefined, NotPrincipal: { AWS: caller.arn } }))).toBe(true);
    expect(allows(allow({}), deny({ Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'false' } } }))).toBe(true);
  });
});

describe('policy documents', () => {
  it.each([
    ['no statement', { Version: '2012-10-17' }],
    ['an unknown version', { Version: '2013-01-01', Statement: [allow({})] }],
    ['an unknown element', { Statement: [allow({ Sids: 'x' })] }],
    ['no effect', { Statement: [allow({ Effect: undefined })] }],
    ['no principal', { Statement: [allow({ Principal: undefined })] }],
    ['two kinds of principal', { Statement: [allow({ NotPrincipal: ROOT })] }],
    ['both kinds of action', { Statement: [allow({ NotAction: 'kms:Get*' })] }],
    ['an unknown kind of principal', { Statement: [allow({ Principal: { Group: 'x' } })] }],
    ['an action that is no string', { Statement: [allow({ Action: [1] })] }],
    ['a condition that is no object', { Statement: [allow({ Condition: [] })] }],
  ])('with %s are refused', (_what, document) => {
    expect(parsePolicyDocument(JSON.stringify(document)).ok).toBe(false);
  });

  it('whatever the text, parsing answers and does not throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(typeof parsePolicyDocument(text).ok).toBe('boolean');
      }),
    );
  });
});

describe('wildcards', () => {
  it('match as the regular expression of the same meaning does', () => {
    const symbols = fc.constantFrom('a', 'b', '*', '?');
    const pattern = fc.array(symbols, { maxLength: 8 }).map((parts) => parts.join(''));
    const text = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(pattern, text, (wild, candidate) => {
        const expression = new RegExp(`^${wild.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        expect(matchesWildcard(wild, candidate)).toBe(expression.test(candidate));
      }),
      { numRuns: 2000 },
    );
  });

  it('do not take time that grows with the number of stars', () => {
    expect(matchesWildcard('*a'.repeat(200), `${'a'.repeat(2000)}b`)).toBe(false);
  });
});
