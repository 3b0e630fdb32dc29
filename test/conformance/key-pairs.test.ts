import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  verify,
  type KeyObject,
} from 'node:crypto';
import {
  DecapsulateCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  DisableKeyCommand,
  EncapsulateCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GetPublicKeyCommand,
  ReEncryptCommand,
  SignCommand,
  VerifyCommand,
  type DataKeyPairSpec,
  type KeySpec,
  type KeyUsageType,
  type MessageType,
  type SigningAlgorithmSpec,
} from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { describeKms, type CreatedKey } from './suite.ts';

const MESSAGE = Buffer.from('a message to sign');

const SIGNING: readonly (readonly [KeySpec, readonly SigningAlgorithmSpec[]])[] = [
  [
    'RSA_2048',
    [
      'RSASSA_PSS_SHA_256',
      'RSASSA_PSS_SHA_384',
      'RSASSA_PSS_SHA_512',
      'RSASSA_PKCS1_V1_5_SHA_256',
      'RSASSA_PKCS1_V1_5_SHA_384',
      'RSASSA_PKCS1_V1_5_SHA_512',
    ],
  ],
  ['ECC_NIST_P256', ['ECDSA_SHA_256']],
  ['ECC_NIST_P384', ['ECDSA_SHA_384']],
  ['ECC_NIST_P521', ['ECDSA_SHA_512']],
  ['ECC_SECG_P256K1', ['ECDSA_SHA_256']],
  ['ECC_NIST_EDWARDS25519', ['ED25519_SHA_512']],
  ['SM2', ['SM2DSA']],
  ['ML_DSA_44', ['ML_DSA_SHAKE_256']],
  ['ML_DSA_65', ['ML_DSA_SHAKE_256']],
  ['ML_DSA_87', ['ML_DSA_SHAKE_256']],
];

/** Verifies with Node's own OpenSSL, where it knows the algorithm. */
function verifyOutside(key: KeyObject, algorithm: SigningAlgorithmSpec, signature: Uint8Array): boolean | undefined {
  const hash = /SHA_(\d+)$/.exec(algorithm)?.[1];
  if (algorithm.startsWith('RSASSA_PSS')) {
    const pss = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    return verify(`sha${hash ?? ''}`, MESSAGE, pss, signature);
  }
  if (algorithm.startsWith('RSASSA_PKCS1') || algorithm.startsWith('ECDSA')) {
    return verify(`sha${hash ?? ''}`, MESSAGE, key, signature);
  }
  return algorithm === 'ED25519_SHA_512' ? verify(null, MESSAGE, key, signature) : undefined;
}

describeKms('key pairs', (suite) => {
  const pair = (KeySpec: KeySpec, KeyUsage: KeyUsageType): Promise<CreatedKey> =>
    suite.createKey({ KeySpec, KeyUsage });

  const publicKeyOf = async (KeyId: string): Promise<Buffer> => {
    const { PublicKey = new Uint8Array() } = await suite.kms.send(new GetPublicKeyCommand({ KeyId }));
    return Buffer.from(PublicKey);
  };

  const sign = async (
    KeyId: string,
    SigningAlgorithm: SigningAlgorithmSpec,
    Message: Uint8Array,
    MessageType?: MessageType,
  ): Promise<Uint8Array> => {
    const command = new SignCommand({ KeyId, SigningAlgorithm, Message, MessageType });
    return (await suite.kms.send(command)).Signature ?? new Uint8Array();
  };

  describe('signatures', () => {
    it.each(SIGNING)('a key of spec %s signs, and its signatures verify here and outside', async (spec, algorithms) => {
      const metadata = await pair(spec, 'SIGN_VERIFY');
      const { KeyId, Arn } = metadata;
      expect([...(metadata.SigningAlgorithms ?? [])].sort()).toEqual(expect.arrayContaining([...algorithms].sort()));
      const spki = await publicKeyOf(KeyId);
      for (const SigningAlgorithm of algorithms) {
        const Signature = await sign(KeyId, SigningAlgorithm, MESSAGE);
        const request = { KeyId, SigningAlgorithm, Message: MESSAGE };
        expect(await suite.kms.send(new VerifyCommand({ ...request, Signature }))).toMatchObject({
          KeyId: Arn,
          SignatureValid: true,
          SigningAlgorithm,
        });
        const isKnownToNode = !spec.startsWith('ML_') && spec !== 'SM2';
        if (isKnownToNode) {
          const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
          expect(verifyOutside(key, SigningAlgorithm, Signature)).toBe(true);
        }
        const changed = Uint8Array.from(Signature);
        changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
        for (const wrong of [changed, new Uint8Array(1)]) {
          await expectError(
            suite.kms.send(new VerifyCommand({ ...request, Signature: wrong })),
            'KMSInvalidSignatureException',
          );
        }
      }
    });

    it('a digest is signed as it is, and must have the length of the algorithm', async () => {
      const { KeyId } = await pair('ECC_NIST_P384', 'SIGN_VERIFY');
      const digest = createHash('sha384').update(MESSAGE).digest();
      const Signature = await sign(KeyId, 'ECDSA_SHA_384', digest, 'DIGEST');
      const request = { KeyId, SigningAlgorithm: 'ECDSA_SHA_384' as const, Signature };
      await suite.kms.send(new VerifyCommand({ ...request, Message: MESSAGE }));
      await suite.kms.send(new VerifyCommand({ ...request, Message: digest, MessageType: 'DIGEST' }));
      await expectError(
        sign(KeyId, 'ECDSA_SHA_384', digest.subarray(1), 'DIGEST'),
        'ValidationException',
        'Digest is invalid length for algorithm ECDSA_SHA_384.',
      );
    });

    it('Ed25519ph takes a digest and Ed25519 a message', async () => {
      const { KeyId } = await pair('ECC_NIST_EDWARDS25519', 'SIGN_VERIFY');
      const digest = createHash('sha512').update(MESSAGE).digest();
      expect((await sign(KeyId, 'ED25519_PH_SHA_512', digest, 'DIGEST')).length).toBe(64);
      await expectError(sign(KeyId, 'ED25519_PH_SHA_512', MESSAGE, 'RAW'), 'ValidationException');
      await expectError(sign(KeyId, 'ED25519_SHA_512', digest, 'DIGEST'), 'ValidationException');
    });

    it('ML-DSA takes the message or its µ', async () => {
      const { KeyId } = await pair('ML_DSA_44', 'SIGN_VERIFY');
      const spki = await publicKeyOf(KeyId);
      const shake = (...parts: Uint8Array[]): Buffer =>
        parts.reduce((hash, part) => hash.update(part), createHash('shake256', { outputLength: 64 })).digest();
      // The raw public key is the end of the SubjectPublicKeyInfo: 1312 bytes for ML-DSA-44.
      const mu = shake(shake(spki.subarray(-1312)), Buffer.from([0, 0]), MESSAGE);
      const Signature = await sign(KeyId, 'ML_DSA_SHAKE_256', mu, 'EXTERNAL_MU');
      await suite.kms.send(
        new VerifyCommand({ KeyId, SigningAlgorithm: 'ML_DSA_SHAKE_256', Message: MESSAGE, Signature }),
      );
      await expectError(sign(KeyId, 'ML_DSA_SHAKE_256', mu.subarray(1), 'EXTERNAL_MU'), 'ValidationException');
    });

    it('algorithm and spec must fit, and usage and operation', async () => {
      const signer = await pair('ECC_NIST_P256', 'SIGN_VERIFY');
      await expectError(
        sign(signer.KeyId, 'ECDSA_SHA_384', MESSAGE),
        'InvalidKeyUsageException',
        'Algorithm ECDSA_SHA_384 and key spec ECC_NIST_P256 do not match.',
      );
      await expectError(
        suite.encrypt(signer.KeyId, 'x'),
        'InvalidKeyUsageException',
        `${signer.Arn} key usage is SIGN_VERIFY which is not valid for Encrypt.`,
      );
    });
  });

  describe('encryption', () => {
    it.each([
      ['RSAES_OAEP_SHA_1', 214],
      ['RSAES_OAEP_SHA_256', 190],
    ] as const)('a key of spec RSA_2048 opens by %s what it or anybody encrypted', async (algorithm, limit) => {
      const { KeyId, Arn } = await pair('RSA_2048', 'ENCRYPT_DECRYPT');
      const open = async (CiphertextBlob: Uint8Array | undefined): Promise<string> => {
        const opened = await suite.kms.send(
          new DecryptCommand({ KeyId, CiphertextBlob, EncryptionAlgorithm: algorithm }),
        );
        expect(opened).toMatchObject({ KeyId: Arn, EncryptionAlgorithm: algorithm });
        expect(opened).not.toHaveProperty('KeyMaterialId');
        return Buffer.from(opened.Plaintext ?? []).toString();
      };
      const ours = await suite.kms.send(
        new EncryptCommand({ KeyId, Plaintext: Buffer.from('ours'), EncryptionAlgorithm: algorithm }),
      );
      expect(ours.CiphertextBlob?.length).toBe(256);
      expect(await open(ours.CiphertextBlob)).toBe('ours');
      const key = createPublicKey({ key: await publicKeyOf(KeyId), format: 'der', type: 'spki' });
      const oaepHash = algorithm === 'RSAES_OAEP_SHA_1' ? 'sha1' : 'sha256';
      const padding = constants.RSA_PKCS1_OAEP_PADDING;
      expect(await open(publicEncrypt({ key, padding, oaepHash }, Buffer.from('theirs')))).toBe('theirs');
      await expectError(
        suite.kms.send(
          new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(limit + 1), EncryptionAlgorithm: algorithm }),
        ),
        'ValidationException',
        `Algorithm ${algorithm} and key spec RSA_2048 cannot encrypt data larger than ${String(limit)} bytes.`,
      );
      await expectError(open(Buffer.alloc(256, 1)), 'InvalidCiphertextException');
    });

    it('an SM2 key opens what it encrypted', async () => {
      const { KeyId } = await pair('SM2', 'ENCRYPT_DECRYPT');
      const EncryptionAlgorithm = 'SM2PKE';
      const { CiphertextBlob } = await suite.kms.send(
        new EncryptCommand({ KeyId, Plaintext: Buffer.from('sm2'), EncryptionAlgorithm }),
      );
      const { Plaintext } = await suite.kms.send(new DecryptCommand({ KeyId, CiphertextBlob, EncryptionAlgorithm }));
      expect(Buffer.from(Plaintext ?? []).toString()).toBe('sm2');
    });

    it('key pairs need their algorithm, take no context, and make no data keys', async () => {
      const { KeyId } = await pair('RSA_2048', 'ENCRYPT_DECRYPT');
      await expectError(suite.encrypt(KeyId, 'x'), 'InvalidKeyUsageException');
      await expectError(
        suite.kms.send(
          new EncryptCommand({
            KeyId,
            Plaintext: Buffer.from('x'),
            EncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
            EncryptionContext: { a: 'b' },
          }),
        ),
        'ValidationException',
      );
      await expectError(
        suite.kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' })),
        'InvalidKeyUsageException',
        'You cannot generate a data key with an asymmetric CMK',
      );
    });

    it('ReEncrypt to a key pair refuses what is too long for it', async () => {
      const [symmetric, rsa] = [await suite.createKey(), await pair('RSA_2048', 'ENCRYPT_DECRYPT')];
      await expectError(
        suite.kms.send(
          new ReEncryptCommand({
            CiphertextBlob: await suite.encrypt(symmetric.KeyId, 'x'.repeat(191)),
            DestinationKeyId: rsa.KeyId,
            DestinationEncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
          }),
        ),
        'ValidationException',
        'Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data larger than 190 bytes.',
      );
    });

    it('ReEncrypt moves data from a symmetric key to a key pair and back', async () => {
      const [symmetric, rsa] = [await suite.createKey(), await pair('RSA_2048', 'ENCRYPT_DECRYPT')];
      const there = await suite.kms.send(
        new ReEncryptCommand({
          CiphertextBlob: await suite.encrypt(symmetric.KeyId, 'travels'),
          DestinationKeyId: rsa.KeyId,
          DestinationEncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
        }),
      );
      expect(there).not.toHaveProperty('DestinationKeyMaterialId');
      const back = await suite.kms.send(
        new ReEncryptCommand({
          CiphertextBlob: there.CiphertextBlob,
          SourceKeyId: rsa.KeyId,
          SourceEncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
          DestinationKeyId: symmetric.KeyId,
        }),
      );
      const { Plaintext } = await suite.kms.send(new DecryptCommand({ CiphertextBlob: back.CiphertextBlob }));
      expect(Buffer.from(Plaintext ?? []).toString()).toBe('travels');
    });
  });

  describe('key agreement and encapsulation', () => {
    it.each([
      ['ECC_NIST_P256', 'P-256'],
      ['ECC_NIST_P384', 'P-384'],
      ['ECC_NIST_P521', 'P-521'],
    ] as const)('a key of spec %s agrees on a secret with a stranger', async (spec, namedCurve) => {
      const { KeyId, Arn } = await pair(spec, 'KEY_AGREEMENT');
      const stranger = generateKeyPairSync('ec', { namedCurve });
      const PublicKey = stranger.publicKey.export({ format: 'der', type: 'spki' });
      const derived = await suite.kms.send(
        new DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey }),
      );
      expect(derived).toMatchObject({ KeyId: Arn, KeyAgreementAlgorithm: 'ECDH', KeyOrigin: 'AWS_KMS' });
      const publicKey = createPublicKey({ key: await publicKeyOf(KeyId), format: 'der', type: 'spki' });
      const theirs = diffieHellman({ privateKey: stranger.privateKey, publicKey });
      expect(Buffer.from(derived.SharedSecret ?? [])).toEqual(theirs);
      const otherCurve = generateKeyPairSync('ec', { namedCurve: namedCurve === 'P-256' ? 'P-384' : 'P-256' });
      await expectError(
        suite.kms.send(
          new DeriveSharedSecretCommand({
            KeyId,
            KeyAgreementAlgorithm: 'ECDH',
            PublicKey: otherCurve.publicKey.export({ format: 'der', type: 'spki' }),
          }),
        ),
        'ValidationException',
      );
    });

    it.each([
      ['ML_KEM_512', 768],
      ['ML_KEM_768', 1088],
      ['ML_KEM_1024', 1568],
    ] as const)('a key of spec %s encapsulates and decapsulates a secret', async (spec, length) => {
      const { KeyId, Arn } = await pair(spec, 'ENCAPSULATE_DECAPSULATE');
      const EncapsulationAlgorithm = 'ML_KEM';
      const made = await suite.kms.send(new EncapsulateCommand({ KeyId, EncapsulationAlgorithm }));
      expect(made.SharedSecret?.length).toBe(32);
      expect(made.SharedSecretCiphertextBlob?.length).toBe(length);
      const open = async (SharedSecretCiphertextBlob: Uint8Array): Promise<Buffer> => {
        const opened = await suite.kms.send(
          new DecapsulateCommand({ KeyId, EncapsulationAlgorithm, SharedSecretCiphertextBlob }),
        );
        expect(opened).toMatchObject({ KeyId: Arn, EncapsulationAlgorithm });
        return Buffer.from(opened.SharedSecret ?? []);
      };
      const blob = made.SharedSecretCiphertextBlob ?? new Uint8Array();
      expect(await open(blob)).toEqual(Buffer.from(made.SharedSecret ?? []));
      const changed = Uint8Array.from(blob);
      changed[0] = (changed[0] ?? 0) ^ 1;
      const rejected = await open(changed);
      expect(rejected).toHaveLength(32);
      expect(rejected).not.toEqual(Buffer.from(made.SharedSecret ?? []));
      await expectError(open(blob.subarray(1)), 'InvalidCiphertextException');
    });
  });

  describe('data key pairs', () => {
    const SPECS: readonly DataKeyPairSpec[] = [
      'RSA_2048',
      'ECC_NIST_P256',
      'ECC_NIST_P384',
      'ECC_NIST_P521',
      'ECC_SECG_P256K1',
      'ECC_NIST_EDWARDS25519',
      'SM2',
      'ML_KEM_768',
    ];

    it.each(SPECS)(
      'a data key pair of spec %s is a pair, and its blob opens to its private key',
      async (KeyPairSpec) => {
        const { KeyId, Arn, CurrentKeyMaterialId } = await suite.createKey();
        const EncryptionContext = { a: 'b' };
        const made = await suite.kms.send(new GenerateDataKeyPairCommand({ KeyId, KeyPairSpec, EncryptionContext }));
        expect(made).toMatchObject({ KeyId: Arn, KeyPairSpec, KeyMaterialId: CurrentKeyMaterialId });
        const opened = await suite.kms.send(
          new DecryptCommand({ CiphertextBlob: made.PrivateKeyCiphertextBlob, EncryptionContext }),
        );
        const privateKey = Buffer.from(made.PrivateKeyPlaintext ?? []);
        expect(Buffer.from(opened.Plaintext ?? [])).toEqual(privateKey);
        if (!KeyPairSpec.startsWith('ML_') && KeyPairSpec !== 'SM2') {
          const own = createPublicKey(createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' }));
          expect(own.export({ format: 'der', type: 'spki' })).toEqual(Buffer.from(made.PublicKey ?? []));
        }
      },
    );

    it('GenerateDataKeyPairWithoutPlaintext keeps the private key to itself', async () => {
      const { KeyId } = await suite.createKey();
      const made = await suite.kms.send(
        new GenerateDataKeyPairWithoutPlaintextCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P256' }),
      );
      expect(made).not.toHaveProperty('PrivateKeyPlaintext');
      const { Plaintext } = await suite.kms.send(new DecryptCommand({ CiphertextBlob: made.PrivateKeyCiphertextBlob }));
      createPrivateKey({ key: Buffer.from(Plaintext ?? []), format: 'der', type: 'pkcs8' });
    });
  });

  it('GetPublicKey works for a disabled key, and not for a symmetric one', async () => {
    const { KeyId, Arn } = await pair('ECC_NIST_P256', 'SIGN_VERIFY');
    const before = await publicKeyOf(KeyId);
    await suite.kms.send(new DisableKeyCommand({ KeyId }));
    expect(await suite.kms.send(new GetPublicKeyCommand({ KeyId }))).toMatchObject({
      KeyId: Arn,
      KeySpec: 'ECC_NIST_P256',
      CustomerMasterKeySpec: 'ECC_NIST_P256',
      KeyUsage: 'SIGN_VERIFY',
      SigningAlgorithms: ['ECDSA_SHA_256'],
    });
    expect(await publicKeyOf(KeyId)).toEqual(before);
    const symmetric = await suite.createKey();
    await expectError(publicKeyOf(symmetric.KeyId), 'UnsupportedOperationException');
  });
});
