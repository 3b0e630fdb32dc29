/** What an AWS SDK sees, the same through every door of the engine. */
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateRandomCommand,
  GetKeyPolicyCommand,
  ListAliasesCommand,
  ListKeyPoliciesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateKeyDescriptionCommand,
  type CreateKeyCommandInput,
  type KeyMetadata,
  type KMSClient,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCOUNT, DOORS, OTHER_ACCOUNT, OTHER_REGION, REGION, type Door } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';

const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';
const DAY_MS = 86_400_000;

describe.each(DOORS)('KMS API %s', (_name, open) => {
  let door: Door;
  let kms: KMSClient;

  beforeAll(async () => {
    door = await open();
    kms = door.client();
  });

  afterAll(async () => {
    await door.close();
  });

  const createKey = async (
    input: CreateKeyCommandInput = {},
  ): Promise<KeyMetadata & { KeyId: string; Arn: string }> => {
    const { KeyMetadata: metadata } = await kms.send(new CreateKeyCommand(input));
    if (metadata?.KeyId === undefined || metadata.Arn === undefined) {
      throw new Error('CreateKey returned no key');
    }
    return { ...metadata, KeyId: metadata.KeyId, Arn: metadata.Arn };
  };

  const encrypt = async (
    KeyId: string,
    text: string,
    EncryptionContext?: Record<string, string>,
  ): Promise<Uint8Array> => {
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId, Plaintext: Buffer.from(text), EncryptionContext }),
    );
    if (CiphertextBlob === undefined) {
      throw new Error('Encrypt returned no blob');
    }
    return CiphertextBlob;
  };

  describe('CreateKey and DescribeKey', () => {
    it('CreateKey without input makes an enabled symmetric key of the account', async () => {
      const metadata = await createKey();
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
      expect(metadata.CreationDate?.getTime()).toBe(door.clock.nowMs());
      expect(metadata.DeletionDate).toBeUndefined();
    });

    it('DescribeKey returns what CreateKey returned, for every form of identifier', async () => {
      const metadata = await createKey({ Description: 'orders' });
      await kms.send(new CreateAliasCommand({ AliasName: 'alias/describe/orders', TargetKeyId: metadata.KeyId }));
      for (const KeyId of [
        metadata.KeyId,
        metadata.Arn,
        'alias/describe/orders',
        `arn:aws:kms:${REGION}:${ACCOUNT}:alias/describe/orders`,
      ]) {
        const { KeyMetadata: described } = await kms.send(new DescribeKeyCommand({ KeyId }));
        expect(described).toEqual(metadata);
      }
    });

    it('CreateKey with MultiRegion makes a primary with an mrk- id', async () => {
      const metadata = await createKey({ MultiRegion: true });
      expect(metadata.KeyId).toMatch(/^mrk-[0-9a-f]{32}$/);
      expect(metadata.MultiRegionConfiguration).toEqual({
        MultiRegionKeyType: 'PRIMARY',
        PrimaryKey: { Arn: metadata.Arn, Region: REGION },
        ReplicaKeys: [],
      });
    });

    it('CreateKey refuses a usage that does not fit the spec', async () => {
      await expectError(
        createKey({ KeySpec: 'RSA_2048', KeyUsage: 'KEY_AGREEMENT' }),
        'ValidationException',
        'KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048',
      );
      await expectError(
        createKey({ KeySpec: 'RSA_2048' }),
        'ValidationException',
        'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
      );
    });

    it('CreateKey says what this version does not have, instead of making another key', async () => {
      await expectError(createKey({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }), 'UnsupportedOperationException');
      await expectError(createKey({ Origin: 'EXTERNAL' }), 'UnsupportedOperationException');
      await expectError(createKey({ CustomKeyStoreId: 'cks-1234567890abcdef0' }), 'CustomKeyStoreNotFoundException');
    });

    it('an operation that this version does not have is unknown', async () => {
      await expectError(
        kms.send(new SignCommand({ KeyId: UNKNOWN_ID, Message: Buffer.from('m'), SigningAlgorithm: 'ECDSA_SHA_256' })),
        'UnknownOperationException',
      );
    });
  });

  describe('key identifiers', () => {
    it('an unknown key id is not found, and the text names its ARN', async () => {
      await expectError(
        kms.send(new DescribeKeyCommand({ KeyId: UNKNOWN_ID })),
        'NotFoundException',
        `Key 'arn:aws:kms:${REGION}:${ACCOUNT}:key/${UNKNOWN_ID}' does not exist`,
      );
    });

    it.each(['fake-key-id', 'key_id', 'mrk-fake-key-id', '134f2428cec14b25a1ae9048164dba47'])(
      'the malformed key id %s is invalid',
      async (KeyId) => {
        await expectError(kms.send(new DescribeKeyCommand({ KeyId })), 'NotFoundException', `Invalid keyId '${KeyId}'`);
      },
    );

    it('a key ARN of another Region is invalid', async () => {
      const { KeyId } = await createKey();
      await expectError(
        kms.send(new DescribeKeyCommand({ KeyId: `arn:aws:kms:${OTHER_REGION}:${ACCOUNT}:key/${KeyId}` })),
        'NotFoundException',
        `Invalid arn ${OTHER_REGION}`,
      );
    });

    it('an unknown alias is not found', async () => {
      await expectError(
        kms.send(new DescribeKeyCommand({ KeyId: 'alias/nowhere' })),
        'NotFoundException',
        `Alias arn:aws:kms:${REGION}:${ACCOUNT}:alias/nowhere is not found.`,
      );
    });

    it('an ARN that is none is refused by the error that the operation lists', async () => {
      const KeyId = 'arn:aws:s3:::bucket';
      await expectError(kms.send(new DescribeKeyCommand({ KeyId })), 'InvalidArnException');
      await expectError(encrypt(KeyId, 'x'), 'NotFoundException', `Invalid arn ${KeyId}`);
    });

    it('operations that take no alias refuse one', async () => {
      const { KeyId } = await createKey();
      await kms.send(new CreateAliasCommand({ AliasName: 'alias/not-here', TargetKeyId: KeyId }));
      await expectError(
        kms.send(new DisableKeyCommand({ KeyId: 'alias/not-here' })),
        'NotFoundException',
        "Invalid keyId 'alias/not-here'",
      );
    });

    it('a key of one Region does not exist in another', async () => {
      const { KeyId } = await createKey();
      await expectError(
        door.client({ region: OTHER_REGION }).send(new DescribeKeyCommand({ KeyId })),
        'NotFoundException',
        `Key 'arn:aws:kms:${OTHER_REGION}:${ACCOUNT}:key/${KeyId}' does not exist`,
      );
    });
  });

  describe('Encrypt and Decrypt', () => {
    it('Decrypt returns what Encrypt was given, without being told the key', async () => {
      const { Arn, KeyId, CurrentKeyMaterialId } = await createKey();
      const blob = await encrypt(KeyId, 'attack at dawn', { tenant: '42', order: 'ü€😀' });
      const opened = await kms.send(
        new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: { order: 'ü€😀', tenant: '42' } }),
      );
      expect(Buffer.from(opened.Plaintext ?? []).toString()).toBe('attack at dawn');
      expect(opened).toMatchObject({
        KeyId: Arn,
        EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
        KeyMaterialId: CurrentKeyMaterialId,
      });
    });

    it('Encrypt answers with the key ARN and a different blob every time', async () => {
      const { Arn, KeyId } = await createKey();
      const [first, second] = await Promise.all(
        [1, 2].map(() => kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('same') }))),
      );
      expect(first?.KeyId).toBe(Arn);
      expect(Buffer.from(first?.CiphertextBlob ?? [])).not.toEqual(Buffer.from(second?.CiphertextBlob ?? []));
    });

    it('the largest plaintext is 4096 bytes, and its blob stays under 6144', async () => {
      const { KeyId } = await createKey();
      const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(4096, 7) }));
      expect(CiphertextBlob?.length).toBeLessThanOrEqual(6144);
      const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }));
      expect(Buffer.from(Plaintext ?? [])).toEqual(Buffer.alloc(4096, 7));
      await expectError(
        kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(4097) })),
        'ValidationException',
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
      );
    });

    it.each([
      ['another value', { tenant: '43' }],
      ['another case of the name', { Tenant: '42' }],
      ['one entry more', { tenant: '42', more: '' }],
      ['no context', undefined],
      ['a shifted boundary between name and value', { tenan: 't42' }],
    ])('Decrypt refuses %s', async (_what, EncryptionContext) => {
      const { KeyId } = await createKey();
      const blob = await encrypt(KeyId, 'secret', { tenant: '42' });
      await expectError(
        kms.send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext })),
        'InvalidCiphertextException',
      );
    });

    it('an empty context and none are the same', async () => {
      const { KeyId } = await createKey();
      const blob = await encrypt(KeyId, 'secret', {});
      const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob: blob }));
      expect(Buffer.from(Plaintext ?? []).toString()).toBe('secret');
    });

    it('a context name such as __proto__ is bound like any other', async () => {
      const { KeyId } = await createKey();
      const context = JSON.parse('{"__proto__":"x"}') as Record<string, string>;
      const blob = await encrypt(KeyId, 'secret', context);
      await expectError(kms.send(new DecryptCommand({ CiphertextBlob: blob })), 'InvalidCiphertextException');
      const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: context }));
      expect(Buffer.from(Plaintext ?? []).toString()).toBe('secret');
    });

    it('Decrypt refuses a blob that was changed in any byte', async () => {
      const { KeyId } = await createKey();
      const blob = await encrypt(KeyId, 'secret');
      for (let index = 0; index < blob.length; index++) {
        const changed = Uint8Array.from(blob);
        changed[index] = (changed[index] ?? 0) ^ 1;
        const outcome = await kms
          .send(new DecryptCommand({ CiphertextBlob: changed }))
          .catch((error: unknown) => error);
        // A changed key id names a key that is not there; everything else is an invalid ciphertext.
        const names =
          index >= 1 && index < 18
            ? ['AccessDeniedException', 'InvalidCiphertextException']
            : ['InvalidCiphertextException'];
        expect(names).toContain((outcome as Error).name);
      }
    });

    it.each([1, 49, 50, 113])('Decrypt refuses a blob cut to %i bytes', async (length) => {
      const { KeyId } = await createKey();
      const blob = await encrypt(KeyId, 'x');
      await expectError(
        kms.send(new DecryptCommand({ CiphertextBlob: blob.subarray(0, length) })),
        'InvalidCiphertextException',
      );
    });

    it('Decrypt with the KeyId of another key is IncorrectKey', async () => {
      const [one, other] = [await createKey(), await createKey()];
      const blob = await encrypt(one.KeyId, 'secret');
      await expectError(
        kms.send(new DecryptCommand({ CiphertextBlob: blob, KeyId: other.KeyId })),
        'IncorrectKeyException',
        'The key ID in the request does not identify a CMK that can perform this operation.',
      );
      const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob: blob, KeyId: one.Arn }));
      expect(Buffer.from(Plaintext ?? []).toString()).toBe('secret');
    });

    it('Decrypt of a blob whose key is not here tells nothing about the key', async () => {
      const { KeyId } = await createKey();
      const blob = await encrypt(KeyId, 'secret');
      await expectError(
        door.client({ region: OTHER_REGION }).send(new DecryptCommand({ CiphertextBlob: blob })),
        'AccessDeniedException',
        'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
      );
    });

    it('Encrypt with an algorithm of another key spec is refused', async () => {
      const { KeyId } = await createKey();
      await expectError(
        kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x'), EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' })),
        'InvalidKeyUsageException',
      );
    });

    it('a grant token that nobody issued is invalid', async () => {
      const { KeyId } = await createKey();
      await expectError(
        kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x'), GrantTokens: ['invented'] })),
        'InvalidGrantTokenException',
      );
    });

    it('a dry run answers DryRunOperation when the call would succeed, and its error otherwise', async () => {
      const { KeyId } = await createKey();
      const blob = await encrypt(KeyId, 'secret');
      const text = 'The request would have succeeded, but the DryRun option is set.';
      await expectError(
        kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x'), DryRun: true })),
        'DryRunOperationException',
        text,
      );
      await expectError(
        kms.send(new DecryptCommand({ CiphertextBlob: blob, DryRun: true })),
        'DryRunOperationException',
        text,
      );
      await expectError(
        kms.send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: { a: 'b' }, DryRun: true })),
        'InvalidCiphertextException',
      );
      await expectError(
        kms.send(new DecryptCommand({ KeyId, DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT'] })),
        'DryRunOperationException',
      );
    });
  });

  describe('ReEncrypt', () => {
    it('moves a blob to another key and context', async () => {
      const [source, destination] = [await createKey(), await createKey()];
      const blob = await encrypt(source.KeyId, 'secret', { a: '1' });
      const moved = await kms.send(
        new ReEncryptCommand({
          CiphertextBlob: blob,
          SourceEncryptionContext: { a: '1' },
          DestinationKeyId: destination.KeyId,
          DestinationEncryptionContext: { b: '2' },
        }),
      );
      expect(moved).toMatchObject({
        SourceKeyId: source.Arn,
        KeyId: destination.Arn,
        SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
        DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
        SourceKeyMaterialId: source.CurrentKeyMaterialId,
        DestinationKeyMaterialId: destination.CurrentKeyMaterialId,
      });
      const { Plaintext, KeyId } = await kms.send(
        new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob, EncryptionContext: { b: '2' } }),
      );
      expect(Buffer.from(Plaintext ?? []).toString()).toBe('secret');
      expect(KeyId).toBe(destination.Arn);
    });

    it('needs both keys enabled', async () => {
      const [source, destination] = [await createKey(), await createKey()];
      const blob = await encrypt(source.KeyId, 'secret');
      const call = (): Promise<unknown> =>
        kms.send(new ReEncryptCommand({ CiphertextBlob: blob, DestinationKeyId: destination.KeyId }));
      await kms.send(new DisableKeyCommand({ KeyId: destination.KeyId }));
      await expectError(call(), 'DisabledException', `${destination.Arn} is disabled.`);
      await kms.send(new EnableKeyCommand({ KeyId: destination.KeyId }));
      await kms.send(new DisableKeyCommand({ KeyId: source.KeyId }));
      await expectError(call(), 'DisabledException', `${source.Arn} is disabled.`);
    });
  });

  describe('data keys and random bytes', () => {
    it.each([
      [{ KeySpec: 'AES_256' as const }, 32],
      [{ KeySpec: 'AES_128' as const }, 16],
      [{ NumberOfBytes: 1024 }, 1024],
      [{ NumberOfBytes: 1 }, 1],
    ])('GenerateDataKey with %j returns %i bytes that Decrypt returns again', async (size, length) => {
      const { KeyId, Arn, CurrentKeyMaterialId } = await createKey();
      const made = await kms.send(new GenerateDataKeyCommand({ KeyId, EncryptionContext: { a: 'b' }, ...size }));
      expect(made.Plaintext?.length).toBe(length);
      expect(made).toMatchObject({ KeyId: Arn, KeyMaterialId: CurrentKeyMaterialId });
      const { Plaintext } = await kms.send(
        new DecryptCommand({ CiphertextBlob: made.CiphertextBlob, EncryptionContext: { a: 'b' } }),
      );
      expect(Buffer.from(Plaintext ?? [])).toEqual(Buffer.from(made.Plaintext ?? []));
    });

    it('GenerateDataKeyWithoutPlaintext returns only the blob', async () => {
      const { KeyId } = await createKey();
      const made = await kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256' }));
      expect(made).not.toHaveProperty('Plaintext');
      const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob: made.CiphertextBlob }));
      expect(Plaintext?.length).toBe(32);
    });

    it.each([{}, { KeySpec: 'AES_256' as const, NumberOfBytes: 32 }])(
      'GenerateDataKey with %j needs exactly one of spec and length',
      async (size) => {
        const { KeyId } = await createKey();
        await expectError(kms.send(new GenerateDataKeyCommand({ KeyId, ...size })), 'ValidationException');
      },
    );

    it('GenerateRandom returns as many bytes as asked', async () => {
      const { Plaintext } = await kms.send(new GenerateRandomCommand({ NumberOfBytes: 37 }));
      expect(Plaintext?.length).toBe(37);
    });

    it.each([
      [
        0,
        "1 validation error detected: Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must have value greater than or equal to 1",
      ],
      [
        1025,
        "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024",
      ],
    ])('GenerateRandom of %i bytes is refused in the words of AWS', async (NumberOfBytes, message) => {
      await expectError(kms.send(new GenerateRandomCommand({ NumberOfBytes })), 'ValidationException', message);
    });

    it('GenerateRandom without a length is refused', async () => {
      await expectError(kms.send(new GenerateRandomCommand({})), 'ValidationException', 'NumberOfBytes is required.');
    });
  });

  describe('key states', () => {
    it('a disabled key refuses every use until it is enabled', async () => {
      const { KeyId, Arn } = await createKey();
      const blob = await encrypt(KeyId, 'secret');
      await kms.send(new DisableKeyCommand({ KeyId }));
      await kms.send(new DisableKeyCommand({ KeyId }));
      const { KeyMetadata: disabled } = await kms.send(new DescribeKeyCommand({ KeyId }));
      expect(disabled).toMatchObject({ Enabled: false, KeyState: 'Disabled' });
      for (const use of [
        new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }),
        new DecryptCommand({ CiphertextBlob: blob }),
        new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }),
        new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256' }),
        new ReEncryptCommand({ CiphertextBlob: blob, DestinationKeyId: KeyId }),
      ]) {
        await expectError(kms.send(use as EncryptCommand), 'DisabledException', `${Arn} is disabled.`);
      }
      await kms.send(new EnableKeyCommand({ KeyId }));
      expect((await kms.send(new DecryptCommand({ CiphertextBlob: blob }))).KeyId).toBe(Arn);
    });

    it('a key that is scheduled for deletion refuses use, and cancelling leaves it disabled', async () => {
      const { KeyId, Arn } = await createKey();
      const scheduled = await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
      expect(scheduled).toMatchObject({ KeyId: Arn, KeyState: 'PendingDeletion', PendingWindowInDays: 7 });
      expect(scheduled.DeletionDate?.getTime()).toBe(door.clock.nowMs() + 7 * DAY_MS);
      const { KeyMetadata: pending } = await kms.send(new DescribeKeyCommand({ KeyId }));
      expect(pending).toMatchObject({ Enabled: false, KeyState: 'PendingDeletion' });
      expect(pending?.DeletionDate).toEqual(scheduled.DeletionDate);
      for (const command of [
        new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }),
        new EnableKeyCommand({ KeyId }),
        new ScheduleKeyDeletionCommand({ KeyId }),
        new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] }),
        new CreateAliasCommand({ AliasName: 'alias/pending', TargetKeyId: KeyId }),
      ]) {
        await expectError(
          kms.send(command as EncryptCommand),
          'KMSInvalidStateException',
          `${Arn} is pending deletion.`,
        );
      }
      expect(await kms.send(new CancelKeyDeletionCommand({ KeyId }))).toMatchObject({ KeyId: Arn });
      const { KeyMetadata: cancelled } = await kms.send(new DescribeKeyCommand({ KeyId }));
      expect(cancelled).toMatchObject({ KeyState: 'Disabled' });
      expect(cancelled?.DeletionDate).toBeUndefined();
      await expectError(
        kms.send(new CancelKeyDeletionCommand({ KeyId })),
        'KMSInvalidStateException',
        `${Arn} is not pending deletion.`,
      );
    });

    it('a key is deleted with its aliases once its waiting period is over, and not before', async () => {
      const { KeyId, Arn } = await createKey();
      await kms.send(new CreateAliasCommand({ AliasName: 'alias/doomed', TargetKeyId: KeyId }));
      const blob = await encrypt(KeyId, 'secret');
      await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
      door.clock.advanceMs(7 * DAY_MS - 1000);
      await door.engine.deleteDueKeys();
      kms = door.client();
      expect((await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState).toBe('PendingDeletion');
      door.clock.advanceMs(1000);
      expect(await door.engine.deleteDueKeys()).toBe(1);
      kms = door.client();
      await expectError(
        kms.send(new DescribeKeyCommand({ KeyId })),
        'NotFoundException',
        `Key '${Arn}' does not exist`,
      );
      await expectError(kms.send(new DescribeKeyCommand({ KeyId: 'alias/doomed' })), 'NotFoundException');
      await expectError(kms.send(new DecryptCommand({ CiphertextBlob: blob })), 'AccessDeniedException');
    });

    it.each([6, 31])('a waiting period of %i days is refused', async (PendingWindowInDays) => {
      const { KeyId } = await createKey();
      await expectError(
        kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays })),
        'ValidationException',
      );
    });

    it('many changes of one key at once are all made, one after the other', async () => {
      const { KeyId } = await createKey();
      await Promise.all(
        Array.from({ length: 5 }, (_, index) =>
          kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: `tag${String(index)}`, TagValue: 'x' }] })),
        ),
      );
      const { Tags } = await kms.send(new ListResourceTagsCommand({ KeyId }));
      expect(Tags?.map(({ TagKey }) => TagKey)).toEqual(['tag0', 'tag1', 'tag2', 'tag3', 'tag4']);
    });
  });

  describe('aliases', () => {
    it('an alias can move to another key, and old ciphertext stays readable', async () => {
      const [first, second] = [await createKey(), await createKey()];
      await kms.send(new CreateAliasCommand({ AliasName: 'alias/moving', TargetKeyId: first.Arn }));
      const blob = await encrypt('alias/moving', 'old');
      await kms.send(new UpdateAliasCommand({ AliasName: 'alias/moving', TargetKeyId: second.KeyId }));
      expect((await kms.send(new DescribeKeyCommand({ KeyId: 'alias/moving' }))).KeyMetadata?.Arn).toBe(second.Arn);
      const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob: blob }));
      expect(Buffer.from(Plaintext ?? []).toString()).toBe('old');
      await kms.send(new DeleteAliasCommand({ AliasName: 'alias/moving' }));
      await expectError(encrypt('alias/moving', 'x'), 'NotFoundException');
    });

    it('an alias name is taken once', async () => {
      const { KeyId } = await createKey();
      await kms.send(new CreateAliasCommand({ AliasName: 'alias/once', TargetKeyId: KeyId }));
      await expectError(
        kms.send(new CreateAliasCommand({ AliasName: 'alias/once', TargetKeyId: KeyId })),
        'AlreadyExistsException',
        `An alias with the name arn:aws:kms:${REGION}:${ACCOUNT}:alias/once already exists`,
      );
    });

    it('the names of an alias are checked as AWS does', async () => {
      const { KeyId } = await createKey();
      const create = (AliasName: string): Promise<unknown> =>
        kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }));
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
        "1 validation error detected: Value 'alias/spa ce' at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9:/_-]+",
      );
    });

    it('ListAliases pages through all aliases, and filters by key', async () => {
      const { KeyId } = await createKey();
      const names = Array.from({ length: 5 }, (_, index) => `alias/page/${String(index)}`);
      for (const AliasName of names) {
        await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }));
      }
      const seen: string[] = [];
      let Marker: string | undefined;
      do {
        const page = await kms.send(new ListAliasesCommand({ KeyId, Limit: 2, Marker }));
        expect(page.Aliases?.length).toBeLessThanOrEqual(2);
        seen.push(...(page.Aliases ?? []).map((alias) => alias.AliasName ?? ''));
        expect(page.Truncated).toBe(page.NextMarker !== undefined);
        Marker = page.NextMarker;
      } while (Marker !== undefined);
      expect(seen).toEqual(names);
      const { Aliases } = await kms.send(new ListAliasesCommand({ Limit: 100 }));
      const alias = Aliases?.find((each) => each.AliasName === 'alias/page/0');
      expect(alias).toMatchObject({
        AliasArn: `arn:aws:kms:${REGION}:${ACCOUNT}:alias/page/0`,
        TargetKeyId: KeyId,
      });
    });

    it('a key has at most 50 aliases', async () => {
      const { KeyId } = await createKey();
      for (let index = 0; index < 50; index++) {
        await kms.send(new CreateAliasCommand({ AliasName: `alias/many/${String(index)}`, TargetKeyId: KeyId }));
      }
      await expectError(
        kms.send(new CreateAliasCommand({ AliasName: 'alias/many/50', TargetKeyId: KeyId })),
        'LimitExceededException',
      );
    });
  });

  describe('lists, tags and descriptions', () => {
    it('ListKeys pages through every key of the Region', async () => {
      const made = [await createKey(), await createKey(), await createKey()];
      const seen: string[] = [];
      let Marker: string | undefined;
      do {
        const page = await kms.send(new ListKeysCommand({ Limit: 2, Marker }));
        seen.push(...(page.Keys ?? []).map((key) => key.KeyArn ?? ''));
        Marker = page.NextMarker;
      } while (Marker !== undefined);
      expect(seen).toEqual(expect.arrayContaining(made.map((key) => key.Arn)));
      expect(new Set(seen).size).toBe(seen.length);
    });

    it('a marker that no page gave is invalid', async () => {
      await expectError(kms.send(new ListKeysCommand({ Marker: 'invented' })), 'InvalidMarkerException');
    });

    it('tags are set, replaced, listed and removed', async () => {
      const { KeyId } = await createKey({ Tags: [{ TagKey: 'team', TagValue: 'a' }] });
      await kms.send(
        new TagResourceCommand({
          KeyId,
          Tags: [
            { TagKey: 'team', TagValue: 'b' },
            { TagKey: 'cost', TagValue: '' },
          ],
        }),
      );
      expect((await kms.send(new ListResourceTagsCommand({ KeyId }))).Tags).toEqual([
        { TagKey: 'cost', TagValue: '' },
        { TagKey: 'team', TagValue: 'b' },
      ]);
      await kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['team', 'absent'] }));
      expect((await kms.send(new ListResourceTagsCommand({ KeyId }))).Tags).toEqual([{ TagKey: 'cost', TagValue: '' }]);
    });

    it('tags are checked as AWS does', async () => {
      const tag = (TagKey: string): { TagKey: string; TagValue: string } => ({ TagKey, TagValue: 'v' });
      await expectError(createKey({ Tags: [tag('a'), tag('a')] }), 'TagException', 'Duplicate tag keys');
      await expectError(createKey({ Tags: [tag('aws:x')] }), 'TagException', 'Tags beginning with aws: are reserved');
      const many = Array.from({ length: 51 }, (_, index) => tag(String(index)));
      await expectError(createKey({ Tags: many }), 'TagException', 'Too many tags');
      await expectError(
        createKey({ Tags: [tag('a'.repeat(129))] }),
        'ValidationException',
        `1 validation error detected: Value '${'a'.repeat(129)}' at 'tags.1.member.tagKey' failed to satisfy constraint: Member must have length less than or equal to 128`,
      );
    });

    it('a description can be changed', async () => {
      const { KeyId } = await createKey({ Description: 'old' });
      await kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: 'new' }));
      expect((await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.Description).toBe('new');
    });
  });

  describe('key policies', () => {
    it('a key without a policy has the default one, under the one name', async () => {
      const { KeyId } = await createKey();
      const { Policy, PolicyName } = await kms.send(new GetKeyPolicyCommand({ KeyId }));
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
      expect((await kms.send(new ListKeyPoliciesCommand({ KeyId }))).PolicyNames).toEqual(['default']);
      await expectError(kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'other' })), 'NotFoundException');
    });

    it('PutKeyPolicy stores a policy to the letter', async () => {
      const { KeyId } = await createKey();
      const Policy = `{ "Version": "2012-10-17", "Statement": {"Effect":"Allow","Principal":{"AWS":"${ACCOUNT}"},"Action":["kms:*"],"Resource":"*"} }`;
      await kms.send(new PutKeyPolicyCommand({ KeyId, Policy }));
      expect((await kms.send(new GetKeyPolicyCommand({ KeyId }))).Policy).toBe(Policy);
    });

    it('a policy that locks the caller out is refused unless the check is bypassed', async () => {
      const { KeyId } = await createKey();
      const Policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:Get*', Resource: '*' },
        ],
      });
      await expectError(
        kms.send(new PutKeyPolicyCommand({ KeyId, Policy })),
        'MalformedPolicyDocumentException',
        'The new key policy will not allow you to update the key policy in the future.',
      );
      await kms.send(new PutKeyPolicyCommand({ KeyId, Policy, BypassPolicyLockoutSafetyCheck: true }));
    });

    it.each(['not json', '[]', '{"Statement":[]}', '{"Statement":{"Effect":"Maybe","Principal":"*"}}'])(
      'the policy %s is malformed',
      async (Policy) => {
        await expectError(createKey({ Policy }), 'MalformedPolicyDocumentException');
      },
    );

    it('a policy over 32 KiB exceeds the limit', async () => {
      const Policy = JSON.stringify({ Version: '2012-10-17', Id: 'x'.repeat(33_000), Statement: [] });
      await expectError(createKey({ Policy }), 'LimitExceededException');
    });
  });

  describe('other accounts', () => {
    it('a caller of another account is refused on every key of this one, whether it exists or not', async () => {
      const { Arn, KeyId } = await createKey();
      const blob = await encrypt(KeyId, 'secret');
      const stranger = door.client({ account: OTHER_ACCOUNT });
      const denied = new RegExp(
        `^User: arn:aws:iam::${OTHER_ACCOUNT}:user/administrator is not authorized to perform: kms:`,
      );
      for (const command of [
        new DescribeKeyCommand({ KeyId: Arn }),
        new EncryptCommand({ KeyId: Arn, Plaintext: Buffer.from('x') }),
        new DecryptCommand({ CiphertextBlob: blob }),
        new DecryptCommand({ CiphertextBlob: blob, KeyId: Arn }),
        new ScheduleKeyDeletionCommand({ KeyId: Arn }),
        new GetKeyPolicyCommand({ KeyId: Arn }),
        new ListAliasesCommand({ KeyId: Arn }),
        new DescribeKeyCommand({ KeyId: Arn.replace(KeyId, UNKNOWN_ID) }),
        new DescribeKeyCommand({ KeyId: `arn:aws:kms:${REGION}:${ACCOUNT}:alias/nowhere` }),
      ]) {
        await expectError(stranger.send(command as DescribeKeyCommand), 'AccessDeniedException', denied);
      }
      await expectError(stranger.send(new DescribeKeyCommand({ KeyId })), 'NotFoundException');
      expect((await stranger.send(new ListKeysCommand({}))).Keys).toEqual([]);
    });

    it('the same alias name may exist in every account', async () => {
      const { KeyId } = await createKey();
      const stranger = door.client({ account: OTHER_ACCOUNT });
      const { KeyMetadata: theirs } = await stranger.send(new CreateKeyCommand({}));
      await kms.send(new CreateAliasCommand({ AliasName: 'alias/shared-name', TargetKeyId: KeyId }));
      await stranger.send(new CreateAliasCommand({ AliasName: 'alias/shared-name', TargetKeyId: theirs?.KeyId }));
      expect((await stranger.send(new DescribeKeyCommand({ KeyId: 'alias/shared-name' }))).KeyMetadata?.KeyId).toBe(
        theirs?.KeyId,
      );
    });
  });

  it('every violation of a request is named in one answer', async () => {
    await expectError(
      kms.send(new GenerateDataKeyCommand({ KeyId: '', NumberOfBytes: 2000, KeySpec: 'AES_512' as 'AES_256' })),
      'ValidationException',
      "3 validation errors detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
        "Value '2000' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024; " +
        "Value 'AES_512' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [AES_256, AES_128]",
    );
  });
});
