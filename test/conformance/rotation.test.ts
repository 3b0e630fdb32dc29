import {
  CancelKeyDeletionCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  GetKeyRotationStatusCommand,
  ListKeyRotationsCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  type GetKeyRotationStatusCommandOutput,
  type RotationsListEntry,
} from '@aws-sdk/client-kms';
import { expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { describeKms } from './suite.ts';

const DAY_MS = 86_400_000;

describeKms('rotation', (suite) => {
  const status = (KeyId: string): Promise<GetKeyRotationStatusCommandOutput> =>
    suite.kms.send(new GetKeyRotationStatusCommand({ KeyId }));

  const rotations = async (KeyId: string, all = false): Promise<RotationsListEntry[]> => {
    const IncludeKeyMaterial = all ? ('ALL_KEY_MATERIAL' as const) : undefined;
    const { Rotations } = await suite.kms.send(new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial }));
    return Rotations ?? [];
  };

  const passDays = async (days: number): Promise<void> => {
    suite.door.clock.advanceMs(days * DAY_MS);
    await suite.door.engine.runMaintenance();
    suite.renewClient();
  };

  const text = async (CiphertextBlob: Uint8Array): Promise<string> => {
    const { Plaintext } = await suite.kms.send(new DecryptCommand({ CiphertextBlob }));
    return Buffer.from(Plaintext ?? []).toString();
  };

  it('a new key does not rotate', async () => {
    const { KeyId } = await suite.createKey();
    expect(await status(KeyId)).toMatchObject({ KeyId, KeyRotationEnabled: false });
    expect(await status(KeyId)).not.toHaveProperty('RotationPeriodInDays');
    expect(await rotations(KeyId)).toEqual([]);
  });

  it('rotation is on for 365 days by default, and a new period counts from its own day', async () => {
    const { KeyId } = await suite.createKey();
    await suite.kms.send(new EnableKeyRotationCommand({ KeyId }));
    const enabledMs = suite.door.clock.nowMs();
    const first = await status(KeyId);
    expect(first).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 365 });
    expect(first.NextRotationDate?.getTime()).toBe(enabledMs + 365 * DAY_MS);
    await passDays(10);
    await suite.kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
    const second = await status(KeyId);
    expect(second.RotationPeriodInDays).toBe(90);
    expect(second.NextRotationDate?.getTime()).toBe(enabledMs + 100 * DAY_MS);
    await suite.kms.send(new DisableKeyRotationCommand({ KeyId }));
    expect(await status(KeyId)).toMatchObject({ KeyRotationEnabled: false });
  });

  it.each([89, 2561])('a period of %i days is refused in the words of AWS', async (RotationPeriodInDays) => {
    const { KeyId } = await suite.createKey();
    await expectError(
      suite.kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays })),
      'ValidationException',
      /^1 validation error detected: Value '\d+' at 'rotationPeriodInDays' failed to satisfy constraint: Member /,
    );
  });

  it('a key rotates on its dates, and everything that it ever encrypted stays readable', async () => {
    const { KeyId, CurrentKeyMaterialId: firstMaterial } = await suite.createKey();
    await suite.kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
    const blobs = [await suite.encrypt(KeyId, 'version 0')];
    for (let version = 1; version <= 3; version++) {
      await passDays(90);
      blobs.push(await suite.encrypt(KeyId, `version ${String(version)}`));
    }
    for (const [version, blob] of blobs.entries()) {
      expect(await text(blob)).toBe(`version ${String(version)}`);
    }
    const list = await rotations(KeyId);
    expect(list.map(({ RotationType }) => RotationType)).toEqual(['AUTOMATIC', 'AUTOMATIC', 'AUTOMATIC']);
    expect(list.map(({ KeyMaterialState }) => KeyMaterialState)).toEqual(['NON_CURRENT', 'NON_CURRENT', 'CURRENT']);
    const { KeyMetadata } = await suite.kms.send(new DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata?.CurrentKeyMaterialId).toBe(list.at(-1)?.KeyMaterialId);
    const all = await rotations(KeyId, true);
    expect(all).toHaveLength(4);
    expect(all[0]).toEqual({ KeyId, KeyMaterialId: firstMaterial, KeyMaterialState: 'NON_CURRENT' });
    const opened = await suite.kms.send(new DecryptCommand({ CiphertextBlob: blobs[0] }));
    expect(opened.KeyMaterialId).toBe(firstMaterial);
  });

  it('a rotation that fell due while nothing ran is made up for once, and the dates stay where they were', async () => {
    const { KeyId } = await suite.createKey();
    await suite.kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
    const enabledMs = suite.door.clock.nowMs();
    await passDays(200);
    expect(await rotations(KeyId)).toHaveLength(1);
    expect((await status(KeyId)).NextRotationDate?.getTime()).toBe(enabledMs + 270 * DAY_MS);
  });

  it('a disabled key does not rotate, and is made up for when it is enabled', async () => {
    const { KeyId, Arn } = await suite.createKey();
    await suite.kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
    await suite.kms.send(new DisableKeyCommand({ KeyId }));
    await expectError(
      suite.kms.send(new EnableKeyRotationCommand({ KeyId })),
      'DisabledException',
      `${Arn} is disabled.`,
    );
    await passDays(100);
    expect(await rotations(KeyId)).toEqual([]);
    await suite.kms.send(new EnableKeyCommand({ KeyId }));
    await passDays(0);
    expect(await rotations(KeyId)).toHaveLength(1);
  });

  it('a key that is pending deletion shows no rotation, and has it again when that is cancelled', async () => {
    const { KeyId } = await suite.createKey();
    await suite.kms.send(new EnableKeyRotationCommand({ KeyId }));
    await suite.kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    expect(await status(KeyId)).toMatchObject({ KeyRotationEnabled: false });
    await suite.kms.send(new CancelKeyDeletionCommand({ KeyId }));
    expect(await status(KeyId)).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 365 });
  });

  it('a key rotates on demand 25 times in its life, without moving its schedule', async () => {
    const { KeyId, Arn } = await suite.createKey();
    await suite.kms.send(new EnableKeyRotationCommand({ KeyId }));
    const { NextRotationDate } = await status(KeyId);
    const blob = await suite.encrypt(KeyId, 'before');
    for (let count = 0; count < 25; count++) {
      expect(await suite.kms.send(new RotateKeyOnDemandCommand({ KeyId }))).toMatchObject({ KeyId });
    }
    await expectError(
      suite.kms.send(new RotateKeyOnDemandCommand({ KeyId })),
      'LimitExceededException',
      `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${Arn}`,
    );
    expect((await status(KeyId)).NextRotationDate).toEqual(NextRotationDate);
    expect((await rotations(KeyId)).every(({ RotationType }) => RotationType === 'ON_DEMAND')).toBe(true);
    expect(await text(blob)).toBe('before');
  });

  it('a rotation on demand gives way to an automatic one that is due within 20 minutes', async () => {
    const { KeyId } = await suite.createKey();
    await suite.kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
    suite.door.clock.advanceMs(90 * DAY_MS - 19 * 60_000);
    suite.renewClient();
    await expectError(suite.kms.send(new RotateKeyOnDemandCommand({ KeyId })), 'ConflictException');
  });

  it('rotations are listed page by page', async () => {
    const { KeyId } = await suite.createKey();
    for (let count = 0; count < 5; count++) {
      await suite.kms.send(new RotateKeyOnDemandCommand({ KeyId }));
    }
    const whole = await rotations(KeyId);
    const paged: RotationsListEntry[] = [];
    let Marker: string | undefined;
    do {
      const page = await suite.kms.send(new ListKeyRotationsCommand({ KeyId, Limit: 2, Marker }));
      paged.push(...(page.Rotations ?? []));
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    expect(paged).toEqual(whole);
    await expectError(
      suite.kms.send(new ListKeyRotationsCommand({ KeyId, Marker: 'v1.eA' })),
      'InvalidMarkerException',
    );
  });
});
