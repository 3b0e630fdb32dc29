/** Imported keys of every spec do what node:crypto does with the same key. */
import {
  constants,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import {
  DecryptCommand,
  DeleteImportedKeyMaterialCommand,
  DeriveSharedSecretCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  GenerateMacCommand,
  GetPublicKeyCommand,
  ListKeyRotationsCommand,
  ReplicateKeyCommand,
  SignCommand,
  VerifyCommand,
  type AlgorithmSpec,
  type CreateKeyCommandInput,
  type KeySpec,
  type KeyUsageType,
  type MacAlgorithmSpec,
  type SigningAlgorithmSpec,
  type WrappingKeySpec,
} from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import { canWrap, WRAPPING_ALGORITHMS, WRAPPING_KEY_SPECS } from '../../src/keys/material-wrapping.ts';
import { KEY_SPECS } from '../../src/keys/key-spec.ts';
import { OTHER_REGION } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { importMaterial, parametersFor } from '../support/key-import.ts';
import { describeKms, type CreatedKey } from './suite.ts';

interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const HOUR_MS = 3_600_000;
const MESSAGE = Buffer.from('a message of some bytes');
const RSA_BITS: Readonly<Record<string, number>> = { RSA_2048: 2048, RSA_3072: 3072, RSA_4096: 4096 };
const CURVES: Readonly<Record<string, string>> = {
  ECC_NIST_P256: 'P-256',
  ECC_NIST_P384: 'P-384',
  ECC_NIST_P521: 'P-521',
  ECC_SECG_P256K1: 'secp256k1',
};
const HMAC_BYTES: Readonly<Record<string, number>> = { HMAC_224: 28, HMAC_256: 32, HMAC_384: 48, HMAC_512: 64 };
const pairs = new Map<KeySpec, Pair>();

/** A pair of node:crypto; the same one whenever a spec is asked for. */
function pairOf(spec: KeySpec): Pair {
  const pair =
    pairs.get(spec) ??
    (spec === 'ECC_NIST_EDWARDS25519'
      ? generateKeyPairSync('ed25519')
      : spec in RSA_BITS
        ? generateKeyPairSync('rsa', { modulusLength: RSA_BITS[spec]! })
        : generateKeyPairSync('ec', { namedCurve: CURVES[spec]! }));
  pairs.set(spec, pair);
  return pair;
}

const pkcs8Of = ({ privateKey }: Pair): Buffer => privateKey.export({ format: 'der', type: 'pkcs8' });
const spkiOf = ({ publicKey }: Pair): Buffer => publicKey.export({ format: 'der', type: 'spki' });

function usageOf(spec: KeySpec): KeyUsageType {
  return spec === 'SYMMETRIC_DEFAULT' ? 'ENCRYPT_DECRYPT' : spec in HMAC_BYTES ? 'GENERATE_VERIFY_MAC' : 'SIGN_VERIFY';
}

const OAEP = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const;
const KEY_WRAP = ['RSA_AES_KEY_WRAP_SHA_1', 'RSA_AES_KEY_WRAP_SHA_256'] as const;
const ANY_RSA = ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const;

/** The tables of the developer guide, written out. */
const ALLOWED: ReadonlySet<string> = new Set([
  ...['SYMMETRIC_DEFAULT', ...Object.keys(HMAC_BYTES), 'SM2'].flatMap((spec) => combine(spec, OAEP, ANY_RSA)),
  ...Object.keys(RSA_BITS).flatMap((spec) => [
    ...combine(spec, KEY_WRAP, ANY_RSA),
    ...combine(spec, ['SM2PKE'], ['SM2']),
  ]),
  ...[...Object.keys(CURVES), 'ECC_NIST_EDWARDS25519'].flatMap((spec) => [
    ...combine(spec, OAEP, spec === 'ECC_NIST_P521' ? ['RSA_3072', 'RSA_4096'] : ANY_RSA),
    ...combine(spec, KEY_WRAP, ANY_RSA),
    ...combine(spec, ['SM2PKE'], ['SM2']),
  ]),
  ...combine('SM2', ['SM2PKE'], ['SM2']),
]);

function combine(spec: string, algorithms: readonly string[], wrappingSpecs: readonly string[]): string[] {
  return algorithms.flatMap((algorithm) => wrappingSpecs.map((wrapping) => `${spec} ${algorithm} ${wrapping}`));
}

describe('wrapping', () => {
  it('is allowed by exactly the combinations of the tables', () => {
    const allowed = KEY_SPECS.flatMap((spec) =>
      WRAPPING_ALGORITHMS.flatMap((algorithm) =>
        WRAPPING_KEY_SPECS.filter((wrapping) => canWrap(spec, algorithm, wrapping)).map(
          (wrapping) => `${spec} ${algorithm} ${wrapping}`,
        ),
      ),
    );
    expect(new Set(allowed)).toEqual(ALLOWED);
  });
});

describeKms('imported keys of every spec', (suite) => {
  const create = (KeySpec: KeySpec, KeyUsage: KeyUsageType = usageOf(KeySpec)): Promise<CreatedKey> =>
    suite.createKey({ Origin: 'EXTERNAL', KeySpec, KeyUsage } satisfies CreateKeyCommandInput);

  const publicKeyOf = async (KeyId: string): Promise<Buffer> =>
    Buffer.from((await suite.kms.send(new GetPublicKeyCommand({ KeyId }))).PublicKey ?? []);

  const signWith = async (KeyId: string, SigningAlgorithm: SigningAlgorithmSpec): Promise<Uint8Array> => {
    const { Signature } = await suite.kms.send(new SignCommand({ KeyId, Message: MESSAGE, SigningAlgorithm }));
    return Signature ?? new Uint8Array();
  };

  it.each(['ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87', 'ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024'] as const)(
    'keys of spec %s are not made for imports',
    async (KeySpec) => {
      const KeyUsage = KeySpec.startsWith('ML_DSA') ? 'SIGN_VERIFY' : 'ENCAPSULATE_DECAPSULATE';
      await expectError(
        suite.createKey({ Origin: 'EXTERNAL', KeySpec, KeyUsage }),
        'UnsupportedOperationException',
        `KeySpec ${KeySpec} is not supported for keys of origin EXTERNAL.`,
      );
    },
  );

  const rsaAndCurves = [...Object.keys(RSA_BITS), ...Object.keys(CURVES), 'ECC_NIST_EDWARDS25519'] as KeySpec[];
  const viaSmallKeys = rsaAndCurves.flatMap((spec) =>
    [...OAEP, ...KEY_WRAP, 'SM2PKE' as const]
      .map((algorithm) => [spec, algorithm, algorithm === 'SM2PKE' ? 'SM2' : 'RSA_2048'] as const)
      .filter(([, algorithm, wrapping]) => ALLOWED.has(`${spec} ${algorithm} ${wrapping}`)),
  );

  it.each<readonly [KeySpec, AlgorithmSpec, WrappingKeySpec]>([
    ...viaSmallKeys,
    ['ECC_NIST_P521', 'RSAES_OAEP_SHA_1', 'RSA_3072'],
    ['ECC_NIST_P521', 'RSAES_OAEP_SHA_256', 'RSA_3072'],
    ['RSA_4096', 'RSA_AES_KEY_WRAP_SHA_256', 'RSA_4096'],
  ])('a key pair of %s comes in by %s to %s', async (spec, algorithm, wrappingSpec) => {
    const { KeyId } = await create(spec);
    await importMaterial(suite.kms, KeyId, pkcs8Of(pairOf(spec)), { algorithm, wrappingSpec });
    expect(await publicKeyOf(KeyId)).toEqual(spkiOf(pairOf(spec)));
  });

  it.each([
    ['RSAES_OAEP_SHA_1', 'RSA_2048'],
    ['SM2PKE', 'SM2'],
  ] as const)('a key pair of SM2 comes in by %s to %s', async (algorithm, wrappingSpec) => {
    const { core } = suite.door.engine;
    const pair = core.generateKeyPair('sm2');
    const { KeyId } = await create('SM2');
    await importMaterial(suite.kms, KeyId, core.exportPrivateKey(pair), { algorithm, wrappingSpec });
    expect(await publicKeyOf(KeyId)).toEqual(core.exportPublicKey(pair));
    const signature = await signWith(KeyId, 'SM2DSA');
    expect(core.verify(pair, 'SM2DSA', 'RAW', MESSAGE, signature)).toBe(true);
  });

  it('the token of the longest wrapping key fits its member', async () => {
    const { KeyId } = await create('SYMMETRIC_DEFAULT');
    const { token, publicKey } = await parametersFor(suite.kms, KeyId, 'RSAES_OAEP_SHA_1', 'RSA_4096');
    expect(token.length).toBeLessThanOrEqual(6144);
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
    expect(key.asymmetricKeyDetails?.modulusLength).toBe(4096);
  });

  it.each([
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256', 'sha256', {}],
    ['RSA_3072', 'RSASSA_PSS_SHA_512', 'sha512', { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 }],
    ['ECC_NIST_P256', 'ECDSA_SHA_256', 'sha256', {}],
    ['ECC_NIST_P384', 'ECDSA_SHA_384', 'sha384', {}],
    ['ECC_NIST_P521', 'ECDSA_SHA_512', 'sha512', {}],
    ['ECC_SECG_P256K1', 'ECDSA_SHA_256', 'sha256', {}],
    ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512', null, {}],
  ] as const)('an imported key of %s signs by %s as its owner does', async (spec, SigningAlgorithm, hash, options) => {
    const { privateKey, publicKey } = pairOf(spec);
    const { KeyId } = await create(spec);
    await importMaterial(suite.kms, KeyId, pkcs8Of(pairOf(spec)), { algorithm: 'RSA_AES_KEY_WRAP_SHA_256' });
    const theirs = await signWith(KeyId, SigningAlgorithm);
    expect(verify(hash, MESSAGE, { key: publicKey, ...options }, theirs)).toBe(true);
    const Signature = sign(hash, MESSAGE, { key: privateKey, ...options });
    const verified = await suite.kms.send(new VerifyCommand({ KeyId, Message: MESSAGE, SigningAlgorithm, Signature }));
    expect(verified.SignatureValid).toBe(true);
    if (SigningAlgorithm === 'RSASSA_PKCS1_V1_5_SHA_256' || SigningAlgorithm === 'ED25519_SHA_512') {
      expect(Buffer.from(theirs)).toEqual(Signature);
    }
  });

  it('an imported RSA key decrypts what was encrypted to it', async () => {
    const { KeyId } = await create('RSA_2048', 'ENCRYPT_DECRYPT');
    await importMaterial(suite.kms, KeyId, pkcs8Of(pairOf('RSA_2048')), { algorithm: 'RSA_AES_KEY_WRAP_SHA_1' });
    const key = { key: pairOf('RSA_2048').publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
    const CiphertextBlob = publicEncrypt(key, MESSAGE);
    const { Plaintext } = await suite.kms.send(
      new DecryptCommand({ KeyId, CiphertextBlob, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }),
    );
    expect(Buffer.from(Plaintext ?? [])).toEqual(MESSAGE);
  });

  it('an imported key agrees on the secret that its owner computes', async () => {
    const { KeyId } = await create('ECC_NIST_P384', 'KEY_AGREEMENT');
    await importMaterial(suite.kms, KeyId, pkcs8Of(pairOf('ECC_NIST_P384')));
    const peer = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const { SharedSecret, KeyOrigin } = await suite.kms.send(
      new DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey: spkiOf(peer) }),
    );
    const { privateKey } = pairOf('ECC_NIST_P384');
    expect(Buffer.from(SharedSecret ?? [])).toEqual(diffieHellman({ privateKey, publicKey: peer.publicKey }));
    expect(KeyOrigin).toBe('EXTERNAL');
  });

  const hmacs = Object.entries(HMAC_BYTES).flatMap(([spec, length]) =>
    OAEP.map((algorithm) => [spec as KeySpec, length, algorithm] as const),
  );

  it.each(hmacs)('an imported key of %s, %i bytes by %s, computes the MAC', async (spec, length, algorithm) => {
    const { KeyId } = await create(spec);
    const material = randomBytes(length);
    for (const wrong of [randomBytes(length - 1), randomBytes(length + 1)]) {
      await expectError(importMaterial(suite.kms, KeyId, wrong, { algorithm }), 'IncorrectKeyMaterialException');
    }
    expect(await importMaterial(suite.kms, KeyId, material, { algorithm })).not.toHaveProperty('KeyMaterialId');
    const bits = spec.slice('HMAC_'.length);
    const MacAlgorithm = `HMAC_SHA_${bits}` as MacAlgorithmSpec;
    const { Mac } = await suite.kms.send(new GenerateMacCommand({ KeyId, Message: MESSAGE, MacAlgorithm }));
    expect(Buffer.from(Mac ?? [])).toEqual(createHmac(`sha${bits}`, material).update(MESSAGE).digest());
  });

  it('a key pair that never had material has no public key', async () => {
    const { KeyId, Arn } = await create('ECC_NIST_P256');
    await expectError(publicKeyOf(KeyId), 'KMSInvalidStateException', `${Arn} is pending import.`);
  });

  it('a key pair keeps its public key when its material expires, and shows it while it is disabled', async () => {
    const spec = 'ECC_NIST_P256';
    const { KeyId } = await create(spec);
    const ValidTo = new Date(suite.door.clock.nowMs() + HOUR_MS);
    await importMaterial(suite.kms, KeyId, pkcs8Of(pairOf(spec)), { ValidTo });
    await suite.kms.send(new DisableKeyCommand({ KeyId }));
    expect(await publicKeyOf(KeyId)).toEqual(spkiOf(pairOf(spec)));
    suite.door.clock.advanceMs(HOUR_MS);
    suite.renewClient();
    expect(await publicKeyOf(KeyId)).toEqual(spkiOf(pairOf(spec)));
    await suite.door.engine.runMaintenance();
    const { KeyMetadata } = await suite.kms.send(new DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata?.KeyState).toBe('PendingImport');
    expect(await publicKeyOf(KeyId)).toEqual(spkiOf(pairOf(spec)));
  });

  it('a replica knows the public key of its primary before it has the material', async () => {
    const spec = 'ECC_NIST_P384';
    const { KeyId } = await suite.createKey({
      Origin: 'EXTERNAL',
      KeySpec: spec,
      KeyUsage: 'SIGN_VERIFY',
      MultiRegion: true,
    });
    await importMaterial(suite.kms, KeyId, pkcs8Of(pairOf(spec)));
    await suite.kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: OTHER_REGION }));
    const elsewhere = suite.door.client({ region: OTHER_REGION });
    const { KeyMetadata } = await elsewhere.send(new DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata?.KeyState).toBe('PendingImport');
    const { PublicKey } = await elsewhere.send(new GetPublicKeyCommand({ KeyId }));
    expect(Buffer.from(PublicKey ?? [])).toEqual(spkiOf(pairOf(spec)));
  });

  it('a key pair that lost its material keeps its public key, and comes back as the same pair only', async () => {
    const spec = 'ECC_NIST_P256';
    const { KeyId, Arn } = await create(spec);
    await importMaterial(suite.kms, KeyId, pkcs8Of(pairOf(spec)));
    const deleted = await suite.kms.send(new DeleteImportedKeyMaterialCommand({ KeyId }));
    expect(deleted.KeyId).toBe(Arn);
    expect(deleted).not.toHaveProperty('KeyMaterialId');
    expect(await publicKeyOf(KeyId)).toEqual(spkiOf(pairOf(spec)));
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await expectError(importMaterial(suite.kms, KeyId, pkcs8Of(other)), 'IncorrectKeyMaterialException');
    await importMaterial(suite.kms, KeyId, pkcs8Of(pairOf(spec)));
    expect(await publicKeyOf(KeyId)).toEqual(spkiOf(pairOf(spec)));
    const { Rotations } = await suite.kms.send(
      new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }),
    );
    expect(Rotations).toEqual([]);
  });

  it('material of another curve, size or kind is refused', async () => {
    const { KeyId } = await create('ECC_NIST_P256');
    const wrong = [
      pkcs8Of(pairOf('ECC_NIST_P384')),
      pkcs8Of(pairOf('ECC_SECG_P256K1')),
      pkcs8Of(pairOf('RSA_2048')),
      spkiOf(pairOf('ECC_NIST_P256')),
      pairOf('ECC_NIST_P256').privateKey.export({ format: 'der', type: 'sec1' }),
      Buffer.concat([pkcs8Of(pairOf('ECC_NIST_P256')), Buffer.of(0)]),
      randomBytes(32),
    ];
    for (const material of wrong) {
      await expectError(
        importMaterial(suite.kms, KeyId, material, { algorithm: 'RSA_AES_KEY_WRAP_SHA_256' }),
        'IncorrectKeyMaterialException',
      );
    }
    const rsa = await create('RSA_3072');
    await expectError(
      importMaterial(suite.kms, rsa.KeyId, pkcs8Of(pairOf('RSA_2048')), { algorithm: 'RSA_AES_KEY_WRAP_SHA_256' }),
      'IncorrectKeyMaterialException',
    );
    const { KeyMetadata } = await suite.kms.send(new DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata?.KeyState).toBe('PendingImport');
  });

  it.each([
    { ImportType: 'NEW_KEY_MATERIAL' },
    { KeyMaterialDescription: 'x' },
    { KeyMaterialId: 'ab'.repeat(32) },
  ] as const)('what tells several materials apart is not for keys with one: %o', async (members) => {
    const { KeyId } = await create('HMAC_256');
    await expectError(importMaterial(suite.kms, KeyId, randomBytes(32), members), 'ValidationException');
    const KeyMaterialId = 'ab'.repeat(32);
    await expectError(
      suite.kms.send(new DeleteImportedKeyMaterialCommand({ KeyId, KeyMaterialId })),
      'ValidationException',
    );
  });
});
