/** Policies and grants are about the users and roles that they were written for, not about who has the names later. */
import {
  CreateGrantCommand,
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  ListGrantsCommand,
  ListRetirableGrantsCommand,
  PutKeyPolicyCommand,
  ReplicateKeyCommand,
  RetireGrantCommand,
  type KMSClient,
} from '@aws-sdk/client-kms';
import { beforeEach, expect, it } from 'vitest';
import type { Caller } from '../../src/base/caller.ts';
import type { PrincipalRecord } from '../../src/base/stored-records.ts';
import { callerOf, type PrincipalName } from '../../src/iam/identities.ts';
import { ACCOUNT, OTHER_ACCOUNT, OTHER_REGION, REGION } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { describeKms } from './suite.ts';

const DENIED = 'AccessDeniedException';
const ROOT = `arn:aws:iam::${ACCOUNT}:root`;

describeKms('principals that are made anew', (suite) => {
  let number = 0;
  /** The user `somebody-<n>`, anew for each test. */
  let wanted: PrincipalName;
  let role: PrincipalName;

  beforeEach(() => {
    number += 1;
    wanted = { accountId: ACCOUNT, kind: 'user', name: `somebody-${String(number)}` };
    role = { ...wanted, kind: 'role' };
  });

  const trust = (AWS: string): string =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole' }],
    });
  const makeUser = (): Promise<PrincipalRecord> => suite.door.engine.identities.create(wanted);
  const makeRole = (trusted = ACCOUNT): Promise<PrincipalRecord> =>
    suite.door.engine.identities.create(role, { trustPolicy: trust(trusted) });
  const remake = async (name: PrincipalName): Promise<PrincipalRecord> => {
    const { trustPolicy } = await suite.door.engine.identities.get(name);
    await suite.door.engine.identities.delete(name);
    return suite.door.engine.identities.create(name, trustPolicy === undefined ? {} : { trustPolicy });
  };
  const sessionOf = ({ accountId, name, uniqueId }: PrincipalRecord): Caller => ({
    accountId,
    arn: `arn:aws:sts::${accountId}:assumed-role/${name}/work`,
    principalId: `${uniqueId}:work`,
  });
  const clientOf = (caller: Caller): Promise<KMSClient> => suite.door.clientAs(caller);
  const policyFor = (...AWS: string[]): string => `{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "${ROOT}"}, "Action": "kms:*", "Resource": "*"},
    {"Effect": "Allow", "Principal": {"AWS": ${JSON.stringify(AWS)}}, "Action": "kms:DescribeKey", "Resource": "*"}
  ]
}`;
  const keyFor = async (...AWS: string[]): Promise<string> =>
    (await suite.createKey({ Policy: policyFor(...AWS) })).KeyId;
  const policyOf = async (KeyId: string): Promise<string | undefined> =>
    (await suite.kms.send(new GetKeyPolicyCommand({ KeyId }))).Policy;
  const describeKey = async (caller: Caller, KeyId: string): Promise<unknown> =>
    (await clientOf(caller)).send(new DescribeKeyCommand({ KeyId }));

  it('a user made anew under an old name does not regain access through a key policy', async () => {
    const user = await makeUser();
    const KeyId = await keyFor(user.arn);
    await describeKey(callerOf(user), KeyId);
    const heir = await remake(wanted);
    expect(heir.arn).toBe(user.arn);
    await expectError(describeKey(callerOf(heir), KeyId), DENIED, /no identity-based policy/);
    await suite.kms.send(new PutKeyPolicyCommand({ KeyId, Policy: policyFor(heir.arn) }));
    await describeKey(callerOf(heir), KeyId);
  });

  it('a role made anew under an old name does not regain access, named itself or by a session', async () => {
    const first = await makeRole();
    const session = sessionOf(first);
    const byRole = await keyFor(first.arn);
    const bySession = await keyFor(session.arn);
    await describeKey(session, byRole);
    await describeKey(session, bySession);
    await expectError(
      describeKey({ ...session, arn: `${session.arn}x`, principalId: `${session.principalId}x` }, bySession),
      DENIED,
    );
    const heir = sessionOf(await remake(role));
    await expectError(describeKey(heir, byRole), DENIED);
    await expectError(describeKey(heir, bySession), DENIED);
  });

  it('GetKeyPolicy shows the text that was put, and unique ids of those who are gone', async () => {
    const user = await makeUser();
    const { arn, uniqueId, name } = await makeRole();
    const session = `arn:aws:sts::${ACCOUNT}:assumed-role/${name}/work`;
    const KeyId = await keyFor(user.arn, arn, session);
    expect(await policyOf(KeyId)).toBe(policyFor(user.arn, arn, session));
    await suite.door.engine.identities.delete(wanted);
    expect(await policyOf(KeyId)).toBe(policyFor(user.uniqueId, arn, session));
    await suite.door.engine.identities.delete(role);
    expect(await policyOf(KeyId)).toBe(policyFor(user.uniqueId, uniqueId, `${uniqueId}:work`));
    await makeUser();
    expect(await policyOf(KeyId)).toBe(policyFor(user.uniqueId, uniqueId, `${uniqueId}:work`));
  });

  it('a policy with the unique id of somebody who is gone cannot be put again', async () => {
    const user = await makeUser();
    const KeyId = await keyFor(user.uniqueId);
    expect(await policyOf(KeyId)).toBe(policyFor(user.arn));
    await suite.door.engine.identities.delete(wanted);
    const Policy = await policyOf(KeyId);
    const text = 'Policy contains a statement with one or more invalid principals.';
    await expectError(
      suite.kms.send(new PutKeyPolicyCommand({ KeyId, Policy })),
      'MalformedPolicyDocumentException',
      text,
    );
  });

  it.each([
    ['a user of this account', `arn:aws:iam::${ACCOUNT}:user/nobody`],
    ['a role of another account', `arn:aws:iam::${OTHER_ACCOUNT}:role/nobody`],
    ['a session of a role', `arn:aws:sts::${ACCOUNT}:assumed-role/nobody/work`],
    ['a user with a path, which there are none of', `arn:aws:iam::${ACCOUNT}:user/path/administrator`],
  ])('neither a key policy nor a grant is for %s that does not exist', async (_title, arn) => {
    const text = 'Policy contains a statement with one or more invalid principals.';
    await expectError(suite.createKey({ Policy: policyFor(arn) }), 'MalformedPolicyDocumentException', text);
    const { KeyId } = await suite.createKey({ MultiRegion: true });
    const replicate = new ReplicateKeyCommand({ KeyId, ReplicaRegion: OTHER_REGION, Policy: policyFor(arn) });
    await expectError(suite.kms.send(replicate), 'MalformedPolicyDocumentException', text);
    const grant = new CreateGrantCommand({ KeyId, GranteePrincipal: arn, Operations: ['Decrypt'] });
    const problem = `ARN does not refer to a valid principal: ${arn}`;
    await expectError(suite.kms.send(grant), 'InvalidArnException', problem);
    const retired = { ...grant.input, GranteePrincipal: ROOT, RetiringPrincipal: arn };
    await expectError(suite.kms.send(new CreateGrantCommand(retired)), 'InvalidArnException', problem);
  });

  it('principals of an account of which nobody is known here are kept as they are', async () => {
    const arn = 'arn:aws:iam::777777777777:role/elsewhere';
    const KeyId = await keyFor(arn);
    expect(await policyOf(KeyId)).toBe(policyFor(arn));
    await suite.kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal: arn, Operations: ['Decrypt'] }));
    const { Grants } = await suite.kms.send(new ListGrantsCommand({ KeyId, GranteePrincipal: arn }));
    expect(Grants).toMatchObject([{ GranteePrincipal: arn }]);
  });

  it('conditions name who asks by ARN, whoever that is', async () => {
    const user = await makeUser();
    const Condition = { ArnLike: { 'aws:PrincipalArn': `${user.arn.slice(0, -1)}?` } };
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: ROOT }, Action: 'kms:*', Resource: '*' },
        { Effect: 'Allow', Principal: '*', Action: 'kms:DescribeKey', Resource: '*', Condition },
      ],
    });
    const { KeyId } = await suite.createKey({ Policy });
    expect(await policyOf(KeyId)).toBe(Policy);
    await describeKey(callerOf(user), KeyId);
    await describeKey(callerOf(await remake(wanted)), KeyId);
  });

  it('a user made anew under an old name does not regain access through a grant', async () => {
    const user = await makeUser();
    const janitor = await makeRole();
    const KeyId = await keyFor();
    const grant = {
      KeyId,
      Name: 'same',
      GranteePrincipal: user.arn,
      RetiringPrincipal: janitor.arn,
      Operations: ['DescribeKey' as const],
    };
    const { GrantId } = await suite.kms.send(new CreateGrantCommand(grant));
    await describeKey(callerOf(user), KeyId);
    const list = async (GranteePrincipal?: string): Promise<unknown> =>
      (await suite.kms.send(new ListGrantsCommand({ KeyId, GranteePrincipal }))).Grants;
    expect(await list(user.arn)).toMatchObject([{ GranteePrincipal: user.arn, RetiringPrincipal: janitor.arn }]);
    const heir = await remake(wanted);
    const heirOfRole = sessionOf(await remake(role));
    await expectError(describeKey(callerOf(heir), KeyId), DENIED);
    expect(await list()).toMatchObject([{ GranteePrincipal: user.uniqueId, RetiringPrincipal: janitor.uniqueId }]);
    expect(await list(user.arn)).toEqual([]);
    const retirable = new ListRetirableGrantsCommand({ RetiringPrincipal: janitor.arn });
    expect((await suite.kms.send(retirable)).Grants).toEqual([]);
    const retire = new RetireGrantCommand({ KeyId, GrantId });
    await expectError((await clientOf(heirOfRole)).send(retire), DENIED);
    const again = await suite.kms.send(new CreateGrantCommand(grant));
    expect(again.GrantId).not.toBe(GrantId);
    await describeKey(callerOf(heir), KeyId);
    await (await clientOf(heirOfRole)).send(new RetireGrantCommand({ KeyId, GrantId: again.GrantId }));
  });

  it('a user made anew under an old name does not regain access through a trust policy', async () => {
    const { sts, identities } = suite.door.engine;
    const user = await makeUser();
    const trusting = await makeRole(user.arn);
    const assume = (caller: Caller): Promise<unknown> =>
      sts.call(
        'AssumeRole',
        { RoleArn: trusting.arn, RoleSessionName: 'work' },
        { caller, region: REGION, origin: {} },
      );
    await assume(callerOf(user));
    const heir = await remake(wanted);
    await expectError(assume(callerOf(heir)), DENIED);
    // Other changes of the role do not turn the name into its new owner.
    await identities.update(role, () => ({ maxSessionSeconds: 7200 }));
    await expectError(assume(callerOf(heir)), DENIED);
    await identities.update(role, () => ({ trustPolicy: trust(heir.arn) }));
    await assume(callerOf(heir));
  });

  it('a trust policy names nobody who does not exist', async () => {
    const arn = `arn:aws:iam::${ACCOUNT}:user/nobody`;
    await expect(makeRole(arn)).rejects.toThrow(`Invalid principal in policy: "AWS":"${arn}"`);
  });
});
