/** The server as a process over an HSM that fails: what it answers, and that it works again when the HSM does. */
import {
  ConnectCustomKeyStoreCommand,
  CreateCustomKeyStoreCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeCustomKeyStoresCommand,
  DisconnectCustomKeyStoreCommand,
  EncryptCommand,
  KMSClient,
  KMSServiceException,
  UpdateCustomKeyStoreCommand,
  type CustomKeyStoresListEntry,
} from '@aws-sdk/client-kms';
import { spawnSync } from 'node:child_process';
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cloudHsmStore } from '../support/key-store-requests.ts';
import { eventually } from '../support/memory-backend.ts';
import { buildShim, readCounts, shimEnvironment, writeFaults } from '../support/pkcs11-shim.ts';
import { freePort, startServer, type ServerProcess } from '../support/server-process.ts';
import { createSoftHsm, missingSoftHsm, type SoftHsm } from '../support/softhsm.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const CREDENTIALS = { accessKeyId: 'AKIATESTTESTTESTTEST', secretAccessKey: 'a secret of the test' };
const CLUSTER = 'cluster-aaaaaaaaaaa';
const PIN = 'kmsuser-password';
const NEW_PIN = 'another-password';
const SESSIONS = 3;
/** How long the server gives a request to the token. */
const TOKEN_TIMEOUT_MS = 1500;
/** Longer than any request may take: the client gives up then, and that is no answer. */
const ANSWER_MS = 15_000;
const TEST_MS = 120_000;
/** What CreateKey and requests with keys answer while the token cannot be used. */
const OUTAGES = ['CustomKeyStoreInvalidStateException', 'KMSInvalidStateException'];

let folder: ReturnType<typeof temporaryFolder>;
let hsm: SoftHsm;
let server: ServerProcess;
let kms: KMSClient;
let storeId: string;

interface Sealed {
  readonly keyId: string;
  readonly blob: Uint8Array;
}

async function serve(): Promise<void> {
  folder = temporaryFolder();
  hsm = createSoftHsm();
  hsm.addToken('kms', { pin: PIN });
  const clusters = join(folder.path, 'clusters.yaml');
  writeFileSync(
    clusters,
    `clusters:\n  - clusterId: ${CLUSTER}\n    profile: softhsm\n    copies: 1\n    timeoutMs: ${String(TOKEN_TIMEOUT_MS)}\n` +
      `    members:\n      - { module: ${buildShim()}, tokenLabel: kms, sessions: ${String(SESSIONS)} }\n`,
  );
  server = await startServer(join(folder.path, 'data'), await freePort(), {
    KEYWRIGHT_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    KEYWRIGHT_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    KEYWRIGHT_ACCOUNT_ID: '111122223333',
    KEYWRIGHT_HSM_CLUSTERS: clusters,
    ...hsm.environment,
    ...shimEnvironment({ module: hsm.module, isSerial: true, faults: faultsFile(), counts: countsFile() }),
  });
  kms = new KMSClient({
    region: 'us-east-1',
    endpoint: server.url,
    credentials: CREDENTIALS,
    maxAttempts: 1,
    requestHandler: { requestTimeout: ANSWER_MS, throwOnRequestTimeout: true },
  });
  const made = await kms.send(
    new CreateCustomKeyStoreCommand(cloudHsmStore({ CloudHsmClusterId: CLUSTER, KeyStorePassword: PIN })),
  );
  storeId = made.CustomKeyStoreId ?? '';
  expect(await connect()).toMatchObject({ ConnectionState: 'CONNECTED' });
}

/** A rule that makes a function take longer than a request may. */
function slow(name: string): string {
  return `${name} delay-ms ${String(2 * TOKEN_TIMEOUT_MS)}`;
}

/** Another process gives the user another PIN. */
function changePin(): void {
  const login = ['--token-label', 'kms', '--login', '--pin', PIN];
  const change = ['--module', hsm.module, ...login, '--change-pin', '--new-pin', NEW_PIN];
  const { status, stderr } = spawnSync('pkcs11-tool', change, { env: { ...process.env, ...hsm.environment } });
  if (status !== 0) throw new Error(`pkcs11-tool: ${stderr.toString()}`);
}

function faultsFile(): string {
  return join(folder.path, 'faults');
}

function countsFile(): string {
  return join(folder.path, 'counts');
}

async function settled(): Promise<CustomKeyStoresListEntry> {
  return eventually(async () => {
    const { CustomKeyStores } = await kms.send(new DescribeCustomKeyStoresCommand({ CustomKeyStoreId: storeId }));
    const [store] = CustomKeyStores ?? [];
    return store?.ConnectionState?.endsWith('ING') === true ? undefined : store;
  });
}

async function connect(): Promise<CustomKeyStoresListEntry> {
  await kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId: storeId }));
  return settled();
}

async function disconnect(): Promise<void> {
  await kms.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId: storeId }));
  expect(await settled()).toMatchObject({ ConnectionState: 'DISCONNECTED' });
}

/** Makes a key and encrypts its id under it. */
async function makeSealed(): Promise<Sealed> {
  const input = { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: storeId } as const;
  const { KeyMetadata } = await kms.send(new CreateKeyCommand(input));
  const keyId = KeyMetadata?.KeyId ?? '';
  return { keyId, blob: await encrypt(keyId) };
}

async function encrypt(keyId: string): Promise<Uint8Array> {
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: keyId, Plaintext: Buffer.from(keyId) }));
  return CiphertextBlob ?? new Uint8Array();
}

/** @returns `right` or `wrong`, or the name of the error */
async function open({ keyId, blob }: Sealed): Promise<string> {
  try {
    const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob: blob }));
    return Buffer.from(Plaintext ?? []).toString() === keyId ? 'right' : 'wrong';
  } catch (error) {
    return error instanceof KMSServiceException ? error.name : String(error);
  }
}

/** CreateKey, whose key is put to those that must stay when it is acknowledged. */
async function create(acknowledged: Sealed[]): Promise<string> {
  try {
    const input = { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: storeId } as const;
    const { KeyMetadata } = await kms.send(new CreateKeyCommand(input));
    acknowledged.push({ keyId: KeyMetadata?.KeyId ?? '', blob: new Uint8Array() });
    return 'right';
  } catch (error) {
    return error instanceof KMSServiceException ? error.name : String(error);
  }
}

/** Works with old and new keys, many at a time; the different answers, sorted. */
async function work(keys: readonly Sealed[], acknowledged: Sealed[], rounds = 8): Promise<readonly string[]> {
  const answers = await Promise.all(
    Array.from({ length: rounds }, () => [...keys.map(open), create(acknowledged)]).flat(),
  );
  return [...new Set(answers)].sort();
}

/** All keys that were acknowledged are there and do their work. */
async function expectAll(keys: readonly Sealed[], acknowledged: readonly Sealed[]): Promise<void> {
  expect(await Promise.all(keys.map(open))).toEqual(keys.map(() => 'right'));
  for (const { keyId } of acknowledged) expect(await open({ keyId, blob: await encrypt(keyId) })).toBe('right');
}

describe.skipIf(missingSoftHsm !== undefined)('a server over an HSM that fails', () => {
  let keys: Sealed[];
  let acknowledged: Sealed[];

  beforeEach(async () => {
    await serve();
    keys = [await makeSealed(), await makeSealed()];
    acknowledged = [];
  });
  afterEach(async () => {
    kms.destroy();
    await server.kill();
    hsm.remove();
    folder.remove();
  });

  it(
    'answers while the directory of tokens is away, and works when it is back and the store is connected again',
    async () => {
      const [name = ''] = readdirSync(hsm.tokens);
      const away = join(folder.path, 'away');
      renameSync(join(hsm.tokens, name), away);
      expect(await work(keys, acknowledged)).toEqual(OUTAGES);
      renameSync(away, join(hsm.tokens, name));
      await disconnect();
      expect(await connect()).toMatchObject({ ConnectionState: 'CONNECTED' });
      expect(await work(keys, acknowledged)).toEqual(['right']);
      await expectAll(keys, acknowledged);
    },
    TEST_MS,
  );

  it(
    'answers in time while the token is slow, and works by itself when it no longer is',
    async () => {
      writeFaults(faultsFile(), slow('C_DecryptInit'), slow('C_GenerateKey'));
      const answers = await work(keys, acknowledged, 3);
      expect(answers).toContain('DependencyTimeoutException');
      for (const answer of answers) expect(['DependencyTimeoutException', ...OUTAGES]).toContain(answer);
      writeFaults(faultsFile());
      await eventually(async () => ((await open(keys[0]!)) === 'right' ? true : undefined));
      await expectAll(keys, acknowledged);
    },
    TEST_MS,
  );

  it(
    'works with the sessions that it has when no more can be had',
    async () => {
      writeFaults(faultsFile(), 'C_OpenSession fail CKR_SESSION_COUNT', 'C_DecryptInit lose-session first 2');
      const answers = await work(keys, acknowledged);
      expect(answers).toContain('right');
      for (const answer of answers) expect(['right', ...OUTAGES]).toContain(answer);
      const { C_DecryptInit: lost, C_OpenSession: refused } = readCounts(countsFile());
      expect(lost?.faults).toBe(2);
      expect(refused?.faults).toBeGreaterThan(0);
      writeFaults(faultsFile());
      await eventually(async () => ((await open(keys[0]!)) === 'right' ? true : undefined));
      await expectAll(keys, acknowledged);
    },
    TEST_MS,
  );

  it(
    'works on with its sessions when the PIN is changed, says so at the next connect, and takes the new one',
    async () => {
      changePin();
      expect(await work(keys, acknowledged)).toEqual(['right']);
      await disconnect();
      expect(await connect()).toMatchObject({ ConnectionState: 'FAILED', ConnectionErrorCode: 'INVALID_CREDENTIALS' });
      await disconnect();
      await kms.send(new UpdateCustomKeyStoreCommand({ CustomKeyStoreId: storeId, KeyStorePassword: NEW_PIN }));
      expect(await connect()).toMatchObject({ ConnectionState: 'CONNECTED' });
      await expectAll(keys, acknowledged);
    },
    TEST_MS,
  );
});
