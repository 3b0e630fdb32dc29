/** Who may use a key: by its policy, by policies of principals, by session, by endpoint and by grant. */
import {
  CreateAliasCommand,
  CreateGrantCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  ListGrantsCommand,
  ListRetirableGrantsCommand,
  RetireGrantCommand,
  RevokeGrantCommand,
  TagResourceCommand,
  type CreateGrantCommandInput,
  type KMSClient,
} from '@aws-sdk/client-kms';
import { expect, it } from 'vitest';
import type { Caller } from '../../src/base/caller.ts';
import { callerOf, type PrincipalSettings } from '../../src/iam/identities.ts';
import { loadPolicy } from '../../src/policy/policy.ts';
import { ACCOUNT, OTHER_ACCOUNT, REGION, type Way } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { describeKms } from './suite.ts';

const DENIED = 'AccessDeniedException';
const ROOT = `arn:aws:iam::${ACCOUNT}:root`;
const STRANGER =
  'on this resource because the resource does not exist in this Region, no resource-based policies allow access, ' +
  'or a resource-based policy explicitly denies access';

type Statement = Readonly<Record<string, unknown>>;

const policy = (...statements: readonly Statement[]): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map((each) => ({ Effect: 'Allow', Action: '*', Resource: '*', ...each })),
  });
/** Keeps the key manageable for the administrator, whom the account's policies allow nothing but by name. */
const ADMINISTRATOR: Statement = { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/administrator` } };
const DELEGATION: Statement = { Principal: { AWS: ROOT } };

const refusal = (arn: string, action: string, keyArn: string, end: string): string =>
  `User: ${arn} is not authorized to perform: kms:${action} on resource: ${keyArn} ${end}`;
const noneAllows = (kind: string, action = 'Encrypt'): string => `because no ${kind} allows the kms:${action} action`;

let principals = 0;

interface User {
  readonly arn: string;
  readonly caller: Caller;
  readonly kms: KMSClient;
}

describeKms('access', (suite) => {
  const create = async (
    settings: PrincipalSettings & { readonly policy?: string } = {},
    { accountId = ACCOUNT, way = {} } = {},
  ): Promise<User> => {
    const { policy: text, ...others } = settings;
    const policies = new Map(text === undefined ? [] : [['inline', text]]);
    const wanted = { accountId, kind: 'user', name: `user-${String(++principals)}` } as const;
    const caller = callerOf(await suite.door.engine.identities.create(wanted, { policies, ...others }));
    return { arn: caller.arn, caller, kms: await suite.door.clientAs(caller, REGION, way) };
  };
  const service = async (name: string, way: Way = {}): Promise<KMSClient> => {
    const wanted = { accountId: ACCOUNT, kind: 'service', name } as const;
    const { identities } = suite.door.engine;
    const made = (await identities.findByName(wanted)) ?? (await identities.create(wanted));
    return suite.door.clientAs(callerOf(made), REGION, way);
  };
  const keyWith = (...statements: readonly Statement[]): ReturnType<typeof suite.createKey> =>
    suite.createKey({ Policy: policy(ADMINISTRATOR, ...statements) });
  const encrypt = (kms: KMSClient, KeyId: string, more: object = {}): Promise<object> =>
    kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x'), ...more }));

  it('an identity policy counts only where the key policy delegates to the account', async () => {
    const user = await create({ policy: policy({}) });
    const delegating = await keyWith(DELEGATION);
    await encrypt(user.kms, delegating.KeyId);
    const closed = await keyWith();
    const text = refusal(user.arn, 'Encrypt', closed.Arn, noneAllows('resource-based policy'));
    await expectError(encrypt(user.kms, closed.KeyId), DENIED, text);
    const idle = await create();
    const missing = refusal(idle.arn, 'Encrypt', delegating.Arn, noneAllows('identity-based policy'));
    await expectError(encrypt(idle.kms, delegating.KeyId), DENIED, missing);
  });

  it('a key policy that names a user is enough', async () => {
    const user = await create();
    const { KeyId } = await keyWith({ Principal: { AWS: user.arn }, Action: 'kms:Encrypt' });
    await encrypt(user.kms, KeyId);
    await expectError(user.kms.send(new DescribeKeyCommand({ KeyId })), DENIED);
  });

  it('an explicit deny wins, and the refusal says in which kind of policy it is', async () => {
    const deny: Statement = { Effect: 'Deny', Action: 'kms:Encrypt' };
    const denied = await create({ policy: policy({}, deny) });
    const bounded = await create({ policy: policy({}), permissionsBoundary: policy({}, deny) });
    const { KeyId, Arn } = await keyWith({ Principal: { AWS: [denied.arn, bounded.arn] } });
    const end = (kind: string): string => `with an explicit deny in ${kind}`;
    const ofIdentity = refusal(denied.arn, 'Encrypt', Arn, end('an identity-based policy'));
    await expectError(encrypt(denied.kms, KeyId), DENIED, ofIdentity);
    const ofBoundary = refusal(bounded.arn, 'Encrypt', Arn, end('a permissions boundary'));
    await expectError(encrypt(bounded.kms, KeyId), DENIED, ofBoundary);
    const user = await create({ policy: policy({}) });
    const refusing = await keyWith(DELEGATION, { ...deny, Principal: { AWS: user.arn } });
    const ofKey = refusal(user.arn, 'Encrypt', refusing.Arn, end('a resource-based policy'));
    await expectError(encrypt(user.kms, refusing.KeyId), DENIED, ofKey);
    const session = await suite.door.clientAs(await assumed('denied', policy({}, deny)));
    const { KeyId: open } = await keyWith(DELEGATION);
    await expectError(encrypt(session, open), DENIED, / with an explicit deny in a session policy$/);
  });

  /** A session of a new role that may do everything. */
  const assumed = async (RoleSessionName: string, sessionPolicy: string | undefined, more = {}): Promise<Caller> => {
    const { identities, sts, accessKeys } = suite.door.engine;
    const trustPolicy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:*' }],
    });
    const name = `role-${String(++principals)}`;
    const policies = new Map([['inline', policy({})]]);
    const role = await identities.create(
      { accountId: ACCOUNT, kind: 'role', name },
      { policies, trustPolicy, ...more },
    );
    const asking = await create({ policy: policy({}) });
    const input = { RoleArn: role.arn, RoleSessionName, ...(sessionPolicy && { Policy: sessionPolicy }) };
    const answer = await sts.call('AssumeRole', input, { caller: asking.caller, region: REGION, origin: {} });
    const { AccessKeyId } = answer['Credentials'] as { AccessKeyId: string };
    const found = await accessKeys.find(AccessKeyId);
    return found!.identity;
  };

  it('a permissions boundary limits what identity policies allow', async () => {
    const permissionsBoundary = policy({ Action: 'kms:DescribeKey' });
    const user = await create({ policy: policy({}), permissionsBoundary });
    const { KeyId, Arn } = await keyWith(DELEGATION);
    await user.kms.send(new DescribeKeyCommand({ KeyId }));
    const text = refusal(user.arn, 'Encrypt', Arn, noneAllows('permissions boundary'));
    await expectError(encrypt(user.kms, KeyId), DENIED, text);
  });

  it('a session is limited by its policy and named by its role or itself', async () => {
    const caller = await assumed('limited', policy({ Action: 'kms:DescribeKey' }));
    const kms = await suite.door.clientAs(caller);
    const { KeyId, Arn } = await keyWith(DELEGATION);
    await kms.send(new DescribeKeyCommand({ KeyId }));
    await expectError(encrypt(kms, KeyId), DENIED, refusal(caller.arn, 'Encrypt', Arn, noneAllows('session policy')));
    const byRole = await keyWith({ Principal: { AWS: caller.session!.issuerArn } });
    await kms.send(new DescribeKeyCommand({ KeyId: byRole.KeyId }));
    await expectError(encrypt(kms, byRole.KeyId), DENIED, / because no session policy allows the kms:Encrypt action$/);
    const bySession = await keyWith({ Principal: { AWS: caller.arn } });
    await encrypt(kms, bySession.KeyId);
  });

  it('another account needs both sides', async () => {
    const theirs = { accountId: OTHER_ACCOUNT };
    const idle = await create({}, theirs);
    const user = await create({ policy: policy({ Action: 'kms:Encrypt' }) }, theirs);
    const { Arn } = await keyWith({ Principal: { AWS: `arn:aws:iam::${OTHER_ACCOUNT}:root` } });
    await encrypt(user.kms, Arn);
    const sentence = (arn: string): string => `User: ${arn} is not authorized to perform: kms:Encrypt`;
    const theirSide = `${sentence(idle.arn)} on this resource ${noneAllows('identity-based policy')}`;
    await expectError(encrypt(idle.kms, Arn), DENIED, theirSide);
    const { Arn: closed } = await keyWith();
    await expectError(encrypt(user.kms, closed), DENIED, `${sentence(user.arn)} ${STRANGER}`);
    const byName = await keyWith({ Principal: { AWS: idle.arn } });
    await expectError(encrypt(idle.kms, byName.Arn), DENIED, theirSide);
    // What cannot be done across accounts stays so.
    await expectError(user.kms.send(new DisableKeyCommand({ KeyId: Arn })), DENIED, /^User: .* on this resource /);
  });

  it('a stranger with a deny of its own learns nothing of which keys there are', async () => {
    const user = await create(
      { policy: policy({}, { Effect: 'Deny', Action: 'kms:*' }) },
      { accountId: OTHER_ACCOUNT },
    );
    const { Arn } = await keyWith();
    const absent = Arn.replace(/[^/]+$/, 'deadbeef-0000-4000-8000-000000000000');
    for (const arn of [Arn, absent]) {
      const text = `User: ${user.arn} is not authorized to perform: kms:Encrypt ${STRANGER}`;
      await expectError(encrypt(user.kms, arn), DENIED, text);
    }
  });

  it('requests through a VPC endpoint are bound by its policy, and known by it', async () => {
    const endpoint = (text: string): Way => ({
      vpcEndpoint: {
        id: 'vpce-0123456789abcdef0',
        vpcId: 'vpc-0123456789abcdef0',
        policy: loadPolicy(text, 'vpcEndpoint'),
      },
    });
    const Condition = { StringEquals: { 'aws:SourceVpce': 'vpce-0123456789abcdef0' } };
    const user = await create({ policy: policy({ Condition }) });
    const { KeyId, Arn } = await keyWith(DELEGATION);
    await expectError(encrypt(user.kms, KeyId), DENIED);
    const everything = policy({ Principal: '*' });
    await encrypt(await suite.door.clientAs(user.caller, REGION, endpoint(everything)), KeyId);
    const narrow = await suite.door.clientAs(
      user.caller,
      REGION,
      endpoint(policy({ Principal: '*', Action: 'kms:DescribeKey' })),
    );
    await narrow.send(new DescribeKeyCommand({ KeyId }));
    const text = refusal(user.arn, 'Encrypt', Arn, noneAllows('VPC endpoint policy'));
    await expectError(encrypt(narrow, KeyId), DENIED, text);
    const deny = policy({ Principal: '*' }, { Principal: '*', Effect: 'Deny', Action: 'kms:Encrypt' });
    const closed = await suite.door.clientAs(user.caller, REGION, endpoint(deny));
    await expectError(encrypt(closed, KeyId), DENIED, / with an explicit deny in a VPC endpoint policy$/);
  });

  it('kms:ViaService lets in what a service hands on, and aws:SourceArn what a service does for a resource', async () => {
    const viaService = { StringEquals: { 'kms:ViaService': `s3.${REGION}.amazonaws.com` } };
    const administrator = { AWS: `arn:aws:iam::${ACCOUNT}:user/administrator` };
    const deny = { Effect: 'Deny', Action: 'kms:Encrypt', Principal: administrator };
    const notVia = { StringNotEquals: viaService.StringEquals };
    const { KeyId } = await keyWith({ ...deny, Condition: notVia });
    await encrypt(await suite.door.clientVia('s3'), KeyId);
    await expectError(encrypt(suite.kms, KeyId), DENIED, / with an explicit deny in a resource-based policy$/);
    await expectError(encrypt(await suite.door.clientVia('ec2'), KeyId), DENIED);

    const sourceArn = `arn:aws:s3:::bucket`;
    const Condition = {
      StringEquals: { 'aws:SourceArn': sourceArn, 'aws:SourceAccount': ACCOUNT, 'kms:EncryptionContext:tenant': '42' },
    };
    const direct = await keyWith({ Principal: { Service: 's3.amazonaws.com' }, Action: 'kms:Encrypt', Condition });
    const EncryptionContext = { tenant: '42' };
    const way = { sourceArn, sourceAccount: ACCOUNT };
    await encrypt(await service('s3.amazonaws.com', way), direct.Arn, { EncryptionContext });
    for (const [other, more] of [
      [way, {}],
      [{ ...way, sourceArn: 'arn:aws:s3:::other' }, { EncryptionContext }],
      [{ sourceArn }, { EncryptionContext }],
    ] as const) {
      await expectError(encrypt(await service('s3.amazonaws.com', other), direct.Arn, more), DENIED);
    }
    await expectError(encrypt(await service('sns.amazonaws.com', way), direct.Arn, { EncryptionContext }), DENIED);
  });

  it('tags of principals and keys, aliases and the name in the request decide where policies ask for them', async () => {
    const AliasName = `alias/access-${String(++principals)}`;
    const { KeyId } = await keyWith(DELEGATION);
    await suite.kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }));
    await suite.kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'Team', TagValue: 'shop' }] }));
    const sameTeam = policy({ Condition: { StringEquals: { 'aws:ResourceTag/team': '${aws:PrincipalTag/team}' } } });
    await encrypt((await create({ policy: sameTeam, tags: new Map([['team', 'shop']]) })).kms, KeyId);
    const bank = await create({ policy: sameTeam, tags: new Map([['team', 'bank']]) });
    await expectError(encrypt(bank.kms, KeyId), DENIED);

    const byRequest = await create({
      policy: policy({ Condition: { StringEquals: { 'kms:RequestAlias': AliasName } } }),
    });
    await encrypt(byRequest.kms, AliasName);
    await expectError(encrypt(byRequest.kms, KeyId), DENIED);
    const aliases = { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': AliasName } };
    const byAlias = await create({ policy: policy({ Condition: aliases }) });
    await encrypt(byAlias.kms, KeyId);
    const { KeyId: other } = await keyWith(DELEGATION);
    await expectError(encrypt(byAlias.kms, other), DENIED);
    // In a key policy it is never there, also when a policy of the caller asks for it.
    const named = await keyWith({ Principal: { AWS: byAlias.arn }, Condition: aliases });
    await suite.kms.send(new CreateAliasCommand({ AliasName: `${AliasName}-2`, TargetKeyId: named.KeyId }));
    await expectError(encrypt(byAlias.kms, named.KeyId), DENIED, / because no resource-based policy allows /);
  });

  it('kms:TrailingDaysWithoutKeyUsage keeps keys that are in use from being disabled', async () => {
    const { KeyId } = await keyWith(DELEGATION);
    const Condition = { NumericGreaterThanEquals: { 'kms:TrailingDaysWithoutKeyUsage': '30' } };
    const { caller } = await create({ policy: policy({ Condition }) });
    const disable = async (): Promise<object> =>
      (await suite.door.clientAs(caller)).send(new DisableKeyCommand({ KeyId }));
    await encrypt(suite.kms, KeyId);
    suite.door.clock.advanceMs(29 * 86_400_000);
    await expectError(disable(), DENIED);
    suite.door.clock.advanceMs(86_400_000);
    await disable();
    suite.renewClient();
  });

  it('aws:SourceIp is the address of the caller over HTTP, and nothing in process', async () => {
    const { KeyId } = await keyWith(DELEGATION);
    const user = await create({ policy: policy({ Condition: { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } } }) });
    const over = await encrypt(user.kms, KeyId).then(
      () => 'HTTP',
      () => 'nothing',
    );
    const isOverHttp = (await user.kms.config.endpoint?.())?.protocol === 'http:';
    expect(over).toBe(isOverHttp ? 'HTTP' : 'nothing');
    const far = await create({ policy: policy({ Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } } }) });
    await expectError(encrypt(far.kms, KeyId), DENIED);
  });

  const grant = async (
    kms: KMSClient,
    KeyId: string,
    GranteePrincipal: string,
    more: Partial<CreateGrantCommandInput> = {},
  ): Promise<{ GrantId: string; GrantToken: string }> => {
    const input = { KeyId, GranteePrincipal, Operations: ['Encrypt'] as const, ...more };
    const answer = await kms.send(new CreateGrantCommand({ ...input, Operations: more.Operations ?? ['Encrypt'] }));
    return { GrantId: answer.GrantId!, GrantToken: answer.GrantToken! };
  };

  it('a grant lets its grantee in, also of another account, as far as its operations and constraints go', async () => {
    const { KeyId, Arn } = await keyWith();
    const user = await create();
    const stranger = await create({}, { accountId: OTHER_ACCOUNT });
    const Constraints = { EncryptionContextSubset: { tenant: '42' } };
    await grant(suite.kms, KeyId, user.arn, { Constraints });
    await encrypt(user.kms, KeyId, { EncryptionContext: { tenant: '42', more: 'x' } });
    await expectError(encrypt(user.kms, KeyId, { EncryptionContext: { tenant: '43' } }), DENIED);
    await expectError(encrypt(user.kms, KeyId), DENIED, / because no resource-based policy allows /);
    const { CiphertextBlob } = await suite.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
    await expectError(user.kms.send(new DecryptCommand({ KeyId, CiphertextBlob })), DENIED);
    const { GrantId } = await grant(suite.kms, KeyId, stranger.arn);
    await encrypt(stranger.kms, Arn);
    await suite.kms.send(new RevokeGrantCommand({ KeyId, GrantId }));
    await expectError(encrypt(stranger.kms, Arn), DENIED, new RegExp(`${STRANGER}$`));
  });

  it('a deny beats a grant', async () => {
    const { KeyId } = await keyWith();
    const user = await create({ policy: policy({ Effect: 'Deny', Action: 'kms:Encrypt' }) });
    await grant(suite.kms, KeyId, user.arn);
    await expectError(encrypt(user.kms, KeyId), DENIED, / with an explicit deny in an identity-based policy$/);
  });

  it('a grantee hands on no more than it has', async () => {
    const { KeyId } = await keyWith();
    const [parent, child] = [await create(), await create()];
    const Operations = ['CreateGrant', 'Encrypt', 'Decrypt'] as const;
    await grant(suite.kms, KeyId, parent.arn, {
      Operations: [...Operations],
      Constraints: { EncryptionContextSubset: { tenant: '42' } },
    });
    const subset = { EncryptionContextSubset: { tenant: '42', more: 'x' } };
    await grant(parent.kms, KeyId, child.arn, { Constraints: subset });
    await grant(parent.kms, KeyId, child.arn, { Constraints: { EncryptionContextEquals: { tenant: '42' } } });
    for (const more of [
      { Constraints: subset, Operations: ['Encrypt', 'DescribeKey'] as const },
      { Constraints: { EncryptionContextSubset: { more: 'x' } } },
      { Constraints: { EncryptionContextEquals: { tenant: '43' } } },
      {},
    ]) {
      const input = { ...more, Operations: [...('Operations' in more ? more.Operations : ['Encrypt' as const])] };
      await expectError(grant(parent.kms, KeyId, child.arn, input), DENIED);
    }
    await encrypt(child.kms, KeyId, { EncryptionContext: { tenant: '42' } });
    await expectError(encrypt(child.kms, KeyId, { EncryptionContext: { more: 'x' } }), DENIED);
  });

  it('the retiring principal, a grantee with RetireGrant and the account that issued a grant retire it', async () => {
    const { KeyId, Arn } = await keyWith(DELEGATION);
    const [retiring, grantee, other] = [await create(), await create(), await create()];
    const issuer = await create({ policy: policy({ Action: 'kms:RetireGrant' }) });
    const denied = await create({ policy: policy({ Effect: 'Deny', Action: 'kms:RetireGrant' }) });
    const make = (RetiringPrincipal: string, Operations: CreateGrantCommandInput['Operations'] = ['Encrypt']) =>
      grant(suite.kms, KeyId, grantee.arn, { RetiringPrincipal, Operations });
    const retire = (kms: KMSClient, { GrantId }: { GrantId: string }): Promise<object> =>
      kms.send(new RetireGrantCommand({ KeyId: Arn, GrantId }));
    const made = await make(retiring.arn);
    for (const kms of [other.kms, grantee.kms]) {
      await expectError(
        retire(kms, made),
        DENIED,
        / because no identity-based policy allows the kms:RetireGrant action$/,
      );
    }
    await retire(retiring.kms, made);
    await retire(grantee.kms, await make(retiring.arn, ['Encrypt', 'RetireGrant']));
    await retire(issuer.kms, await make(retiring.arn));
    const kept = await make(denied.arn);
    await expectError(retire(denied.kms, kept), DENIED, / with an explicit deny in an identity-based policy$/);
    // A key policy has no say.
    const open = await keyWith({ Principal: { AWS: other.arn } });
    const { GrantId } = await grant(suite.kms, open.KeyId, grantee.arn);
    await expectError(other.kms.send(new RetireGrantCommand({ KeyId: open.Arn, GrantId })), DENIED);
  });

  it('ListGrants goes by the key, ListRetirableGrants by the retiring principal', async () => {
    const { KeyId } = await keyWith(DELEGATION);
    const retiring = await create({ policy: policy({ Action: 'kms:ListRetirableGrants' }) });
    await grant(suite.kms, KeyId, retiring.arn, { RetiringPrincipal: retiring.arn });
    const command = new ListRetirableGrantsCommand({ RetiringPrincipal: retiring.arn });
    expect((await retiring.kms.send(command)).Grants).toHaveLength(1);
    await expectError(retiring.kms.send(new ListGrantsCommand({ KeyId })), DENIED);
    const narrow = await create({ policy: policy({ Action: 'kms:ListRetirableGrants', Resource: ROOT }) });
    const text = refusal(
      narrow.arn,
      'ListRetirableGrants',
      retiring.arn,
      noneAllows('identity-based policy', 'ListRetirableGrants'),
    );
    await expectError(narrow.kms.send(command), DENIED, text);
    const foreign = suite.door.client({ account: OTHER_ACCOUNT });
    await expectError(foreign.send(command), DENIED, new RegExp(`${STRANGER}$`));
  });
});
