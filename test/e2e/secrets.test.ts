/** Marked secrets go through a server process in every way that there is: none may come out, or lie about. */
import { createPublicKey, publicEncrypt, constants } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as sdk from '@aws-sdk/client-kms';
import { GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATIONS, type OperationName } from '../../src/service/registry.ts';
import { CREDENTIAL, cloudHsmStore, xksStore } from '../support/key-store-requests.ts';
import { freePort, startServer, type ServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SEEDED_ACCOUNT = '444455556666';
/** 32 bytes, and no text that could be there by chance. */
const MATERIAL = Buffer.from('canary-material-0f5c61d27a93be84');
const SECRETS: Record<string, Buffer> = {
  'secret access key': Buffer.from('canary/secret+access/key/4a0b9c81d27e5f'),
  'seeded secret access key': Buffer.from('canary/seeded+access/key/77be10c2a94d3f'),
  'password of a key store': Buffer.from('canary-password-9f21'),
  'secret of an external key store': Buffer.from('canarySecretOfXksProxy0123456789abcdefABCDEFG'),
  'password that is too long': Buffer.from('canary-password-that-is-far-too-long-for-any-cluster-2b60'),
  'secret with a bad character': Buffer.from('canarySecretOfXksProxy!!0123456789abcdefABCDEFG'),
  plaintext: Buffer.from('canary-plaintext-5d7e21c09b34fa68'),
  'imported material': MATERIAL,
  'seed material': Buffer.from('canary-seedstuff-6c1e80b4d97f253'.padEnd(32, '!')),
};

let folder: ReturnType<typeof temporaryFolder>;
let data: string;
let server: ServerProcess;
let kms: sdk.KMSClient;
let keyId: string;
/** What the server sent as errors. */
const errors: string[] = [];
/** Secrets that only the server could know. */
const made: Record<string, Buffer> = {};

function text(name: string): string {
  return SECRETS[name]?.toString() ?? '';
}

beforeAll(async () => {
  folder = temporaryFolder();
  data = join(folder.path, 'data');
  const environment = {
    KEYWRIGHT_ACCESS_KEY_ID: 'AKIATESTTESTTESTTEST',
    KEYWRIGHT_SECRET_ACCESS_KEY: text('secret access key'),
    KEYWRIGHT_ACCOUNT_ID: '111122223333',
    KEYWRIGHT_SEED: writeSeed(),
    KEYWRIGHT_TEST_POWERS: '1',
  };
  server = await startServer(data, await freePort(), environment);
  kms = client('AKIATESTTESTTESTTEST', text('secret access key'));
  keyId = (await kms.send(new sdk.CreateKeyCommand({}))).KeyMetadata?.KeyId ?? '';
});

afterAll(async () => {
  await server.kill();
  folder.remove();
});

function writeSeed(): string {
  const path = join(folder.path, 'seed.yaml');
  const material = SECRETS['seed material']?.toString('base64') ?? '';
  writeFileSync(
    path,
    [
      'accounts:',
      `  - accountId: "${SEEDED_ACCOUNT}"`,
      '    accessKeys:',
      '      - accessKeyId: AKIASEEDSEEDSEEDSEED',
      `        secretAccessKey: "${text('seeded secret access key')}"`,
      'keys:',
      '  - keyId: 1f5a4c2e-6b7d-4e8f-9a0b-1c2d3e4f5a6b',
      `    accountId: "${SEEDED_ACCOUNT}"`,
      '    region: us-east-1',
      `    material: { base64: "${material}" }`,
      '    aliases: [alias/seeded]',
      '',
    ].join('\n'),
  );
  return path;
}

function client(accessKeyId: string, secretAccessKey: string, sessionToken?: string): sdk.KMSClient {
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  return new sdk.KMSClient({ region: 'us-east-1', endpoint: server.url, credentials, maxAttempts: 1 });
}

/** Sends a request whatever comes of it, and keeps what an error says. */
async function attempt(name: string, input: object, from = kms): Promise<object> {
  const Command = (sdk as unknown as Record<string, new (input: object) => sdk.ListKeysCommand>)[`${name}Command`];
  if (Command === undefined) {
    throw new Error(`the SDK does not know ${name}`);
  }
  return from.send(new Command(input)).catch((error: unknown) => {
    errors.push(`${name} ${String(error)} ${JSON.stringify(error)}`);
    return {};
  });
}

/** Members that carry secrets, and members that lead to a success where that is simple. */
function secretInput(): Record<string, unknown> {
  return {
    KeyId: keyId,
    SourceKeyId: keyId,
    DestinationKeyId: keyId,
    Plaintext: SECRETS['plaintext'],
    Message: SECRETS['plaintext'],
    CiphertextBlob: SECRETS['plaintext'],
    Mac: SECRETS['plaintext'],
    Signature: SECRETS['plaintext'],
    PublicKey: SECRETS['plaintext'],
    ImportToken: SECRETS['plaintext'],
    EncryptedKeyMaterial: MATERIAL,
    KeyStorePassword: text('password of a key store'),
    XksProxyAuthenticationCredential: {
      AccessKeyId: CREDENTIAL.AccessKeyId,
      RawSecretAccessKey: text('secret of an external key store'),
    },
    GrantTokens: [text('plaintext')],
    GrantToken: text('plaintext'),
    CustomKeyStoreId: 'cks-1234567890abcdef0',
  };
}

/** Secrets that break a constraint, which the error is about. */
function brokenInput(): Record<string, unknown> {
  const tooLong = Buffer.alloc(10_000, SECRETS['plaintext']);
  return {
    Plaintext: tooLong,
    Message: tooLong,
    CiphertextBlob: tooLong,
    EncryptedKeyMaterial: tooLong,
    ImportToken: tooLong,
    KeyStorePassword: text('password that is too long'),
    XksProxyAuthenticationCredential: {
      AccessKeyId: CREDENTIAL.AccessKeyId,
      RawSecretAccessKey: text('secret with a bad character'),
    },
  };
}

async function useSecrets(): Promise<void> {
  const blob = ((await attempt('Encrypt', { KeyId: keyId, Plaintext: SECRETS['plaintext'] })) as sdk.EncryptResponse)
    .CiphertextBlob;
  await attempt('Decrypt', { CiphertextBlob: blob });
  await attempt('Decrypt', { CiphertextBlob: blob, EncryptionContext: { a: 'b' } });
  await attempt('ReEncrypt', { CiphertextBlob: blob, DestinationKeyId: keyId });
  const dataKey = (await attempt('GenerateDataKey', {
    KeyId: keyId,
    KeySpec: 'AES_256',
  })) as sdk.GenerateDataKeyResponse;
  made['data key'] = Buffer.from(dataKey.Plaintext ?? []);
  const random = (await attempt('GenerateRandom', { NumberOfBytes: 32 })) as sdk.GenerateRandomResponse;
  made['random bytes'] = Buffer.from(random.Plaintext ?? []);
  const pairInput = { KeyId: keyId, KeyPairSpec: 'ECC_NIST_P256' };
  const pair = (await attempt('GenerateDataKeyPair', pairInput)) as sdk.GenerateDataKeyPairResponse;
  made['private key of a data key pair'] = Buffer.from(pair.PrivateKeyPlaintext ?? []).subarray(36, 68);
  const grantInput = { KeyId: keyId, GranteePrincipal: 'arn:aws:iam::111122223333:root', Operations: ['Encrypt'] };
  const grant = (await attempt('CreateGrant', grantInput)) as sdk.CreateGrantResponse;
  made['grant token'] = Buffer.from(grant.GrantToken ?? '');
  await attempt('CreateCustomKeyStore', cloudHsmStore({ KeyStorePassword: text('password of a key store') }));
  const credential = { ...CREDENTIAL, RawSecretAccessKey: text('secret of an external key store') };
  await attempt('CreateCustomKeyStore', xksStore({ XksProxyAuthenticationCredential: credential }));
  await attempt('DescribeCustomKeyStores', {});
}

async function importMaterial(): Promise<void> {
  const key = (await attempt('CreateKey', { Origin: 'EXTERNAL' })) as sdk.CreateKeyResponse;
  const KeyId = key.KeyMetadata?.KeyId;
  const wanted = { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' };
  const parameters = (await attempt('GetParametersForImport', wanted)) as sdk.GetParametersForImportResponse;
  const wrappingKey = createPublicKey({ key: Buffer.from(parameters.PublicKey ?? []), format: 'der', type: 'spki' });
  const oaep = { key: wrappingKey, oaepHash: 'sha256', padding: constants.RSA_PKCS1_OAEP_PADDING };
  const input = { KeyId, ImportToken: parameters.ImportToken, ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' };
  await attempt('ImportKeyMaterial', { ...input, EncryptedKeyMaterial: MATERIAL });
  await attempt('ImportKeyMaterial', { ...input, EncryptedKeyMaterial: publicEncrypt(oaep, MATERIAL) });
  const described = (await attempt('DescribeKey', { KeyId })) as sdk.DescribeKeyResponse;
  expect(described.KeyMetadata?.KeyState).toBe('Enabled');
}

async function useSession(): Promise<void> {
  const credentials = { accessKeyId: 'AKIATESTTESTTESTTEST', secretAccessKey: text('secret access key') };
  const sts = new STSClient({ region: 'us-east-1', endpoint: server.url, credentials, maxAttempts: 1 });
  const { Credentials: session } = await sts.send(new GetSessionTokenCommand({}));
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = session ?? {};
  made['secret access key of a session'] = Buffer.from(SecretAccessKey);
  made['session token'] = Buffer.from(SessionToken);
  const inSession = client(AccessKeyId, SecretAccessKey, SessionToken);
  expect(await attempt('ListKeys', {}, inSession)).toHaveProperty('Keys');
  await attempt('ListKeys', {}, client(AccessKeyId, SecretAccessKey, `${SessionToken}x`));
  await attempt('ListKeys', {}, client(AccessKeyId, 'another secret', SessionToken));
  await attempt('ListKeys', {}, client(AccessKeyId, SecretAccessKey));
  // Secrets that stand where names belong.
  await attempt('ListKeys', {}, client(text('secret access key'), 'x'));
  const seeded = client('AKIASEEDSEEDSEEDSEED', text('seeded secret access key'));
  expect(await attempt('DescribeKey', { KeyId: 'alias/seeded' }, seeded)).toHaveProperty('KeyMetadata');
}

/** Faults inside, which are logged with all that is known of them. */
async function failInside(): Promise<void> {
  const response = await fetch(`${server.url}/keywright/test/faults`, {
    method: 'PUT',
    body: JSON.stringify([{ error: 'KMSInternalException' }]),
  });
  await response.text();
  await attempt('Encrypt', { KeyId: keyId, Plaintext: SECRETS['plaintext'] });
  await fetch(`${server.url}/keywright/test/faults`, { method: 'DELETE' });
}

function encodings(secret: Buffer): readonly Buffer[] {
  const base64 = secret.toString('base64').replace(/=+$/, '');
  // The last letter of base64 depends on what follows.
  const forms = [base64.slice(0, -1), secret.toString('hex'), secret.toString('hex').toUpperCase()];
  return [secret, ...forms.map((form) => Buffer.from(form))];
}

function findSecrets(where: string, content: Buffer): string[] {
  return Object.entries({ ...SECRETS, ...made }).flatMap(([name, secret]) =>
    encodings(secret).some((form) => content.includes(form)) ? [`${name} in ${where}`] : [],
  );
}

function filesOf(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    return statSync(path).isDirectory() ? filesOf(path) : [path];
  });
}

describe('secrets', () => {
  it('stand in no log, no error and no file, whatever is done with them', async () => {
    await useSecrets();
    await importMaterial();
    await useSession();
    for (const name of Object.keys(OPERATIONS) as OperationName[]) {
      // What needs the key enabled comes before what disables it.
      const input = { ...secretInput(), ...(/^(?:Disable|ScheduleKey)/.test(name) ? { KeyId: 'alias/nothing' } : {}) };
      await attempt(name, input);
      await attempt(name, { ...input, ...brokenInput() });
    }
    await failInside();
    expect(Object.entries(made).filter(([, secret]) => secret.length < 16)).toEqual([]);
    expect(errors.join('\n')).toMatch(/keyStorePassword/);
    expect(errors.join('\n')).toMatch(/rawSecretAccessKey/);
    expect(errors.length).toBeGreaterThan(Object.keys(OPERATIONS).length / 2);

    const whileRunning = filesOf(data).flatMap((path) => findSecrets(path, readFileSync(path)));
    expect(whileRunning).toEqual([]);
    expect(await server.stop()).toBe(0);
    const found = [
      ...filesOf(data).flatMap((path) => findSecrets(path, readFileSync(path))),
      ...findSecrets('stdout', Buffer.from(server.output())),
      ...findSecrets('stderr', Buffer.from(server.errors())),
      ...findSecrets('an error', Buffer.from(errors.join('\n'))),
    ];
    expect(found).toEqual([]);
  }, 60_000);

  it('are found by this search when they are there', () => {
    const secret = made['data key'] ?? Buffer.alloc(0);
    for (const form of encodings(secret)) {
      const content = Buffer.concat([Buffer.from('before'), form, Buffer.from('after')]);
      expect(findSecrets('a text', content)).toEqual(['data key in a text']);
    }
  });
});
