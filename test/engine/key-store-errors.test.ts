/** Whatever fails behind a custom key store, operations answer with errors that the API has for them. */
import { createCipheriv, createDecipheriv, randomBytes, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SILENT_LOG } from '../../src/base/log.ts';
import { Engine } from '../../src/engine/engine.ts';
import { ConfiguredClusters } from '../../src/hsm/cloudhsm-backend.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { REASON_CODES, type Pkcs11Reason } from '../../src/pkcs11/codes.ts';
import { Pkcs11Error, type Pkcs11Token } from '../../src/pkcs11/token.ts';
import { OPERATIONS, type OperationName } from '../../src/service/registry.ts';
import { XKS_ERROR_STATUS } from '../../src/xks/proxy-api.ts';
import { XksBackend } from '../../src/xks/xks-backend.ts';
import { expectError } from '../support/expect-error.ts';
import { cloudHsmStore, TRUST_ANCHOR, xksStore } from '../support/key-store-requests.ts';
import { eventually } from '../support/memory-backend.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import {
  Authority,
  json,
  networkTo,
  PATIENT_MS,
  PROXY_ENDPOINT,
  PROXY_HOST,
  proxySettings,
  softwareKey,
  startFakeProxy,
  startProxy,
} from '../support/xks.ts';

const context = { caller: rootOf('111122223333'), region: 'eu-central-1' };
/** What every operation may answer besides the errors of its own. @source KMS API Reference, Common Errors */
const COMMON = ['ThrottlingException', 'ValidationException', 'AccessDeniedException'];

let folder: ReturnType<typeof temporaryFolder>;
let engine: Engine;

/** The names of the errors that the calls answer; a call that succeeds has none. */
async function outcomes(calls: readonly (readonly [OperationName, object])[]): Promise<Map<OperationName, string[]>> {
  const names = new Map<OperationName, string[]>();
  for (const [name, input] of calls) {
    const error = await engine.call(name, input as never, context).then(
      () => undefined,
      (thrown: unknown) => (thrown as Error).name,
    );
    names.set(name, [...(names.get(name) ?? []), ...(error === undefined ? [] : [error])]);
  }
  return names;
}

function expectListed(found: ReadonlyMap<OperationName, readonly string[]>, besides: readonly string[] = []): void {
  for (const [operation, names] of found) {
    const listed: readonly string[] = [...OPERATIONS[operation].errors, ...COMMON, ...besides];
    expect(
      names.filter((name) => !listed.includes(name)),
      operation,
    ).toEqual([]);
  }
}

async function connect(input: object): Promise<string> {
  const { CustomKeyStoreId } = await engine.call('CreateCustomKeyStore', input as never, context);
  await engine.call('ConnectCustomKeyStore', { CustomKeyStoreId }, context);
  await eventually(async () => {
    const { CustomKeyStores } = await engine.call('DescribeCustomKeyStores', { CustomKeyStoreId }, context);
    return CustomKeyStores[0]?.ConnectionState === 'CONNECTED' ? true : undefined;
  });
  return CustomKeyStoreId;
}

/** Everything that can be asked of a key in a store. */
async function usesOf(KeyId: string): Promise<readonly (readonly [OperationName, object])[]> {
  const { KeyMetadata } = await engine.call('CreateKey', {}, context);
  const Plaintext = Buffer.from('secret');
  const inside = (await engine.call('Encrypt', { KeyId, Plaintext }, context)).CiphertextBlob;
  const outside = (await engine.call('Encrypt', { KeyId: KeyMetadata.KeyId, Plaintext }, context)).CiphertextBlob;
  return [
    ['Encrypt', { KeyId, Plaintext }],
    ['Decrypt', { CiphertextBlob: inside }],
    ['ReEncrypt', { CiphertextBlob: inside, DestinationKeyId: KeyMetadata.KeyId }],
    ['ReEncrypt', { CiphertextBlob: outside, DestinationKeyId: KeyId }],
    ['GenerateDataKey', { KeyId, KeySpec: 'AES_256' }],
    ['GenerateDataKeyWithoutPlaintext', { KeyId, KeySpec: 'AES_256' }],
    ['GenerateDataKeyPair', { KeyId, KeyPairSpec: 'ECC_NIST_P256' }],
    ['GenerateDataKeyPairWithoutPlaintext', { KeyId, KeyPairSpec: 'ECC_NIST_P256' }],
    ['DescribeKey', { KeyId }],
    ['EnableKeyRotation', { KeyId }],
    ['RotateKeyOnDemand', { KeyId }],
    ['GetKeyRotationStatus', { KeyId }],
    ['GetPublicKey', { KeyId }],
    ['Sign', { KeyId, Message: Plaintext, SigningAlgorithm: 'ECDSA_SHA_256' }],
    ['GenerateMac', { KeyId, Message: Plaintext, MacAlgorithm: 'HMAC_SHA_256' }],
    ['ReplicateKey', { KeyId, ReplicaRegion: 'eu-west-1' }],
    ['GetParametersForImport', { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' }],
  ];
}

/** An HSM in memory, with no more than the backend of clusters asks for. */
class MemoryToken {
  /** What every call fails with. */
  failure: Pkcs11Reason | undefined;
  readonly #keys = new Map<string, Buffer>();

  open(): Promise<Pkcs11Token> {
    const work = <T>(run: () => T): Promise<T> =>
      this.failure === undefined
        ? Promise.resolve(run())
        : Promise.reject(new Pkcs11Error(this.failure, 0, 'the test said so'));
    const nameOf = (id: Uint8Array): string => Buffer.from(id).toString('hex');
    const keyOf = (id: Uint8Array): Buffer => this.#keys.get(nameOf(id)) ?? Buffer.alloc(32);
    const token: Partial<Record<keyof Pkcs11Token, unknown>> = {
      info: { label: 'memory' },
      state: () => ({ circuit: 'closed', active: 0, queued: 0, sessions: 1, logins: 1 }),
      generateRandom: (length: number) => work(() => randomBytes(length)),
      generateSecretKey: ({ id }: { readonly id: Uint8Array }) =>
        work(() => void this.#keys.set(nameOf(id), randomBytes(32))),
      destroyKey: (id: Uint8Array) => work(() => void this.#keys.delete(nameOf(id))),
      encryptGcm: (id: Uint8Array, plaintext: Uint8Array, aad: Uint8Array) =>
        work(() => {
          const iv = randomBytes(12);
          const cipher = createCipheriv('aes-256-gcm', keyOf(id), iv).setAAD(aad);
          return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
        }),
      decryptGcm: (id: Uint8Array, sealed: Uint8Array, aad: Uint8Array) =>
        work(() => {
          const decipher = createDecipheriv('aes-256-gcm', keyOf(id), sealed.subarray(0, 12)).setAAD(aad);
          decipher.setAuthTag(sealed.subarray(-16));
          return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
        }),
      close: () => Promise.resolve(),
    };
    return work(() => token as unknown as Pkcs11Token);
  }
}

const CLUSTER = { clusterId: 'cluster-aaaaaaaaaaa', profile: 'generic', copies: 1 } as const;
const MEMBER = {
  name: 'memory',
  modulePath: 'memory',
  token: { slotId: 0 },
  pinFile: undefined,
  initArgs: undefined,
  sessions: undefined,
  process: undefined,
  environment: undefined,
};

describe('an HSM that fails', () => {
  let hsm: MemoryToken;
  let store: string;
  let calls: readonly (readonly [OperationName, object])[];

  const open = async (): Promise<void> => {
    engine = await Engine.open({
      dataDirectory: folder.path,
      regions: ['eu-central-1', 'eu-west-1'],
      log: SILENT_LOG,
      keyStoreBackends: (services) => ({
        AWS_CLOUDHSM: new ConfiguredClusters(
          [{ ...CLUSTER, queueLength: undefined, timeoutMs: undefined, trustAnchor: undefined, members: [MEMBER] }],
          services,
          () => hsm.open(),
        ),
      }),
    });
  };

  beforeAll(async () => {
    folder = temporaryFolder();
    hsm = new MemoryToken();
    await open();
    store = await connect(
      cloudHsmStore({ CloudHsmClusterId: CLUSTER.clusterId, TrustAnchorCertificate: TRUST_ANCHOR }),
    );
    const create = { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: store } as const;
    const { KeyMetadata } = await engine.call('CreateKey', create, context);
    calls = [
      ...(await usesOf(KeyMetadata.KeyId)),
      ['CreateKey', create],
      ['GenerateRandom', { CustomKeyStoreId: store, NumberOfBytes: 8 }],
    ];
  });
  afterAll(async () => {
    await engine.close();
    folder.remove();
  });

  const reasons = Object.keys(REASON_CODES) as Pkcs11Reason[];

  it.each(reasons)('%s is an error of the operation', async (reason) => {
    hsm.failure = reason;
    const found = await outcomes(calls).finally(() => {
      hsm.failure = undefined;
    });
    expectListed(found);
    for (const name of ['Encrypt', 'Decrypt', 'GenerateDataKey', 'CreateKey', 'GenerateRandom'] as const) {
      expect(found.get(name), name).toHaveLength(reason === 'keyExists' && name === 'CreateKey' ? 0 : 1);
    }
    expect(found.get('ReEncrypt')).toHaveLength(2);
  });

  it.each(reasons)('%s while a session is opened is an error of the operation', async (reason) => {
    await engine.close();
    await open();
    hsm.failure = reason;
    const found = await outcomes(calls).finally(() => {
      hsm.failure = undefined;
    });
    expectListed(found);
    expect(found.get('CreateKey')).toHaveLength(1);
    expect(found.get('Decrypt')).toHaveLength(1);
  });
});

describe('a trust anchor that is not that of the cluster', () => {
  const OTHER = 'cluster-bbbbbbbbbbb';
  let foreign: string;

  beforeAll(async () => {
    folder = temporaryFolder();
    foreign = (await Authority.create()).pem;
    const anchors = [
      [CLUSTER.clusterId, TRUST_ANCHOR],
      [OTHER, foreign],
    ] as const;
    const rest = { ...CLUSTER, queueLength: undefined, timeoutMs: undefined, members: [MEMBER] };
    const configurations = anchors.map(([clusterId, pem]) => ({
      ...rest,
      clusterId,
      trustAnchor: new X509Certificate(pem),
    }));
    engine = await Engine.open({
      dataDirectory: folder.path,
      keyStoreBackends: (services) => ({ AWS_CLOUDHSM: new ConfiguredClusters(configurations, services) }),
    });
  });
  afterAll(async () => {
    await engine.close();
    folder.remove();
  });

  it('makes no store, and gives none another cluster', async () => {
    const wrong = cloudHsmStore({ CloudHsmClusterId: CLUSTER.clusterId, TrustAnchorCertificate: foreign });
    const created = engine.call('CreateCustomKeyStore', wrong as never, context);
    await expectError(created, 'IncorrectTrustAnchorException');
    const right = cloudHsmStore({ CloudHsmClusterId: CLUSTER.clusterId, TrustAnchorCertificate: TRUST_ANCHOR });
    const { CustomKeyStoreId } = await engine.call('CreateCustomKeyStore', right as never, context);
    const update = { CustomKeyStoreId, CloudHsmClusterId: OTHER };
    await expectError(engine.call('UpdateCustomKeyStore', update, context), 'CloudHsmClusterNotRelatedException');
  });
});

describe('a proxy that fails', () => {
  const failures = [
    ...Object.entries(XKS_ERROR_STATUS).map(([errorName, status]) => [errorName, json(status, { errorName })] as const),
    ['no JSON', json(200, 'no JSON')] as const,
    ['another shape', json(200, {})] as const,
  ];

  it.each(failures)(
    '%s is an error of the operation',
    async (name, failure) => {
      folder = temporaryFolder();
      const authority = await Authority.create();
      const identity = await authority.issue(PROXY_HOST);
      const keys = new Map(['one', 'two'].map((id) => [id, softwareKey()]));
      const healthy = await startProxy(proxySettings(identity, { keys }));
      const fake = await startFakeProxy(identity);
      for (const path of ['/metadata', '/encrypt', '/decrypt']) fake.answer(path, failure);
      const network = networkTo(healthy.port, authority);
      const addresses = network.addresses as Map<string, { readonly host: string; readonly port: number }>;
      engine = await Engine.open({
        dataDirectory: folder.path,
        regions: ['eu-central-1', 'eu-west-1'],
        keyStoreBackends: (services) => ({ EXTERNAL_KEY_STORE: new XksBackend(services, network) }),
      });
      try {
        const CustomKeyStoreId = await connect(xksStore({ XksProxyUriEndpoint: PROXY_ENDPOINT }));
        const create = { Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId } as const;
        const { KeyMetadata } = await engine.call('CreateKey', { ...create, XksKeyId: 'one' }, context);
        const calls = [...(await usesOf(KeyMetadata.KeyId)), ['CreateKey', { ...create, XksKeyId: 'two' }] as const];
        addresses.set(PROXY_HOST, { host: '127.0.0.1', port: fake.port });
        await healthy.close();
        const found = await outcomes(calls);
        // The specification of the proxy API wants this one of CreateKey.
        expectListed(found, name === 'AccessDeniedException' ? ['KMSInvalidStateException'] : []);
        for (const operation of ['Encrypt', 'Decrypt', 'CreateKey'] as const) {
          expect(found.get(operation), operation).toHaveLength(1);
        }
      } finally {
        await engine.close();
        await fake.close();
        folder.remove();
      }
    },
    PATIENT_MS * 2,
  );
});
