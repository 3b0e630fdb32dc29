import { randomBytes } from 'node:crypto';
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  DecryptCommand,
  DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  GetKeyRotationStatusCommand,
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  ListAliasesCommand,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  type ImportKeyMaterialCommandInput,
  type KeyMetadata,
} from '@aws-sdk/client-kms';
import { expect, it } from 'vitest';
import { rootOf } from '../../src/iam/identities.ts';
import { ACCOUNT, OTHER_REGION, REGION } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { importMaterial, parametersFor, wrapMaterial } from '../support/key-import.ts';
import { describeKms, type CreatedKey } from './suite.ts';

const DAY_MS = 86_400_000;

describeKms('imported keys', (suite) => {
  const createEmpty = (): Promise<CreatedKey> => suite.createKey({ Origin: 'EXTERNAL' });

  const describe = async (KeyId: string): Promise<KeyMetadata | undefined> =>
    (await suite.kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata;

  const passDays = async (days: number): Promise<void> => {
    suite.door.clock.advanceMs(days * DAY_MS);
    await suite.door.engine.runMaintenance();
    suite.renewClient();
  };

  const inDays = (days: number): Date => new Date(suite.door.clock.nowMs() + days * DAY_MS);

  const text = async (CiphertextBlob: Uint8Array): Promise<string> => {
    const { Plaintext } = await suite.kms.send(new DecryptCommand({ CiphertextBlob }));
    return Buffer.from(Plaintext ?? []).toString();
  };

  const deleteMaterial = (KeyId: string, KeyMaterialId?: string): Promise<unknown> =>
    suite.kms.send(new DeleteImportedKeyMaterialCommand({ KeyId, KeyMaterialId }));

  it('a new key waits for its material, and cannot be used', async () => {
    const key = await createEmpty();
    expect(key).toMatchObject({ Origin: 'EXTERNAL', KeyState: 'PendingImport', Enabled: false });
    for (const member of ['CurrentKeyMaterialId', 'ExpirationModel', 'ValidTo']) {
      expect(key).not.toHaveProperty(member);
    }
    await expectError(suite.encrypt(key.KeyId, 'x'), 'KMSInvalidStateException', `${key.Arn} is pending import.`);
    await expectError(
      suite.kms.send(new EnableKeyCommand({ KeyId: key.KeyId })),
      'KMSInvalidStateException',
      `${key.Arn} is pending import.`,
    );
  });

  it('the parameters are good for 24 hours and name the key', async () => {
    const { KeyId, Arn } = await createEmpty();
    const { response } = await parametersFor(suite.kms, KeyId);
    expect(response.KeyId).toBe(Arn);
    expect(response.ParametersValidTo?.getTime()).toBe(suite.door.clock.nowMs() + DAY_MS);
  });

  it('an imported key is used like any other, and says what it has', async () => {
    const { KeyId, Arn } = await createEmpty();
    const imported = await importMaterial(suite.kms, KeyId, randomBytes(32));
    expect(imported.KeyId).toBe(Arn);
    expect(imported.KeyMaterialId).toMatch(/^[0-9a-f]{64}$/);
    expect(await text(await suite.encrypt(KeyId, 'imported'))).toBe('imported');
    const metadata = await describe(KeyId);
    expect(metadata).toMatchObject({
      KeyState: 'Enabled',
      Enabled: true,
      CurrentKeyMaterialId: imported.KeyMaterialId,
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
    });
    expect(metadata).not.toHaveProperty('ValidTo');
  });

  it('the same material in two keys has two ids, and what one encrypts the other does not decrypt', async () => {
    const material = randomBytes(32);
    const [left, right] = [await createEmpty(), await createEmpty()];
    const first = await importMaterial(suite.kms, left.KeyId, material);
    const second = await importMaterial(suite.kms, right.KeyId, material);
    expect(first.KeyMaterialId).not.toBe(second.KeyMaterialId);
    const CiphertextBlob = await suite.encrypt(left.KeyId, 'left');
    await expectError(
      suite.kms.send(new DecryptCommand({ CiphertextBlob, KeyId: right.KeyId })),
      'IncorrectKeyException',
    );
  });

  it('deleted material comes back as the same bytes only', async () => {
    const { KeyId, Arn } = await createEmpty();
    const material = randomBytes(32);
    const { KeyMaterialId } = await importMaterial(suite.kms, KeyId, material);
    const blob = await suite.encrypt(KeyId, 'before');
    expect(await deleteMaterial(KeyId)).toMatchObject({ KeyId: Arn, KeyMaterialId });
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'PendingImport', CurrentKeyMaterialId: KeyMaterialId });
    expect(await describe(KeyId)).not.toHaveProperty('ExpirationModel');
    await expectError(text(blob), 'KMSInvalidStateException', `${Arn} is pending import.`);
    await expectError(importMaterial(suite.kms, KeyId, randomBytes(32)), 'IncorrectKeyMaterialException');
    expect((await importMaterial(suite.kms, KeyId, material)).KeyMaterialId).toBe(KeyMaterialId);
    expect(await text(blob)).toBe('before');
  });

  it('deleting material that is not there changes nothing', async () => {
    const { KeyId, Arn } = await createEmpty();
    expect(await deleteMaterial(KeyId)).toMatchObject({ KeyId: Arn });
    const { KeyMaterialId } = await importMaterial(suite.kms, KeyId, randomBytes(32));
    expect(await deleteMaterial(KeyId, 'ab'.repeat(32))).toMatchObject({ KeyId: Arn });
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'Enabled' });
    await deleteMaterial(KeyId, KeyMaterialId);
    expect(await deleteMaterial(KeyId, KeyMaterialId)).toMatchObject({ KeyId: Arn, KeyMaterialId });
  });

  it('material expires at its date, and an import of the same bytes moves the date', async () => {
    const { KeyId, Arn } = await createEmpty();
    const material = randomBytes(32);
    const ValidTo = inDays(10);
    const first = await importMaterial(suite.kms, KeyId, material, { ValidTo });
    expect(await describe(KeyId)).toMatchObject({ ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo });
    const blob = await suite.encrypt(KeyId, 'kept');
    await passDays(9);
    expect(await text(blob)).toBe('kept');
    const again = await importMaterial(suite.kms, KeyId, material, { ValidTo: inDays(10) });
    expect(again.KeyMaterialId).toBe(first.KeyMaterialId);
    await passDays(9);
    expect(await text(blob)).toBe('kept');
    await passDays(1);
    await expectError(text(blob), 'KMSInvalidStateException', `${Arn} is pending import.`);
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'PendingImport' });
    expect(await describe(KeyId)).not.toHaveProperty('ValidTo');
    await importMaterial(suite.kms, KeyId, material);
    expect(await text(blob)).toBe('kept');
    expect(await describe(KeyId)).toMatchObject({ ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' });
    await passDays(400);
    expect(await text(blob)).toBe('kept');
  });

  it('expired material is not used before maintenance deletes it either', async () => {
    const { KeyId, Arn } = await createEmpty();
    await importMaterial(suite.kms, KeyId, randomBytes(32), { ValidTo: inDays(1) });
    const blob = await suite.encrypt(KeyId, 'x');
    suite.door.clock.advanceMs(DAY_MS - 1);
    suite.renewClient();
    expect(await text(blob)).toBe('x');
    suite.door.clock.advanceMs(1);
    suite.renewClient();
    await expectError(text(blob), 'KMSInvalidStateException', `${Arn} is pending import.`);
    const described = await describe(KeyId);
    expect(described).toMatchObject({ KeyState: 'PendingImport', Enabled: false });
    expect(described).not.toHaveProperty('ValidTo');
    expect(await suite.door.engine.runMaintenance()).toMatchObject({ expiredKeys: 1 });
    expect(await describe(KeyId)).toEqual(described);
  });

  it.each([
    ['no date', {}, 'A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES'],
    ['no date with the model', { ExpirationModel: 'KEY_MATERIAL_EXPIRES' }, /^A validTo date must be set/],
    ['a date of the past', { days: 0 }, /in the future/],
    ['a date behind 365 days', { days: 365.001 }, /within 365 days/],
    ['a date that nothing needs', { days: 1, ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }, /must not be set/],
  ] as const)('%s is refused', async (_name, { ...given }: { days?: number; ExpirationModel?: string }, message) => {
    const { KeyId } = await createEmpty();
    const ValidTo = given.days === undefined ? undefined : inDays(given.days);
    const input = { ExpirationModel: undefined, ...given, ValidTo } as Partial<ImportKeyMaterialCommandInput>;
    await expectError(importMaterial(suite.kms, KeyId, randomBytes(32), input), 'ValidationException', message);
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'PendingImport' });
  });

  it.each(['tomorrow', true, {}, 1e300])('a date that is no number of seconds is refused: %o', async (ValidTo) => {
    const body = { KeyId: 'x', ImportToken: 'AA==', EncryptedKeyMaterial: 'AA==', ValidTo };
    const context = { caller: rootOf(ACCOUNT), region: REGION };
    const call = async (): Promise<unknown> => suite.door.engine.dispatch('ImportKeyMaterial', body, 'json', context);
    await expectError(call(), 'SerializationException');
  });

  it('a date of exactly 365 days is taken', async () => {
    const { KeyId } = await createEmpty();
    await importMaterial(suite.kms, KeyId, randomBytes(32), { ValidTo: inDays(365) });
    expect(await describe(KeyId)).toMatchObject({ ValidTo: inDays(365) });
  });

  it('a token is refused that is damaged, of another key or Region, or expired', async () => {
    const [{ KeyId }, other] = [await createEmpty(), await createEmpty()];
    const { token, publicKey } = await parametersFor(suite.kms, KeyId);
    const EncryptedKeyMaterial = wrapMaterial('RSAES_OAEP_SHA_256', publicKey, randomBytes(32));
    const attempt = (ImportToken: Uint8Array, key = KeyId): Promise<unknown> =>
      suite.kms.send(
        new ImportKeyMaterialCommand({
          KeyId: key,
          ImportToken,
          EncryptedKeyMaterial,
          ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
        }),
      );
    const flipped = Buffer.from(token);
    flipped[flipped.length >> 1]! ^= 1;
    const invalid: readonly (readonly [string, Uint8Array, string?])[] = [
      ['a flipped bit', flipped],
      ['a missing end', token.subarray(0, -1)],
      ['a longer end', Buffer.concat([token, Buffer.of(0)])],
      ['one byte', Buffer.of(1)],
      ['random bytes', randomBytes(3000)],
      ['another key', token, other.KeyId],
    ];
    for (const [name, bytes, key] of invalid) {
      await expectError(attempt(bytes, key), 'InvalidImportTokenException').catch((error: unknown) => {
        throw new Error(`token with ${name}`, { cause: error });
      });
    }
    const elsewhere = suite.door.client({ region: OTHER_REGION });
    const created = await suite.createKey({ Origin: 'EXTERNAL', MultiRegion: true });
    const there = await parametersFor(suite.kms, created.KeyId);
    await importMaterial(suite.kms, created.KeyId, randomBytes(32));
    await suite.kms.send(new ReplicateKeyCommand({ KeyId: created.KeyId, ReplicaRegion: OTHER_REGION }));
    await expectError(
      elsewhere.send(
        new ImportKeyMaterialCommand({
          KeyId: created.KeyId,
          ImportToken: there.token,
          EncryptedKeyMaterial,
          ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
        }),
      ),
      'InvalidImportTokenException',
    );
    suite.door.clock.advanceMs(DAY_MS - 1);
    suite.renewClient();
    await attempt(token);
    await attempt(token);
    suite.door.clock.advanceMs(1);
    suite.renewClient();
    await expectError(attempt(token), 'ExpiredImportTokenException');
  });

  it('material that does not decrypt is told from material of the wrong kind', async () => {
    const { KeyId } = await createEmpty();
    const { token, publicKey } = await parametersFor(suite.kms, KeyId);
    const attempt = (EncryptedKeyMaterial: Uint8Array): Promise<unknown> =>
      suite.kms.send(
        new ImportKeyMaterialCommand({
          KeyId,
          ImportToken: token,
          EncryptedKeyMaterial,
          ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
        }),
      );
    const good = wrapMaterial('RSAES_OAEP_SHA_256', publicKey, randomBytes(32));
    await expectError(attempt(good.map((byte) => byte ^ 1)), 'InvalidCiphertextException');
    await expectError(attempt(good.subarray(1)), 'InvalidCiphertextException');
    const otherHash = wrapMaterial('RSAES_OAEP_SHA_1', publicKey, randomBytes(32));
    await expectError(attempt(otherHash), 'InvalidCiphertextException');
    for (const length of [0, 16, 31, 33, 64]) {
      const wrong = wrapMaterial('RSAES_OAEP_SHA_256', publicKey, randomBytes(length));
      await expectError(attempt(wrong), 'IncorrectKeyMaterialException');
    }
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'PendingImport' });
  });

  it('keys of another origin have nothing to do with imports, in any state', async () => {
    const { KeyId, Arn } = await suite.createKey();
    const refusal = `${Arn} origin is AWS_KMS which is not valid for this operation.`;
    const calls = [
      () => parametersFor(suite.kms, KeyId),
      () => deleteMaterial(KeyId),
      () =>
        suite.kms.send(
          new ImportKeyMaterialCommand({ KeyId, ImportToken: Buffer.of(1), EncryptedKeyMaterial: Buffer.of(1) }),
        ),
    ];
    for (const call of calls) {
      await expectError(call(), 'UnsupportedOperationException', refusal);
    }
    await suite.kms.send(new ScheduleKeyDeletionCommand({ KeyId }));
    for (const call of calls) {
      await expectError(call(), 'UnsupportedOperationException', refusal);
    }
  });

  it('automatic rotation is not for imported keys', async () => {
    const { KeyId, Arn } = await createEmpty();
    const refusal = `${Arn} origin is EXTERNAL which is not valid for this operation.`;
    const enable = (): Promise<unknown> => suite.kms.send(new EnableKeyRotationCommand({ KeyId }));
    await expectError(enable(), 'UnsupportedOperationException', refusal);
    const status = suite.kms.send(new GetKeyRotationStatusCommand({ KeyId }));
    await expectError(status, 'UnsupportedOperationException', refusal);
    await importMaterial(suite.kms, KeyId, randomBytes(32));
    await expectError(enable(), 'UnsupportedOperationException', refusal);
    expect(await suite.kms.send(new GetKeyRotationStatusCommand({ KeyId }))).toMatchObject({
      KeyRotationEnabled: false,
    });
  });

  it('a disabled key takes material and stays disabled; what it loses makes it wait for an import', async () => {
    const { KeyId } = await createEmpty();
    const material = randomBytes(32);
    await importMaterial(suite.kms, KeyId, material, { ValidTo: inDays(1) });
    await suite.kms.send(new DisableKeyCommand({ KeyId }));
    await importMaterial(suite.kms, KeyId, material, { ValidTo: inDays(2) });
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'Disabled', ValidTo: inDays(2) });
    await passDays(2);
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'PendingImport' });
    await importMaterial(suite.kms, KeyId, material);
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'Enabled' });
  });

  it('a key that is pending deletion takes no material but loses it, and waits for it when it is taken back', async () => {
    const { KeyId, Arn } = await createEmpty();
    const material = randomBytes(32);
    await importMaterial(suite.kms, KeyId, material);
    const { token, publicKey } = await parametersFor(suite.kms, KeyId);
    await suite.kms.send(new ScheduleKeyDeletionCommand({ KeyId }));
    const refusal = `${Arn} is pending deletion.`;
    await expectError(parametersFor(suite.kms, KeyId), 'KMSInvalidStateException', refusal);
    const attempt = suite.kms.send(
      new ImportKeyMaterialCommand({
        KeyId,
        ImportToken: token,
        EncryptedKeyMaterial: wrapMaterial('RSAES_OAEP_SHA_256', publicKey, material),
        ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      }),
    );
    await expectError(attempt, 'KMSInvalidStateException', refusal);
    await deleteMaterial(KeyId);
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'PendingDeletion' });
    await suite.kms.send(new CancelKeyDeletionCommand({ KeyId }));
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'PendingImport' });
    await importMaterial(suite.kms, KeyId, material);
    await suite.kms.send(new ScheduleKeyDeletionCommand({ KeyId }));
    await suite.kms.send(new CancelKeyDeletionCommand({ KeyId }));
    expect(await describe(KeyId)).toMatchObject({ KeyState: 'Disabled' });
  });

  it('aliases stay with a key that loses its material', async () => {
    const { KeyId } = await createEmpty();
    const AliasName = `alias/imported-${KeyId}`;
    await suite.kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }));
    await importMaterial(suite.kms, KeyId, randomBytes(32));
    await deleteMaterial(KeyId);
    const { Aliases } = await suite.kms.send(new ListAliasesCommand({ KeyId }));
    expect(Aliases).toMatchObject([{ AliasName }]);
    expect(await describe(AliasName)).toMatchObject({ KeyId, KeyState: 'PendingImport' });
  });

  it.each([
    ['PKCS#1 v1.5', 'RSAES_PKCS1_V1_5', 'RSA_2048'],
    ['key wrap of a symmetric key', 'RSA_AES_KEY_WRAP_SHA_256', 'RSA_2048'],
    ['SM2 of a symmetric key', 'SM2PKE', 'SM2'],
    ['SM2PKE to an RSA key', 'SM2PKE', 'RSA_2048'],
    ['OAEP to an SM2 key', 'RSAES_OAEP_SHA_256', 'SM2'],
  ] as const)('%s is refused', async (_name, WrappingAlgorithm, WrappingKeySpec) => {
    const { KeyId } = await createEmpty();
    await expectError(
      suite.kms.send(new GetParametersForImportCommand({ KeyId, WrappingAlgorithm, WrappingKeySpec })),
      'UnsupportedOperationException',
      `Wrapping algorithm ${WrappingAlgorithm} with wrapping key spec ${WrappingKeySpec} is not supported for key spec SYMMETRIC_DEFAULT.`,
    );
  });
});
