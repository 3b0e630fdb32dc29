/**
 * Errors that AWS KMS was seen to answer, provoked over raw HTTP and compared with what came over the wire, to the
 * letter. Angle brackets are places where the recording has a name of its own run.
 *
 * AWS printed the values of an enumeration when it had fewer than now, in the order of a hash table; we print those of
 * the present model. Such a text is compared up to the set, and the recorded set must be a part of ours.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCOUNT, OTHER_REGION, REGION } from '../support/doors.ts';
import { wrapMaterial } from '../support/key-import.ts';
import { openRawDoor, type RawAnswer, type RawDoor } from '../support/raw-door.ts';

interface Key {
  readonly KeyId: string;
  readonly Arn: string;
}

let door: RawDoor;
const keys = new Map<string, Promise<Key>>();

/** The key of this kind; one for all scenarios, which leave it as it is. */
function sharedKey(KeySpec: string, KeyUsage: string): Promise<Key> {
  const kind = `${KeySpec} ${KeyUsage}`;
  const made = keys.get(kind) ?? newKey({ KeySpec, KeyUsage });
  keys.set(kind, made);
  return made;
}

async function newKey(input: object = {}): Promise<Key> {
  return (await door.answer('CreateKey', input))['KeyMetadata'] as Key;
}

const symmetricKey = (): Promise<Key> => sharedKey('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT');

async function encrypt(KeyId: string, EncryptionContext = {}): Promise<unknown> {
  return (await door.answer('Encrypt', { KeyId, Plaintext: bytes(1), EncryptionContext }))['CiphertextBlob'];
}

const bytes = (length: number): string => Buffer.alloc(length, 1).toString('base64');
const UNKNOWN_ID = '12345678-1234-1234-1234-123456789012';
const UNKNOWN_MULTI_REGION_ID = 'mrk-12345678123412341234123456789012';
const arnOf = (keyId: string, region = REGION): string => `arn:aws:kms:${region}:${ACCOUNT}:key/${keyId}`;

interface Outcome {
  readonly answer: RawAnswer;
  /** What stands here for a name in the recorded text. */
  readonly names?: Readonly<Record<string, string>>;
}

interface Row {
  readonly code: string;
  /** As recorded; undefined when the answer had no message member. */
  readonly message: string | undefined;
  readonly provoke: () => Promise<Outcome>;
}

/** A row whose request needs nothing but itself. */
function plain(code: string, message: string | undefined, operation: string, body: object): Row {
  return { code, message, provoke: async () => ({ answer: await door.call(operation, body) }) };
}

/** A row about one key, of its ARN or not. */
function onKey(
  code: string,
  message: string | undefined,
  [spec, usage]: readonly [spec: string, usage: string],
  [operation, body]: readonly [operation: string, body: object],
): Row {
  const provoke = async (): Promise<Outcome> => {
    const { KeyId, Arn } = await sharedKey(spec, usage);
    return { answer: await door.call(operation, { KeyId, ...body }), names: { '<key-arn>': Arn } };
  };
  return { code, message, provoke };
}

const SYMMETRIC = ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT'] as const;
const RSA = ['RSA_2048', 'ENCRYPT_DECRYPT'] as const;
const RSA_SIGN = ['RSA_2048', 'SIGN_VERIFY'] as const;
const P256_SIGN = ['ECC_NIST_P256', 'SIGN_VERIFY'] as const;
const hmac = (bits: number) => [`HMAC_${String(bits)}`, 'GENERATE_VERIFY_MAC'] as const;
const macRequest = (bits: number) =>
  ['GenerateMac', { Message: bytes(1), MacAlgorithm: `HMAC_SHA_${String(bits)}` }] as const;
const DERIVE = ['DeriveSharedSecret', { KeyAgreementAlgorithm: 'ECDH', PublicKey: bytes(91) }] as const;

function wrongUsage(key: readonly [string, string], request: readonly [string, object]): Row {
  const text = `<key-arn> key usage is ${key[1]} which is not valid for ${request[0]}.`;
  return onKey('InvalidKeyUsageException', text, key, request);
}

const usageRows: readonly Row[] = [
  wrongUsage(SYMMETRIC, DERIVE),
  wrongUsage(SYMMETRIC, macRequest(256)),
  wrongUsage(RSA, ['Verify', { Message: bytes(1), Signature: bytes(256), SigningAlgorithm: 'RSASSA_PSS_SHA_256' }]),
  wrongUsage(hmac(256), ['Sign', { Message: bytes(1), SigningAlgorithm: 'RSASSA_PSS_SHA_256' }]),
  wrongUsage(P256_SIGN, DERIVE),
  wrongUsage(RSA_SIGN, ['Encrypt', { Plaintext: bytes(1), EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }]),
  onKey(
    'InvalidKeyUsageException',
    'Algorithm HMAC_SHA_256 is incompatible with key spec HMAC_224.',
    hmac(224),
    macRequest(256),
  ),
  onKey(
    'InvalidKeyUsageException',
    'Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256.',
    hmac(256),
    macRequest(512),
  ),
];

function digestRow(spec: string, algorithm: string): Row {
  return onKey(
    'ValidationException',
    `Digest is invalid length for algorithm ${algorithm}.`,
    [spec, 'SIGN_VERIFY'],
    ['Sign', { Message: bytes(17), MessageType: 'DIGEST', SigningAlgorithm: algorithm }],
  );
}

function tooLongRow(bits: number, hash: string, limit: number): Row {
  const algorithm = `RSAES_OAEP_${hash}`;
  const spec = `RSA_${String(bits)}`;
  return onKey(
    'ValidationException',
    `Algorithm ${algorithm} and key spec ${spec} cannot encrypt data larger than ${String(limit)} bytes.`,
    [spec, 'ENCRYPT_DECRYPT'],
    ['Encrypt', { Plaintext: bytes(limit + 1), EncryptionAlgorithm: algorithm }],
  );
}

const lengthRows: readonly Row[] = [
  tooLongRow(2048, 'SHA_1', 214),
  tooLongRow(3072, 'SHA_1', 342),
  tooLongRow(4096, 'SHA_1', 470),
  tooLongRow(2048, 'SHA_256', 190),
  tooLongRow(3072, 'SHA_256', 318),
  tooLongRow(4096, 'SHA_256', 446),
  digestRow('ECC_NIST_P256', 'ECDSA_SHA_256'),
  digestRow('ECC_NIST_P384', 'ECDSA_SHA_384'),
  digestRow('RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256'),
  digestRow('RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_512'),
  digestRow('RSA_2048', 'RSASSA_PSS_SHA_256'),
  digestRow('RSA_2048', 'RSASSA_PSS_SHA_384'),
  digestRow('RSA_2048', 'RSASSA_PSS_SHA_512'),
];

/** The usual text for one member; `rule` is what it must do. */
const violation = (value: string, member: string, rule: string): string =>
  `1 validation error detected: Value ${value}at '${member}' failed to satisfy constraint: Member must ${rule}`;
const oneOf = (values: string): string => `satisfy enum value set: [${values}]`;
const LONG_TAG_KEY = 'a'.repeat(129);
const LONG_TAG_VALUE = 'v'.repeat(257);

const shapeRows: readonly Row[] = [
  plain(
    'ValidationException',
    violation("'0' ", 'numberOfBytes', 'have value greater than or equal to 1'),
    ...random(0),
  ),
  plain(
    'ValidationException',
    violation("'1025' ", 'numberOfBytes', 'have value less than or equal to 1024'),
    ...random(1025),
  ),
  plain(
    'ValidationException',
    violation(
      "'HMAC_random' ",
      'keySpec',
      oneOf(
        'RSA_2048, ECC_NIST_P384, ECC_NIST_P256, ECC_NIST_P521, HMAC_384, RSA_3072, ECC_SECG_P256K1, RSA_4096, ' +
          'SYMMETRIC_DEFAULT, HMAC_256, HMAC_224, HMAC_512',
      ),
    ),
    'CreateKey',
    { KeySpec: 'HMAC_random', KeyUsage: 'GENERATE_VERIFY_MAC' },
  ),
  onKey(
    'ValidationException',
    violation("'INVALID' ", 'keyAgreementAlgorithm', oneOf('ECDH')),
    ['ECC_NIST_P256', 'KEY_AGREEMENT'],
    ['DeriveSharedSecret', { KeyAgreementAlgorithm: 'INVALID', PublicKey: bytes(91) }],
  ),
  onKey(
    'ValidationException',
    violation("'INVALID' ", 'macAlgorithm', oneOf('HMAC_SHA_384, HMAC_SHA_256, HMAC_SHA_224, HMAC_SHA_512')),
    hmac(256),
    ['GenerateMac', { Message: bytes(1), MacAlgorithm: 'INVALID' }],
  ),
  plain(
    'ValidationException',
    violation("'RANDOM' ", 'keyUsage', oneOf('ENCRYPT_DECRYPT, SIGN_VERIFY, GENERATE_VERIFY_MAC')),
    'CreateKey',
    { KeySpec: 'HMAC_256', KeyUsage: 'RANDOM' },
  ),
  onKey(
    'ValidationException',
    violation(`'${LONG_TAG_KEY}' `, 'tags.1.member.tagKey', 'have length less than or equal to 128'),
    SYMMETRIC,
    ['TagResource', { Tags: [{ TagKey: LONG_TAG_KEY, TagValue: '' }] }],
  ),
  onKey(
    'ValidationException',
    violation(`'${LONG_TAG_VALUE}' `, 'tags.1.member.tagValue', 'have length less than or equal to 256'),
    SYMMETRIC,
    ['TagResource', { Tags: [{ TagKey: 'k', TagValue: LONG_TAG_VALUE }] }],
  ),
  onKey('ValidationException', violation('', 'plaintext', 'have length less than or equal to 4096'), SYMMETRIC, [
    'Encrypt',
    { Plaintext: bytes(4097) },
  ]),
];

function random(NumberOfBytes: number): readonly [operation: string, body: object] {
  return ['GenerateRandom', { NumberOfBytes }];
}

const requestRows: readonly Row[] = [
  {
    code: 'ValidationException',
    message:
      'Alias must start with the prefix "alias/". Please see ' +
      'https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    provoke: async () => {
      const { KeyId } = await symmetricKey();
      return { answer: await door.call('CreateAlias', { AliasName: 'unprefixed', TargetKeyId: KeyId }) };
    },
  },
  plain('ValidationException', 'KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048', 'CreateKey', {
    KeySpec: 'RSA_2048',
    KeyUsage: 'KEY_AGREEMENT',
  }),
  plain('ValidationException', 'NumberOfBytes is required.', 'GenerateRandom', {}),
  plain(
    'ValidationException',
    'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
    'CreateKey',
    { KeySpec: 'RSA_2048' },
  ),
  // Of a public key that is none.
  onKey('ValidationException', undefined, ['ECC_NIST_P256', 'KEY_AGREEMENT'], DERIVE),
];

const tagsOf = (count: number): object[] =>
  Array.from({ length: count }, (_, index) => ({ TagKey: `k${String(index)}`, TagValue: '' }));

const tagRows: readonly Row[] = [
  onKey('TagException', 'Duplicate tag keys', SYMMETRIC, ['TagResource', { Tags: [...tagsOf(1), ...tagsOf(1)] }]),
  onKey('TagException', 'Tags beginning with aws: are reserved', SYMMETRIC, [
    'TagResource',
    { Tags: [{ TagKey: 'aws:mine', TagValue: '' }] },
  ]),
  onKey('TagException', 'Too many tags', SYMMETRIC, ['TagResource', { Tags: tagsOf(51) }]),
];

const INVALID_IDS = ['134f2428cec14b25a1ae9048164dba47', 'fake-key-id', 'key_id', 'mrk-fake-key-id'];

const unknownKeyRows: readonly Row[] = [
  ...INVALID_IDS.map((KeyId) => plain('NotFoundException', `Invalid keyId '${KeyId}'`, 'DescribeKey', { KeyId })),
  {
    code: 'NotFoundException',
    message: 'Invalid arn <secondary-region>',
    provoke: async () => ({
      answer: await door.call('DescribeKey', { KeyId: arnOf(UNKNOWN_ID, OTHER_REGION) }),
      names: { '<secondary-region>': OTHER_REGION },
    }),
  },
  {
    code: 'NotFoundException',
    message: "Key '<key-arn>' does not exist",
    provoke: async () => ({
      answer: await door.call('DescribeKey', { KeyId: UNKNOWN_ID }),
      names: { '<key-arn>': arnOf(UNKNOWN_ID) },
    }),
  },
  {
    code: 'NotFoundException',
    message: "Key '<mrk-key-arn>' does not exist",
    provoke: async () => ({
      answer: await door.call('DescribeKey', { KeyId: UNKNOWN_MULTI_REGION_ID }),
      names: { '<mrk-key-arn>': arnOf(UNKNOWN_MULTI_REGION_ID) },
    }),
  },
  missingIn(REGION, '<region>'),
  // The recorded Region is one that these tests do not serve.
  missingIn(OTHER_REGION, 'ap-southeast-1'),
];

/** A key that the Region of the request does not have; `shown` is how the recording shows that Region. */
function missingIn(region: string, shown: string): Row {
  return {
    code: 'NotFoundException',
    message: `Key 'arn:<partition>:kms:${shown}:111111111111:key/<key-id:1>' does not exist`,
    provoke: async () => ({
      answer: await door.call('DescribeKey', { KeyId: arnOf(UNKNOWN_ID, region) }, { region }),
      names: { '<partition>': 'aws', [shown]: region, '111111111111': ACCOUNT, '<key-id:1>': UNKNOWN_ID },
    }),
  };
}

const stateRows: readonly Row[] = [
  {
    code: 'DisabledException',
    message: '<key-arn> is disabled.',
    provoke: async () => {
      const { KeyId, Arn } = await newKey();
      await door.answer('DisableKey', { KeyId });
      return { answer: await door.call('Encrypt', { KeyId, Plaintext: bytes(1) }), names: { '<key-arn>': Arn } };
    },
  },
  {
    code: 'DryRunOperationException',
    message: 'The request would have succeeded, but the DryRun option is set.',
    provoke: async () => {
      const { KeyId } = await symmetricKey();
      return { answer: await door.call('Encrypt', { KeyId, Plaintext: bytes(1), DryRun: true }) };
    },
  },
  {
    code: 'LimitExceededException',
    message:
      'The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be ' +
      'performed for this key: <key-arn>',
    provoke: async () => {
      const { KeyId, Arn } = await newKey();
      for (let count = 0; count < 25; count++) {
        await door.answer('RotateKeyOnDemand', { KeyId });
      }
      return { answer: await door.call('RotateKeyOnDemand', { KeyId }), names: { '<key-arn>': Arn } };
    },
  },
  onKey('UnsupportedOperationException', undefined, P256_SIGN, ['EnableKeyRotation', {}]),
  {
    code: 'UnsupportedOperationException',
    message: '<mrk-key-arn> is not a multi-region primary key.',
    provoke: async () => {
      const { KeyId } = await newKey({ MultiRegion: true });
      await door.answer('ReplicateKey', { KeyId, ReplicaRegion: OTHER_REGION });
      return {
        answer: await door.call('RotateKeyOnDemand', { KeyId }, { region: OTHER_REGION }),
        names: { '<mrk-key-arn>': arnOf(KeyId, OTHER_REGION) },
      };
    },
  },
];

const importParameters = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const;

/** Material encrypted for the key, as a request to import it. */
async function importRequest(KeyId: string, material: Uint8Array = randomBytes(32)): Promise<object> {
  const parameters = await door.answer('GetParametersForImport', { KeyId, ...importParameters });
  const publicKey = Buffer.from(parameters['PublicKey'] as string, 'base64');
  const encrypted = wrapMaterial(importParameters.WrappingAlgorithm, publicKey, material);
  return {
    KeyId,
    ImportToken: parameters['ImportToken'],
    EncryptedKeyMaterial: encrypted.toString('base64'),
    ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
  };
}

async function newImportedKey(): Promise<Key> {
  const key = await newKey({ Origin: 'EXTERNAL' });
  await door.answer('ImportKeyMaterial', await importRequest(key.KeyId));
  return key;
}

const importRows: readonly Row[] = [
  {
    code: 'KMSInvalidStateException',
    message:
      'New key material (id: <key-material-id>) cannot be imported into KMS key <key-id:1>, because another key ' +
      'material (id: <key-material-id:2>) is pending rotation.',
    provoke: async () => {
      const { KeyId } = await newImportedKey();
      const importNew = async (material: Uint8Array): Promise<RawAnswer> =>
        door.call('ImportKeyMaterial', { ...(await importRequest(KeyId, material)), ImportType: 'NEW_KEY_MATERIAL' });
      const refused = randomBytes(32);
      const { KeyMaterialId: pending } = (await importNew(randomBytes(32))).body;
      const answer = await importNew(refused);
      // The id of the refused material is told here only; it is the one that the material has once it comes in.
      await door.answer('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId: pending });
      const { KeyMaterialId: id } = (await importNew(refused)).body;
      const names = { '<key-material-id>': String(id), '<key-id:1>': KeyId, '<key-material-id:2>': String(pending) };
      return { answer, names };
    },
  },
  {
    code: 'KMSInvalidStateException',
    message: 'No available key material pending rotation for the key: <key-arn>.',
    provoke: async () => {
      const { KeyId, Arn } = await newImportedKey();
      return { answer: await door.call('RotateKeyOnDemand', { KeyId }), names: { '<key-arn>': Arn } };
    },
  },
  {
    code: 'KMSInvalidStateException',
    message: 'arn:<partition>:kms:<region>:111111111111:key/<key-id:1> is pending import.',
    provoke: async () => {
      const { KeyId } = await newKey({ Origin: 'EXTERNAL' });
      return {
        answer: await door.call('Encrypt', { KeyId, Plaintext: bytes(1) }),
        names: { '<partition>': 'aws', '<region>': REGION, '111111111111': ACCOUNT, '<key-id:1>': KeyId },
      };
    },
  },
  onKey(
    'UnsupportedOperationException',
    '<key-arn> origin is AWS_KMS which is not valid for this operation.',
    SYMMETRIC,
    ['GetParametersForImport', importParameters],
  ),
  {
    code: 'UnsupportedOperationException',
    message: '<key-arn> origin is EXTERNAL which is not valid for this operation.',
    provoke: async () => {
      const { KeyId, Arn } = await newImportedKey();
      return { answer: await door.call('EnableKeyRotation', { KeyId }), names: { '<key-arn>': Arn } };
    },
  },
  {
    code: 'ValidationException',
    message: 'A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES',
    provoke: async () => {
      const { KeyId } = await newKey({ Origin: 'EXTERNAL' });
      const request = { ...(await importRequest(KeyId)), ExpirationModel: 'KEY_MATERIAL_EXPIRES' };
      return { answer: await door.call('ImportKeyMaterial', request) };
    },
  },
];

const dataRows: readonly Row[] = [
  {
    code: 'IncorrectKeyException',
    message: 'The key ID in the request does not identify a CMK that can perform this operation.',
    provoke: async () => {
      const CiphertextBlob = await encrypt((await symmetricKey()).KeyId);
      const { KeyId } = await newKey();
      return { answer: await door.call('Decrypt', { KeyId, CiphertextBlob }) };
    },
  },
  {
    code: 'InvalidCiphertextException',
    message: undefined,
    provoke: async () => {
      const CiphertextBlob = await encrypt((await symmetricKey()).KeyId, { context: 'right' });
      return { answer: await door.call('Decrypt', { CiphertextBlob, EncryptionContext: { context: 'wrong' } }) };
    },
  },
  onKey('KMSInvalidMacException', undefined, hmac(256), [
    'VerifyMac',
    { Message: bytes(1), Mac: bytes(32), MacAlgorithm: 'HMAC_SHA_256' },
  ]),
  onKey('KMSInvalidSignatureException', undefined, RSA_SIGN, [
    'Verify',
    { Message: bytes(1), Signature: bytes(256), SigningAlgorithm: 'RSASSA_PSS_SHA_256' },
  ]),
];

const ROWS: readonly Row[] = [
  ...usageRows,
  ...lengthRows,
  ...shapeRows,
  ...requestRows,
  ...tagRows,
  ...unknownKeyRows,
  ...stateRows,
  ...importRows,
  ...dataRows,
];

const NO_MESSAGE = '(no message member)';
const title = (code: string, message = NO_MESSAGE): string => `${code}\t${message}`;

beforeAll(async () => {
  door = await openRawDoor();
});

afterAll(async () => {
  await door.close();
});

const ENUM_SET = /^(.* enum value set: )\[(.*)\]$/;

function expectText(actual: unknown, expected: string): void {
  const recorded = ENUM_SET.exec(expected);
  if (recorded === null) {
    expect(actual).toBe(expected);
    return;
  }
  const ours = ENUM_SET.exec(String(actual));
  expect(ours?.[1]).toBe(recorded[1]);
  expect(ours?.[2]?.split(', ')).toEqual(expect.arrayContaining(recorded[2]?.split(', ') ?? []));
}

describe('an error that AWS was seen to answer', () => {
  it.each(ROWS.map((row) => [title(row.code, row.message).slice(0, 160), row] as const))('%s', async (_title, row) => {
    const { answer, names = {} } = await row.provoke();
    expect(answer.status).toBe(400);
    expect(answer.body['__type']).toBe(row.code);
    if (row.message === undefined) {
      expect(Object.keys(answer.body)).toEqual(['__type']);
      return;
    }
    let expected = row.message;
    for (const [shown, here] of Object.entries(names)) {
      expected = expected.replaceAll(shown, here);
    }
    expectText(answer.body['message'], expected);
  });
});

const RECORDING = fileURLToPath(new URL('../../../shared/reference/recorded-errors.tsv', import.meta.url));

describe.skipIf(!existsSync(RECORDING))('the recording', () => {
  it('has no error that is not provoked, and the table none that was not recorded', () => {
    const recorded = readFileSync(RECORDING, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split('\t').slice(0, 2).join('\t'));
    const known = ROWS.map(({ code, message }) => title(code, message));
    expect(known.sort()).toEqual(recorded.sort());
  });
});
