import {
  DecryptCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateRandomCommand,
  ReEncryptCommand,
} from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import { OTHER_REGION } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { describeKms } from './suite.ts';

describeKms('data', (suite) => {
  describe('Encrypt and Decrypt', () => {
    it('Decrypt returns what Encrypt was given, without being told the key', async () => {
      const { Arn, KeyId, CurrentKeyMaterialId } = await suite.createKey();
      const blob = await suite.encrypt(KeyId, 'attack at dawn', { tenant: '42', order: 'ü€😀' });
      const opened = await suite.kms.send(
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
      const { Arn, KeyId } = await suite.createKey();
      const [first, second] = await Promise.all(
        [1, 2].map(() => suite.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('same') }))),
      );
      expect(first?.KeyId).toBe(Arn);
      expect(Buffer.from(first?.CiphertextBlob ?? [])).not.toEqual(Buffer.from(second?.CiphertextBlob ?? []));
    });

    it('the largest plaintext is 4096 bytes, and its blob stays under 6144', async () => {
      const { KeyId } = await suite.createKey();
      const { CiphertextBlob } = await suite.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(4096, 7) }));
      expect(CiphertextBlob?.length).toBeLessThanOrEqual(6144);
      const { Plaintext } = await suite.kms.send(new DecryptCommand({ CiphertextBlob }));
      expect(Buffer.from(Plaintext ?? [])).toEqual(Buffer.alloc(4096, 7));
      await expectError(
        suite.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(4097) })),
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
      const { KeyId } = await suite.createKey();
      const blob = await suite.encrypt(KeyId, 'secret', { tenant: '42' });
      await expectError(
        suite.kms.send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext })),
        'InvalidCiphertextException',
      );
    });

    it('an empty context and none are the same', async () => {
      const { KeyId } = await suite.createKey();
      const blob = await suite.encrypt(KeyId, 'secret', {});
      const { Plaintext } = await suite.kms.send(new DecryptCommand({ CiphertextBlob: blob }));
      expect(Buffer.from(Plaintext ?? []).toString()).toBe('secret');
    });

    it('a context name such as __proto__ is bound like any other', async () => {
      const { KeyId } = await suite.createKey();
      const context = JSON.parse('{"__proto__":"x"}') as Record<string, string>;
      const blob = await suite.encrypt(KeyId, 'secret', context);
      await expectError(suite.kms.send(new DecryptCommand({ CiphertextBlob: blob })), 'InvalidCiphertextException');
      const { Plaintext } = await suite.kms.send(
        new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: context }),
      );
      expect(Buffer.from(Plaintext ?? []).toString()).toBe('secret');
    });

    it('Decrypt refuses a blob that was changed in any byte', async () => {
      const { KeyId } = await suite.createKey();
      const blob = await suite.encrypt(KeyId, 'secret');
      for (let index = 0; index < blob.length; index++) {
        const changed = Uint8Array.from(blob);
        changed[index] = (changed[index] ?? 0) ^ 1;
        const outcome = await suite.kms
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
      const { KeyId } = await suite.createKey();
      const blob = await suite.encrypt(KeyId, 'x');
      await expectError(
        suite.kms.send(new DecryptCommand({ CiphertextBlob: blob.subarray(0, length) })),
        'InvalidCiphertextException',
      );
    });

    it('Decrypt with the KeyId of another key is IncorrectKey', async () => {
      const [one, other] = [await suite.createKey(), await suite.createKey()];
      const blob = await suite.encrypt(one.KeyId, 'secret');
      await expectError(
        suite.kms.send(new DecryptCommand({ CiphertextBlob: blob, KeyId: other.KeyId })),
        'IncorrectKeyException',
        'The key ID in the request does not identify a CMK that can perform this operation.',
      );
      const { Plaintext } = await suite.kms.send(new DecryptCommand({ CiphertextBlob: blob, KeyId: one.Arn }));
      expect(Buffer.from(Plaintext ?? []).toString()).toBe('secret');
    });

    it('Decrypt of a blob whose key is not here tells nothing about the key', async () => {
      const { KeyId } = await suite.createKey();
      const blob = await suite.encrypt(KeyId, 'secret');
      await expectError(
        suite.door.client({ region: OTHER_REGION }).send(new DecryptCommand({ CiphertextBlob: blob })),
        'AccessDeniedException',
        'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
      );
    });

    it('Encrypt with an algorithm of another key spec is refused', async () => {
      const { KeyId } = await suite.createKey();
      await expectError(
        suite.kms.send(
          new EncryptCommand({ KeyId, Plaintext: Buffer.from('x'), EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }),
        ),
        'InvalidKeyUsageException',
      );
    });

    it('a grant token that nobody issued is invalid', async () => {
      const { KeyId } = await suite.createKey();
      await expectError(
        suite.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x'), GrantTokens: ['invented'] })),
        'InvalidGrantTokenException',
      );
    });

    it('a dry run answers DryRunOperation when the call would succeed, and its error otherwise', async () => {
      const { KeyId } = await suite.createKey();
      const blob = await suite.encrypt(KeyId, 'secret');
      const text = 'The request would have succeeded, but the DryRun option is set.';
      await expectError(
        suite.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x'), DryRun: true })),
        'DryRunOperationException',
        text,
      );
      await expectError(
        suite.kms.send(new DecryptCommand({ CiphertextBlob: blob, DryRun: true })),
        'DryRunOperationException',
        text,
      );
      await expectError(
        suite.kms.send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: { a: 'b' }, DryRun: true })),
        'InvalidCiphertextException',
      );
      await expectError(
        suite.kms.send(new DecryptCommand({ KeyId, DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT'] })),
        'DryRunOperationException',
      );
    });
  });

  describe('ReEncrypt', () => {
    it('moves a blob to another key and context', async () => {
      const [source, destination] = [await suite.createKey(), await suite.createKey()];
      const blob = await suite.encrypt(source.KeyId, 'secret', { a: '1' });
      const moved = await suite.kms.send(
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
      const { Plaintext, KeyId } = await suite.kms.send(
        new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob, EncryptionContext: { b: '2' } }),
      );
      expect(Buffer.from(Plaintext ?? []).toString()).toBe('secret');
      expect(KeyId).toBe(destination.Arn);
    });

    it('needs both keys enabled', async () => {
      const [source, destination] = [await suite.createKey(), await suite.createKey()];
      const blob = await suite.encrypt(source.KeyId, 'secret');
      const call = (): Promise<unknown> =>
        suite.kms.send(new ReEncryptCommand({ CiphertextBlob: blob, DestinationKeyId: destination.KeyId }));
      await suite.kms.send(new DisableKeyCommand({ KeyId: destination.KeyId }));
      await expectError(call(), 'DisabledException', `${destination.Arn} is disabled.`);
      await suite.kms.send(new EnableKeyCommand({ KeyId: destination.KeyId }));
      await suite.kms.send(new DisableKeyCommand({ KeyId: source.KeyId }));
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
      const { KeyId, Arn, CurrentKeyMaterialId } = await suite.createKey();
      const made = await suite.kms.send(new GenerateDataKeyCommand({ KeyId, EncryptionContext: { a: 'b' }, ...size }));
      expect(made.Plaintext?.length).toBe(length);
      expect(made).toMatchObject({ KeyId: Arn, KeyMaterialId: CurrentKeyMaterialId });
      const { Plaintext } = await suite.kms.send(
        new DecryptCommand({ CiphertextBlob: made.CiphertextBlob, EncryptionContext: { a: 'b' } }),
      );
      expect(Buffer.from(Plaintext ?? [])).toEqual(Buffer.from(made.Plaintext ?? []));
    });

    it('GenerateDataKeyWithoutPlaintext returns only the blob', async () => {
      const { KeyId } = await suite.createKey();
      const made = await suite.kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256' }));
      expect(made).not.toHaveProperty('Plaintext');
      const { Plaintext } = await suite.kms.send(new DecryptCommand({ CiphertextBlob: made.CiphertextBlob }));
      expect(Plaintext?.length).toBe(32);
    });

    it.each([{}, { KeySpec: 'AES_256' as const, NumberOfBytes: 32 }])(
      'GenerateDataKey with %j needs exactly one of spec and length',
      async (size) => {
        const { KeyId } = await suite.createKey();
        await expectError(suite.kms.send(new GenerateDataKeyCommand({ KeyId, ...size })), 'ValidationException');
      },
    );

    it('GenerateRandom returns as many bytes as asked', async () => {
      const { Plaintext } = await suite.kms.send(new GenerateRandomCommand({ NumberOfBytes: 37 }));
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
      await expectError(suite.kms.send(new GenerateRandomCommand({ NumberOfBytes })), 'ValidationException', message);
    });

    it('GenerateRandom without a length is refused', async () => {
      await expectError(
        suite.kms.send(new GenerateRandomCommand({})),
        'ValidationException',
        'NumberOfBytes is required.',
      );
    });
  });
});
