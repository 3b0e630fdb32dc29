/** `keywright server` as a process, with a CloudHSM key store over a SoftHSM2 token that a test gives faults. */
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
  type CustomKeyStoresListEntry,
} from '@aws-sdk/client-kms';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cloudHsmStore } from './key-store-requests.ts';
import { eventually } from './memory-backend.ts';
import { buildShim, shimEnvironment } from './pkcs11-shim.ts';
import { freePort, startServer, type ServerProcess } from './server-process.ts';
import { createSoftHsm, type SoftHsm } from './softhsm.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const CREDENTIALS = { accessKeyId: 'AKIATESTTESTTESTTEST', secretAccessKey: 'a secret of the test' };
/** What a server needs to know those credentials. */
export const CREDENTIALS_ENVIRONMENT = {
  KEYWRIGHT_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  KEYWRIGHT_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  KEYWRIGHT_ACCOUNT_ID: '111122223333',
};
export const PIN = 'kmsuser-password';
const CLUSTER = 'cluster-aaaaaaaaaaa';
const LABEL = 'kms';
/** Longer than any request may take: the client gives up then, and that is no answer. */
const ANSWER_MS = 15_000;

/** A key, and its id encrypted under it; nothing where that was not asked for. */
export interface Sealed {
  readonly keyId: string;
  readonly blob: Uint8Array;
}

export interface TokenServerOptions {
  /** How long the server gives a request to the token, in milliseconds. */
  readonly timeoutMs: number;
  readonly sessions: number;
  /** Where the module runs; in the server's process unless said otherwise. */
  readonly process?: 'helper';
  /** A program that runs the server, with its arguments. */
  readonly runner?: readonly string[];
}

/** A client with the credentials that asks once, and not for ever. */
export function clientOf(endpoint: string, region = 'us-east-1'): KMSClient {
  return new KMSClient({
    region,
    endpoint,
    credentials: CREDENTIALS,
    maxAttempts: 1,
    requestHandler: { requestTimeout: ANSWER_MS, throwOnRequestTimeout: true },
  });
}

/** Another process gives the user of a token another PIN. */
export function changePin({ module, environment }: SoftHsm, label: string, pin: string, newPin: string): void {
  const login = ['--token-label', label, '--login', '--pin', pin];
  const change = ['--module', module, ...login, '--change-pin', '--new-pin', newPin];
  const { status, stderr } = spawnSync('pkcs11-tool', change, { env: { ...process.env, ...environment } });
  if (status !== 0) throw new Error(`pkcs11-tool: ${stderr.toString()}`);
}

/** Does something; answers `right`, or the name of the error that it ended with. */
async function answerOf(action: () => Promise<string>): Promise<string> {
  try {
    return await action();
  } catch (error) {
    return error instanceof KMSServiceException ? error.name : String(error);
  }
}

/** The server, its client and its one key store, which is connected. */
export class TokenServer {
  readonly #folder: ReturnType<typeof temporaryFolder>;
  readonly hsm: SoftHsm;
  readonly server: ServerProcess;
  readonly kms: KMSClient;
  /** The id of the custom key store. */
  readonly storeId: string;
  /** Keys of which CreateKey said that they are there. */
  readonly acknowledged: Sealed[] = [];

  private constructor(folder: ReturnType<typeof temporaryFolder>, hsm: SoftHsm, server: ServerProcess, id: string) {
    this.#folder = folder;
    this.hsm = hsm;
    this.server = server;
    this.storeId = id;
    this.kms = clientOf(server.url);
  }

  static async start({ timeoutMs, sessions, process, runner }: TokenServerOptions): Promise<TokenServer> {
    const folder = temporaryFolder();
    const hsm = createSoftHsm();
    hsm.addToken(LABEL, { pin: PIN });
    const clusters = join(folder.path, 'clusters.json');
    const shim = shimEnvironment({
      module: hsm.module,
      isSerial: true,
      faults: join(folder.path, 'faults'),
      counts: join(folder.path, 'counts'),
    });
    // Helpers get none of the settings of Keywright, of which the shim's have the names.
    const ofProcess = process === undefined ? {} : { process, environment: { ...hsm.environment, ...shim } };
    const member = { module: buildShim(), tokenLabel: LABEL, sessions, ...ofProcess };
    const cluster = { clusterId: CLUSTER, profile: 'softhsm', copies: 1, timeoutMs, members: [member] };
    writeFileSync(clusters, JSON.stringify({ clusters: [cluster] }));
    const environment = { ...CREDENTIALS_ENVIRONMENT, KEYWRIGHT_HSM_CLUSTERS: clusters, ...hsm.environment, ...shim };
    const server = await startServer(join(folder.path, 'data'), await freePort(), environment, runner);
    const kms = clientOf(server.url);
    const store = cloudHsmStore({ CloudHsmClusterId: CLUSTER, KeyStorePassword: PIN });
    const { CustomKeyStoreId = '' } = await kms.send(new CreateCustomKeyStoreCommand(store));
    kms.destroy();
    const made = new TokenServer(folder, hsm, server, CustomKeyStoreId);
    const { ConnectionState, ConnectionErrorCode } = await made.connect();
    if (ConnectionState === 'CONNECTED') return made;
    await made.remove();
    throw new Error(`the store is not connected: ${ConnectionErrorCode ?? ''}`);
  }

  /** The control file of the shim's faults. */
  get faults(): string {
    return join(this.#folder.path, 'faults');
  }

  /** The file of the shim's counters. */
  get counts(): string {
    return join(this.#folder.path, 'counts');
  }

  /** A folder outside of the token's, which is removed at the end. */
  get folder(): string {
    return this.#folder.path;
  }

  async #settled(): Promise<CustomKeyStoresListEntry> {
    return eventually(async () => {
      const input = { CustomKeyStoreId: this.storeId };
      const { CustomKeyStores } = await this.kms.send(new DescribeCustomKeyStoresCommand(input));
      const [store] = CustomKeyStores ?? [];
      return store?.ConnectionState?.endsWith('ING') === true ? undefined : store;
    });
  }

  /** Connects the store; what it is then, connected or not. */
  async connect(): Promise<CustomKeyStoresListEntry> {
    await this.kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId: this.storeId }));
    return this.#settled();
  }

  /** Disconnects the store; what it is then. */
  async disconnect(): Promise<CustomKeyStoresListEntry> {
    await this.kms.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId: this.storeId }));
    return this.#settled();
  }

  async #createKey(): Promise<string> {
    const input = { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: this.storeId } as const;
    const { KeyMetadata } = await this.kms.send(new CreateKeyCommand(input));
    return KeyMetadata?.KeyId ?? '';
  }

  async #encrypt(keyId: string): Promise<Uint8Array> {
    const { CiphertextBlob } = await this.kms.send(new EncryptCommand({ KeyId: keyId, Plaintext: Buffer.from(keyId) }));
    return CiphertextBlob ?? new Uint8Array();
  }

  /** Makes a key and encrypts its id under it. */
  async makeSealed(): Promise<Sealed> {
    const keyId = await this.#createKey();
    return { keyId, blob: await this.#encrypt(keyId) };
  }

  /** Decrypts; `right` or `wrong`, or the name of the error. */
  open({ keyId, blob }: Sealed): Promise<string> {
    return answerOf(async () => {
      const { Plaintext } = await this.kms.send(new DecryptCommand({ CiphertextBlob: blob }));
      return Buffer.from(Plaintext ?? []).toString() === keyId ? 'right' : 'wrong';
    });
  }

  /** CreateKey; `right`, or the name of the error. */
  create(): Promise<string> {
    return answerOf(async () => {
      this.acknowledged.push({ keyId: await this.#createKey(), blob: new Uint8Array() });
      return 'right';
    });
  }

  /** Works with old and new keys, many at a time; the different answers, sorted. */
  async work(keys: readonly Sealed[], rounds = 8): Promise<readonly string[]> {
    const requests = Array.from({ length: rounds }, () => [...keys.map((key) => this.open(key)), this.create()]);
    return [...new Set(await Promise.all(requests.flat()))].sort();
  }

  /** What the given keys and all that were acknowledged answer, each used once; the different answers, sorted. */
  async answers(keys: readonly Sealed[]): Promise<readonly string[]> {
    const answers = new Set(await Promise.all(keys.map((key) => this.open(key))));
    for (const { keyId } of this.acknowledged) {
      answers.add(await answerOf(async () => this.open({ keyId, blob: await this.#encrypt(keyId) })));
    }
    return [...answers].sort();
  }

  /** Kills the server and removes everything. */
  async remove(): Promise<void> {
    this.kms.destroy();
    await this.server.kill();
    this.hsm.remove();
    this.#folder.remove();
  }
}
