/** Where one permission must not reach: other Regions, tags on the way, what others own, and who asks in whose name. */
import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  EncryptCommand,
  ListAliasesCommand,
  ListRetirableGrantsCommand,
  ReEncryptCommand,
  ReplicateKeyCommand,
  RetireGrantCommand,
  UpdateAliasCommand,
  UpdatePrimaryRegionCommand,
  type KMSClient,
} from '@aws-sdk/client-kms';
import { expect, it } from 'vitest';
import type { PrincipalRecord } from '../../src/base/stored-records.ts';
import { callerOf } from '../../src/iam/identities.ts';
import { loadPolicy, type Policy } from '../../src/policy/policy.ts';
import type { RequestOrigin } from '../../src/service/target.ts';
import { ACCOUNT, OTHER_ACCOUNT, OTHER_REGION, REGION } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { describeKms } from './suite.ts';

type Statement = Readonly<Record<string, unknown>>;
const endpointPolicy = (statement: Statement): Policy => loadPolicy(policy(statement), 'vpcEndpoint');
const allow = (Action: string | readonly string[], more: Statement = {}): Statement => ({
  Effect: 'Allow',
  Action,
  Resource: '*',
  ...more,
});
const deny = (Action: string, more: Statement = {}): Statement => ({ ...allow(Action, more), Effect: 'Deny' });
const policy = (...Statement: Statement[]): string => JSON.stringify({ Version: '2012-10-17', Statement });

const WORKER = `arn:aws:iam::${ACCOUNT}:user/administrator`;
const NOBODY = '00000000-0000-4000-8000-000000000000';

describeKms('the reach of permissions', (suite) => {
  let users = 0;
  const createUser = (statements: readonly Statement[], accountId = ACCOUNT): Promise<PrincipalRecord> => {
    const wanted = { accountId, kind: 'user', name: `user-${String(++users)}` } as const;
    return suite.door.engine.identities.create(wanted, {
      policies: new Map(statements.length === 0 ? [] : [['p', policy(...statements)]]),
    });
  };
  const clientWith = async (statements: readonly Statement[], accountId = ACCOUNT): Promise<KMSClient> =>
    suite.door.clientAs(callerOf(await createUser(statements, accountId)));

  const inRegion = (region: string): Statement => ({ Condition: { StringEquals: { 'aws:RequestedRegion': region } } });

  it('to replicate a key takes permission to create one like it in the Region of the replica', async () => {
    const { KeyId } = await suite.createKey({ MultiRegion: true, KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    const replicate = new ReplicateKeyCommand({ KeyId, ReplicaRegion: OTHER_REGION });
    const tagged = new ReplicateKeyCommand({ ...replicate.input, Tags: [{ TagKey: 'a', TagValue: 'b' }] });
    const both = allow('kms:ReplicateKey');
    await expectError((await clientWith([both])).send(replicate), 'AccessDeniedException', /kms:CreateKey/);
    const here = await clientWith([both, allow('kms:CreateKey', inRegion(REGION))]);
    await expectError(here.send(replicate), 'AccessDeniedException', /kms:CreateKey/);
    const isSymmetric = { Condition: { StringEquals: { 'kms:KeySpec': 'SYMMETRIC_DEFAULT' } } };
    const otherSpec = await clientWith([both, allow('kms:CreateKey', isSymmetric)]);
    await expectError(otherSpec.send(replicate), 'AccessDeniedException', /kms:CreateKey/);
    const there = [both, allow('kms:CreateKey', inRegion(OTHER_REGION))];
    await expectError((await clientWith(there)).send(tagged), 'AccessDeniedException', /kms:TagResource/);
    const Resource = `arn:aws:kms:${OTHER_REGION}:${ACCOUNT}:key/${KeyId}`;
    await (await clientWith([...there, allow('kms:TagResource', { Resource })])).send(tagged);
  });

  it('to move the primary takes permission on the replica, too', async () => {
    const { KeyId, Arn } = await suite.createKey({ MultiRegion: true });
    await suite.kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: OTHER_REGION }));
    const move = new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: OTHER_REGION });
    const onPrimary = await clientWith([allow('kms:UpdatePrimaryRegion', { Resource: Arn })]);
    const replicaArn = Arn.replace(REGION, OTHER_REGION);
    await expectError(onPrimary.send(move), 'AccessDeniedException', new RegExp(replicaArn));
    await (await clientWith([allow('kms:UpdatePrimaryRegion', { Resource: [Arn, replicaArn] })])).send(move);
  });

  it('a Deny of TagResource on keys holds for tags of a new key, and an Allow does as well', async () => {
    const create = new CreateKeyCommand({ Tags: [{ TagKey: 'env', TagValue: 'prod' }] });
    const Resource = `arn:aws:kms:*:${ACCOUNT}:key/*`;
    const denied = await clientWith([allow('kms:*'), deny('kms:TagResource', { Resource })]);
    await expectError(denied.send(create), 'AccessDeniedException', /kms:TagResource/);
    await (await clientWith([allow('kms:CreateKey'), allow('kms:TagResource', { Resource })])).send(create);
  });

  it('to list the aliases of a key is a matter of the own policies, whatever the key policy says', async () => {
    const lister = await createUser([allow('kms:ListAliases')]);
    const named = await createUser([]);
    const { KeyId } = await suite.createKey({
      Policy: policy(allow('kms:*', { Principal: { AWS: named.arn } })),
      BypassPolicyLockoutSafetyCheck: true,
    });
    const list = new ListAliasesCommand({ KeyId });
    expect((await (await suite.door.clientAs(callerOf(lister))).send(list)).Aliases).toEqual([]);
    await expectError((await suite.door.clientAs(callerOf(named))).send(list), 'AccessDeniedException');
  });

  it('the grants that a service may retire are not for others to list', async () => {
    const { KeyId } = await suite.createKey();
    const RetiringServicePrincipal = 'backup.eu.amazonaws.com';
    const GranteePrincipal = WORKER;
    await suite.kms.send(
      new CreateGrantCommand({ KeyId, GranteePrincipal, RetiringServicePrincipal, Operations: ['Decrypt'] }),
    );
    const list = new ListRetirableGrantsCommand({ RetiringServicePrincipal });
    await expectError(suite.kms.send(list), 'AccessDeniedException');
    await expectError(suite.door.client({ account: OTHER_ACCOUNT }).send(list), 'AccessDeniedException');
    const service = await suite.door.engine.identities.create(
      { accountId: ACCOUNT, kind: 'service', name: RetiringServicePrincipal },
      { policies: new Map([['p', policy(allow('kms:ListRetirableGrants'))]]) },
    );
    const { Grants } = await (await suite.door.clientAs(callerOf(service))).send(list);
    expect(Grants).toHaveLength(1);
  });

  it('ReEncrypt tells strangers nothing about which aliases there are, whatever else it may not do', async () => {
    const { KeyId, Arn } = await suite.createKey();
    const open = policy(
      allow('kms:*', { Principal: { AWS: ACCOUNT } }),
      allow(['kms:ReEncryptFrom', 'kms:Encrypt'], { Principal: { AWS: OTHER_ACCOUNT } }),
    );
    const { Arn: shared } = await suite.createKey({ Policy: open });
    const AliasName = `alias/secret-${KeyId}`;
    await suite.kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }));
    const present = Arn.replace(/key\/.*/, AliasName);
    const ofStranger = suite.door.client({ account: OTHER_ACCOUNT });
    const { KeyMetadata } = await ofStranger.send(new CreateKeyCommand({}));
    const blobs = [
      [await suite.encrypt(KeyId, 'x'), Arn],
      [await suite.encrypt(shared, 'x'), shared],
      [
        (await ofStranger.send(new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('x') })))
          .CiphertextBlob,
        KeyMetadata?.Arn,
      ],
    ] as const;
    for (const [CiphertextBlob, SourceKeyId] of blobs) {
      for (const client of [ofStranger, await clientWith([], OTHER_ACCOUNT)]) {
        const refusals = await Promise.all(
          [present, `${present}-not`].map((DestinationKeyId) =>
            client.send(new ReEncryptCommand({ CiphertextBlob, SourceKeyId, DestinationKeyId })).catch(String),
          ),
        );
        expect(refusals[0]).toMatch(/^AccessDeniedException/);
        expect(refusals[1]).toBe(refusals[0]);
      }
    }
  });

  it('a Deny of their own tells strangers nothing about which keys and aliases there are', async () => {
    const { Arn } = await suite.createKey();
    const missing = Arn.replace(/key\/.*/, `key/${NOBODY}`);
    const stranger = await clientWith([allow('kms:*'), deny('kms:Encrypt'), deny('kms:RetireGrant')], OTHER_ACCOUNT);
    const texts = await Promise.all(
      [Arn, missing].map((KeyId) =>
        stranger.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') })).catch(String),
      ),
    );
    expect(texts[0]).toBe(texts[1]);
    const { GrantId } = await suite.kms.send(
      new CreateGrantCommand({
        KeyId: Arn,
        GranteePrincipal: WORKER,
        Operations: ['Decrypt'],
      }),
    );
    for (const kms of [stranger, suite.door.client({ account: OTHER_ACCOUNT })]) {
      const answers = await Promise.all(
        [
          [Arn, GrantId],
          [Arn, 'f'.repeat(64)],
          [missing, GrantId],
        ].map(([KeyId, id]) => kms.send(new RetireGrantCommand({ KeyId, GrantId: id })).catch(String)),
      );
      expect(new Set(answers).size).toBe(1);
    }
  });

  it('the order of checks tells strangers nothing about a key that an alias shall point at', async () => {
    const { Arn } = await suite.createKey();
    const other = suite.door.client({ account: OTHER_ACCOUNT });
    const { KeyMetadata } = await other.send(new CreateKeyCommand({}));
    await other.send(new CreateAliasCommand({ AliasName: 'alias/own', TargetKeyId: KeyMetadata?.KeyId }));
    const weak = await clientWith([], OTHER_ACCOUNT);
    const answers = await Promise.all(
      [Arn, Arn.replace(/key\/.*/, `key/${NOBODY}`)].map((TargetKeyId) =>
        weak.send(new UpdateAliasCommand({ AliasName: 'alias/own', TargetKeyId })).catch(String),
      ),
    );
    expect(answers[0]).toBe(answers[1]);
  });

  it('who may retire a grant is held to the endpoint, and as a role to its permissions boundary', async () => {
    const { engine } = suite.door;
    const role = await engine.identities.create(
      { accountId: ACCOUNT, kind: 'role', name: 'retiring' },
      {
        trustPolicy: policy({ Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole' }),
        permissionsBoundary: policy(allow('kms:Decrypt')),
      },
    );
    const user = await createUser([]);
    const session = {
      accountId: ACCOUNT,
      arn: `arn:aws:sts::${ACCOUNT}:assumed-role/retiring/s`,
      principalId: `${role.uniqueId}:s`,
    };
    const { KeyId } = await suite.createKey();
    const grantTo = async (RetiringPrincipal: string): Promise<string | undefined> => {
      const GranteePrincipal = WORKER;
      const made = await suite.kms.send(
        new CreateGrantCommand({ KeyId, GranteePrincipal, RetiringPrincipal, Operations: ['Decrypt'] }),
      );
      return made.GrantToken;
    };
    const retire = (
      caller: typeof session,
      GrantToken: string | undefined,
      origin: RequestOrigin = {},
    ): Promise<unknown> => engine.call('RetireGrant', { GrantToken }, { caller, region: REGION, origin });
    const through = (action: string): RequestOrigin => ({
      vpcEndpoint: { id: 'vpce-1', vpcId: 'vpc-1', policy: endpointPolicy(allow(action, { Principal: '*' })) },
    });
    await expectError(retire(session, await grantTo(role.arn)), 'AccessDeniedException', /permissions boundary/);
    const token = await grantTo(user.arn);
    await expectError(retire(callerOf(user), token, through('kms:Decrypt')), 'AccessDeniedException', /endpoint/);
    await retire(callerOf(user), token, through('kms:RetireGrant'));
    await retire(session, await grantTo(session.arn));
  });

  it('keys of AWS appear for nobody who may not see them', async () => {
    const describe = new DescribeKeyCommand({ KeyId: 'alias/aws/s3' });
    await expectError((await clientWith([])).send(describe), 'AccessDeniedException');
    const { Aliases } = await suite.kms.send(new ListAliasesCommand({}));
    expect(Aliases?.find(({ AliasName }) => AliasName === 'alias/aws/s3')?.TargetKeyId).toBeUndefined();
  });
});
