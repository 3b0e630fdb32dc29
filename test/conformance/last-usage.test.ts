import {
  CreateKeyCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  DecapsulateCommand,
  DisableKeyCommand,
  EncapsulateCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateMacCommand,
  GetKeyLastUsageCommand,
  GetPublicKeyCommand,
  ReEncryptCommand,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  VerifyCommand,
  VerifyMacCommand,
  type GetKeyLastUsageCommandOutput,
  type KeyLastUsageData,
  type KeySpec,
  type KeyUsageType,
} from '@aws-sdk/client-kms';
import { expect, it } from 'vitest';
import { OTHER_ACCOUNT, OTHER_REGION } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { describeKms } from './suite.ts';

interface Answer {
  readonly $metadata: { readonly requestId?: string | undefined };
}

describeKms('last usage of keys', (suite) => {
  const get = (KeyId: string): Promise<GetKeyLastUsageCommandOutput> =>
    suite.kms.send(new GetKeyLastUsageCommand({ KeyId }));

  const last = async (KeyId: string): Promise<KeyLastUsageData> => {
    const { KeyLastUsage } = await get(KeyId);
    return KeyLastUsage ?? {};
  };

  const id = async (spec: KeySpec, usage: KeyUsageType): Promise<string> =>
    (await suite.createKey({ KeySpec: spec, KeyUsage: usage })).KeyId;

  /** The use that stands with the key is the one that was answered with `answer`. */
  const expectLast = async (KeyId: string, operation: string, answer: Answer): Promise<void> => {
    expect(answer.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(await last(KeyId)).toEqual({
      Operation: operation,
      Timestamp: new Date(suite.door.clock.nowMs()),
      KmsRequestId: answer.$metadata.requestId,
    });
  };

  it('a key that was never used has an empty structure, and dates that are those of its creation', async () => {
    const { KeyId, Arn, CreationDate } = await suite.createKey();
    const { $metadata: _, ...answer } = await get(Arn);
    expect(answer).toEqual({
      KeyId,
      KeyLastUsage: {},
      TrackingStartDate: CreationDate,
      KeyCreationDate: CreationDate,
    });
  });

  it('every operation under a symmetric key is noted with the request id of its answer', async () => {
    const { KeyId } = await suite.createKey();
    const { kms } = suite;
    const encrypted = await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
    await expectLast(KeyId, 'Encrypt', encrypted);
    suite.door.clock.advanceMs(1000);
    const { CiphertextBlob } = encrypted;
    await expectLast(KeyId, 'Decrypt', await kms.send(new DecryptCommand({ CiphertextBlob })));
    await expectLast(
      KeyId,
      'GenerateDataKey',
      await kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' })),
    );
    await expectLast(
      KeyId,
      'GenerateDataKeyWithoutPlaintext',
      await kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256' })),
    );
    const pair = { KeyId, KeyPairSpec: 'ECC_NIST_P256' } as const;
    await expectLast(KeyId, 'GenerateDataKeyPair', await kms.send(new GenerateDataKeyPairCommand(pair)));
    await expectLast(
      KeyId,
      'GenerateDataKeyPairWithoutPlaintext',
      await kms.send(new GenerateDataKeyPairWithoutPlaintextCommand(pair)),
    );
  });

  it('signatures, MACs, agreements and encapsulations are noted', async () => {
    const { kms } = suite;
    const Message = Buffer.from('message');
    const signer = await id('ECC_NIST_P256', 'SIGN_VERIFY');
    const signing = { KeyId: signer, Message, SigningAlgorithm: 'ECDSA_SHA_256' } as const;
    const signed = await kms.send(new SignCommand(signing));
    await expectLast(signer, 'Sign', signed);
    const { Signature } = signed;
    await expectLast(signer, 'Verify', await kms.send(new VerifyCommand({ ...signing, Signature })));
    const authenticator = await id('HMAC_256', 'GENERATE_VERIFY_MAC');
    const authenticating = { KeyId: authenticator, Message, MacAlgorithm: 'HMAC_SHA_256' } as const;
    const made = await kms.send(new GenerateMacCommand(authenticating));
    await expectLast(authenticator, 'GenerateMac', made);
    await expectLast(
      authenticator,
      'VerifyMac',
      await kms.send(new VerifyMacCommand({ ...authenticating, Mac: made.Mac })),
    );
    const agreer = await id('ECC_NIST_P256', 'KEY_AGREEMENT');
    const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: agreer }));
    expect(await last(agreer)).toEqual({});
    const agreement = { KeyId: agreer, KeyAgreementAlgorithm: 'ECDH', PublicKey } as const;
    await expectLast(agreer, 'DeriveSharedSecret', await kms.send(new DeriveSharedSecretCommand(agreement)));
    const receiver = await id('ML_KEM_512', 'ENCAPSULATE_DECAPSULATE');
    const encapsulation = { KeyId: receiver, EncapsulationAlgorithm: 'ML_KEM' } as const;
    const sent = await kms.send(new EncapsulateCommand(encapsulation));
    await expectLast(receiver, 'Encapsulate', sent);
    const { SharedSecretCiphertextBlob } = sent;
    await expectLast(
      receiver,
      'Decapsulate',
      await kms.send(new DecapsulateCommand({ ...encapsulation, SharedSecretCiphertextBlob })),
    );
  });

  it('ReEncrypt is a use of both keys', async () => {
    const [source, destination] = [await suite.createKey(), await suite.createKey()];
    const CiphertextBlob = await suite.encrypt(source.KeyId, 'x');
    const answer = await suite.kms.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: destination.KeyId }));
    await expectLast(source.KeyId, 'ReEncrypt', answer);
    await expectLast(destination.KeyId, 'ReEncrypt', answer);
  });

  it('what failed, and what was a dry run, is no use', async () => {
    const { KeyId } = await suite.createKey();
    const CiphertextBlob = await suite.encrypt(KeyId, 'x', { a: '1' });
    const before = await last(KeyId);
    suite.door.clock.advanceMs(1000);
    await expectError(suite.kms.send(new DecryptCommand({ CiphertextBlob })), 'InvalidCiphertextException');
    const dryRun = new EncryptCommand({ KeyId, Plaintext: Buffer.from('x'), DryRun: true });
    await expectError(suite.kms.send(dryRun), 'DryRunOperationException');
    expect(await last(KeyId)).toEqual(before);
    const signer = await id('ECC_NIST_P256', 'SIGN_VERIFY');
    const wrong = {
      Message: Buffer.from('x'),
      Signature: Buffer.from('no'),
      SigningAlgorithm: 'ECDSA_SHA_256',
    } as const;
    await expectError(suite.kms.send(new VerifyCommand({ KeyId: signer, ...wrong })), 'KMSInvalidSignatureException');
    expect(await last(signer)).toEqual({});
  });

  it('a disabled key and one that is pending deletion still tell', async () => {
    const { KeyId } = await suite.createKey();
    await suite.encrypt(KeyId, 'x');
    await suite.kms.send(new DisableKeyCommand({ KeyId }));
    expect((await last(KeyId)).Operation).toBe('Encrypt');
    await suite.kms.send(new ScheduleKeyDeletionCommand({ KeyId }));
    expect((await last(KeyId)).Operation).toBe('Encrypt');
  });

  it('related multi-Region keys are tracked apart', async () => {
    const { KeyId } = await suite.createKey({ MultiRegion: true });
    await suite.encrypt(KeyId, 'x');
    suite.door.clock.advanceMs(1000);
    suite.renewClient();
    await suite.kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: OTHER_REGION }));
    const elsewhere = suite.door.client({ region: OTHER_REGION });
    const replica = await elsewhere.send(new GetKeyLastUsageCommand({ KeyId }));
    expect(replica.KeyLastUsage).toEqual({});
    expect(replica.TrackingStartDate).toEqual(new Date(suite.door.clock.nowMs()));
    await elsewhere.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_128' }));
    const used = await elsewhere.send(new GetKeyLastUsageCommand({ KeyId }));
    expect(used.KeyLastUsage?.Operation).toBe('GenerateDataKey');
    expect((await last(KeyId)).Operation).toBe('Encrypt');
  });

  it('aliases and keys of other accounts are refused', async () => {
    await expectError(get('alias/any'), 'NotFoundException', "Invalid keyId 'alias/any'");
    const stranger = suite.door.client({ account: OTHER_ACCOUNT });
    const { KeyMetadata: theirs } = await stranger.send(new CreateKeyCommand({}));
    await expectError(get(theirs?.Arn ?? ''), 'AccessDeniedException');
  });
});
