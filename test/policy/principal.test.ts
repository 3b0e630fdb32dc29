import { describe, expect, it } from 'vitest';
import { principalOf, principalValues } from '../../src/policy/principal.ts';
import { ACCOUNT, BOB, caller, FEDERATED, ROLE, ROOT, SERVICE, SESSION } from './support.ts';

describe('the condition keys of a caller', () => {
  it.each([
    ['aws:principalarn', BOB, BOB],
    ['aws:principalarn', SESSION, ROLE],
    ['aws:principalarn', FEDERATED, FEDERATED],
    ['aws:principalarn', SERVICE, undefined],
    ['aws:principalaccount', BOB, ACCOUNT],
    ['aws:principaltype', ROOT, 'Account'],
    ['aws:principaltype', BOB, 'User'],
    ['aws:principaltype', SESSION, 'AssumedRole'],
    ['aws:principaltype', FEDERATED, 'FederatedUser'],
    ['aws:userid', SESSION, 'AROAEXAMPLEOPSROLE00:deploy'],
    ['aws:username', `arn:aws:iam::${ACCOUNT}:user/team/bob`, 'bob'],
    ['aws:username', SESSION, undefined],
    ['aws:principalisawsservice', BOB, 'false'],
    ['aws:principalisawsservice', SERVICE, 'true'],
    ['aws:principalservicename', SERVICE, SERVICE],
    ['aws:principaltag/team', BOB, undefined],
    ['aws:sourceip', BOB, undefined],
  ])('%s of %s is %s', (key, arn, expected) => {
    expect(principalValues(caller(arn)).get(key)).toBe(expected);
  });

  it('tags are found in any letter case', () => {
    const tagged = caller(BOB, { tags: new Map([['Team', 'shop']]) });
    expect(principalValues(tagged).get('aws:principaltag/team')).toBe('shop');
  });
});

describe('a caller', () => {
  it('that took a role is told from its ARN, with the role', () => {
    const principal = principalOf({ accountId: ACCOUNT, arn: SESSION, principalId: 'AROAX:deploy' });
    expect(principal).toMatchObject({ kind: 'role-session', issuer: { arn: ROLE, principalId: 'AROAX' } });
  });
});
