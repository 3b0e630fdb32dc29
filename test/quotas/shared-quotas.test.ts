/** Quotas besides those of an account's KMS requests: of custom key stores, and of STS. */
import { afterEach, expect, it } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { cloudHsmStore, xksStore } from '../support/key-store-requests.ts';
import { eventually, MemoryBackend } from '../support/memory-backend.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const OWNER = { caller: rootOf('111122223333'), region: 'eu-central-1' };
const STRANGER = { ...OWNER, caller: rootOf('444455556666') };
const ALLOWED = '111122223333';
const data = { Plaintext: Buffer.from('x') };

let folder: ReturnType<typeof temporaryFolder>;
let engine: Engine;

/** The quota has `requests` to begin with, and gains one a day. */
async function open(quota: string, requests: number): Promise<void> {
  folder = temporaryFolder();
  engine = await Engine.open({
    dataDirectory: folder.path,
    regions: [OWNER.region],
    requestQuotas: { rates: new Map([[quota, 1 / 86_400]]), burstSeconds: 1, minBurst: requests },
    keyStoreBackends: ({ stores }) => {
      const backend = new MemoryBackend(stores);
      return { AWS_CLOUDHSM: backend, EXTERNAL_KEY_STORE: backend };
    },
  });
}

afterEach(async () => {
  await engine.close();
  folder.remove();
});

/** A key in a store of its own, which nobody of other accounts may use unless `isShared`. */
async function keyInStore(type: 'AWS_CLOUDHSM' | 'EXTERNAL_KEY_STORE', isShared = false) {
  const wanted = type === 'AWS_CLOUDHSM' ? cloudHsmStore() : xksStore();
  const { CustomKeyStoreId: id } = await engine.call('CreateCustomKeyStore', wanted as never, OWNER);
  await engine.call('ConnectCustomKeyStore', { CustomKeyStoreId: id }, OWNER);
  await eventually(async () => {
    const { CustomKeyStores } = await engine.call('DescribeCustomKeyStores', { CustomKeyStoreId: id }, OWNER);
    return CustomKeyStores[0]?.ConnectionState === 'CONNECTED' ? true : undefined;
  });
  const AWS = isShared ? '*' : ALLOWED;
  const Policy = JSON.stringify({
    Statement: { Effect: 'Allow', Principal: { AWS }, Action: 'kms:*', Resource: '*' },
  });
  const made = await engine.call(
    'CreateKey',
    { Policy, CustomKeyStoreId: id, Origin: type, ...(type === 'AWS_CLOUDHSM' ? {} : { XksKeyId: `key-${id}` }) },
    OWNER,
  );
  return { id, KeyId: made.KeyMetadata.Arn };
}

const outcome = async (request: Promise<unknown>): Promise<string> =>
  request.then(
    () => 'ok',
    (error: unknown) => (error as Error).name,
  );

it.each(['AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'] as const)(
  'the keys of a store of type %s share its quota, and no other store does',
  async (type) => {
    await open(`CustomKeyStore.${type}`, 3);
    const { KeyId } = await keyInStore(type);
    const other = await keyInStore(type);
    const encrypt = (id: string): Promise<string> => outcome(engine.call('Encrypt', { KeyId: id, ...data }, OWNER));
    for (const expected of ['ok', 'ok', 'ok', 'ThrottlingException']) {
      expect(await encrypt(KeyId)).toBe(expected);
    }
    expect(await outcome(engine.call('DescribeKey', { KeyId }, OWNER))).toBe('ok');
    expect(await encrypt(other.KeyId)).toBe('ok');
    const elsewhere = await engine.call('CreateKey', {}, OWNER);
    expect(await encrypt(elsewhere.KeyMetadata.Arn)).toBe('ok');
  },
);

it('random bytes of a cluster, and both keys of a ReEncrypt, count', async () => {
  await open('CustomKeyStore.AWS_CLOUDHSM', 4);
  const { id, KeyId } = await keyInStore('AWS_CLOUDHSM');
  const { CiphertextBlob } = await engine.call('Encrypt', { KeyId, ...data }, OWNER);
  await engine.call('ReEncrypt', { CiphertextBlob, DestinationKeyId: KeyId }, OWNER);
  const random = (): Promise<string> =>
    outcome(engine.call('GenerateRandom', { CustomKeyStoreId: id, NumberOfBytes: 8 }, OWNER));
  expect(await random()).toBe('ok');
  expect(await random()).toBe('ThrottlingException');
});

it('requests that may not be done use nothing of what is for all accounts', async () => {
  await open('CustomKeyStore.AWS_CLOUDHSM', 1);
  const { id, KeyId } = await keyInStore('AWS_CLOUDHSM');
  for (let count = 0; count < 3; count++) {
    expect(await outcome(engine.call('Encrypt', { KeyId, ...data }, STRANGER))).toBe('AccessDeniedException');
    const random = { CustomKeyStoreId: id, NumberOfBytes: 8 };
    expect(await outcome(engine.call('GenerateRandom', random, STRANGER))).toBe('CustomKeyStoreNotFoundException');
  }
  expect(await outcome(engine.call('Encrypt', { KeyId, ...data }, OWNER))).toBe('ok');
});

it('whoever may use the keys of a store draws from its quota', async () => {
  await open('CustomKeyStore.AWS_CLOUDHSM', 2);
  const { KeyId } = await keyInStore('AWS_CLOUDHSM', true);
  for (const [context, expected] of [
    [STRANGER, 'ok'],
    [OWNER, 'ok'],
    [STRANGER, 'ThrottlingException'],
    [OWNER, 'ThrottlingException'],
  ] as const) {
    expect(await outcome(engine.call('Encrypt', { KeyId, ...data }, context))).toBe(expected);
  }
});

it('the actions of STS share one quota in each account and Region', async () => {
  await open('SecurityTokenService', 2);
  const ask = (context: typeof OWNER): Promise<unknown> =>
    engine.sts.call('GetCallerIdentity', {}, { ...context, origin: {} });
  await ask(OWNER);
  await engine.sts.call('GetSessionToken', {}, { ...OWNER, origin: {} });
  await expect(ask(OWNER)).rejects.toMatchObject({ name: 'ThrottlingException', message: 'Rate exceeded' });
  await ask(STRANGER);
  await ask({ ...OWNER, region: 'us-east-1' });
});
