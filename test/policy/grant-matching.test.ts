import { describe, expect, it } from 'vitest';
import type { Grant, GrantConstraints, GrantOperation } from '../../src/policy/grant.ts';
import { matchGrants, type GrantSubject } from '../../src/policy/grant-matching.ts';
import {
  ACCOUNT,
  ALICE,
  BOB,
  caller,
  FEDERATED,
  OTHER_ROOT,
  request,
  ROLE,
  ROOT,
  SERVICE,
  SESSION,
  STRANGER,
  values,
} from './support.ts';

const CONTEXT = { app: 'shop', stage: 'live' };
const SOURCE = 'arn:aws:s3:us-east-1:111122223333:bucket/b';

function grant(name: string, operations: readonly GrantOperation[], constraints?: GrantConstraints): Grant {
  return {
    region: 'us-east-1',
    keyId: 'k',
    grantId: '00',
    name: undefined,
    grantee: { kind: name.startsWith('arn:') ? 'principal' : 'service', name },
    retiring: undefined,
    issuingAccountId: ACCOUNT,
    operations,
    constraints,
    createdMs: 0,
  };
}

/** How the grant names the caller of the request that it allows; undefined when it allows nothing. */
function match(given: Grant, arn: string, action: string, subject: GrantSubject = {}, source?: string): unknown {
  const sourceValues = values(source === undefined ? {} : { 'aws:SourceArn': source });
  const asked = request({ principal: caller(arn), action: `kms:${action}`, values: sourceValues });
  return matchGrants([given], asked, subject)[0]?.names;
}

describe('the grantee of a grant', () => {
  it.each([
    ['a user', BOB, BOB, 'self'],
    ['another user', ALICE, BOB, undefined],
    ['a role, for its sessions', ROLE, SESSION, 'issuer'],
    ['a session', SESSION, SESSION, 'self'],
    ['another session of the role', `${SESSION}2`, SESSION, undefined],
    ['a federated session', FEDERATED, FEDERATED, 'self'],
    ['the account', ROOT, BOB, 'account'],
    ['the account, for its root user', ROOT, ROOT, 'account'],
    ['another account', OTHER_ROOT, BOB, undefined],
    ['a user of another account', STRANGER, STRANGER, 'self'],
    ['a service', SERVICE, SERVICE, 'self'],
    ['another service', 'ec2.amazonaws.com', SERVICE, undefined],
    ['a service, for a user', SERVICE, BOB, undefined],
    ['a user, for a service', BOB, SERVICE, undefined],
  ])('may be %s', (_what, grantee, arn, expected) => {
    expect(match(grant(grantee, ['Decrypt']), arn, 'Decrypt')).toBe(expected);
  });
});

describe('the operations of a grant', () => {
  it('are the ones it lists, by the names of the actions', () => {
    const given = grant(BOB, ['ReEncryptFrom', 'DescribeKey']);
    expect(match(given, BOB, 'ReEncryptFrom')).toBe('self');
    expect(match(given, BOB, 'DescribeKey')).toBe('self');
    expect(match(given, BOB, 'ReEncryptTo')).toBeUndefined();
    expect(match(given, BOB, 'ScheduleKeyDeletion')).toBeUndefined();
  });
});

describe('encryption context constraints', () => {
  const equals = { EncryptionContextEquals: CONTEXT };
  const subset = { EncryptionContextSubset: { app: 'shop' } };

  it.each<[string, GrantConstraints | undefined, Record<string, string> | undefined, boolean]>([
    ['none take any context', undefined, CONTEXT, true],
    ['Equals takes the same, in any order', equals, { stage: 'live', app: 'shop' }, true],
    ['Equals does not take less', equals, { app: 'shop' }, false],
    ['Equals does not take more', equals, { ...CONTEXT, more: 'x' }, false],
    ['Equals does not take another value', equals, { ...CONTEXT, stage: 'test' }, false],
    ['Equals tells letter case', equals, { App: 'shop', stage: 'live' }, false],
    ['Equals does not take none', equals, undefined, false],
    ['Subset takes the same', subset, { app: 'shop' }, true],
    ['Subset takes more', subset, CONTEXT, true],
    ['Subset does not take less', subset, { stage: 'live' }, false],
    ['Subset does not take another value', subset, { app: 'SHOP' }, false],
    ['Subset looks at own members only', { EncryptionContextSubset: { constructor: 'x' } }, {}, false],
  ])('%s', (_what, constraints, encryptionContext, expected) => {
    const given = grant(BOB, ['Decrypt'], constraints);
    expect(match(given, BOB, 'Decrypt', { encryptionContext }) !== undefined).toBe(expected);
  });

  it('do not limit DescribeKey and RetireGrant', () => {
    const given = grant(BOB, ['DescribeKey', 'RetireGrant'], equals);
    expect(match(given, BOB, 'DescribeKey')).toBe('self');
    expect(match(given, BOB, 'RetireGrant')).toBe('self');
  });
});

describe('the source constraint', () => {
  const constraints = { SourceArn: SOURCE };
  const toService = grant(SERVICE, ['Decrypt', 'DescribeKey', 'RetireGrant'], constraints);

  it.each([
    ['Decrypt', SOURCE, 'self'],
    ['Decrypt', `${SOURCE}2`, undefined],
    ['Decrypt', undefined, undefined],
    ['DescribeKey', SOURCE, 'self'],
    ['DescribeKey', undefined, undefined],
    ['RetireGrant', undefined, 'self'],
  ])('a service may %s from %s: %s', (action, source, expected) => {
    expect(match(toService, SERVICE, action, {}, source)).toBe(expected);
  });

  it('does not limit callers that are no services', () => {
    expect(match(grant(BOB, ['Decrypt'], constraints), BOB, 'Decrypt')).toBe('self');
  });
});

describe('a grant that allows CreateGrant', () => {
  const OPERATIONS: readonly GrantOperation[] = ['CreateGrant', 'Decrypt', 'Encrypt'];
  const equals = { EncryptionContextEquals: CONTEXT };
  const subset = { EncryptionContextSubset: { app: 'shop' } };

  it.each<[string, GrantConstraints | undefined, readonly GrantOperation[], GrantConstraints | undefined, boolean]>([
    ['the same', undefined, OPERATIONS, undefined, true],
    ['fewer operations', undefined, ['Decrypt'], undefined, true],
    ['an operation of its own', undefined, ['Decrypt', 'DescribeKey'], undefined, false],
    ['constraints where it has none', undefined, ['Decrypt'], subset, true],
    ['no constraints where it has some', subset, ['Decrypt'], undefined, false],
    ['the same subset', subset, ['Decrypt'], subset, true],
    ['a larger subset', subset, ['Decrypt'], { EncryptionContextSubset: CONTEXT }, true],
    ['another subset', subset, ['Decrypt'], { EncryptionContextSubset: { stage: 'live' } }, false],
    ['Equals instead of Subset', subset, ['Decrypt'], equals, true],
    ['Equals that lacks a pair of Subset', subset, ['Decrypt'], { EncryptionContextEquals: { a: 'b' } }, false],
    ['the same Equals', equals, ['Decrypt'], equals, true],
    ['a larger Equals', equals, ['Decrypt'], { EncryptionContextEquals: { ...CONTEXT, more: 'x' } }, false],
    ['Subset instead of Equals', equals, ['Decrypt'], { EncryptionContextSubset: CONTEXT }, false],
    ['the same source', { SourceArn: SOURCE }, ['Decrypt'], { SourceArn: SOURCE }, true],
    ['no source', { SourceArn: SOURCE }, ['Decrypt'], undefined, false],
    ['another source', { SourceArn: SOURCE }, ['Decrypt'], { SourceArn: `${SOURCE}2` }, false],
  ])('makes one with %s: %s', (_what, own, operations, constraints, expected) => {
    const given = grant(BOB, OPERATIONS, own);
    const allowed = match(given, BOB, 'CreateGrant', { newGrant: { operations, constraints } });
    expect(allowed !== undefined).toBe(expected);
  });

  it('allows nothing without the grant that is to be made', () => {
    expect(match(grant(BOB, OPERATIONS), BOB, 'CreateGrant')).toBeUndefined();
  });
});
