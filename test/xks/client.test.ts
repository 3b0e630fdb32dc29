/** What callers of the KMS API are told when the proxy of an external key store does not do as it should. */
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Caller } from '../../src/base/caller.ts';
import { Engine, type CallContext } from '../../src/engine/engine.ts';
import { rootOf } from '../../src/iam/identities.ts';
import type { XksNetworkSettings } from '../../src/xks/https-caller.ts';
import { integrityValue } from '../../src/xks/proxy-api.ts';
import { XksBackend } from '../../src/xks/xks-backend.ts';
import { loadCore } from '../../src/core/index.ts';
import { loadPolicy } from '../../src/policy/policy.ts';
import { ACCOUNT, OTHER_ACCOUNT, REGION } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { CREDENTIAL, vpcXksStore, xksStore } from '../support/key-store-requests.ts';
import { eventually } from '../support/memory-backend.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import {
  Authority,
  HEALTHY,
  json,
  networkTo,
  PATIENT_MS,
  PROXY_ENDPOINT,
  PROXY_HOST,
  startFakeProxy,
  type FakeAnswer,
  type FakeProxy,
  type Identity,
} from '../support/xks.ts';

const context: CallContext = { caller: rootOf(ACCOUNT), region: REGION };
const core = loadCore();
const USABLE = { keySpec: 'AES_256', keyUsage: ['ENCRYPT', 'DECRYPT', 'WRAP'], keyStatus: 'ENABLED' };

/** Turns bytes around and calls it encryption: the fake proxy shows what a client accepts, not what is safe. */
function fakeEncrypt(change: (answer: Record<string, string>) => object = (answer) => answer): FakeAnswer {
  return (request, response, body) => {
    const { plaintext, additionalAuthenticatedData } = JSON.parse(body) as Record<string, string>;
    const ciphertext = Buffer.from(plaintext ?? '', 'base64').reverse();
    const [iv, tag, metadata] = [Buffer.alloc(16, 'i'), Buffer.alloc(16, 't'), Buffer.from('version 1')];
    const additional = Buffer.from(additionalAuthenticatedData ?? '', 'base64');
    const value = integrityValue(core, additional, { ciphertext, iv, tag, metadata });
    const answer = {
      ciphertext: ciphertext.toString('base64'),
      initializationVector: iv.toString('base64'),
      authenticationTag: tag.toString('base64'),
      ciphertextMetadata: metadata.toString('base64'),
      ciphertextDataIntegrityValue: value.toString('base64'),
    };
    json(200, change(answer))(request, response, body);
  };
}

function fakeDecrypt(change: (plaintext: Buffer) => Buffer = (plaintext) => plaintext): FakeAnswer {
  return (request, response, body) => {
    const { ciphertext } = JSON.parse(body) as Record<string, string>;
    const plaintext = change(Buffer.from(ciphertext ?? '', 'base64').reverse());
    json(200, { plaintext: plaintext.toString('base64') })(request, response, body);
  };
}

const silent: FakeAnswer = () => undefined;
const cutOff: FakeAnswer = (_request, response) => {
  response.writeHead(200, { 'Content-Length': '1000' });
  response.write('{"keySpec":');
  setImmediate(() => response.destroy());
};
const endless: FakeAnswer = (_request, response) => {
  response.writeHead(200);
  response.write('['.repeat(100_000));
};

let authority: Authority;
let identity: Identity;
let proxy: FakeProxy;
let folder: ReturnType<typeof temporaryFolder>;
let logged: string;
const engines: Engine[] = [];

beforeAll(async () => {
  authority = await Authority.create();
  identity = await authority.issue(PROXY_HOST);
});

beforeEach(async () => {
  folder = temporaryFolder();
  logged = '';
  proxy = await startFakeProxy(identity);
  proxy.answer('/metadata', json(200, USABLE));
  proxy.answer('/encrypt', fakeEncrypt());
  proxy.answer('/decrypt', fakeDecrypt());
});

afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
  await proxy.close();
  folder.remove();
});

async function open(settings: XksNetworkSettings = networkTo(proxy.port, authority)): Promise<Engine> {
  const note = (message: string, fields?: object): void => {
    logged += `${message} ${JSON.stringify(fields)}\n`;
  };
  const engine = await Engine.open({
    dataDirectory: folder.path,
    regions: [REGION],
    log: { info: note, error: note },
    keyStoreBackends: (services) => ({ EXTERNAL_KEY_STORE: new XksBackend(services, settings) }),
  });
  engines.push(engine);
  return engine;
}

const store = xksStore({ XksProxyUriEndpoint: PROXY_ENDPOINT });

async function create(engine: Engine, input = store): Promise<string> {
  return (await engine.call('CreateCustomKeyStore', input as never, context)).CustomKeyStoreId;
}

/** The state that a store ends in, with its error code. */
async function connect(engine: Engine, CustomKeyStoreId: string): Promise<string> {
  await engine.call('ConnectCustomKeyStore', { CustomKeyStoreId }, context);
  return eventually(async () => {
    const { CustomKeyStores } = await engine.call('DescribeCustomKeyStores', { CustomKeyStoreId }, context);
    const { ConnectionState: state, ConnectionErrorCode: code } = CustomKeyStores[0] ?? {};
    return state === 'CONNECTING' ? undefined : [state, code].filter((part) => part !== undefined).join(' ');
  });
}

async function createConnected(engine: Engine): Promise<string> {
  const id = await create(engine);
  expect(await connect(engine, id)).toBe('CONNECTED');
  return id;
}

let keyCount = 0;

async function createKey(engine: Engine, CustomKeyStoreId: string): Promise<string> {
  const input = { Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId: `key-${String(++keyCount)}` } as const;
  return (await engine.call('CreateKey', input, context)).KeyMetadata.KeyId;
}

function encrypt(engine: Engine, KeyId: string, by = context): Promise<{ readonly CiphertextBlob: Uint8Array }> {
  return engine.call('Encrypt', { KeyId, Plaintext: Buffer.from('secret') }, by);
}

/** What each error of the specification becomes: of CreateKey, of configurations, and as the code of a connection. */
const PROXY_ERRORS = `
400 Validation CustomKeyStoreInvalidState XksProxyInvalidResponse XKS_PROXY_INVALID_RESPONSE
400 InvalidState XksKeyInvalidConfiguration XksProxyInvalidResponse XKS_PROXY_INVALID_RESPONSE
400 InvalidKeyUsage XksKeyInvalidConfiguration XksProxyInvalidResponse XKS_PROXY_INVALID_RESPONSE
401 AuthenticationFailed CustomKeyStoreInvalidState XksProxyIncorrectAuthenticationCredential INVALID_CREDENTIALS
403 AccessDenied KMSInvalidState XksProxyInvalidResponse XKS_PROXY_ACCESS_DENIED
404 KeyNotFound XksKeyNotFound XksProxyInvalidResponse XKS_PROXY_INVALID_RESPONSE
404 InvalidUriPath CustomKeyStoreInvalidState XksProxyInvalidConfiguration XKS_PROXY_INVALID_CONFIGURATION
429 Throttling CustomKeyStoreInvalidState XksProxyUriUnreachable XKS_PROXY_NOT_REACHABLE
500 Internal CustomKeyStoreInvalidState XksProxyInvalidResponse XKS_PROXY_INVALID_RESPONSE
501 UnsupportedOperation XksKeyInvalidConfiguration XksProxyInvalidResponse XKS_PROXY_INVALID_RESPONSE
503 DependencyTimeout CustomKeyStoreInvalidState XksProxyUriUnreachable XKS_PROXY_TIMED_OUT
`
  .trim()
  .split('\n')
  .map(
    (row) => row.split(' ') as [status: string, name: string, createKey: string, configuration: string, code: string],
  );

/** Answers with status 200 that are none. */
const MALFORMED: readonly (readonly [what: string, FakeAnswer])[] = [
  ['no JSON', json(200, 'ok')],
  ['an empty answer', json(200, '')],
  ['a list', json(200, [])],
  ['null', json(200, null)],
  ['an error without a known name', json(500, { errorName: 'SomethingException' })],
  ['an error as HTML', json(502, '<html>Bad gateway</html>')],
  ['a redirection', (_request, response) => response.writeHead(307, { Location: 'https://elsewhere' }).end()],
  ['an answer that is cut off', cutOff],
  ['an answer without end', endless],
];

const MALFORMED_TEXT = /^AWS KMS cannot interpret the response from the external key store proxy\./;

describe('errors of the proxy', () => {
  it.each(PROXY_ERRORS)('%s %sException', async (status, name, createKeyError, configurationError, code) => {
    const engine = await open();
    const id = await createConnected(engine);
    const KeyId = await createKey(engine, id);
    const { CiphertextBlob } = await encrypt(engine, KeyId);
    const refusal = json(Number(status), {
      errorName: `${name}Exception`,
      errorMessage: 'for the log of the operator alone',
    });
    for (const call of ['/health', '/metadata', '/encrypt', '/decrypt']) {
      proxy.answer(call, refusal);
    }
    const elsewhere = { XksProxyUriPath: '/x/kms/xks/v1' };
    const data = { KeyId, KeySpec: 'AES_256' } as const;
    const calls: readonly (readonly [call: () => Promise<unknown>, error: string])[] = [
      [() => createKey(engine, id), createKeyError],
      [() => create(engine, { ...store, ...elsewhere, CustomKeyStoreName: 'x' }), configurationError],
      [() => engine.call('UpdateCustomKeyStore', { CustomKeyStoreId: id, ...elsewhere }, context), configurationError],
      [() => encrypt(engine, KeyId), 'KMSInvalidState'],
      [() => engine.call('Decrypt', { CiphertextBlob }, context), 'KMSInvalidState'],
      [() => engine.call('GenerateDataKey', data, context), 'KMSInvalidState'],
      [() => engine.call('GenerateDataKeyWithoutPlaintext', data, context), 'KMSInvalidState'],
      [() => engine.call('ReEncrypt', { CiphertextBlob, DestinationKeyId: KeyId }, context), 'KMSInvalidState'],
    ];
    const texts = new Set<string>();
    for (const [call, error] of calls) {
      const outcome = await call().catch((thrown: unknown) => thrown as Error);
      expect((outcome as Error).name).toBe(`${error}Exception`);
      texts.add((outcome as Error).message);
    }
    // One text for one cause, whatever the exception; and nothing in it that the proxy wrote.
    expect(texts.size).toBe(1);
    expect([...texts][0]).not.toContain('operator');
    expect(logged).toContain('for the log of the operator alone');
    await engine.call('DisconnectCustomKeyStore', { CustomKeyStoreId: id }, context);
    await eventually(async () => {
      const { CustomKeyStores } = await engine.call('DescribeCustomKeyStores', { CustomKeyStoreId: id }, context);
      return CustomKeyStores[0]?.ConnectionState === 'DISCONNECTED' ? true : undefined;
    });
    expect(await connect(engine, id)).toBe(`FAILED ${code}`);
  });

  it('InvalidCiphertextException is KMSInvalidStateException, and says what it may be', async () => {
    const engine = await open();
    const { CiphertextBlob } = await encrypt(engine, await createKey(engine, await createConnected(engine)));
    proxy.answer('/decrypt', json(400, { errorName: 'InvalidCiphertextException' }));
    const text = /ciphertext or encryption context is corrupted, missing, or otherwise invalid/;
    await expectError(engine.call('Decrypt', { CiphertextBlob }, context), 'KMSInvalidStateException', text);
  });

  it.each(MALFORMED)('%s is no response that KMS could interpret', async (_what, answer) => {
    const engine = await open();
    const id = await createConnected(engine);
    const KeyId = await createKey(engine, id);
    const { CiphertextBlob } = await encrypt(engine, KeyId);
    for (const call of ['/health', '/metadata', '/encrypt', '/decrypt']) {
      proxy.answer(call, answer);
    }
    const update = { CustomKeyStoreId: id, XksProxyUriPath: '/x/kms/xks/v1' };
    const updated = engine.call('UpdateCustomKeyStore', update, context);
    await expectError(updated, 'XksProxyInvalidResponseException', MALFORMED_TEXT);
    await expectError(createKey(engine, id), 'CustomKeyStoreInvalidStateException', MALFORMED_TEXT);
    await expectError(encrypt(engine, KeyId), 'KMSInvalidStateException', MALFORMED_TEXT);
    const decrypted = engine.call('Decrypt', { CiphertextBlob }, context);
    await expectError(decrypted, 'KMSInvalidStateException', MALFORMED_TEXT);
  });
});

describe('answers that break the specification', () => {
  const longer = (name: string) => (answer: Record<string, string>) => ({
    ...answer,
    [name]: Buffer.concat([Buffer.from(answer[name] ?? '', 'base64'), Buffer.of(0)]).toString('base64'),
  });
  const without = (name: string) => (answer: Record<string, string>) => ({ ...answer, [name]: undefined });
  it.each([
    ['a wrong integrity value', (a) => ({ ...a, ciphertextDataIntegrityValue: Buffer.alloc(32).toString('base64') })],
    ['no integrity value', without('ciphertextDataIntegrityValue')],
    ['a ciphertext longer than the plaintext', longer('ciphertext')],
    ['no ciphertext', without('ciphertext')],
    ['a vector of 17 bytes', longer('initializationVector')],
    ['a tag of 17 bytes', longer('authenticationTag')],
    ['no tag', without('authenticationTag')],
    ['metadata of 21 bytes', (a) => ({ ...a, ciphertextMetadata: Buffer.alloc(21).toString('base64') })],
    ['metadata that the integrity value does not cover', longer('ciphertextMetadata')],
    ['a ciphertext that is no base64', (a) => ({ ...a, ciphertext: `${a['ciphertext'] ?? ''}!` })],
    ['a number as ciphertext', (a) => ({ ...a, ciphertext: 7 })],
  ] as readonly (readonly [string, (answer: Record<string, string>) => object])[])(
    'an encryption with %s fails',
    async (_what, change) => {
      const engine = await open();
      const KeyId = await createKey(engine, await createConnected(engine));
      proxy.answer('/encrypt', fakeEncrypt(change));
      await expectError(encrypt(engine, KeyId), 'KMSInvalidStateException', MALFORMED_TEXT);
    },
  );

  it('a plaintext of another length fails, and one that our material does not open as well', async () => {
    const engine = await open();
    const { CiphertextBlob } = await encrypt(engine, await createKey(engine, await createConnected(engine)));
    const decrypt = (): Promise<unknown> => engine.call('Decrypt', { CiphertextBlob }, context);
    proxy.answer(
      '/decrypt',
      fakeDecrypt((plaintext) => plaintext.subarray(1)),
    );
    await expectError(decrypt(), 'KMSInvalidStateException', MALFORMED_TEXT);
    proxy.answer(
      '/decrypt',
      fakeDecrypt((plaintext) => Buffer.alloc(plaintext.length)),
    );
    await expectError(
      decrypt(),
      'KMSInvalidStateException',
      /^The ciphertext that the external key store proxy submit/,
    );
  });

  it.each([
    ['of another spec', { keySpec: 'RSA_2048' }, 'XksKeyInvalidConfigurationException'],
    ['that does not decrypt', { keyUsage: ['ENCRYPT', 'SIGN'] }, 'XksKeyInvalidConfigurationException'],
    ['that is disabled', { keyStatus: 'DISABLED' }, 'XksKeyInvalidConfigurationException'],
    ['without spec', { keySpec: undefined }, 'CustomKeyStoreInvalidStateException'],
    ['of an unknown status', { keyStatus: 'ASLEEP' }, 'CustomKeyStoreInvalidStateException'],
    [
      'of eleven uses',
      { keyUsage: Array.from({ length: 11 }, () => 'ENCRYPT') },
      'CustomKeyStoreInvalidStateException',
    ],
  ])('no KMS key is made with an external key %s', async (_what, change, error) => {
    const engine = await open();
    const id = await createConnected(engine);
    proxy.answer('/metadata', json(200, { ...USABLE, ...change }));
    await expectError(createKey(engine, id), error);
    expect((await engine.call('ListKeys', {}, context)).Keys).toEqual([]);
  });

  it.each([
    ['without proxies', { xksProxyFleetSize: 0 }, 'XKS_PROXY_INVALID_RESPONSE'],
    ['without vendor', { ekmVendor: undefined }, 'XKS_PROXY_INVALID_RESPONSE'],
    ['without key managers', { ekmFleetDetails: [] }, 'XKS_PROXY_INVALID_RESPONSE'],
    [
      'of eleven key managers',
      { ekmFleetDetails: Array.from({ length: 11 }, () => HEALTHY.ekmFleetDetails[0]) },
      'XKS_PROXY_INVALID_RESPONSE',
    ],
    [
      'whose key managers are all unavailable',
      { ekmFleetDetails: [{ id: '1', model: 'x', healthStatus: 'UNAVAILABLE' }] },
      'XKS_PROXY_NOT_REACHABLE',
    ],
  ])('a store does not connect to a proxy %s', async (_what, change, code) => {
    const engine = await open();
    const id = await create(engine);
    proxy.answer('/health', json(200, { ...HEALTHY, ...change }));
    expect(await connect(engine, id)).toBe(`FAILED ${code}`);
  });

  it('a store connects while one key manager of several works', async () => {
    const engine = await open();
    const [manager] = HEALTHY.ekmFleetDetails;
    const details = [
      { ...manager, healthStatus: 'UNAVAILABLE' },
      { ...manager, healthStatus: 'DEGRADED' },
    ];
    proxy.answer('/health', json(200, { ...HEALTHY, ekmFleetDetails: details }));
    await createConnected(engine);
  });
});

describe('networks', () => {
  /** A port that takes connections and does with them what a test says. */
  async function listenTcp(onConnection: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
    const server = createServer(onConnection);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return { server, port: (server.address() as AddressInfo).port };
  }

  /** What a store with a VPC endpoint service, which nobody looks at before, says after the attempt to connect. */
  async function outcomeWith(settings: XksNetworkSettings): Promise<string> {
    const engine = await open(settings);
    return connect(engine, await create(engine, vpcXksStore({ XksProxyUriEndpoint: PROXY_ENDPOINT })));
  }

  async function probeFailure(settings: XksNetworkSettings, text: RegExp): Promise<void> {
    await expectError(create(await open(settings)), 'XksProxyUriUnreachableException', text);
  }

  it('nobody listens', async () => {
    const { server, port } = await listenTcp(() => undefined);
    await new Promise((resolve) => server.close(resolve));
    const settings = networkTo(port, authority);
    await probeFailure(settings, /^AWS KMS cannot communicate with the external key store proxy\./);
    expect(await outcomeWith(settings)).toBe('FAILED XKS_PROXY_NOT_REACHABLE');
  });

  it('a name that nobody knows', async () => {
    const settings: XksNetworkSettings = { authorities: authority.pem, timeoutMs: PATIENT_MS };
    const engine = await open(settings);
    const unknown = xksStore({ XksProxyUriEndpoint: 'https://proxy.invalid' });
    await expectError(create(engine, unknown), 'XksProxyUriUnreachableException');
  });

  it('a proxy that accepts and says nothing, or is silent in the midst of the call, is given up in time', async () => {
    proxy.answer('/health', silent);
    await probeFailure(networkTo(proxy.port, authority, 1_000), /did not respond in time/);
    proxy.answer('/health', (_request, response) => {
      response.writeHead(200);
      response.write('{');
    });
    await probeFailure(networkTo(proxy.port, authority, 1_000), /did not respond in time/);
    const { server, port } = await listenTcp((socket) => socket.resume());
    expect(await outcomeWith(networkTo(port, authority, 1_000))).toBe('FAILED XKS_PROXY_TIMED_OUT');
    server.close();
  });

  it.each([
    ['for another name', async () => startFakeProxy(await authority.issue('other.example.com'))],
    ['of an unknown authority', async () => startFakeProxy(await (await Authority.create('Other')).issue(PROXY_HOST))],
    [
      'that speaks TLS 1.1',
      () => startFakeProxy(identity, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }),
    ],
    ['that speaks only weak ciphers', () => startFakeProxy(identity, { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' })],
    ['that speaks AES-128 only', () => startFakeProxy(identity, { ciphers: 'TLS_AES_128_GCM_SHA256' })],
    ['that wants a certificate', () => startFakeProxy(identity, { requestCert: true, ca: authority.pem })],
  ])('a proxy %s is not trusted, or does not trust', async (_what, start) => {
    const untrusted = await start();
    try {
      const settings = networkTo(untrusted.port, authority);
      await probeFailure(settings, /^AWS KMS cannot establish a TLS connection/);
      expect(await outcomeWith(settings)).toBe('FAILED XKS_PROXY_INVALID_TLS_CONFIGURATION');
    } finally {
      await untrusted.close();
    }
  });

  it('a port that does not speak TLS at all', async () => {
    const { server, port } = await listenTcp((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await outcomeWith(networkTo(port, authority))).toBe('FAILED XKS_PROXY_INVALID_TLS_CONFIGURATION');
    server.close();
  });

  it('a proxy that wants a certificate gets the one of the settings', async () => {
    const clients = await Authority.create('Clients');
    const guarded = await startFakeProxy(identity, { requestCert: true, ca: clients.pem });
    try {
      const clientCertificate = await clients.issue('cks.kms.eu-central-1.amazonaws.com');
      expect(await outcomeWith({ ...networkTo(guarded.port, authority), clientCertificate })).toBe('CONNECTED');
    } finally {
      await guarded.close();
    }
  });

  it('a connection that the proxy closed while it was idle is made anew', async () => {
    const engine = await open();
    const KeyId = await createKey(engine, await createConnected(engine));
    let isFirst = true;
    proxy.answer('/encrypt', (request, response, body) => {
      if (isFirst) {
        isFirst = false;
        request.socket.destroy();
      } else {
        fakeEncrypt()(request, response, body);
      }
    });
    await encrypt(engine, KeyId);
    expect(isFirst).toBe(false);
  });

  it('more calls than a store may have under way are throttled, and the others are served', async () => {
    const engine = await open();
    const KeyId = await createKey(engine, await createConnected(engine));
    const waiting: (() => void)[] = [];
    proxy.answer('/encrypt', (request, response, body) => {
      waiting.push(() => {
        fakeEncrypt()(request, response, body);
      });
    });
    const outcomes = Promise.allSettled(Array.from({ length: 300 }, () => encrypt(engine, KeyId)));
    let isDone = false;
    void outcomes.then(() => (isDone = true));
    await eventually(() => {
      waiting.splice(0).forEach((answer) => {
        answer();
      });
      return Promise.resolve(isDone ? true : undefined);
    });
    const refused = (await outcomes).filter((outcome) => outcome.status === 'rejected');
    expect(new Set(refused.map(({ reason }) => (reason as Error).name))).toEqual(new Set(['ThrottlingException']));
    expect(refused).toHaveLength(300 - 256);
    proxy.answer('/encrypt', fakeEncrypt());
    await encrypt(engine, KeyId);
  });
});

describe('what a proxy is told', () => {
  interface Seen {
    readonly url: string;
    readonly authorization: string;
    readonly body: Record<string, unknown> & { readonly requestMetadata: Record<string, string> };
  }
  let seen: Seen[];

  beforeEach(() => {
    seen = [];
    const record = (path: string, answer: FakeAnswer): void => {
      proxy.answer(path, (request, response, body) => {
        const authorization = request.headers.authorization ?? '';
        seen.push({ url: request.url ?? '', authorization, body: JSON.parse(body) as Seen['body'] });
        answer(request, response, body);
      });
    };
    record('/health', json(200, HEALTHY));
    record('/metadata', json(200, USABLE));
    record('/encrypt', fakeEncrypt());
    record('/decrypt', fakeDecrypt());
  });

  const metadataOf = (index: number): Record<string, string> => seen.at(index)?.body.requestMetadata ?? {};

  it('of stores: the operation', async () => {
    const engine = await open();
    const id = await create(engine, { ...store, XksProxyUriPath: '/some/path/kms/xks/v1' });
    expect(seen.at(-1)?.url).toBe('/some/path/kms/xks/v1/health');
    expect(seen.at(-1)?.authorization).toMatch(
      new RegExp(
        `^AWS4-HMAC-SHA256 Credential=${CREDENTIAL.AccessKeyId}/\\d{8}/${REGION}/kms-xks-proxy/aws4_request, `,
      ),
    );
    expect(metadataOf(-1)).toEqual({
      kmsOperation: 'CreateCustomKeyStore',
      kmsRequestId: expect.any(String) as string,
    });
    await connect(engine, id);
    expect(metadataOf(-1)).toMatchObject({ kmsOperation: 'ConnectCustomKeyStore' });
    const update = { CustomKeyStoreId: id, XksProxyUriPath: '/other/kms/xks/v1' };
    await engine.call('UpdateCustomKeyStore', update, { ...context, requestId: 'the update' });
    expect(metadataOf(-1)).toEqual({ kmsOperation: 'UpdateCustomKeyStore', kmsRequestId: 'the update' });
    const count = seen.length;
    await engine.call('UpdateCustomKeyStore', { CustomKeyStoreId: id, NewCustomKeyStoreName: 'renamed' }, context);
    expect(seen).toHaveLength(count);
  });

  it('nothing, of a store behind a VPC endpoint service that is only made', async () => {
    const engine = await open();
    await create(engine, vpcXksStore({ XksProxyUriEndpoint: PROXY_ENDPOINT }));
    expect(seen).toEqual([]);
  });

  it('of keys: who asked, for what, with which key, and by which way', async () => {
    const engine = await open();
    const id = await createConnected(engine);
    const vpcEndpoint = {
      id: 'vpce-0123456789abcdef0',
      vpcId: 'vpc-0123456789abcdef0',
      policy: loadPolicy(ALLOW_ALL, 'vpcEndpoint'),
    };
    const session: Caller = {
      accountId: ACCOUNT,
      arn: `arn:aws:sts::${ACCOUNT}:assumed-role/App/session`,
      principalId: 'AROAEXAMPLEEXAMPLE:session',
    };
    const by: CallContext = { ...context, requestId: 'request', origin: { vpcEndpoint, viaService: 's3' } };
    const KeyId = await createKey(engine, id);
    expect(metadataOf(-1)).toEqual({
      awsPrincipalArn: rootOf(ACCOUNT).arn,
      kmsOperation: 'CreateKey',
      kmsRequestId: expect.any(String) as string,
    });
    const kmsKeyArn = `arn:aws:kms:${REGION}:${ACCOUNT}:key/${KeyId}`;
    await encrypt(engine, KeyId, by);
    expect(metadataOf(-1)).toEqual({
      awsPrincipalArn: rootOf(ACCOUNT).arn,
      kmsOperation: 'Encrypt',
      kmsRequestId: 'request',
      kmsKeyArn,
      awsSourceVpc: vpcEndpoint.vpcId,
      awsSourceVpce: vpcEndpoint.id,
      kmsViaService: `s3.${REGION}.amazonaws.com`,
    });
    const Policy = JSON.stringify({
      Statement: [{ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }],
    });
    await engine.call('PutKeyPolicy', { KeyId, Policy, BypassPolicyLockoutSafetyCheck: true }, context);
    await engine.call('GenerateDataKey', { KeyId, KeySpec: 'AES_256' }, { ...context, caller: session });
    expect(metadataOf(-1)).toMatchObject({
      awsPrincipalArn: `arn:aws:iam::${ACCOUNT}:role/App`,
      kmsOperation: 'GenerateDataKey',
    });
    const stranger = await engine.identities.ensureAdministrator(OTHER_ACCOUNT);
    const caller = { accountId: OTHER_ACCOUNT, arn: stranger.arn, principalId: stranger.uniqueId };
    await encrypt(engine, kmsKeyArn, { ...context, caller, origin: { vpcEndpoint } });
    expect(metadataOf(-1)).toMatchObject({ awsPrincipalArn: stranger.arn, kmsKeyArn });
    expect(metadataOf(-1)).not.toHaveProperty('awsSourceVpce');
  });

  it('no plaintext: only what the material of the KMS key encrypted, with a digest of the context', async () => {
    const engine = await open();
    const KeyId = await createKey(engine, await createConnected(engine));
    const Plaintext = Buffer.alloc(4096, 'plaintext');
    const EncryptionContext = { tenant: 'x'.repeat(8000) };
    const { CiphertextBlob } = await engine.call('Encrypt', { KeyId, Plaintext, EncryptionContext }, context);
    const { plaintext, additionalAuthenticatedData } = (seen.at(-1)?.body ?? {}) as unknown as Record<string, string>;
    const sent = Buffer.from(plaintext ?? '', 'base64');
    expect(sent.length).toBeLessThanOrEqual(4300);
    expect(sent.includes('plaintext')).toBe(false);
    expect(Buffer.from(additionalAuthenticatedData ?? '', 'base64')).toHaveLength(32);
    expect(CiphertextBlob.length).toBeLessThanOrEqual(6144);
    const opened = await engine.call('Decrypt', { CiphertextBlob, EncryptionContext }, context);
    expect(Buffer.from(opened.Plaintext ?? []).equals(Plaintext)).toBe(true);
    expect(seen.at(-1)?.body).toMatchObject({ ciphertextMetadata: Buffer.from('version 1').toString('base64') });
  });
});

const ALLOW_ALL = JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }] });
