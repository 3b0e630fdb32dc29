import { describe, expect, it } from 'vitest';
import { allowsPolicyUpdate } from '../../src/policy/lockout.ts';
import { allowTo, BOB, caller, deny, KEY, OTHER_ROOT, policy, ROLE, ROOT, SESSION, values } from './support.ts';

function allows(...statements: readonly object[]): boolean {
  const given = values({ 'aws:SecureTransport': 'true' });
  return allowsPolicyUpdate(policy('key', ...statements), { principal: caller(BOB), resource: KEY, values: given });
}

const toAccount = (parts: object = {}): object => allowTo({ AWS: ROOT }, parts);
const denyAccount = (parts: object = {}): object => deny({ Principal: { AWS: ROOT }, ...parts });
const secure = (value: string): object => ({ Condition: { Bool: { 'aws:SecureTransport': value } } });

describe('the lockout check', () => {
  it.each([
    ['the account', toAccount()],
    ['the account by its number', allowTo({ AWS: '111122223333' })],
    ['the caller', allowTo({ AWS: [BOB, OTHER_ROOT] })],
    ['everybody', allowTo('*')],
    ['everybody as AWS', allowTo({ AWS: '*' })],
    ['the action alone', toAccount({ Action: ['kms:Get*', 'kms:PutKeyPolicy'] })],
    ['the action in another case', toAccount({ Action: 'KMS:putkeypolicy' })],
    ['the action by a pattern', toAccount({ Action: 'kms:Put???Policy' })],
    ['all but other actions', toAccount({ Action: undefined, NotAction: 'kms:Decrypt' })],
    ['the key by its ARN', toAccount({ Resource: KEY })],
    ['what the request is', toAccount(secure('true'))],
  ])('passes a policy that allows %s', (_what, statement) => {
    expect(allows(statement)).toBe(true);
  });

  it.each([
    ['another account', allowTo({ AWS: OTHER_ROOT })],
    ['another user', allowTo({ AWS: 'arn:aws:iam::111122223333:user/other' })],
    ['a service', allowTo({ Service: 's3.amazonaws.com' })],
    ['other actions', toAccount({ Action: ['kms:Get*', 'kms:PutKeyPolic'] })],
    ['all actions but this one', toAccount({ Action: undefined, NotAction: 'kms:Put*' })],
    ['no action', toAccount({ Action: undefined })],
    ['no resource', toAccount({ Resource: undefined })],
    ['another key', toAccount({ Resource: `${KEY}0` })],
    ['what the request is not', toAccount(secure('false'))],
  ])('refuses a policy that allows only %s', (_what, statement) => {
    expect(allows(statement)).toBe(false);
  });

  it('a Deny beats an Allow, unless it is not about this request', () => {
    expect(allows(toAccount(), denyAccount({ Action: 'kms:PutKeyPolicy' }))).toBe(false);
    expect(allows(toAccount(), deny({ NotPrincipal: { AWS: [BOB, ROOT] } }))).toBe(true);
    expect(allows(toAccount(), denyAccount(secure('false')))).toBe(true);
    expect(allows(toAccount(), denyAccount(secure('true')))).toBe(false);
  });

  it('a session of a role passes by its role', () => {
    const keyPolicy = policy('key', allowTo({ AWS: ROLE }));
    expect(allowsPolicyUpdate(keyPolicy, { principal: caller(SESSION), resource: KEY, values: values() })).toBe(true);
  });
});
