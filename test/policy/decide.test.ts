import { describe, expect, it } from 'vitest';
import { decide, type AccessDecision, type AccessQuestion, type PolicySet } from '../../src/policy/decide.ts';
import type { Grant } from '../../src/policy/grant.ts';
import {
  ACCOUNT,
  allow,
  allowTo,
  ALICE,
  BOB,
  caller,
  deny,
  FEDERATED,
  OTHER_ROOT,
  policy,
  request,
  ROLE,
  ROOT,
  SERVICE,
  SESSION,
  STRANGER,
} from './support.ts';

const keyFor = (principal: unknown): Partial<PolicySet> => ({ resource: policy('key', allowTo(principal)) });
const NOTHING = policy('key', allowTo({ AWS: ALICE }));
const IDENTITY: Partial<PolicySet> = { identity: [policy('identity', allow())] };
const elsewhere = { Action: 's3:*' };
const BOUNDARY: Partial<PolicySet> = { boundary: policy('boundary', allow(elsewhere)) };
const SESSION_POLICY: Partial<PolicySet> = { session: [policy('session', allow(elsewhere))] };
const ENDPOINT: Partial<PolicySet> = { vpcEndpoint: policy('vpcEndpoint', allowTo('*', elsewhere)) };
const WIDE: Partial<PolicySet> = {
  boundary: policy('boundary', allow()),
  session: [policy('session', allow(elsewhere)), policy('session', allow())],
  vpcEndpoint: policy('vpcEndpoint', allowTo('*')),
};

function ask(arn: string, policies: Partial<PolicySet>, more: Partial<AccessQuestion> = {}): AccessDecision {
  const none = { resource: undefined, identity: [], boundary: undefined, session: [], vpcEndpoint: undefined };
  return decide(
    { ...request({ principal: caller(arn) }), resourceAccountId: ACCOUNT, ...more },
    { ...none, ...policies },
  );
}

/** `allow`, or the end of the refusal. */
function outcome(decision: AccessDecision): string {
  return decision.effect === 'allow' ? 'allow' : decision.reason;
}

const no = (type: string, action = 'kms:Decrypt'): string => `because no ${type} allows the ${action} action`;
const NO_RESOURCE = no('resource-based policy');
const NO_IDENTITY = no('identity-based policy');
const NO_BOUNDARY = no('permissions boundary');
const NO_SESSION = no('session policy');
const NO_ENDPOINT = no('VPC endpoint policy');

describe('in one account', () => {
  it.each<[what: string, arn: string, policies: Partial<PolicySet>, expected: string]>([
    ['a key policy that names the user is enough', BOB, keyFor({ AWS: BOB }), 'allow'],
    ['an identity policy is nothing without the key policy', BOB, { resource: NOTHING, ...IDENTITY }, NO_RESOURCE],
    ['a key policy that names the account needs more', BOB, keyFor({ AWS: ROOT }), NO_IDENTITY],
    ['the account and an identity policy are enough', BOB, { ...keyFor({ AWS: ROOT }), ...IDENTITY }, 'allow'],
    ['a boundary limits the identity policy', BOB, { ...keyFor({ AWS: ROOT }), ...IDENTITY, ...BOUNDARY }, NO_BOUNDARY],
    ['a boundary does not limit the key policy', BOB, { ...keyFor({ AWS: BOB }), ...BOUNDARY }, 'allow'],
    ['nor one that names everybody', BOB, { ...keyFor('*'), ...BOUNDARY }, 'allow'],
    ['a key policy that names the role is enough', SESSION, keyFor({ AWS: ROLE }), 'allow'],
    ['but for the boundary', SESSION, { ...keyFor({ AWS: ROLE }), ...BOUNDARY }, NO_BOUNDARY],
    ['but for the session policy', SESSION, { ...keyFor({ AWS: ROLE }), ...SESSION_POLICY }, NO_SESSION],
    [
      'one that names the session is enough in any case',
      SESSION,
      { ...keyFor({ AWS: SESSION }), ...BOUNDARY, ...SESSION_POLICY },
      'allow',
    ],
    ['also for a federated session', FEDERATED, { ...keyFor({ AWS: FEDERATED }), ...SESSION_POLICY }, 'allow'],
    [
      'a session policy limits the role',
      SESSION,
      { ...keyFor({ AWS: ROOT }), ...IDENTITY, ...SESSION_POLICY },
      NO_SESSION,
    ],
    ['limits that allow are none', SESSION, { ...keyFor({ AWS: ROOT }), ...IDENTITY, ...WIDE }, 'allow'],
    ['the endpoint has to allow', BOB, { ...keyFor({ AWS: BOB }), ...ENDPOINT }, NO_ENDPOINT],
    ['the root user needs the key policy', ROOT, { resource: NOTHING }, NO_RESOURCE],
    ['the root user needs no identity policy', ROOT, keyFor({ AWS: ROOT }), 'allow'],
    ['a service needs the key policy', SERVICE, { resource: NOTHING, ...IDENTITY }, NO_RESOURCE],
    ['a service that the key policy names', SERVICE, keyFor({ Service: SERVICE }), 'allow'],
  ])('%s', (_what, arn, policies, expected) => {
    expect(outcome(ask(arn, policies))).toBe(expected);
  });

  it('a role has the permissions of all its policies', () => {
    const identity = [policy('identity', allow(elsewhere)), policy('identity', allow({ Sid: 'Here' }))];
    expect(ask(SESSION, { ...keyFor({ AWS: ROOT }), identity })).toMatchObject({
      effect: 'allow',
      by: { type: 'identity-based policy', statement: { index: 0, sid: 'Here' } },
    });
  });
});

describe('without a resource policy', () => {
  const listKeys = { action: 'kms:ListKeys', resource: '*' };

  it.each<[string, string, Partial<PolicySet>, string]>([
    ['the identity policy decides', BOB, IDENTITY, 'allow'],
    ['nothing else does', BOB, {}, no('identity-based policy', 'kms:ListKeys')],
    ['within the boundary', BOB, { ...IDENTITY, ...BOUNDARY }, no('permissions boundary', 'kms:ListKeys')],
    ['the root user may', ROOT, {}, 'allow'],
    ['a service may not', SERVICE, {}, no('identity-based policy', 'kms:ListKeys')],
  ])('%s', (_what, arn, policies, expected) => {
    expect(outcome(ask(arn, policies, listKeys))).toBe(expected);
  });

  it('another account stays outside', () => {
    const alias = { action: 'kms:DeleteAlias', resource: `arn:aws:kms:us-east-1:${ACCOUNT}:alias/a` };
    expect(outcome(ask(STRANGER, IDENTITY, alias))).toBe(no('resource-based policy', 'kms:DeleteAlias'));
    expect(outcome(ask(BOB, IDENTITY, alias))).toBe('allow');
  });
});

describe('across accounts', () => {
  it.each<[string, Partial<PolicySet>, string]>([
    ['the key policy alone is not enough', keyFor({ AWS: STRANGER }), NO_IDENTITY],
    ['not even for everybody', keyFor('*'), NO_IDENTITY],
    ['identity policies alone are not enough', { ...keyFor({ AWS: ROOT }), ...IDENTITY }, NO_RESOURCE],
    ['both are', { ...keyFor({ AWS: STRANGER }), ...IDENTITY }, 'allow'],
    ['both are, by the account', { ...keyFor({ AWS: OTHER_ROOT }), ...IDENTITY }, 'allow'],
    ['within the boundary', { ...keyFor({ AWS: STRANGER }), ...IDENTITY, ...BOUNDARY }, NO_BOUNDARY],
  ])('%s', (_what, policies, expected) => {
    expect(outcome(ask(STRANGER, policies))).toBe(expected);
  });
});

describe('an explicit deny', () => {
  it.each<[string, Partial<PolicySet>]>([
    [
      'with an explicit deny in a resource-based policy',
      { resource: policy('key', allowTo('*'), deny({ Principal: '*' })) },
    ],
    ['with an explicit deny in an identity-based policy', { identity: [policy('identity', deny())] }],
    ['with an explicit deny in a permissions boundary', { boundary: policy('boundary', deny()) }],
    ['with an explicit deny in a session policy', { session: [policy('session', deny())] }],
    [
      'with an explicit deny in a VPC endpoint policy',
      { vpcEndpoint: policy('vpcEndpoint', deny({ Principal: '*' })) },
    ],
  ])('%s wins over every Allow', (reason, denial) => {
    const decision = ask(BOB, { ...keyFor({ AWS: BOB }), ...IDENTITY, ...WIDE, ...denial }, { grants: [grantTo(BOB)] });
    expect(decision).toMatchObject({ effect: 'deny', reason, by: { type: reason.replace(/^.* deny in an? /, '') } });
  });

  it('of the account in the key policy meets everybody in it', () => {
    const resource = policy('key', allowTo('*'), deny({ Principal: { AWS: ROOT } }));
    expect(outcome(ask(BOB, { resource }))).toBe('with an explicit deny in a resource-based policy');
    expect(outcome(ask(SERVICE, { resource }))).toBe('allow');
  });

  it('in an identity policy does not meet the root user', () => {
    expect(outcome(ask(ROOT, { ...keyFor({ AWS: ROOT }), identity: [policy('identity', deny())] }))).toBe('allow');
  });
});

function grantTo(name: string, more: Partial<Grant> = {}): Grant {
  return {
    region: 'us-east-1',
    keyId: 'k',
    grantId: '00',
    name: undefined,
    grantee: { kind: name.startsWith('arn:') ? 'principal' : 'service', name },
    retiring: undefined,
    issuingAccountId: ACCOUNT,
    operations: ['Decrypt'],
    constraints: undefined,
    createdMs: 0,
    ...more,
  };
}

describe('a grant', () => {
  it.each<[string, string, string, Partial<PolicySet>, string]>([
    ['lets its user in', BOB, BOB, {}, 'allow'],
    ['lets its user in beyond the boundary', BOB, BOB, BOUNDARY, 'allow'],
    ['lets its role in', SESSION, ROLE, {}, 'allow'],
    ['lets its role in within the session policy', SESSION, ROLE, SESSION_POLICY, NO_SESSION],
    ['lets its session in', SESSION, SESSION, SESSION_POLICY, 'allow'],
    ['lets a user of another account in', STRANGER, STRANGER, {}, 'allow'],
    ['to an account needs an identity policy', STRANGER, OTHER_ROOT, {}, NO_IDENTITY],
    ['to an account lets in with an identity policy', STRANGER, OTHER_ROOT, IDENTITY, 'allow'],
    ['lets its service in', SERVICE, SERVICE, {}, 'allow'],
    ['lets nobody else in', BOB, ALICE, IDENTITY, NO_RESOURCE],
    ['counts within the endpoint policy', BOB, BOB, ENDPOINT, NO_ENDPOINT],
  ])('%s', (_what, arn, grantee, policies, expected) => {
    const grant = grantTo(grantee);
    const decision = ask(arn, { resource: NOTHING, ...policies }, { grants: [grantTo(ALICE), grant] });
    expect(outcome(decision)).toBe(expected);
    if (decision.effect === 'allow') {
      expect(decision.by).toEqual({ type: 'grant', grant });
    }
  });
});
