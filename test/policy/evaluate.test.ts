import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../../src/policy/compile.ts';
import {
  ALICE,
  allow,
  allowTo,
  BOB,
  caller,
  deny,
  document,
  effect,
  FEDERATED,
  KEY,
  OTHER_ROOT,
  policy,
  request,
  ROLE,
  ROOT,
  SERVICE,
  SESSION,
  STRANGER,
  values,
} from './support.ts';

/** How the only Allow of a key policy names a caller; undefined when it does not. */
function names(principal: unknown, arn: string): string | undefined {
  const verdict = policy('key', allowTo(principal)).evaluate(request({ principal: caller(arn) }));
  return verdict.effect === 'allow' ? verdict.names : undefined;
}

describe('Principal', () => {
  it.each([
    ['everybody', '*', BOB, 'self'],
    ['everybody', { AWS: '*' }, STRANGER, 'self'],
    ['everybody', '*', SERVICE, 'self'],
    ['a user', { AWS: BOB }, BOB, 'self'],
    ['another user', { AWS: ALICE }, BOB, undefined],
    ['a user by its unique id', { AWS: 'AIDA111122223333BOB0' }, BOB, 'self'],
    ['an account by its root', { AWS: ROOT }, BOB, 'account'],
    ['an account by its root', { AWS: ROOT }, ROOT, 'account'],
    ['an account by its root', { AWS: ROOT }, SESSION, 'account'],
    ['an account by its number', { AWS: '111122223333' }, BOB, 'account'],
    ['another account', { AWS: OTHER_ROOT }, BOB, undefined],
    ['a role', { AWS: ROLE }, SESSION, 'issuer'],
    ['a role by its unique id', { AWS: 'AROAEXAMPLEOPSROLE00' }, SESSION, 'issuer'],
    ['a session', { AWS: SESSION }, SESSION, 'self'],
    ['another session of the role', { AWS: `${SESSION}2` }, SESSION, undefined],
    ['a federated session', { AWS: FEDERATED }, FEDERATED, 'self'],
    ['a service', { Service: SERVICE }, SERVICE, 'self'],
    ['another service', { Service: 'ec2.amazonaws.com' }, SERVICE, undefined],
    ['a service', { Service: SERVICE }, BOB, undefined],
    ['the most direct of several', { AWS: [ROOT, BOB] }, BOB, 'self'],
  ])('%s: %j names %s as %s', (_what, principal, arn, expected) => {
    expect(names(principal, arn)).toBe(expected);
  });

  it('names the user who issued a federated session, and an identity provider', () => {
    const bobsGuest = caller(FEDERATED, { issuer: { arn: BOB, principalId: 'AIDABOB' } });
    const compiled = policy('key', allowTo({ AWS: BOB }));
    expect(compiled.evaluate(request({ principal: bobsGuest }))).toMatchObject({ effect: 'allow', names: 'issuer' });
    const google = caller('accounts.google.com', { kind: 'provider' });
    const trust = policy('trust', { ...allowTo({ Federated: 'accounts.google.com' }), Resource: undefined });
    expect(trust.evaluate(request({ principal: google }))).toMatchObject({ effect: 'allow', names: 'self' });
    expect(trust.evaluate(request()).effect).toBe('none');
  });

  it('the most direct of several statements is told, with its place', () => {
    const compiled = policy('key', allowTo({ AWS: ROOT }), allowTo({ AWS: BOB }, { Sid: 'Bob' }));
    expect(compiled.evaluate(request())).toEqual({
      effect: 'allow',
      names: 'self',
      statement: { index: 1, sid: 'Bob' },
    });
  });
});

describe('NotPrincipal', () => {
  const others = (listed: readonly string[], arn: string, isBounded = false): string =>
    effect(
      policy('key', deny({ NotPrincipal: { AWS: listed } })).evaluate(request({ principal: caller(arn) }), isBounded),
    );

  it.each([
    ['a user with its account', [BOB, ROOT], BOB, 'none'],
    ['a user without its account', [BOB], BOB, 'deny'],
    ['an account without its user', [ROOT], BOB, 'deny'],
    ['an account for its root user', [ROOT], ROOT, 'none'],
    ['session, role and account', [SESSION, ROLE, ROOT], SESSION, 'none'],
    ['role and account without the session', [ROLE, ROOT], SESSION, 'deny'],
    ['session and account without the role', [SESSION, ROOT], SESSION, 'deny'],
    ['somebody else', [ALICE, OTHER_ROOT], BOB, 'deny'],
    ['everybody', ['*'], BOB, 'none'],
  ])('with Deny, listing %s', (_what, listed, arn, expected) => {
    expect(others(listed, arn)).toBe(expected);
  });

  it('with Deny meets everybody who has a permissions boundary', () => {
    expect(others([BOB, ROOT], BOB, true)).toBe('deny');
    expect(others(['*'], BOB, true)).toBe('deny');
  });

  it('with Deny spares a listed service', () => {
    const compiled = policy('key', deny({ NotPrincipal: { Service: SERVICE } }));
    expect(effect(compiled.evaluate(request({ principal: caller(SERVICE) })))).toBe('none');
    expect(effect(compiled.evaluate(request()))).toBe('deny');
  });

  it.each([
    ['nobody of the caller', { AWS: [ALICE, OTHER_ROOT] }, 'allow'],
    ['the caller', { AWS: BOB }, 'none'],
    ['the account', { AWS: ROOT }, 'none'],
    ['everybody', '*', 'none'],
  ])('with Allow, listing %s', (_what, element, expected) => {
    expect(effect(policy('key', allow({ NotPrincipal: element })).evaluate(request()))).toBe(expected);
  });
});

describe('Action and Resource', () => {
  it.each([
    [{ Action: 'kms:Decrypt' }, true],
    [{ Action: 'KMS:decrypt' }, true],
    [{ Action: ['kms:Get*', 'kms:De*t'] }, true],
    [{ Action: 'kms:De??ypt' }, true],
    [{ Action: '*' }, true],
    [{ Action: 's3:*' }, false],
    [{ Action: 'kms:Decryp' }, false],
    [{ Action: [] }, false],
    [{ Action: undefined, NotAction: 'kms:Get*' }, true],
    [{ Action: undefined, NotAction: ['kms:Get*', 'kms:De*'] }, false],
    [{ Resource: KEY }, true],
    [{ Resource: 'arn:aws:kms:*:111122223333:key/*' }, true],
    [{ Resource: 'arn:aws:kms:us-east-?:*:key/1234abcd-*' }, true],
    [{ Resource: 'arn:aws:kms:*' }, true],
    [{ Resource: 'arn:aws:kms:us-west-*' }, false],
    [{ Resource: 'arn:*:key/*' }, false],
    [{ Resource: 'arn:aws:*:111122223333:key/*' }, false],
    [{ Resource: 'arn:aws:kms:*:111122223333:alias/*' }, false],
    [{ Resource: KEY.toUpperCase().replace('ARN', 'arn') }, false],
    [{ Resource: 'arn:aws:kms:*:*:key/${aws:PrincipalTag/Key}' }, true],
    [{ Resource: "arn:aws:kms:*:*:key/${aws:nothing, '1234abcd-12ab-34cd-56ef-1234567890ab'}" }, true],
    [{ Resource: 'arn:aws:kms:*:*:key/${aws:nothing}*' }, false],
    [{ Resource: undefined, NotResource: 'arn:aws:kms:*:*:key/${aws:nothing}*' }, true],
    [{ Resource: undefined, NotResource: 'arn:aws:kms:*:*:key/*' }, false],
    [{ Resource: undefined, NotResource: ['arn:aws:kms:*:*:alias/*'] }, true],
  ])('%j covers Decrypt on a key: %s', (parts, expected) => {
    const tags = values({ 'aws:PrincipalTag/Key': '1234abcd-12ab-34cd-56ef-1234567890ab' });
    const verdict = policy('identity', allow(parts)).evaluate(request({ values: tags }));
    expect(verdict.effect).toBe(expected ? 'allow' : 'none');
  });

  it('only a star covers an action without a resource', () => {
    const onAll = request({ action: 'kms:ListKeys', resource: '*' });
    expect(policy('identity', allow()).evaluate(onAll).effect).toBe('allow');
    expect(policy('identity', allow({ Resource: 'arn:aws:kms:*:*:*' })).evaluate(onAll).effect).toBe('none');
  });

  it('variables in a resource are plain text before version 2012-10-17', () => {
    const old = compilePolicy(document('identity', [allow({ Resource: 'arn:aws:kms:*:*:key/${*}' })], '2008-10-17'));
    expect(old.evaluate(request()).effect).toBe('none');
    expect(old.evaluate(request({ resource: 'arn:aws:kms:r:a:key/${anything}' })).effect).toBe('allow');
  });

  it('a statement of a key policy without Action or without Resource says nothing', () => {
    for (const parts of [{ Action: undefined }, { Resource: undefined }]) {
      expect(policy('key', allowTo('*', parts)).evaluate(request()).effect).toBe('none');
    }
  });
});

describe('a policy', () => {
  it('that denies and allows denies, in whatever order', () => {
    const statements = [allow(), deny({ Action: 'kms:Decrypt', Sid: 'No' })];
    for (const order of [statements, statements.toReversed()]) {
      const verdict = policy('identity', ...order).evaluate(request());
      expect(verdict).toMatchObject({ effect: 'deny', statement: { sid: 'No' } });
    }
  });

  it('gives one answer for an action in any letter case, and for any number of actions', () => {
    const compiled = policy('identity', allow({ Action: 'kms:Decrypt' }));
    for (let index = 0; index < 1000; index++) {
      expect(compiled.evaluate(request({ action: `kms:Other${index}` })).effect).toBe('none');
    }
    expect(compiled.evaluate(request({ action: 'KMS:DECRYPT' })).effect).toBe('allow');
  });
});
