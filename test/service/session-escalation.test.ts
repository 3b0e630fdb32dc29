/** What sessions must not be able to become: every way up that temporary credentials and forwarded requests offer. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Caller } from '../../src/base/caller.ts';
import { callerOf } from '../../src/iam/identities.ts';
import type { RequestOrigin } from '../../src/service/target.ts';
import { ACCOUNT, openEngine, REGION, type OpenEngine } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';

const ALLOW_ALL = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
});
const roleArn = (name: string): string => `arn:aws:iam::${ACCOUNT}:role/${name}`;

let open: OpenEngine;
let administrator: Caller;

beforeAll(async () => {
  open = await openEngine();
  administrator = callerOf(await open.engine.identities.ensureAdministrator(ACCOUNT));
});
afterAll(async () => {
  await open.engine.close();
  open.remove();
});

const trusting = (condition: object = {}): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: '*',
        Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
        Condition: condition,
      },
    ],
  });

async function createRole(
  name: string,
  settings: { trust?: string; policy?: string; boundary?: string } = {},
): Promise<void> {
  await open.engine.identities.create(
    { accountId: ACCOUNT, kind: 'role', name },
    {
      trustPolicy: settings.trust ?? trusting(),
      policies: new Map([['all', settings.policy ?? ALLOW_ALL]]),
      ...(settings.boundary === undefined ? {} : { permissionsBoundary: settings.boundary }),
    },
  );
}

const call = (
  action: 'AssumeRole' | 'GetSessionToken' | 'GetCallerIdentity',
  parameters: Readonly<Record<string, unknown>>,
  caller: Caller,
  origin: RequestOrigin = {},
): Promise<unknown> => open.engine.sts.call(action, parameters, { caller, region: REGION, origin });

/** The caller that the credentials of a new session stand for. */
async function assume(role: string, more: Readonly<Record<string, unknown>>, caller: Caller): Promise<Caller> {
  const parameters = { RoleArn: roleArn(role), RoleSessionName: 'session', ...more };
  const { Credentials } = (await call('AssumeRole', parameters, caller)) as { Credentials: { AccessKeyId: string } };
  return (await open.engine.accessKeys.find(Credentials.AccessKeyId))!.identity;
}

const TEAM_IS_BLUE = { StringEquals: { 'aws:RequestTag/team': 'blue' } };

it('two session tags whose keys differ only in letter case are refused, in either order', async () => {
  await createRole('tagged', { trust: trusting(TEAM_IS_BLUE) });
  const blue = { Key: 'team', Value: 'blue' };
  const red = { Key: 'TEAM', Value: 'red' };
  for (const Tags of [
    [blue, red],
    [red, blue],
  ]) {
    await expectError(assume('tagged', { Tags }, administrator), 'ValidationException', /case insensitive/);
  }
  await expectError(
    assume('tagged', { Tags: [blue, { Key: 'AWS:x', Value: '' }] }, administrator),
    'ValidationException',
    /reserved/,
  );
});

it('a session cannot replace a transitive tag, in any letter case', async () => {
  await createRole('chained');
  const first = await assume(
    'chained',
    { Tags: [{ Key: 'team', Value: 'blue' }], TransitiveTagKeys: ['Team'] },
    administrator,
  );
  for (const Key of ['team', 'Team']) {
    await expectError(assume('chained', { Tags: [{ Key, Value: 'red' }] }, first), 'ValidationException');
  }
  const second = await assume('chained', {}, first);
  expect([...second.session!.tags]).toEqual([['team', 'blue']]);
  expect(second.session!.transitiveTagKeys).toEqual(['team']);
});

it('a transitive key without a tag is refused', async () => {
  await createRole('untagged');
  await expectError(assume('untagged', { TransitiveTagKeys: ['team'] }, administrator), 'ValidationException');
});

it('a session tag replaces the tag of its role in any letter case', async () => {
  const wanted = { accountId: ACCOUNT, kind: 'role', name: 'replaced' } as const;
  await createRole('replaced', {
    policy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'kms:ListKeys',
          Resource: '*',
          Condition: { StringEquals: { 'aws:PrincipalTag/team': 'blue' } },
        },
      ],
    }),
  });
  await open.engine.identities.update(wanted, () => ({ tags: new Map([['Team', 'blue']]) }));
  const list = (caller: Caller): Promise<unknown> => open.engine.call('ListKeys', {}, { caller, region: REGION });
  await list(await assume('replaced', {}, administrator));
  const red = await assume('replaced', { Tags: [{ Key: 'team', Value: 'red' }] }, administrator);
  await expectError(list(red), 'AccessDeniedException');
});

it('a source identity that is set stays, and trust policies see that one', async () => {
  await createRole('sourced', { trust: trusting({ StringEquals: { 'sts:SourceIdentity': ['alice', 'mallory'] } }) });
  await createRole('for-alice', { trust: trusting({ StringEquals: { 'sts:SourceIdentity': 'alice' } }) });
  const mallory = await assume('sourced', { SourceIdentity: 'mallory' }, administrator);
  await expectError(assume('for-alice', { SourceIdentity: 'alice' }, mallory), 'AccessDeniedException');
  await expectError(assume('for-alice', {}, mallory), 'AccessDeniedException');
  const alice = await assume('sourced', { SourceIdentity: 'alice' }, administrator);
  expect((await assume('for-alice', {}, alice)).session!.sourceIdentity).toBe('alice');
});

it('a service that hands on a request gets no credentials of the one in whose name it does', async () => {
  await createRole('forwarded');
  const via: RequestOrigin = { viaService: 's3' };
  await expectError(call('GetSessionToken', {}, administrator, via), 'AccessDeniedException');
  const parameters = { RoleArn: roleArn('forwarded'), RoleSessionName: 'session' };
  await expectError(call('AssumeRole', parameters, administrator, via), 'AccessDeniedException');
  await call('GetCallerIdentity', {}, administrator, via);
});

it('a role in whose name a service acts keeps its permissions boundary', async () => {
  const { engine } = open;
  await createRole('bounded', {
    boundary: JSON.stringify({ Statement: [{ Effect: 'Allow', Action: 'kms:DescribeKey', Resource: '*' }] }),
  });
  const Policy = JSON.stringify({
    Statement: [
      { Effect: 'Allow', Principal: { AWS: [roleArn('bounded'), administrator.arn] }, Action: 'kms:*', Resource: '*' },
    ],
  });
  const { KeyMetadata } = await engine.call('CreateKey', { Policy }, { caller: administrator, region: REGION });
  const caller = (await engine.findPrincipal(ACCOUNT, roleArn('bounded'), 's3'))!;
  expect(caller.arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/bounded/s3`);
  const context = { caller, region: REGION, origin: { viaService: 's3' } };
  await engine.call('DescribeKey', { KeyId: KeyMetadata.KeyId }, context);
  await expectError(engine.call('EnableKey', { KeyId: KeyMetadata.KeyId }, context), 'AccessDeniedException');
});

it('a session ends with its principal, also where a key policy names that, and a namesake does not revive it', async () => {
  const { engine } = open;
  await createRole('short-lived');
  const Policy = JSON.stringify({
    Statement: [{ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }],
  });
  const { KeyMetadata } = await engine.call('CreateKey', { Policy }, { caller: administrator, region: REGION });
  const caller = await assume('short-lived', {}, administrator);
  const describe = (): Promise<unknown> =>
    engine.call('DescribeKey', { KeyId: KeyMetadata.KeyId }, { caller, region: REGION });
  await describe();
  await engine.identities.delete({ accountId: ACCOUNT, kind: 'role', name: 'short-lived' });
  await expectError(describe(), 'AccessDeniedException');
  await createRole('short-lived');
  await expectError(describe(), 'AccessDeniedException');
});

it('temporary credentials are deleted a day after they expired, and the rest stays', async () => {
  const { engine, clock } = open;
  const credentials = (await call('GetSessionToken', { DurationSeconds: '900' }, administrator)) as {
    readonly Credentials: { readonly AccessKeyId: string };
  };
  const { AccessKeyId } = credentials.Credentials;
  const longTerm = await engine.accessKeys.create(administrator);
  clock.advanceMs(900_000);
  await engine.runMaintenance();
  expect(await engine.accessKeys.setActive(AccessKeyId, true)).toBe(true);
  clock.advanceMs(86_400_000);
  await engine.runMaintenance();
  expect(await engine.accessKeys.setActive(AccessKeyId, true)).toBe(false);
  expect(await engine.accessKeys.setActive(longTerm.accessKeyId, true)).toBe(true);
});
