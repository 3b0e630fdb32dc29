import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  ListAliasesCommand,
  ListKeyPoliciesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateKeyDescriptionCommand,
  type CreateKeyCommandInput,
} from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import { ACCOUNT, OTHER_ACCOUNT, REGION } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { describeKms } from './suite.ts';

const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

describeKms('management', (suite) => {
  describe('aliases', () => {
    it('an alias can move to another key, and old ciphertext stays readable', async () => {
      const [first, second] = [await suite.createKey(), await suite.createKey()];
      await suite.kms.send(new CreateAliasCommand({ AliasName: 'alias/moving', TargetKeyId: first.Arn }));
      const blob = await suite.encrypt('alias/moving', 'old');
      await suite.kms.send(new UpdateAliasCommand({ AliasName: 'alias/moving', TargetKeyId: second.KeyId }));
      expect((await suite.kms.send(new DescribeKeyCommand({ KeyId: 'alias/moving' }))).KeyMetadata?.Arn).toBe(
        second.Arn,
      );
      const { Plaintext } = await suite.kms.send(new DecryptCommand({ CiphertextBlob: blob }));
      expect(Buffer.from(Plaintext ?? []).toString()).toBe('old');
      await suite.kms.send(new DeleteAliasCommand({ AliasName: 'alias/moving' }));
      await expectError(suite.encrypt('alias/moving', 'x'), 'NotFoundException');
    });

    it('an alias name is taken once', async () => {
      const { KeyId } = await suite.createKey();
      await suite.kms.send(new CreateAliasCommand({ AliasName: 'alias/once', TargetKeyId: KeyId }));
      await expectError(
        suite.kms.send(new CreateAliasCommand({ AliasName: 'alias/once', TargetKeyId: KeyId })),
        'AlreadyExistsException',
        `An alias with the name arn:aws:kms:${REGION}:${ACCOUNT}:alias/once already exists`,
      );
    });

    it('the names of an alias are checked as AWS does', async () => {
      const { KeyId } = await suite.createKey();
      const create = (AliasName: string): Promise<unknown> =>
        suite.kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }));
      await expectError(
        create('orders'),
        'ValidationException',
        'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
      );
      await expectError(create('alias/aws/mine'), 'NotAuthorizedException');
      await expectError(create('alias/'), 'InvalidAliasNameException');
      await expectError(
        create('alias/spa ce'),
        'ValidationException',
        "1 validation error detected: Value 'alias/spa ce' at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$",
      );
    });

    it('ListAliases pages through all aliases, and filters by key', async () => {
      const { KeyId } = await suite.createKey();
      const names = Array.from({ length: 5 }, (_, index) => `alias/page/${String(index)}`);
      for (const AliasName of names) {
        await suite.kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }));
      }
      const seen: string[] = [];
      let Marker: string | undefined;
      do {
        const page = await suite.kms.send(new ListAliasesCommand({ KeyId, Limit: 2, Marker }));
        expect(page.Aliases?.length).toBeLessThanOrEqual(2);
        seen.push(...(page.Aliases ?? []).map((alias) => alias.AliasName ?? ''));
        expect(page.Truncated).toBe(page.NextMarker !== undefined);
        Marker = page.NextMarker;
      } while (Marker !== undefined);
      expect(seen).toEqual(names);
      const { Aliases } = await suite.kms.send(new ListAliasesCommand({ Limit: 100 }));
      const alias = Aliases?.find((each) => each.AliasName === 'alias/page/0');
      expect(alias).toMatchObject({
        AliasArn: `arn:aws:kms:${REGION}:${ACCOUNT}:alias/page/0`,
        TargetKeyId: KeyId,
      });
    });

    it('a key has at most 50 aliases', async () => {
      const { KeyId } = await suite.createKey();
      for (let index = 0; index < 50; index++) {
        await suite.kms.send(new CreateAliasCommand({ AliasName: `alias/many/${String(index)}`, TargetKeyId: KeyId }));
      }
      await expectError(
        suite.kms.send(new CreateAliasCommand({ AliasName: 'alias/many/50', TargetKeyId: KeyId })),
        'LimitExceededException',
      );
    });
  });

  describe('lists, tags and descriptions', () => {
    it('ListKeys pages through every key of the Region', async () => {
      const made = [await suite.createKey(), await suite.createKey(), await suite.createKey()];
      const seen: string[] = [];
      let Marker: string | undefined;
      do {
        const page = await suite.kms.send(new ListKeysCommand({ Limit: 2, Marker }));
        seen.push(...(page.Keys ?? []).map((key) => key.KeyArn ?? ''));
        Marker = page.NextMarker;
      } while (Marker !== undefined);
      expect(seen).toEqual(expect.arrayContaining(made.map((key) => key.Arn)));
      expect(new Set(seen).size).toBe(seen.length);
    });

    it('a marker that no page gave is invalid', async () => {
      await expectError(suite.kms.send(new ListKeysCommand({ Marker: 'invented' })), 'InvalidMarkerException');
    });

    it('tags are set, replaced, listed and removed', async () => {
      const { KeyId } = await suite.createKey({ Tags: [{ TagKey: 'team', TagValue: 'a' }] });
      await suite.kms.send(
        new TagResourceCommand({
          KeyId,
          Tags: [
            { TagKey: 'team', TagValue: 'b' },
            { TagKey: 'cost', TagValue: '' },
          ],
        }),
      );
      expect((await suite.kms.send(new ListResourceTagsCommand({ KeyId }))).Tags).toEqual([
        { TagKey: 'cost', TagValue: '' },
        { TagKey: 'team', TagValue: 'b' },
      ]);
      await suite.kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['team', 'absent'] }));
      expect((await suite.kms.send(new ListResourceTagsCommand({ KeyId }))).Tags).toEqual([
        { TagKey: 'cost', TagValue: '' },
      ]);
    });

    it('tags are checked as AWS does', async () => {
      const tag = (TagKey: string): { TagKey: string; TagValue: string } => ({ TagKey, TagValue: 'v' });
      await expectError(suite.createKey({ Tags: [tag('a'), tag('a')] }), 'TagException', 'Duplicate tag keys');
      await expectError(
        suite.createKey({ Tags: [tag('aws:x')] }),
        'TagException',
        'Tags beginning with aws: are reserved',
      );
      const many = Array.from({ length: 51 }, (_, index) => tag(String(index)));
      await expectError(suite.createKey({ Tags: many }), 'TagException', 'Too many tags');
      await expectError(
        suite.createKey({ Tags: [tag('a'.repeat(129))] }),
        'ValidationException',
        `1 validation error detected: Value '${'a'.repeat(129)}' at 'tags.1.member.tagKey' failed to satisfy constraint: Member must have length less than or equal to 128`,
      );
    });

    it('a description can be changed', async () => {
      const { KeyId } = await suite.createKey({ Description: 'old' });
      await suite.kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: 'new' }));
      expect((await suite.kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.Description).toBe('new');
    });
  });

  describe('key policies', () => {
    it('a key without a policy has the default one, under the one name', async () => {
      const { KeyId } = await suite.createKey();
      const { Policy, PolicyName } = await suite.kms.send(new GetKeyPolicyCommand({ KeyId }));
      expect(PolicyName).toBe('default');
      expect(JSON.parse(Policy ?? '')).toEqual({
        Version: '2012-10-17',
        Id: 'key-default-1',
        Statement: [
          {
            Sid: 'Enable IAM User Permissions',
            Effect: 'Allow',
            Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
            Action: 'kms:*',
            Resource: '*',
          },
        ],
      });
      expect((await suite.kms.send(new ListKeyPoliciesCommand({ KeyId }))).PolicyNames).toEqual(['default']);
      await expectError(suite.kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'other' })), 'NotFoundException');
    });

    it('PutKeyPolicy stores a policy to the letter', async () => {
      const { KeyId } = await suite.createKey();
      const Policy = `{ "Version": "2012-10-17", "Statement": {"Effect":"Allow","Principal":{"AWS":"${ACCOUNT}"},"Action":["kms:*"],"Resource":"*"} }`;
      await suite.kms.send(new PutKeyPolicyCommand({ KeyId, Policy }));
      expect((await suite.kms.send(new GetKeyPolicyCommand({ KeyId }))).Policy).toBe(Policy);
    });

    it('a policy that locks the caller out is refused unless the check is bypassed', async () => {
      const { KeyId } = await suite.createKey();
      const Policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
            Action: 'kms:Get*',
            Resource: '*',
          },
        ],
      });
      await expectError(
        suite.kms.send(new PutKeyPolicyCommand({ KeyId, Policy })),
        'MalformedPolicyDocumentException',
        'The new key policy will not allow you to update the key policy in the future.',
      );
      await suite.kms.send(new PutKeyPolicyCommand({ KeyId, Policy, BypassPolicyLockoutSafetyCheck: true }));
    });

    it.each([
      ['tags of the key', { 'aws:ResourceTag/stage': 'one' }, { 'aws:ResourceTag/stage': 'two' }],
      ['properties of the key', { 'kms:KeySpec': 'HMAC_256' }, { 'kms:KeySpec': 'HMAC_384' }],
      ['tags of the caller', { 'aws:PrincipalTag/team': 'blue' }, { 'aws:PrincipalTag/team': 'red' }],
    ])('the check knows the %s, as the request that it is about will', async (_title, right, wrong) => {
      const { identities } = suite.door.engine;
      const administrator = await identities.ensureAdministrator(ACCOUNT);
      await identities.update(administrator, () => ({ tags: new Map([['team', 'blue']]) }));
      const requestWith = (condition: object): CreateKeyCommandInput => ({
        KeySpec: 'HMAC_256',
        KeyUsage: 'GENERATE_VERIFY_MAC',
        Tags: [{ TagKey: 'stage', TagValue: 'one' }],
        Policy: JSON.stringify({
          Version: '2012-10-17',
          Statement: {
            Effect: 'Allow',
            Principal: { AWS: ACCOUNT },
            Action: 'kms:*',
            Resource: '*',
            Condition: { StringEquals: condition },
          },
        }),
      });
      const { KeyId } = await suite.createKey(requestWith(right));
      await suite.kms.send(new PutKeyPolicyCommand({ KeyId, Policy: requestWith(right).Policy }));
      await expectError(suite.createKey(requestWith(wrong)), 'MalformedPolicyDocumentException');
      const put = new PutKeyPolicyCommand({ KeyId, Policy: requestWith(wrong).Policy });
      await expectError(suite.kms.send(put), 'MalformedPolicyDocumentException');
    });

    it.each(['not json', '[]', '{"Statement":[]}', '{"Statement":{"Effect":"Maybe","Principal":"*"}}'])(
      'the policy %s is malformed',
      async (Policy) => {
        await expectError(suite.createKey({ Policy }), 'MalformedPolicyDocumentException');
      },
    );

    it('a policy over 32 KiB exceeds the limit', async () => {
      const Policy = JSON.stringify({ Version: '2012-10-17', Id: 'x'.repeat(33_000), Statement: [] });
      await expectError(suite.createKey({ Policy }), 'LimitExceededException');
    });
  });

  describe('other accounts', () => {
    it('a caller of another account is refused on every key of this one, whether it exists or not', async () => {
      const { Arn, KeyId } = await suite.createKey();
      const blob = await suite.encrypt(KeyId, 'secret');
      const stranger = suite.door.client({ account: OTHER_ACCOUNT });
      await suite.kms.send(new CreateAliasCommand({ AliasName: 'alias/not-for-strangers', TargetKeyId: KeyId }));
      const denied = new RegExp(
        `^User: arn:aws:iam::${OTHER_ACCOUNT}:user/administrator is not authorized to perform: kms:\\w+ on this resource ` +
          'because the resource does not exist in this Region, no resource-based policies allow access, ' +
          'or a resource-based policy explicitly denies access$|' +
          '^The ciphertext refers to a customer master key that does not exist, ' +
          'does not exist in this region, or you are not allowed to access.$',
      );
      for (const call of [
        () => stranger.send(new DescribeKeyCommand({ KeyId: Arn })),
        () => stranger.send(new EncryptCommand({ KeyId: Arn, Plaintext: Buffer.from('x') })),
        () => stranger.send(new DecryptCommand({ CiphertextBlob: blob })),
        () => stranger.send(new DecryptCommand({ CiphertextBlob: blob, KeyId: Arn })),
        () => stranger.send(new ScheduleKeyDeletionCommand({ KeyId: Arn })),
        () => stranger.send(new GetKeyPolicyCommand({ KeyId: Arn })),
        () => stranger.send(new ListAliasesCommand({ KeyId: Arn })),
        () => stranger.send(new DescribeKeyCommand({ KeyId: Arn.replace(KeyId, UNKNOWN_ID) })),
        () => stranger.send(new DescribeKeyCommand({ KeyId: `arn:aws:kms:${REGION}:${ACCOUNT}:alias/nowhere` })),
        () =>
          stranger.send(new DescribeKeyCommand({ KeyId: `arn:aws:kms:${REGION}:${ACCOUNT}:alias/not-for-strangers` })),
      ]) {
        await expectError(call(), 'AccessDeniedException', denied);
      }
      await expectError(stranger.send(new DescribeKeyCommand({ KeyId })), 'NotFoundException');
      expect((await stranger.send(new ListKeysCommand({}))).Keys).toEqual([]);
    });

    it('the same alias name may exist in every account', async () => {
      const { KeyId } = await suite.createKey();
      const stranger = suite.door.client({ account: OTHER_ACCOUNT });
      const { KeyMetadata: theirs } = await stranger.send(new CreateKeyCommand({}));
      await suite.kms.send(new CreateAliasCommand({ AliasName: 'alias/shared-name', TargetKeyId: KeyId }));
      await stranger.send(new CreateAliasCommand({ AliasName: 'alias/shared-name', TargetKeyId: theirs?.KeyId }));
      expect((await stranger.send(new DescribeKeyCommand({ KeyId: 'alias/shared-name' }))).KeyMetadata?.KeyId).toBe(
        theirs?.KeyId,
      );
    });
  });
});
