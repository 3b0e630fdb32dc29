import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateGrantCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GetKeyLastUsageCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  ListAliasesCommand,
  ListGrantsCommand,
  ListKeyPoliciesCommand,
  ListKeyRotationsCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateKeyDescriptionCommand,
  UpdatePrimaryRegionCommand,
  type AliasListEntry,
  type KeyMetadata,
} from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import { PREDEFINED_ALIASES } from '../../src/keys/aws-managed.ts';
import { ACCOUNT, OTHER_ACCOUNT, OTHER_REGION, REGION } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { describeKms } from './suite.ts';

const DAY_MS = 86_400_000;

describeKms('AWS managed keys', (suite) => {
  const describeAlias = async (KeyId: string, kms = suite.kms): Promise<KeyMetadata> => {
    const { KeyMetadata: metadata } = await kms.send(new DescribeKeyCommand({ KeyId }));
    if (metadata === undefined) {
      throw new Error('no metadata');
    }
    return metadata;
  };

  const keyIdOf = async (alias: string): Promise<string> => (await describeAlias(alias)).KeyId ?? '';

  const aliases = async (Limit: number): Promise<AliasListEntry[]> => {
    const seen: AliasListEntry[] = [];
    let Marker: string | undefined;
    do {
      const page = await suite.kms.send(new ListAliasesCommand({ Limit, Marker }));
      expect(page.Aliases?.length).toBeLessThanOrEqual(Limit);
      seen.push(...(page.Aliases ?? []));
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    return seen;
  };

  const policyOf = async (KeyId: string): Promise<unknown> =>
    JSON.parse((await suite.kms.send(new GetKeyPolicyCommand({ KeyId }))).Policy ?? '');

  it('DescribeKey with a predefined alias makes the key once, and its ARN finds it again', async () => {
    const made = await describeAlias('alias/aws/s3');
    expect(made).toMatchObject({
      AWSAccountId: ACCOUNT,
      KeyManager: 'AWS',
      KeyState: 'Enabled',
      Enabled: true,
      Origin: 'AWS_KMS',
      KeySpec: 'SYMMETRIC_DEFAULT',
      KeyUsage: 'ENCRYPT_DECRYPT',
      MultiRegion: false,
      Description: 'Default key that protects my S3 objects when no other key is defined',
      CreationDate: new Date(suite.door.clock.nowMs()),
    });
    expect(made.KeyId).toMatch(/^[0-9a-f]{8}-/);
    expect(await describeAlias('alias/aws/s3')).toEqual(made);
    expect(await describeAlias(`arn:aws:kms:${REGION}:${ACCOUNT}:alias/aws/s3`)).toEqual(made);
    expect(await describeAlias(made.Arn ?? '')).toEqual(made);
  });

  it('an alias ARN makes the key too', async () => {
    const made = await describeAlias(`arn:aws:kms:${REGION}:${ACCOUNT}:alias/aws/sqs`);
    expect(made.Description).toBe('Default key that protects my SQS messages when no other key is defined');
  });

  it('every account and every Region has a key of its own', async () => {
    const ours = await describeAlias('alias/aws/sns');
    const elsewhere = await describeAlias('alias/aws/sns', suite.door.client({ region: OTHER_REGION }));
    const theirs = await describeAlias('alias/aws/sns', suite.door.client({ account: OTHER_ACCOUNT }));
    expect(new Set([ours.KeyId, elsewhere.KeyId, theirs.KeyId]).size).toBe(3);
    expect(elsewhere.Arn).toContain(`:${OTHER_REGION}:${ACCOUNT}:`);
    expect(theirs.AWSAccountId).toBe(OTHER_ACCOUNT);
  });

  it('nobody makes keys in another account, and no service makes one that AWS does not have', async () => {
    await expectError(
      describeAlias(`arn:aws:kms:${REGION}:${OTHER_ACCOUNT}:alias/aws/xray`),
      'AccessDeniedException',
      /because the resource does not exist in this Region/,
    );
    await expectError(
      describeAlias('alias/aws/nonsense'),
      'NotFoundException',
      `Alias arn:aws:kms:${REGION}:${ACCOUNT}:alias/aws/nonsense is not found.`,
    );
    await expectError(describeAlias('alias/aws/'), 'NotFoundException');
  });

  it('cryptography does not make the key', async () => {
    for (const call of [
      () => suite.encrypt('alias/aws/kinesis', 'x'),
      () => suite.kms.send(new GenerateDataKeyCommand({ KeyId: 'alias/aws/kinesis', KeySpec: 'AES_256' })),
    ]) {
      await expectError(
        call(),
        'NotFoundException',
        `Alias arn:aws:kms:${REGION}:${ACCOUNT}:alias/aws/kinesis is not found.`,
      );
    }
    expect((await aliases(100)).find(({ AliasName }) => AliasName === 'alias/aws/kinesis')).toEqual({
      AliasName: 'alias/aws/kinesis',
      AliasArn: `arn:aws:kms:${REGION}:${ACCOUNT}:alias/aws/kinesis`,
    });
  });

  it('concurrent first uses make one key', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => keyIdOf('alias/aws/rds')));
    expect(new Set(ids).size).toBe(1);
    const { Aliases } = await suite.kms.send(new ListAliasesCommand({ KeyId: ids[0] }));
    expect(Aliases?.map(({ AliasName }) => AliasName)).toEqual(['alias/aws/rds']);
  });

  it('ListAliases shows predefined aliases among the others, with a target once they have a key', async () => {
    const { KeyId } = await suite.createKey();
    for (const AliasName of ['alias/aaa', 'alias/aws', 'alias/awt', 'alias/zzz']) {
      await suite.kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }));
    }
    const glue = await keyIdOf('alias/aws/glue');
    const whole = await aliases(100);
    const names = whole.map(({ AliasName }) => AliasName);
    expect(names).toEqual([...PREDEFINED_ALIASES, 'alias/aaa', 'alias/aws', 'alias/awt', 'alias/zzz'].sort());
    expect(whole.find(({ AliasName }) => AliasName === 'alias/aws/glue')?.TargetKeyId).toBe(glue);
    for (const limit of [1, 3, 7, 50]) {
      expect(await aliases(limit)).toEqual(whole);
    }
    expect((await suite.kms.send(new ListAliasesCommand({ KeyId }))).Aliases).toHaveLength(4);
  });

  it('the policy lets principals in through the service only, and shows the metadata to the account', async () => {
    expect(await policyOf(await keyIdOf('alias/aws/ebs'))).toEqual({
      Version: '2012-10-17',
      Id: 'auto-ebs-1',
      Statement: [
        {
          Sid: 'Allow access through EBS for all principals in the account that are authorized to use EBS',
          Effect: 'Allow',
          Principal: { AWS: '*' },
          Action: [
            'kms:Encrypt',
            'kms:Decrypt',
            'kms:ReEncrypt*',
            'kms:GenerateDataKey*',
            'kms:CreateGrant',
            'kms:DescribeKey',
          ],
          Resource: '*',
          Condition: {
            StringEquals: { 'kms:CallerAccount': ACCOUNT, 'kms:ViaService': `ec2.${REGION}.amazonaws.com` },
          },
        },
        {
          Sid: 'Allow direct access to key metadata to the account',
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
          Action: ['kms:Describe*', 'kms:Get*', 'kms:List*', 'kms:RevokeGrant'],
          Resource: '*',
        },
      ],
    });
    // S3 needs no grants.
    expect(JSON.stringify(await policyOf(await keyIdOf('alias/aws/s3')))).not.toContain('Grant');
  });

  it('it is seen like any other key', async () => {
    const KeyId = await keyIdOf('alias/aws/lambda');
    const { Keys } = await suite.kms.send(new ListKeysCommand({ Limit: 1000 }));
    expect(Keys?.map((key) => key.KeyId)).toContain(KeyId);
    expect((await suite.kms.send(new ListResourceTagsCommand({ KeyId }))).Tags).toEqual([]);
    expect((await suite.kms.send(new ListGrantsCommand({ KeyId }))).Grants).toEqual([]);
    expect((await suite.kms.send(new ListKeyPoliciesCommand({ KeyId }))).PolicyNames).toEqual(['default']);
    expect((await suite.kms.send(new GetKeyLastUsageCommand({ KeyId }))).KeyLastUsage).toEqual({});
  });

  it('it rotates every year, and what it encrypted stays readable', async () => {
    const KeyId = await keyIdOf('alias/aws/backup');
    const createdMs = suite.door.clock.nowMs();
    const { KeyRotationEnabled, RotationPeriodInDays, NextRotationDate } = await suite.kms.send(
      new GetKeyRotationStatusCommand({ KeyId }),
    );
    expect({ KeyRotationEnabled, RotationPeriodInDays }).toEqual({
      KeyRotationEnabled: true,
      RotationPeriodInDays: 365,
    });
    expect(NextRotationDate?.getTime()).toBe(createdMs + 365 * DAY_MS);
    const viaBackup = await suite.door.clientVia('backup');
    const { CiphertextBlob } = await viaBackup.send(
      new EncryptCommand({ KeyId: 'alias/aws/backup', Plaintext: Buffer.from('old') }),
    );
    suite.door.clock.advanceMs(365 * DAY_MS);
    await suite.door.engine.runMaintenance();
    suite.renewClient();
    const { Rotations } = await suite.kms.send(new ListKeyRotationsCommand({ KeyId }));
    expect(Rotations).toMatchObject([{ RotationType: 'AUTOMATIC' }]);
    const { Plaintext } = await (await suite.door.clientVia('backup')).send(new DecryptCommand({ CiphertextBlob }));
    expect(Buffer.from(Plaintext ?? []).toString()).toBe('old');
  });

  describe('nobody manages it', () => {
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'kms:*', Resource: '*' }],
    });
    const AliasName = 'alias/mine';
    const GranteePrincipal = `arn:aws:iam::${ACCOUNT}:user/administrator`;

    it.each([
      ['CancelKeyDeletion', (KeyId: string) => suite.kms.send(new CancelKeyDeletionCommand({ KeyId }))],
      ['CreateAlias', (TargetKeyId: string) => suite.kms.send(new CreateAliasCommand({ AliasName, TargetKeyId }))],
      [
        'CreateGrant',
        (KeyId: string) =>
          suite.kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['Decrypt', 'Encrypt'] })),
      ],
      ['DisableKey', (KeyId: string) => suite.kms.send(new DisableKeyCommand({ KeyId }))],
      ['DisableKeyRotation', (KeyId: string) => suite.kms.send(new DisableKeyRotationCommand({ KeyId }))],
      ['EnableKey', (KeyId: string) => suite.kms.send(new EnableKeyCommand({ KeyId }))],
      ['EnableKeyRotation', (KeyId: string) => suite.kms.send(new EnableKeyRotationCommand({ KeyId }))],
      ['PutKeyPolicy', (KeyId: string) => suite.kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))],
      [
        'ReplicateKey',
        (KeyId: string) => suite.kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: OTHER_REGION })),
      ],
      ['RotateKeyOnDemand', (KeyId: string) => suite.kms.send(new RotateKeyOnDemandCommand({ KeyId }))],
      ['ScheduleKeyDeletion', (KeyId: string) => suite.kms.send(new ScheduleKeyDeletionCommand({ KeyId }))],
      [
        'TagResource',
        (KeyId: string) => suite.kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] })),
      ],
      ['UntagResource', (KeyId: string) => suite.kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['a'] }))],
      [
        'UpdateKeyDescription',
        (KeyId: string) => suite.kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: 'mine' })),
      ],
      [
        'UpdatePrimaryRegion',
        (KeyId: string) => suite.kms.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: OTHER_REGION })),
      ],
    ])('%s is refused by its policy', async (operation, call) => {
      const before = await describeAlias('alias/aws/secretsmanager');
      await expectError(
        call(before.KeyId ?? ''),
        'AccessDeniedException',
        `User: arn:aws:iam::${ACCOUNT}:user/administrator is not authorized to perform: kms:${operation} ` +
          `on resource: ${before.Arn ?? ''} because no resource-based policy allows the kms:${operation} action`,
      );
      expect(await describeAlias('alias/aws/secretsmanager')).toEqual(before);
    });

    it('its alias cannot be moved or deleted, and no alias moved to it', async () => {
      const { KeyId } = await suite.createKey();
      const managed = await keyIdOf('alias/aws/secretsmanager');
      const move = (alias: string, TargetKeyId: string): Promise<unknown> =>
        suite.kms.send(new UpdateAliasCommand({ AliasName: alias, TargetKeyId }));
      await expectError(move('alias/aws/secretsmanager', KeyId), 'NotAuthorizedException');
      const deletion = new DeleteAliasCommand({ AliasName: 'alias/aws/secretsmanager' });
      await expectError(suite.kms.send(deletion), 'NotAuthorizedException');
      await suite.kms.send(new CreateAliasCommand({ AliasName: 'alias/of-mine', TargetKeyId: KeyId }));
      await expectError(move('alias/of-mine', managed), 'AccessDeniedException', /kms:UpdateAlias action$/);
    });

    it('a caller of another account learns nothing of it', async () => {
      const { Arn } = await describeAlias('alias/aws/secretsmanager');
      const stranger = suite.door.client({ account: OTHER_ACCOUNT });
      for (const command of [
        new CreateGrantCommand({ KeyId: Arn, GranteePrincipal, Operations: ['Decrypt'] }),
        new EncryptCommand({ KeyId: Arn, Plaintext: Buffer.from('x') }),
      ]) {
        await expectError(
          stranger.send(command as EncryptCommand),
          'AccessDeniedException',
          /on this resource because the resource does not exist in this Region/,
        );
      }
    });
  });
});
