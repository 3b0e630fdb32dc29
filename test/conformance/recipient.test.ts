/** Secrets for attested recipients, opened by somebody else's implementation of CMS: the command line of OpenSSL. */
import {
  DecryptCommand,
  DeriveSharedSecretCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateRandomCommand,
  type RecipientInfo,
} from '@aws-sdk/client-kms';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { MAX_AGE_MS } from '../../src/attestation/verify-attestation.ts';
import { OPERATIONS } from '../../src/service/registry.ts';
import { expectError } from '../support/expect-error.ts';
import { Nitro } from '../support/nitro.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { describeKms } from './suite.ts';

const nitro = await Nitro.create();
const folder = temporaryFolder();
const keyFile = join(folder.path, 'recipient.pem');
const recipientKey = generateKeyPairSync('rsa', { modulusLength: 2048 });
const spki = recipientKey.publicKey.export({ format: 'der', type: 'spki' });
writeFileSync(keyFile, recipientKey.privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });

/** Opens an envelope (ContentInfo, DER) with the recipient's key. */
function openEnvelope(envelope: Uint8Array | undefined): Buffer {
  const args = ['cms', '-decrypt', '-inform', 'DER', '-binary', '-inkey', keyFile];
  return execFileSync('openssl', args, { input: envelope ?? new Uint8Array(0) });
}

afterAll(() => {
  folder.remove();
});

it('exactly the five operations that give out secrets know Recipient', () => {
  const names = Object.values(OPERATIONS).filter(({ input }) => 'Recipient' in input.shape.members);
  expect(names.map(({ name }) => name).sort()).toEqual([
    'Decrypt',
    'DeriveSharedSecret',
    'GenerateDataKey',
    'GenerateDataKeyPair',
    'GenerateRandom',
  ]);
});

describeKms(
  'recipients',
  (suite) => {
    const attest = async (changes: Readonly<Record<string, unknown>> = {}): Promise<RecipientInfo> => {
      const AttestationDocument = await nitro.document(spki, { timestamp: suite.door.clock.nowMs(), ...changes });
      return { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', AttestationDocument };
    };

    it('Decrypt seals the plaintext, and says neither it nor the material', async () => {
      const { Arn, KeyId } = await suite.createKey();
      const CiphertextBlob = await suite.encrypt(KeyId, 'attack at dawn', { tenant: '42' });
      const request = { CiphertextBlob, EncryptionContext: { tenant: '42' } };
      const clear = await suite.kms.send(new DecryptCommand(request));
      const sealed = await suite.kms.send(new DecryptCommand({ ...request, Recipient: await attest() }));
      expect(openEnvelope(sealed.CiphertextForRecipient)).toEqual(Buffer.from(clear.Plaintext ?? []));
      expect(openEnvelope(sealed.CiphertextForRecipient).toString()).toBe('attack at dawn');
      expect(Object.keys(sealed).sort()).toEqual([
        '$metadata',
        'CiphertextForRecipient',
        'EncryptionAlgorithm',
        'KeyId',
      ]);
      expect(sealed).toMatchObject({ KeyId: Arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
    });

    it('Decrypt seals what a key pair decrypted, and the largest plaintext', async () => {
      const pair = await suite.createKey({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
      const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256';
      const { CiphertextBlob } = await suite.kms.send(
        new EncryptCommand({ KeyId: pair.KeyId, EncryptionAlgorithm, Plaintext: Buffer.from('by RSA') }),
      );
      const Recipient = await attest();
      const sealed = await suite.kms.send(
        new DecryptCommand({ KeyId: pair.KeyId, EncryptionAlgorithm, CiphertextBlob, Recipient }),
      );
      expect(openEnvelope(sealed.CiphertextForRecipient).toString()).toBe('by RSA');
      const { KeyId } = await suite.createKey();
      const largest = await suite.encrypt(KeyId, 'x'.repeat(4096));
      const { CiphertextForRecipient } = await suite.kms.send(
        new DecryptCommand({ CiphertextBlob: largest, Recipient }),
      );
      expect(openEnvelope(CiphertextForRecipient).toString()).toBe('x'.repeat(4096));
      expect(CiphertextForRecipient?.length).toBeLessThanOrEqual(6144);
    });

    it('GenerateDataKey seals the key that its blob decrypts to', async () => {
      const { KeyId } = await suite.createKey();
      const sealed = await suite.kms.send(
        new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', Recipient: await attest() }),
      );
      expect([sealed.Plaintext, sealed.KeyMaterialId]).toEqual([undefined, undefined]);
      const { Plaintext } = await suite.kms.send(new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob }));
      expect(Plaintext).toHaveLength(32);
      expect(openEnvelope(sealed.CiphertextForRecipient)).toEqual(Buffer.from(Plaintext ?? []));
    });

    it('GenerateDataKeyPair seals the private key of its public key', async () => {
      const { KeyId } = await suite.createKey();
      const sealed = await suite.kms.send(
        new GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P256', Recipient: await attest() }),
      );
      expect([sealed.PrivateKeyPlaintext, sealed.KeyMaterialId]).toEqual([undefined, undefined]);
      const pkcs8 = openEnvelope(sealed.CiphertextForRecipient);
      const publicKey = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
      expect(publicKey.export({ format: 'der', type: 'spki' })).toEqual(Buffer.from(sealed.PublicKey ?? []));
      const decrypted = await suite.kms.send(new DecryptCommand({ CiphertextBlob: sealed.PrivateKeyCiphertextBlob }));
      expect(pkcs8).toEqual(Buffer.from(decrypted.Plaintext ?? []));
    });

    it('DeriveSharedSecret seals the secret that it would have answered', async () => {
      const { KeyId } = await suite.createKey({ KeySpec: 'ECC_NIST_P384', KeyUsage: 'KEY_AGREEMENT' });
      const peer = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey;
      const PublicKey = peer.export({ format: 'der', type: 'spki' });
      const request = { KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey } as const;
      const clear = await suite.kms.send(new DeriveSharedSecretCommand(request));
      const sealed = await suite.kms.send(new DeriveSharedSecretCommand({ ...request, Recipient: await attest() }));
      expect(sealed.SharedSecret).toBeUndefined();
      expect(openEnvelope(sealed.CiphertextForRecipient)).toEqual(Buffer.from(clear.SharedSecret ?? []));
    });

    it('GenerateRandom seals as many bytes as were asked for', async () => {
      const Recipient = await attest({ pcrs: undefined, nitrotpm_pcrs: new Map([[7, new Uint8Array(48)]]) });
      const sealed = await suite.kms.send(new GenerateRandomCommand({ NumberOfBytes: 1024, Recipient }));
      expect(sealed.Plaintext).toBeUndefined();
      expect(openEnvelope(sealed.CiphertextForRecipient)).toHaveLength(1024);
    });

    it('the key encryption algorithm may be left out, as there is only one', async () => {
      const { AttestationDocument } = await attest();
      const sealed = await suite.kms.send(
        new GenerateRandomCommand({ NumberOfBytes: 16, Recipient: { AttestationDocument } }),
      );
      expect(openEnvelope(sealed.CiphertextForRecipient)).toHaveLength(16);
    });

    it('a dry run verifies the document', async () => {
      const { KeyId } = await suite.createKey();
      const request = { KeyId, KeySpec: 'AES_256', DryRun: true } as const;
      await expectError(
        suite.kms.send(new GenerateDataKeyCommand({ ...request, Recipient: await attest() })),
        'DryRunOperationException',
      );
      await expectError(
        suite.kms.send(new GenerateDataKeyCommand({ ...request, Recipient: await attest({ digest: 'SHA256' }) })),
        'ValidationException',
      );
    });

    describe('refuses', () => {
      const random = (Recipient: RecipientInfo): Promise<unknown> =>
        suite.kms.send(new GenerateRandomCommand({ NumberOfBytes: 16, Recipient }));

      it('a recipient without a document', async () => {
        const text = 'Recipient must contain an attestation document.';
        await expectError(random({}), 'ValidationException', text);
        await expectError(random({ KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }), 'ValidationException', text);
      });

      it('another algorithm and an empty document, in the words of AWS', async () => {
        const recipient = { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_1', AttestationDocument: new Uint8Array(0) };
        await expectError(
          random(recipient as unknown as RecipientInfo),
          'ValidationException',
          "2 validation errors detected: Value 'RSAES_OAEP_SHA_1' at 'recipient.keyEncryptionAlgorithm' failed to " +
            'satisfy constraint: Member must satisfy enum value set: [RSAES_OAEP_SHA_256]; ' +
            "Value 'java.nio.HeapByteBuffer[pos=0 lim=0 cap=0]' at 'recipient.attestationDocument' " +
            'failed to satisfy constraint: Member must have length greater than or equal to 1',
        );
      });

      it.each([1, 262_144])('%i bytes that are no document', async (length) => {
        await expectError(
          random({ AttestationDocument: new Uint8Array(length) }),
          'ValidationException',
          /^Invalid attestation document: it is not /,
        );
      });

      it('a document of 262145 bytes', async () => {
        await expectError(
          random({ AttestationDocument: new Uint8Array(262_145) }),
          'ValidationException',
          /'recipient.attestationDocument' failed .*: Member must have length less than or equal to 262144$/,
        );
      });

      it('a document of an unknown root', async () => {
        const stranger = await Nitro.create();
        await expectError(
          random({ AttestationDocument: await stranger.document(spki, { timestamp: suite.door.clock.nowMs() }) }),
          'ValidationException',
          'Invalid attestation document: it has a certificate chain that does not begin at a trusted root.',
        );
      });

      it('a document that is older than five minutes', async () => {
        const recipient = await attest();
        suite.door.clock.advanceMs(MAX_AGE_MS);
        suite.renewClient();
        await random(recipient);
        suite.door.clock.advanceMs(1);
        suite.renewClient();
        await expectError(
          random(recipient),
          'ValidationException',
          'The attestation document has exceeded the five-minute age limit.',
        );
      });
    });
  },
  { attestationRoots: nitro.rootPem },
);
