/** `keywright xks-proxy` and `keywright server` as processes, one using the keys of the other. */
import {
  ConnectCustomKeyStoreCommand,
  CreateCustomKeyStoreCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeCustomKeyStoresCommand,
  EncryptCommand,
  KMSClient,
  UpdateCustomKeyStoreCommand,
} from '@aws-sdk/client-kms';
import { chmodSync, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { eventually } from '../support/memory-backend.ts';
import {
  freePort,
  runKeywright,
  startKeywright,
  startServer,
  type CommandResult,
  type KeywrightProcess,
  type ServerProcess,
} from '../support/server-process.ts';
import { createSoftHsm, missingSoftHsm } from '../support/softhsm.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { Authority, PATIENT_MS, PROXY_ENDPOINT, PROXY_HOST } from '../support/xks.ts';

const CREDENTIALS = { accessKeyId: 'AKIATESTTESTTESTTEST', secretAccessKey: 'a secret of the test' };
const SERVER_SETTINGS = {
  KEYWRIGHT_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  KEYWRIGHT_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  KEYWRIGHT_ACCOUNT_ID: '111122223333',
  KEYWRIGHT_REGIONS: 'us-east-1',
};

let folder: ReturnType<typeof temporaryFolder>;
let configFile: string;
let port: number;
let proxy: KeywrightProcess | undefined;
let server: ServerProcess | undefined;

beforeEach(async () => {
  folder = temporaryFolder();
  configFile = join(folder.path, 'proxy.yaml');
  port = await freePort();
  const authority = await Authority.create();
  const { certificate, privateKey } = await authority.issue(PROXY_HOST);
  writeFileSync(join(folder.path, 'ca.pem'), authority.pem);
  writeFileSync(join(folder.path, 'proxy.pem'), certificate);
  writeFileSync(join(folder.path, 'proxy-key.pem'), privateKey, { mode: 0o600 });
});

afterEach(async () => {
  await Promise.all([proxy?.kill(), server?.kill()]);
  proxy = undefined;
  server = undefined;
  folder.remove();
});

interface Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

function keywright(...args: readonly string[]): Promise<CommandResult> {
  return runKeywright(join(folder.path, 'unused'), args);
}

async function newCredential(): Promise<Credential> {
  const { stdout } = await keywright('xks-proxy', 'new-credential');
  const [, accessKeyId = '', secretAccessKey = ''] =
    /^accessKeyId: ([A-Z2-7]{26})\nsecretAccessKey: ([A-Za-z0-9/+=]{44})\n$/.exec(stdout) ?? [];
  return { accessKeyId, secretAccessKey };
}

function writeConfig(credentials: readonly Credential[], changes: object = {}): void {
  const config = {
    listen: `https://127.0.0.1:${String(port)}`,
    pathPrefix: '/store-1',
    regions: ['us-east-1'],
    data: 'xks-data',
    tls: { certificate: 'proxy.pem', key: 'proxy-key.pem' },
    credentials,
    keys: [{ id: 'orders', provider: 'software' }],
    ...changes,
  };
  writeFileSync(configFile, stringify(config));
  chmodSync(configFile, 0o600);
}

function createKey(id: string, environment: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
  const args = ['xks-proxy', 'create-key', id, '--config', configFile];
  return runKeywright(join(folder.path, 'unused'), args, environment);
}

/** A server that finds the proxy, with a client of it. */
async function startKms(): Promise<KMSClient> {
  server = await startServer(join(folder.path, 'data'), await freePort(), {
    ...SERVER_SETTINGS,
    KEYWRIGHT_XKS_CONNECT: `${PROXY_HOST}=127.0.0.1:${String(port)}`,
    KEYWRIGHT_XKS_CA: join(folder.path, 'ca.pem'),
    KEYWRIGHT_XKS_TIMEOUT_MS: String(PATIENT_MS),
  });
  return new KMSClient({ region: 'us-east-1', endpoint: server.url, credentials: CREDENTIALS, maxAttempts: 1 });
}

/** Connects a store to the proxy. @returns its id */
async function connectStore(kms: KMSClient, credential: Credential): Promise<string | undefined> {
  const store = {
    CustomKeyStoreName: 'external',
    CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
    XksProxyConnectivity: 'PUBLIC_ENDPOINT',
    XksProxyUriEndpoint: PROXY_ENDPOINT,
    XksProxyUriPath: '/store-1/kms/xks/v1',
    XksProxyAuthenticationCredential: toWire(credential),
  } as const;
  const { CustomKeyStoreId } = await kms.send(new CreateCustomKeyStoreCommand(store));
  await kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
  await eventually(async () => {
    const { CustomKeyStores } = await kms.send(new DescribeCustomKeyStoresCommand({ CustomKeyStoreId }));
    return CustomKeyStores?.[0]?.ConnectionState === 'CONNECTED' ? true : undefined;
  });
  return CustomKeyStoreId;
}

async function encryptUnder(kms: KMSClient, CustomKeyStoreId: string | undefined): Promise<Uint8Array | undefined> {
  const key = { Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId: 'orders' } as const;
  const { KeyMetadata } = await kms.send(new CreateKeyCommand(key));
  const encrypt = new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('in two hands') });
  return (await kms.send(encrypt)).CiphertextBlob;
}

describe('keywright xks-proxy', () => {
  it('serves a server with external keys, takes another credential on SIGHUP, and has its keys after a restart', async () => {
    const [first, second] = [await newCredential(), await newCredential()];
    writeConfig([first]);
    const made = await createKey('orders');
    expect(made).toMatchObject({ status: 0, stderr: '' });
    expect(statSync(join(folder.path, 'xks-data', 'keys', 'orders.json')).mode & 0o777).toBe(0o600);
    proxy = await startKeywright(['xks-proxy', '--config', configFile]);
    expect(proxy.output()).toContain(`https://127.0.0.1:${String(port)}/store-1/kms/xks/v1`);
    const kms = await startKms();
    const CustomKeyStoreId = await connectStore(kms, first);
    const CiphertextBlob = await encryptUnder(kms, CustomKeyStoreId);
    const decrypt = async (): Promise<string> =>
      Buffer.from((await kms.send(new DecryptCommand({ CiphertextBlob }))).Plaintext ?? []).toString();
    expect(await decrypt()).toBe('in two hands');

    writeConfig([first, second]);
    proxy.signal('SIGHUP');
    await eventually(() => Promise.resolve(proxy?.errors().includes('was read again') === true ? true : undefined));
    const XksProxyAuthenticationCredential = toWire(second);
    await kms.send(new UpdateCustomKeyStoreCommand({ CustomKeyStoreId, XksProxyAuthenticationCredential }));
    expect(await decrypt()).toBe('in two hands');

    expect(await proxy.stop()).toBe(0);
    for (const { secretAccessKey } of [first, second]) {
      expect(proxy.errors() + String(server?.errors())).not.toContain(secretAccessKey);
    }
    await expect(decrypt()).rejects.toMatchObject({ name: 'KMSInvalidStateException' });
    proxy = await startKeywright(['xks-proxy', '--config', configFile]);
    expect(await decrypt()).toBe('in two hands');
    expect(await server?.stop()).toBe(0);
  }, 120_000);

  it.skipIf(missingSoftHsm !== undefined)(
    'serves keys of a token, made there, without a data folder',
    async () => {
      const hsm = createSoftHsm();
      try {
        const { label, pin } = hsm.addToken('proxy');
        writeFileSync(join(folder.path, 'pin'), `${pin}\n`, { mode: 0o600 });
        const credential = await newCredential();
        const token = {
          module: hsm.module,
          tokenLabel: label,
          profile: 'softhsm',
          pinFile: 'pin',
          timeoutMs: PATIENT_MS,
        };
        const keys = [{ id: 'orders', provider: 'pkcs11' }];
        writeConfig([credential], { data: undefined, pkcs11: token, keys });
        const early = await runKeywright(folder.path, ['xks-proxy', '--config', configFile], hsm.environment);
        expect([early.status, early.stderr]).toEqual([1, 'keywright: token proxy does not have the key orders\n']);
        const made = await createKey('orders', hsm.environment);
        expect(made).toMatchObject({
          status: 0,
          stderr: '',
          stdout: expect.stringContaining('in token proxy') as string,
        });
        const again = await createKey('orders', hsm.environment);
        expect([again.status, again.stderr]).toEqual([1, 'keywright: token proxy has the key orders already\n']);
        proxy = await startKeywright(['xks-proxy', '--config', configFile], hsm.environment);
        const kms = await startKms();
        const CiphertextBlob = await encryptUnder(kms, await connectStore(kms, credential));
        const opened = await kms.send(new DecryptCommand({ CiphertextBlob }));
        expect(Buffer.from(opened.Plaintext ?? []).toString()).toBe('in two hands');
        proxy.signal('SIGHUP');
        await eventually(() => Promise.resolve(proxy?.errors().includes('was read again') === true ? true : undefined));
        expect((await kms.send(new DecryptCommand({ CiphertextBlob }))).Plaintext).toEqual(opened.Plaintext);
        expect(await proxy.stop()).toBe(0);
        expect(existsSync(join(folder.path, 'xks-data'))).toBe(false);
      } finally {
        hsm.remove();
      }
    },
    120_000,
  );

  it('goes on as it was when the configuration got an error', async () => {
    const credential = await newCredential();
    writeConfig([credential]);
    await keywright('xks-proxy', 'create-key', 'orders', '--config', configFile);
    proxy = await startKeywright(['xks-proxy', '--config', configFile]);
    writeConfig([credential], { keys: [{ id: 'orders', provider: 'somewhere' }] });
    proxy.signal('SIGHUP');
    await eventually(() => Promise.resolve(proxy?.errors().includes('cannot be used') === true ? true : undefined));
    expect(await proxy.stop()).toBe(0);
  }, 60_000);

  it('never makes a key again that is there, and none that the configuration does not name', async () => {
    writeConfig([await newCredential()]);
    const create = (id: string): Promise<CommandResult> =>
      keywright('xks-proxy', 'create-key', id, '--config', configFile);
    expect((await create('orders')).status).toBe(0);
    const again = await create('orders');
    expect(again.status).toBe(1);
    expect(again.stderr).toMatch(/^keywright: the key file of orders cannot be written: EEXIST/);
    expect((await create('other')).stderr).toContain('does not name a key other');
  });

  it('does not start without the file of a key, or without the root key that it is under', async () => {
    writeConfig([await newCredential()]);
    const start = (): Promise<CommandResult> => keywright('xks-proxy', '--config', configFile);
    expect((await start()).stderr).toMatch(/^keywright: the key file of orders cannot be read: ENOENT/);
    await keywright('xks-proxy', 'create-key', 'orders', '--config', configFile);
    const data = join(folder.path, 'xks-data');
    rmSync(join(data, 'root-key'));
    expect((await start()).stderr).toContain('restore it from a backup');
    expect(existsSync(join(data, 'root-key'))).toBe(false);
  });

  it.each([
    [
      'a member that there is not',
      { more: 1 },
      /^keywright: .*proxy\.yaml:\d+:\d+: the file has the unknown member more/,
    ],
    [
      'a provider that this version does not have',
      { keys: [{ id: 'orders', provider: 'cloud' }] },
      /provider must be one of software, pkcs11/,
    ],
    [
      'a key in a token that is not named',
      { keys: [{ id: 'orders', provider: 'pkcs11' }] },
      /keys of the provider pkcs11 need the member pkcs11/,
    ],
    ['a software key without a folder', { data: undefined }, /keys of the provider software need the member data/],
    ['a token without a name', { pkcs11: { module: 'm.so' } }, /pkcs11 must have tokenLabel or slot, and not both/],
    [
      'a token without time',
      { pkcs11: { module: 'm.so', slot: 1, timeoutMs: 0 } },
      /pkcs11: timeoutMs must be at least 1/,
    ],
    ['no credentials', { credentials: [] }, /credentials and regions must have an entry each/],
    ['a listener without TLS', { listen: 'http://127.0.0.1:1' }, /listen must begin with https:/],
    ['a path that ends with a slash', { pathPrefix: '/a/' }, /pathPrefix must be a path/],
    ['a key twice', { keys: [1, 2].map(() => ({ id: 'orders', provider: 'software' })) }, /has the key orders twice/],
  ])('refuses %s', async (_what, changes, message) => {
    writeConfig([await newCredential()], changes);
    const { status, stderr } = await keywright('xks-proxy', '--config', configFile);
    expect([64, 65]).toContain(status);
    expect(stderr).toMatch(message);
  });

  it('refuses a configuration that others can read', async () => {
    writeConfig([await newCredential()]);
    chmodSync(configFile, 0o644);
    const { status, stderr } = await keywright('xks-proxy', '--config', configFile);
    expect([status, stderr]).toEqual([64, expect.stringContaining('chmod 600')]);
  });
});

describe('settings of the server', () => {
  it.each([
    ['KEYWRIGHT_XKS_CONNECT', 'proxy.example.com', /must be a comma list such as/],
    ['KEYWRIGHT_XKS_CONNECT', 'a.b=1.2.3.4:70000', /must be a comma list such as/],
    ['KEYWRIGHT_XKS_CONNECT', 'a.b=1.2.3.4:1,A.b=1.2.3.4:2', /has the host A\.b twice/],
    ['KEYWRIGHT_XKS_TIMEOUT_MS', '0', /must be 1 to 60000/],
    ['KEYWRIGHT_XKS_CA', '/dev/null', /holds no certificate/],
    ['KEYWRIGHT_XKS_CERT', 'cert.pem', /must be set together/],
  ])('%s=%s is refused', async (name, value, message) => {
    const { status, stderr } = await runKeywright(folder.path, ['server'], { [name]: value });
    expect(status).toBe(64);
    expect(stderr).toMatch(message);
  });
});

function toWire({ accessKeyId, secretAccessKey }: Credential): {
  readonly AccessKeyId: string;
  readonly RawSecretAccessKey: string;
} {
  return { AccessKeyId: accessKeyId, RawSecretAccessKey: secretAccessKey };
}
