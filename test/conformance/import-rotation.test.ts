import { randomBytes } from 'node:crypto';
import {
  DecryptCommand,
  DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand,
  ListKeyRotationsCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  UpdatePrimaryRegionCommand,
  type KeyMetadata,
  type KMSClient,
  type RotationsListEntry,
} from '@aws-sdk/client-kms';
import { expect, it } from 'vitest';
import { OTHER_REGION } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { importMaterial } from '../support/key-import.ts';
import { describeKms, type CreatedKey, type Suite } from './suite.ts';

const DAY_MS = 86_400_000;
const NEW = { ImportType: 'NEW_KEY_MATERIAL' } as const;
const EXISTING = { ImportType: 'EXISTING_KEY_MATERIAL' } as const;

function helpersOf(suite: Suite) {
  const materials = async (KeyId: string, kms = suite.kms): Promise<RotationsListEntry[]> => {
    const command = new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' });
    return (await kms.send(command)).Rotations ?? [];
  };
  return {
    materials,
    states: async (KeyId: string, kms = suite.kms): Promise<string[]> =>
      (await materials(KeyId, kms)).map((entry) => `${entry.KeyMaterialState ?? ''} ${entry.ImportState ?? ''}`),
    describe: async (KeyId: string, kms = suite.kms): Promise<KeyMetadata | undefined> =>
      (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata,
    rotate: (KeyId: string, kms = suite.kms): Promise<unknown> => kms.send(new RotateKeyOnDemandCommand({ KeyId })),
    remove: (KeyId: string, KeyMaterialId?: string, kms = suite.kms): Promise<unknown> =>
      kms.send(new DeleteImportedKeyMaterialCommand({ KeyId, KeyMaterialId })),
    text: async (CiphertextBlob: Uint8Array, kms = suite.kms): Promise<string> => {
      const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }));
      return Buffer.from(Plaintext ?? []).toString();
    },
    passDays: async (days: number): Promise<void> => {
      suite.door.clock.advanceMs(days * DAY_MS);
      await suite.door.engine.runMaintenance();
      suite.renewClient();
    },
    inDays: (days: number): Date => new Date(suite.door.clock.nowMs() + days * DAY_MS),
  };
}

describeKms('rotation of imported keys', (suite) => {
  const { materials, states, describe, rotate, remove, text, passDays, inDays } = helpersOf(suite);

  const createWith = async (material: Uint8Array): Promise<CreatedKey & { readonly materialId: string }> => {
    const key = await suite.createKey({ Origin: 'EXTERNAL' });
    const { KeyMaterialId = '' } = await importMaterial(suite.kms, key.KeyId, material);
    return { ...key, materialId: KeyMaterialId };
  };

  it('a new material waits, becomes the current one by a rotation, and the old one still decrypts', async () => {
    const { KeyId, materialId: first } = await createWith(randomBytes(32));
    const before = await suite.encrypt(KeyId, 'before');
    const { KeyMaterialId: second } = await importMaterial(suite.kms, KeyId, randomBytes(32), NEW);
    expect(await states(KeyId)).toEqual(['CURRENT IMPORTED', 'PENDING_ROTATION IMPORTED']);
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'Enabled', CurrentKeyMaterialId: first });
    expect(await rotate(KeyId)).toMatchObject({ KeyId });
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'Enabled', CurrentKeyMaterialId: second });
    const after = await suite.encrypt(KeyId, 'after');
    expect([await text(before), await text(after)]).toEqual(['before', 'after']);
    const opened = await suite.kms.send(new DecryptCommand({ CiphertextBlob: after }));
    expect(opened.KeyMaterialId).toBe(second);
  });

  it('the list shows each material with its description, dates and states', async () => {
    const { KeyId, materialId: first } = await createWith(randomBytes(32));
    const ValidTo = inDays(30);
    const { KeyMaterialId: second } = await importMaterial(suite.kms, KeyId, randomBytes(32), {
      ...NEW,
      ValidTo,
      KeyMaterialDescription: 'second one',
    });
    await rotate(KeyId);
    const { KeyMaterialId: third } = await importMaterial(suite.kms, KeyId, randomBytes(32), NEW);
    const forever = { ImportState: 'IMPORTED', ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' };
    const rotated = {
      KeyId,
      KeyMaterialId: second,
      KeyMaterialDescription: 'second one',
      KeyMaterialState: 'CURRENT',
      ImportState: 'IMPORTED',
      ExpirationModel: 'KEY_MATERIAL_EXPIRES',
      ValidTo,
      RotationDate: new Date(suite.door.clock.nowMs()),
      RotationType: 'ON_DEMAND',
    };
    expect(await materials(KeyId)).toEqual([
      { KeyId, KeyMaterialId: first, KeyMaterialState: 'NON_CURRENT', ...forever },
      rotated,
      { KeyId, KeyMaterialId: third, KeyMaterialState: 'PENDING_ROTATION', ...forever },
    ]);
    const { Rotations } = await suite.kms.send(new ListKeyRotationsCommand({ KeyId }));
    expect(Rotations).toEqual([rotated]);
    const page = await suite.kms.send(
      new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Limit: 2 }),
    );
    expect(page).toMatchObject({ Truncated: true, Rotations: [{ KeyMaterialId: first }, { KeyMaterialId: second }] });
    const rest = await suite.kms.send(
      new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Marker: page.NextMarker }),
    );
    expect(rest).toMatchObject({ Truncated: false, Rotations: [{ KeyMaterialId: third }] });
  });

  it('an import of the same bytes changes a description or keeps it', async () => {
    const { KeyId } = await suite.createKey({ Origin: 'EXTERNAL' });
    const material = randomBytes(32);
    const description = async (): Promise<string | undefined> => (await materials(KeyId))[0]?.KeyMaterialDescription;
    await importMaterial(suite.kms, KeyId, material, { KeyMaterialDescription: 'one' });
    await importMaterial(suite.kms, KeyId, material);
    expect(await description()).toBe('one');
    await importMaterial(suite.kms, KeyId, material, { KeyMaterialDescription: 'two' });
    expect(await description()).toBe('two');
  });

  it('without a material that waits there is no rotation', async () => {
    const { KeyId, Arn } = await suite.createKey({ Origin: 'EXTERNAL' });
    await expectError(rotate(KeyId), 'KMSInvalidStateException', `${Arn} is pending import.`);
    const material = randomBytes(32);
    await importMaterial(suite.kms, KeyId, material);
    const refusal = `No available key material pending rotation for the key: ${Arn}.`;
    await expectError(rotate(KeyId), 'KMSInvalidStateException', refusal);
    await importMaterial(suite.kms, KeyId, randomBytes(32), { ...NEW, ValidTo: inDays(1) });
    suite.door.clock.advanceMs(DAY_MS);
    suite.renewClient();
    await expectError(rotate(KeyId), 'KMSInvalidStateException', refusal);
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'Enabled' });
  });

  it('one material waits at a time; when it is deleted, the key is used on and another may come', async () => {
    const { KeyId } = await createWith(randomBytes(32));
    const next = randomBytes(32);
    const { KeyMaterialId: waiting = '' } = await importMaterial(suite.kms, KeyId, next, NEW);
    await expectError(
      importMaterial(suite.kms, KeyId, randomBytes(32), NEW),
      'KMSInvalidStateException',
      new RegExp(
        `^New key material \\(id: [0-9a-f]{64}\\) cannot be imported into KMS key ${KeyId}, ` +
          `because another key material \\(id: ${waiting}\\) is pending rotation\\.$`,
      ),
    );
    await importMaterial(suite.kms, KeyId, next, { ...EXISTING, KeyMaterialId: waiting });
    expect(await remove(KeyId, waiting)).toMatchObject({ KeyMaterialId: waiting });
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'Enabled' });
    expect(await states(KeyId)).toEqual(['CURRENT IMPORTED']);
    await importMaterial(suite.kms, KeyId, randomBytes(32), { ...NEW, ValidTo: inDays(1) });
    await passDays(1);
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'Enabled' });
    await importMaterial(suite.kms, KeyId, randomBytes(32), NEW);
    await rotate(KeyId);
    expect(await states(KeyId)).toEqual(['NON_CURRENT IMPORTED', 'CURRENT IMPORTED']);
  });

  it('bytes must be what the request says that they are', async () => {
    const [first, second] = [randomBytes(32), randomBytes(32)];
    const { KeyId, materialId } = await createWith(first);
    const { KeyMaterialId: secondId } = await importMaterial(suite.kms, KeyId, second, NEW);
    const attempts = [
      () => importMaterial(suite.kms, KeyId, first, NEW),
      () => importMaterial(suite.kms, KeyId, second, NEW),
      () => importMaterial(suite.kms, KeyId, randomBytes(32), EXISTING),
      () => importMaterial(suite.kms, KeyId, first, { KeyMaterialId: secondId }),
    ];
    for (const attempt of attempts) {
      await expectError(attempt(), 'IncorrectKeyMaterialException');
    }
    await expectError(
      importMaterial(suite.kms, KeyId, randomBytes(32), { ...NEW, KeyMaterialId: materialId }),
      'ValidationException',
    );
    const empty = await suite.createKey({ Origin: 'EXTERNAL' });
    await expectError(importMaterial(suite.kms, empty.KeyId, first, EXISTING), 'IncorrectKeyMaterialException');
  });

  it('a key needs every material that it ever had, and the first expiry counts', async () => {
    const [first, second] = [randomBytes(32), randomBytes(32)];
    const { KeyId, Arn, materialId } = await createWith(first);
    const before = await suite.encrypt(KeyId, 'before');
    await importMaterial(suite.kms, KeyId, second, { ...NEW, ValidTo: inDays(20) });
    await rotate(KeyId);
    await importMaterial(suite.kms, KeyId, first, { ValidTo: inDays(10) });
    expect(await describe(KeyId)).toMatchObject({ ValidTo: inDays(10), ExpirationModel: 'KEY_MATERIAL_EXPIRES' });
    await passDays(10);
    expect(await states(KeyId)).toEqual(['NON_CURRENT PENDING_IMPORT', 'CURRENT IMPORTED']);
    await expectError(suite.encrypt(KeyId, 'x'), 'KMSInvalidStateException', `${Arn} is pending import.`);
    await passDays(10);
    expect(await states(KeyId)).toEqual(['NON_CURRENT PENDING_IMPORT', 'CURRENT PENDING_IMPORT']);
    await importMaterial(suite.kms, KeyId, first, { KeyMaterialId: materialId });
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'PendingImport' });
    await importMaterial(suite.kms, KeyId, second);
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'Enabled' });
    expect(await text(before)).toBe('before');
    await remove(KeyId, materialId);
    await expectError(suite.encrypt(KeyId, 'x'), 'KMSInvalidStateException', `${Arn} is pending import.`);
  });

  it('a key rotates on demand 25 times in its life', async () => {
    const { KeyId, Arn } = await createWith(randomBytes(32));
    const blob = await suite.encrypt(KeyId, 'first');
    for (let count = 0; count < 25; count++) {
      await importMaterial(suite.kms, KeyId, randomBytes(32), NEW);
      await rotate(KeyId);
    }
    await importMaterial(suite.kms, KeyId, randomBytes(32), NEW);
    await expectError(
      rotate(KeyId),
      'LimitExceededException',
      `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${Arn}`,
    );
    expect(await text(blob)).toBe('first');
  });
});

describeKms('imported multi-Region keys', (suite) => {
  const { materials, states, describe, rotate, remove, text, passDays, inDays } = helpersOf(suite);
  const elsewhere = (): KMSClient => suite.door.client({ region: OTHER_REGION });

  const replicate = (KeyId: string): Promise<unknown> =>
    suite.kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: OTHER_REGION }));

  const createPair = async (material: Uint8Array): Promise<CreatedKey> => {
    const key = await suite.createKey({ Origin: 'EXTERNAL', MultiRegion: true });
    await importMaterial(suite.kms, key.KeyId, material, { KeyMaterialDescription: 'shared' });
    await replicate(key.KeyId);
    return key;
  };

  it('a key without material is not replicated', async () => {
    const { KeyId, Arn } = await suite.createKey({ Origin: 'EXTERNAL', MultiRegion: true });
    await expectError(replicate(KeyId), 'KMSInvalidStateException', `${Arn} is pending import.`);
  });

  it('a replica waits for the same bytes, and then decrypts what its primary encrypts', async () => {
    const material = randomBytes(32);
    const { KeyId } = await createPair(material);
    const { CurrentKeyMaterialId } = (await describe(KeyId)) ?? {};
    expect(await describe(KeyId, elsewhere())).toMatchObject({ KeyState: 'PendingImport', CurrentKeyMaterialId });
    expect(await materials(KeyId, elsewhere())).toEqual([
      {
        KeyId,
        KeyMaterialId: CurrentKeyMaterialId,
        KeyMaterialDescription: 'shared',
        KeyMaterialState: 'CURRENT',
        ImportState: 'PENDING_IMPORT',
      },
    ]);
    await expectError(importMaterial(elsewhere(), KeyId, randomBytes(32)), 'IncorrectKeyMaterialException');
    await expectError(importMaterial(elsewhere(), KeyId, material, NEW), 'UnsupportedOperationException');
    await expectError(
      importMaterial(elsewhere(), KeyId, material, { KeyMaterialDescription: 'own' }),
      'ValidationException',
    );
    const ValidTo = inDays(5);
    const there = await importMaterial(elsewhere(), KeyId, material, { ValidTo });
    expect(there.KeyMaterialId).toBe(CurrentKeyMaterialId);
    const blob = await suite.encrypt(KeyId, 'here');
    expect(await text(blob, elsewhere())).toBe('here');
    expect(await describe(KeyId, elsewhere())).toMatchObject({ ValidTo });
    await passDays(5);
    expect(await describe(KeyId, elsewhere())).toMatchObject({ KeyState: 'PendingImport' });
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'Enabled' });
  });

  it('a new material waits until every Region has it, and rotates in all of them at once', async () => {
    const [first, second] = [randomBytes(32), randomBytes(32)];
    const { KeyId, Arn } = await createPair(first);
    await importMaterial(elsewhere(), KeyId, first);
    const { KeyMaterialId } = await importMaterial(suite.kms, KeyId, second, NEW);
    expect(await states(KeyId)).toEqual(['CURRENT IMPORTED', 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION IMPORTED']);
    expect(await states(KeyId, elsewhere())).toEqual([
      'CURRENT IMPORTED',
      'PENDING_MULTI_REGION_IMPORT_AND_ROTATION PENDING_IMPORT',
    ]);
    expect(await describe(KeyId, elsewhere())).toMatchObject({ KeyState: 'Enabled' });
    await expectError(
      rotate(KeyId),
      'KMSInvalidStateException',
      `No available key material pending rotation for the key: ${Arn}.`,
    );
    await importMaterial(elsewhere(), KeyId, second, EXISTING);
    expect(await states(KeyId)).toEqual(['CURRENT IMPORTED', 'PENDING_ROTATION IMPORTED']);
    await expectError(rotate(KeyId, elsewhere()), 'UnsupportedOperationException');
    await rotate(KeyId);
    for (const kms of [suite.kms, elsewhere()]) {
      expect(await states(KeyId, kms)).toEqual(['NON_CURRENT IMPORTED', 'CURRENT IMPORTED']);
      expect(await describe(KeyId, kms)).toMatchObject({ CurrentKeyMaterialId: KeyMaterialId });
    }
    expect(await text(await suite.encrypt(KeyId, 'rotated'), elsewhere())).toBe('rotated');
  });

  it('a deletion on the primary takes a waiting material from the replica, a deletion on the replica only its own', async () => {
    const [first, second] = [randomBytes(32), randomBytes(32)];
    const { KeyId } = await createPair(first);
    await importMaterial(elsewhere(), KeyId, first);
    const { KeyMaterialId } = await importMaterial(suite.kms, KeyId, second, NEW);
    await importMaterial(elsewhere(), KeyId, second);
    await remove(KeyId, KeyMaterialId, elsewhere());
    expect(await states(KeyId)).toEqual(['CURRENT IMPORTED', 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION IMPORTED']);
    await importMaterial(elsewhere(), KeyId, second);
    await remove(KeyId, KeyMaterialId);
    for (const kms of [suite.kms, elsewhere()]) {
      expect(await states(KeyId, kms)).toEqual(['CURRENT IMPORTED']);
      expect(await describe(KeyId, kms)).toMatchObject({ KeyState: 'Enabled' });
    }
    await remove(KeyId, undefined, elsewhere());
    expect(await describe(KeyId, elsewhere())).toMatchObject({ KeyState: 'PendingImport' });
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'Enabled' });
    await importMaterial(elsewhere(), KeyId, first);
    await remove(KeyId);
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'PendingImport' });
    expect(await describe(KeyId, elsewhere())).toMatchObject({ KeyState: 'Enabled' });
  });

  it('a waiting material that expires on the primary goes from the replica too', async () => {
    const [first, second] = [randomBytes(32), randomBytes(32)];
    const { KeyId } = await createPair(first);
    await importMaterial(elsewhere(), KeyId, first);
    await importMaterial(suite.kms, KeyId, second, { ...NEW, ValidTo: inDays(1) });
    await importMaterial(elsewhere(), KeyId, second);
    await passDays(1);
    expect(await states(KeyId)).toEqual(['CURRENT IMPORTED']);
    expect(await states(KeyId, elsewhere())).toEqual(['CURRENT IMPORTED']);
  });

  it('a description that the primary changes is that of the replica', async () => {
    const material = randomBytes(32);
    const { KeyId } = await createPair(material);
    await importMaterial(suite.kms, KeyId, material, { KeyMaterialDescription: 'changed' });
    expect(await materials(KeyId, elsewhere())).toMatchObject([{ KeyMaterialDescription: 'changed' }]);
  });

  it('a replica that became the primary takes new material, and a new replica waits for all of it', async () => {
    const [first, second] = [randomBytes(32), randomBytes(32)];
    const { KeyId } = await createPair(first);
    await importMaterial(elsewhere(), KeyId, first);
    await suite.kms.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: OTHER_REGION }));
    await expectError(importMaterial(suite.kms, KeyId, second, NEW), 'UnsupportedOperationException');
    await importMaterial(elsewhere(), KeyId, second, NEW);
    await suite.kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    await passDays(7);
    expect(await states(KeyId, elsewhere())).toEqual(['CURRENT IMPORTED', 'PENDING_ROTATION IMPORTED']);
    await rotate(KeyId, elsewhere());
    const there = elsewhere();
    await there.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-central-1' }));
    expect(await states(KeyId)).toEqual(['NON_CURRENT PENDING_IMPORT', 'CURRENT PENDING_IMPORT']);
    await importMaterial(suite.kms, KeyId, second);
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'PendingImport' });
    await importMaterial(suite.kms, KeyId, first);
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'Enabled' });
    expect(await text(await suite.encrypt(KeyId, 'whole'), there)).toBe('whole');
  });
});
