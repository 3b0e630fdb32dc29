import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GetKeyRotationStatusCommand,
  ListKeyRotationsCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  UpdatePrimaryRegionCommand,
  type KeyMetadata,
  type KMSClient,
} from '@aws-sdk/client-kms';
import { expect, it } from 'vitest';
import { OTHER_REGION, REGION } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { describeKms, type CreatedKey } from './suite.ts';

const DAY_MS = 86_400_000;

describeKms('multi-Region keys', (suite) => {
  const elsewhere = (): KMSClient => suite.door.client({ region: OTHER_REGION });

  const replicate = async (): Promise<CreatedKey> => {
    const primary = await suite.createKey({ MultiRegion: true, Description: 'primary' });
    await suite.kms.send(new ReplicateKeyCommand({ KeyId: primary.KeyId, ReplicaRegion: OTHER_REGION }));
    return primary;
  };

  const describe = async (kms: KMSClient, KeyId: string): Promise<KeyMetadata | undefined> =>
    (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata;

  const runMaintenanceAfter = async (days: number): Promise<void> => {
    suite.door.clock.advanceMs(days * DAY_MS);
    await suite.door.engine.runMaintenance();
    suite.renewClient();
  };

  it('a replica has the id and spec of its primary, and policy, tags and description of its own', async () => {
    const primary = await suite.createKey({ MultiRegion: true, Description: 'primary' });
    const made = await suite.kms.send(
      new ReplicateKeyCommand({
        KeyId: primary.KeyId,
        ReplicaRegion: OTHER_REGION,
        Description: 'replica',
        Tags: [{ TagKey: 'a', TagValue: 'b' }],
      }),
    );
    const arn = primary.Arn.replace(REGION, OTHER_REGION);
    const MultiRegionConfiguration = {
      MultiRegionKeyType: 'REPLICA',
      PrimaryKey: { Arn: primary.Arn, Region: REGION },
      ReplicaKeys: [{ Arn: arn, Region: OTHER_REGION }],
    };
    expect(made.ReplicaKeyMetadata).toMatchObject({ Arn: arn, KeyState: 'Creating', Description: 'replica' });
    expect(made.ReplicaTags).toEqual([{ TagKey: 'a', TagValue: 'b' }]);
    expect(made.ReplicaPolicy).toContain('key-default-1');
    expect(await describe(elsewhere(), primary.KeyId)).toMatchObject({
      Arn: arn,
      KeyId: primary.KeyId,
      KeyState: 'Enabled',
      CurrentKeyMaterialId: primary.CurrentKeyMaterialId,
      MultiRegionConfiguration,
    });
    expect(await describe(suite.kms, primary.KeyId)).toMatchObject({
      Description: 'primary',
      MultiRegionConfiguration: { ...MultiRegionConfiguration, MultiRegionKeyType: 'PRIMARY' },
    });
  });

  it('what one Region encrypts, the other decrypts, also what was encrypted before there was a replica', async () => {
    const { KeyId, Arn } = await suite.createKey({ MultiRegion: true });
    const before = await suite.encrypt(KeyId, 'before');
    await suite.kms.send(new RotateKeyOnDemandCommand({ KeyId }));
    await suite.kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: OTHER_REGION }));
    const there = await elsewhere().send(new DecryptCommand({ CiphertextBlob: before, KeyId }));
    expect(Buffer.from(there.Plaintext ?? []).toString()).toBe('before');
    expect(there.KeyId).toBe(Arn.replace(REGION, OTHER_REGION));
    const { CiphertextBlob } = await elsewhere().send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('back') }));
    const here = await suite.kms.send(new DecryptCommand({ CiphertextBlob }));
    expect(Buffer.from(here.Plaintext ?? []).toString()).toBe('back');
  });

  it('rotation belongs to the primary and reaches the replica with its material', async () => {
    const { KeyId } = await replicate();
    await suite.kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
    const shared = await elsewhere().send(new GetKeyRotationStatusCommand({ KeyId }));
    expect(shared).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 90 });
    await runMaintenanceAfter(90);
    const rotations = await elsewhere().send(new ListKeyRotationsCommand({ KeyId }));
    expect(rotations.Rotations).toMatchObject([{ RotationType: 'AUTOMATIC', KeyMaterialState: 'CURRENT' }]);
    const blob = await suite.encrypt(KeyId, 'rotated');
    expect((await elsewhere().send(new DecryptCommand({ CiphertextBlob: blob }))).KeyMaterialId).toBe(
      rotations.Rotations?.[0]?.KeyMaterialId,
    );
    const arn = (await describe(elsewhere(), KeyId))?.Arn ?? '';
    for (const call of [
      () => elsewhere().send(new EnableKeyRotationCommand({ KeyId })),
      () => elsewhere().send(new RotateKeyOnDemandCommand({ KeyId })),
      () => elsewhere().send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: REGION })),
    ]) {
      await expectError(call(), 'UnsupportedOperationException', `${arn} is not a multi-region primary key.`);
    }
  });

  it('the enabled state and aliases of a replica are its own', async () => {
    const { KeyId } = await replicate();
    await elsewhere().send(new DisableKeyCommand({ KeyId }));
    expect(await describe(suite.kms, KeyId)).toMatchObject({ KeyState: 'Enabled' });
    await suite.kms.send(new CreateAliasCommand({ AliasName: `alias/${KeyId}`, TargetKeyId: KeyId }));
    await expectError(describe(elsewhere(), `alias/${KeyId}`), 'NotFoundException');
  });

  it('the primary can move to the Region of a replica, and back', async () => {
    const { KeyId, Arn } = await replicate();
    await suite.kms.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: OTHER_REGION }));
    expect((await describe(suite.kms, KeyId))?.MultiRegionConfiguration).toEqual({
      MultiRegionKeyType: 'REPLICA',
      PrimaryKey: { Arn: Arn.replace(REGION, OTHER_REGION), Region: OTHER_REGION },
      ReplicaKeys: [{ Arn, Region: REGION }],
    });
    await expectError(
      suite.kms.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: OTHER_REGION })),
      'UnsupportedOperationException',
    );
    await elsewhere().send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: REGION }));
    expect((await describe(suite.kms, KeyId))?.MultiRegionConfiguration?.MultiRegionKeyType).toBe('PRIMARY');
  });

  it('a primary goes only after its replicas, and its waiting period starts when the last one is gone', async () => {
    const { KeyId, Arn } = await replicate();
    const scheduled = await suite.kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 10 }));
    expect(scheduled).toMatchObject({ KeyState: 'PendingReplicaDeletion', PendingWindowInDays: 10 });
    expect(scheduled.DeletionDate).toBeUndefined();
    expect(await describe(suite.kms, KeyId)).toMatchObject({
      KeyState: 'PendingReplicaDeletion',
      PendingDeletionWindowInDays: 10,
    });
    await expectError(suite.encrypt(KeyId, 'x'), 'KMSInvalidStateException', `${Arn} is pending replica deletion.`);
    await runMaintenanceAfter(400);
    expect(await describe(suite.kms, KeyId)).toMatchObject({ KeyState: 'PendingReplicaDeletion' });

    await elsewhere().send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    await runMaintenanceAfter(7);
    await expectError(describe(elsewhere(), KeyId), 'NotFoundException');
    const alone = await describe(suite.kms, KeyId);
    expect(alone).toMatchObject({ KeyState: 'PendingDeletion', MultiRegionConfiguration: { ReplicaKeys: [] } });
    expect(alone?.DeletionDate?.getTime()).toBe(suite.door.clock.nowMs() + 10 * DAY_MS);
    await runMaintenanceAfter(10);
    await expectError(describe(suite.kms, KeyId), 'NotFoundException');
  });

  it('the deletion of a primary that waits for its replicas can be cancelled', async () => {
    const { KeyId } = await replicate();
    await suite.kms.send(new ScheduleKeyDeletionCommand({ KeyId }));
    await suite.kms.send(new CancelKeyDeletionCommand({ KeyId }));
    const cancelled = await describe(suite.kms, KeyId);
    expect(cancelled).toMatchObject({ KeyState: 'Disabled' });
    expect(cancelled?.PendingDeletionWindowInDays).toBeUndefined();
  });

  it('a replica is made once in a Region, of a multi-Region primary, in a Region that is served', async () => {
    const { KeyId } = await replicate();
    const single = await suite.createKey();
    const to = (id: string, ReplicaRegion: string): Promise<unknown> =>
      suite.kms.send(new ReplicateKeyCommand({ KeyId: id, ReplicaRegion }));
    await expectError(to(KeyId, OTHER_REGION), 'AlreadyExistsException');
    await expectError(to(KeyId, REGION), 'AlreadyExistsException');
    await expectError(to(KeyId, 'ap-south-1'), 'ValidationException');
    await expectError(to(single.KeyId, OTHER_REGION), 'UnsupportedOperationException');
  });
});
