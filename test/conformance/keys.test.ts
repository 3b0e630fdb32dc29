import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  ListResourceTagsCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
} from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import { ACCOUNT, OTHER_REGION, REGION } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { describeKms } from './suite.ts';

const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';
const DAY_MS = 86_400_000;

describeKms('keys', (suite) => {
  describe('CreateKey and DescribeKey', () => {
    it('CreateKey without input makes an enabled symmetric key of the account', async () => {
      const metadata = await suite.createKey();
      expect(metadata).toMatchObject({
        AWSAccountId: ACCOUNT,
        Arn: `arn:aws:kms:${REGION}:${ACCOUNT}:key/${metadata.KeyId}`,
        Enabled: true,
        Description: '',
        KeyUsage: 'ENCRYPT_DECRYPT',
        KeyState: 'Enabled',
        Origin: 'AWS_KMS',
        KeyManager: 'CUSTOMER',
        KeySpec: 'SYMMETRIC_DEFAULT',
        CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
        EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
        MultiRegion: false,
      });
      expect(metadata.KeyId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(metadata.CurrentKeyMaterialId).toMatch(/^[0-9a-f]{64}$/);
      expect(metadata.CreationDate?.getTime()).toBe(suite.door.clock.nowMs());
      expect(metadata.DeletionDate).toBeUndefined();
    });

    it('DescribeKey returns what CreateKey returned, for every form of identifier', async () => {
      const metadata = await suite.createKey({ Description: 'orders' });
      await suite.kms.send(new CreateAliasCommand({ AliasName: 'alias/describe/orders', TargetKeyId: metadata.KeyId }));
      for (const KeyId of [
        metadata.KeyId,
        metadata.Arn,
        'alias/describe/orders',
        `arn:aws:kms:${REGION}:${ACCOUNT}:alias/describe/orders`,
      ]) {
        const { KeyMetadata: described } = await suite.kms.send(new DescribeKeyCommand({ KeyId }));
        expect(described).toEqual(metadata);
      }
    });

    it('CreateKey with MultiRegion makes a primary with an mrk- id', async () => {
      const metadata = await suite.createKey({ MultiRegion: true });
      expect(metadata.KeyId).toMatch(/^mrk-[0-9a-f]{32}$/);
      expect(metadata.MultiRegionConfiguration).toEqual({
        MultiRegionKeyType: 'PRIMARY',
        PrimaryKey: { Arn: metadata.Arn, Region: REGION },
        ReplicaKeys: [],
      });
    });

    it('CreateKey refuses a usage that does not fit the spec', async () => {
      await expectError(
        suite.createKey({ KeySpec: 'RSA_2048', KeyUsage: 'KEY_AGREEMENT' }),
        'ValidationException',
        'KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048',
      );
      await expectError(
        suite.createKey({ KeySpec: 'RSA_2048' }),
        'ValidationException',
        'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
      );
    });
  });

  describe('key identifiers', () => {
    it('an unknown key id is not found, and the text names its ARN', async () => {
      await expectError(
        suite.kms.send(new DescribeKeyCommand({ KeyId: UNKNOWN_ID })),
        'NotFoundException',
        `Key 'arn:aws:kms:${REGION}:${ACCOUNT}:key/${UNKNOWN_ID}' does not exist`,
      );
    });

    it.each(['fake-key-id', 'key_id', 'mrk-fake-key-id', '134f2428cec14b25a1ae9048164dba47'])(
      'the malformed key id %s is invalid',
      async (KeyId) => {
        await expectError(
          suite.kms.send(new DescribeKeyCommand({ KeyId })),
          'NotFoundException',
          `Invalid keyId '${KeyId}'`,
        );
      },
    );

    it('a key ARN of another Region is invalid', async () => {
      const { KeyId } = await suite.createKey();
      await expectError(
        suite.kms.send(new DescribeKeyCommand({ KeyId: `arn:aws:kms:${OTHER_REGION}:${ACCOUNT}:key/${KeyId}` })),
        'NotFoundException',
        `Invalid arn ${OTHER_REGION}`,
      );
    });

    it('an unknown alias is not found', async () => {
      await expectError(
        suite.kms.send(new DescribeKeyCommand({ KeyId: 'alias/nowhere' })),
        'NotFoundException',
        `Alias arn:aws:kms:${REGION}:${ACCOUNT}:alias/nowhere is not found.`,
      );
    });

    it('an ARN that is none is refused by the error that the operation lists', async () => {
      const KeyId = 'arn:aws:s3:::bucket';
      await expectError(suite.kms.send(new DescribeKeyCommand({ KeyId })), 'InvalidArnException');
      await expectError(suite.encrypt(KeyId, 'x'), 'NotFoundException', `Invalid arn ${KeyId}`);
    });

    it('operations that take no alias refuse one', async () => {
      const { KeyId } = await suite.createKey();
      await suite.kms.send(new CreateAliasCommand({ AliasName: 'alias/not-here', TargetKeyId: KeyId }));
      await expectError(
        suite.kms.send(new DisableKeyCommand({ KeyId: 'alias/not-here' })),
        'NotFoundException',
        "Invalid keyId 'alias/not-here'",
      );
    });

    it('a key of one Region does not exist in another', async () => {
      const { KeyId } = await suite.createKey();
      await expectError(
        suite.door.client({ region: OTHER_REGION }).send(new DescribeKeyCommand({ KeyId })),
        'NotFoundException',
        `Key 'arn:aws:kms:${OTHER_REGION}:${ACCOUNT}:key/${KeyId}' does not exist`,
      );
    });
  });

  describe('key states', () => {
    it('a disabled key refuses every use until it is enabled', async () => {
      const { KeyId, Arn } = await suite.createKey();
      const blob = await suite.encrypt(KeyId, 'secret');
      await suite.kms.send(new DisableKeyCommand({ KeyId }));
      await suite.kms.send(new DisableKeyCommand({ KeyId }));
      const { KeyMetadata: disabled } = await suite.kms.send(new DescribeKeyCommand({ KeyId }));
      expect(disabled).toMatchObject({ Enabled: false, KeyState: 'Disabled' });
      for (const call of [
        () => suite.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') })),
        () => suite.kms.send(new DecryptCommand({ CiphertextBlob: blob })),
        () => suite.kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' })),
        () => suite.kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256' })),
        () => suite.kms.send(new ReEncryptCommand({ CiphertextBlob: blob, DestinationKeyId: KeyId })),
      ]) {
        await expectError(call(), 'DisabledException', `${Arn} is disabled.`);
      }
      await suite.kms.send(new EnableKeyCommand({ KeyId }));
      expect((await suite.kms.send(new DecryptCommand({ CiphertextBlob: blob }))).KeyId).toBe(Arn);
    });

    it('a key that is scheduled for deletion refuses use, and cancelling leaves it disabled', async () => {
      const { KeyId, Arn } = await suite.createKey();
      const scheduled = await suite.kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
      expect(scheduled).toMatchObject({ KeyId: Arn, KeyState: 'PendingDeletion', PendingWindowInDays: 7 });
      expect(scheduled.DeletionDate?.getTime()).toBe(suite.door.clock.nowMs() + 7 * DAY_MS);
      const { KeyMetadata: pending } = await suite.kms.send(new DescribeKeyCommand({ KeyId }));
      expect(pending).toMatchObject({ Enabled: false, KeyState: 'PendingDeletion' });
      expect(pending?.DeletionDate).toEqual(scheduled.DeletionDate);
      for (const call of [
        () => suite.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') })),
        () => suite.kms.send(new EnableKeyCommand({ KeyId })),
        () => suite.kms.send(new ScheduleKeyDeletionCommand({ KeyId })),
        () => suite.kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] })),
        () => suite.kms.send(new CreateAliasCommand({ AliasName: 'alias/pending', TargetKeyId: KeyId })),
      ]) {
        await expectError(call(), 'KMSInvalidStateException', `${Arn} is pending deletion.`);
      }
      expect(await suite.kms.send(new CancelKeyDeletionCommand({ KeyId }))).toMatchObject({ KeyId: Arn });
      const { KeyMetadata: cancelled } = await suite.kms.send(new DescribeKeyCommand({ KeyId }));
      expect(cancelled).toMatchObject({ KeyState: 'Disabled' });
      expect(cancelled?.DeletionDate).toBeUndefined();
      await expectError(
        suite.kms.send(new CancelKeyDeletionCommand({ KeyId })),
        'KMSInvalidStateException',
        `${Arn} is not pending deletion.`,
      );
    });

    it('a key is deleted with its aliases once its waiting period is over, and not before', async () => {
      const { KeyId, Arn } = await suite.createKey();
      await suite.kms.send(new CreateAliasCommand({ AliasName: 'alias/doomed', TargetKeyId: KeyId }));
      const blob = await suite.encrypt(KeyId, 'secret');
      await suite.kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
      suite.door.clock.advanceMs(7 * DAY_MS - 1000);
      await suite.door.engine.runMaintenance();
      suite.renewClient();
      expect((await suite.kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState).toBe('PendingDeletion');
      suite.door.clock.advanceMs(1000);
      expect(await suite.door.engine.runMaintenance()).toMatchObject({ deletedKeys: 1 });
      suite.renewClient();
      await expectError(
        suite.kms.send(new DescribeKeyCommand({ KeyId })),
        'NotFoundException',
        `Key '${Arn}' does not exist`,
      );
      await expectError(suite.kms.send(new DescribeKeyCommand({ KeyId: 'alias/doomed' })), 'NotFoundException');
      await expectError(suite.kms.send(new DecryptCommand({ CiphertextBlob: blob })), 'AccessDeniedException');
    });

    it.each([6, 31])('a waiting period of %i days is refused', async (PendingWindowInDays) => {
      const { KeyId } = await suite.createKey();
      await expectError(
        suite.kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays })),
        'ValidationException',
      );
    });

    it('many changes of one key at once are all made, one after the other', async () => {
      const { KeyId } = await suite.createKey();
      await Promise.all(
        Array.from({ length: 5 }, (_, index) =>
          suite.kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: `tag${String(index)}`, TagValue: 'x' }] })),
        ),
      );
      const { Tags } = await suite.kms.send(new ListResourceTagsCommand({ KeyId }));
      expect(Tags?.map(({ TagKey }) => TagKey)).toEqual(['tag0', 'tag1', 'tag2', 'tag3', 'tag4']);
    });
  });

  it('every violation of a request is named in one answer', async () => {
    await expectError(
      suite.kms.send(new GenerateDataKeyCommand({ KeyId: '', NumberOfBytes: 2000, KeySpec: 'AES_512' as 'AES_256' })),
      'ValidationException',
      "3 validation errors detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
        "Value '2000' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024; " +
        "Value 'AES_512' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [AES_256, AES_128]",
    );
  });
});
