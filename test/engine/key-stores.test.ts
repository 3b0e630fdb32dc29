/** Custom key stores across restarts and processes, and how their secrets rest in the store. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Log } from '../../src/base/log.ts';
import { Engine, type EngineOptions } from '../../src/engine/engine.ts';
import { rootOf } from '../../src/iam/identities.ts';
import type { ConnectionState } from '../../src/keys/key-store.ts';
import { expectError } from '../support/expect-error.ts';
import { cloudHsmStore, CREDENTIAL, PASSWORD, xksStore } from '../support/key-store-requests.ts';
import { eventually, MemoryBackend, untilAborted } from '../support/memory-backend.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const context = { caller: rootOf('111122223333'), region: 'eu-central-1' };
type Create = Parameters<typeof create>[1];

let folder: ReturnType<typeof temporaryFolder>;
let hsm: Map<string, Buffer>;
let logged: string;
const engines: Engine[] = [];

const log: Log = {
  info: (...line) => (logged += JSON.stringify(line)),
  error: (...line) => (logged += JSON.stringify(line)),
};

async function open(options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await Engine.open({ dataDirectory: folder.path, regions: [context.region], log, ...options });
  engines.push(engine);
  return engine;
}

/** Opens an engine with a backend that the test holds in its hands. */
async function openWithBackend(change: (backend: MemoryBackend) => void = () => undefined): Promise<Engine> {
  return open({
    keyStoreBackends: ({ stores }) => {
      const backend = new MemoryBackend(stores, hsm);
      change(backend);
      return { AWS_CLOUDHSM: backend, EXTERNAL_KEY_STORE: backend };
    },
  });
}

async function closeAll(): Promise<void> {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
}

async function create(engine: Engine, input = cloudHsmStore()): Promise<string> {
  return (await engine.call('CreateCustomKeyStore', input as never, context)).CustomKeyStoreId;
}

async function stateOf(engine: Engine, CustomKeyStoreId: string): Promise<ConnectionState | undefined> {
  const { CustomKeyStores } = await engine.call('DescribeCustomKeyStores', { CustomKeyStoreId }, context);
  return CustomKeyStores[0]?.ConnectionState;
}

async function inState(engine: Engine, id: string, state: ConnectionState): Promise<void> {
  await eventually(async () => ((await stateOf(engine, id)) === state ? true : undefined));
}

async function connect(engine: Engine, CustomKeyStoreId: string): Promise<void> {
  await engine.call('ConnectCustomKeyStore', { CustomKeyStoreId }, context);
  await inState(engine, CustomKeyStoreId, 'CONNECTED');
}

async function createKey(engine: Engine, CustomKeyStoreId: string): Promise<string> {
  const input = { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId } as const;
  return (await engine.call('CreateKey', input, context)).KeyMetadata.KeyId;
}

function encrypt(engine: Engine, KeyId: string): Promise<{ readonly CiphertextBlob: Uint8Array }> {
  return engine.call('Encrypt', { KeyId, Plaintext: Buffer.from('secret') }, context);
}

function database(): SqliteDatabase.Database {
  return new SqliteDatabase(join(folder.path, 'keywright.db'));
}

beforeEach(() => {
  folder = temporaryFolder();
  hsm = new Map();
  logged = '';
});

afterEach(async () => {
  await closeAll();
  folder.remove();
});

describe('custom key stores across restarts', () => {
  it('a connected store is connected, and its keys go on working', async () => {
    const before = await openWithBackend();
    const id = await create(before);
    await connect(before, id);
    const { CiphertextBlob } = await encrypt(before, await createKey(before, id));
    await closeAll();
    const after = await openWithBackend();
    expect(await stateOf(after, id)).toBe('CONNECTED');
    const { Plaintext } = await after.call('Decrypt', { CiphertextBlob }, context);
    expect(Buffer.from(Plaintext ?? []).toString()).toBe('secret');
  });

  it('a store that was connecting when the process ended is connected by the next one', async () => {
    const before = await openWithBackend((backend) => {
      backend.onConnect = untilAborted;
    });
    const id = await create(before);
    await before.call('ConnectCustomKeyStore', { CustomKeyStoreId: id }, context);
    await closeAll();
    const rows = database().prepare('SELECT connection_state FROM custom_key_stores').all();
    expect(rows).toEqual([{ connection_state: 'CONNECTING' }]);
    await inState(await openWithBackend(), id, 'CONNECTED');
  });

  it('a store that was disconnecting when the process ended is disconnected by the next one', async () => {
    const before = await openWithBackend();
    const id = await create(before);
    await connect(before, id);
    await closeAll();
    database().exec("UPDATE custom_key_stores SET connection_state = 'DISCONNECTING'");
    await inState(await openWithBackend(), id, 'DISCONNECTED');
  });

  it('a store on its way is left alone by maintenance while this process is at work on it', async () => {
    let attempts = 0;
    const engine = await openWithBackend((backend) => {
      backend.onConnect = (store, signal) => {
        attempts++;
        return untilAborted(store, signal);
      };
    });
    const id = await create(engine);
    await engine.call('ConnectCustomKeyStore', { CustomKeyStoreId: id }, context);
    await eventually(() => Promise.resolve(attempts > 0 ? true : undefined));
    await engine.runMaintenance();
    expect([attempts, await stateOf(engine, id)]).toEqual([1, 'CONNECTING']);
  });
});

describe('custom key stores of several processes', () => {
  it('a store that one process disconnects makes its keys unavailable in another', async () => {
    const [one, other] = [await openWithBackend(), await openWithBackend()];
    const id = await create(one);
    await connect(one, id);
    const KeyId = await createKey(one, id);
    await encrypt(other, KeyId);
    await one.call('DisconnectCustomKeyStore', { CustomKeyStoreId: id }, context);
    await inState(one, id, 'DISCONNECTED');
    await new Promise((resolve) => setTimeout(resolve, 20));
    await expectError(encrypt(other, KeyId), 'KMSInvalidStateException', /is unavailable\.$/);
  });

  it('a process without backend refuses to use or make keys in a store that another one connected', async () => {
    const one = await openWithBackend();
    const id = await create(one);
    await connect(one, id);
    const KeyId = await createKey(one, id);
    const bare = await open();
    await expectError(encrypt(bare, KeyId), 'KMSInvalidStateException', /is unavailable\.$/);
    await expectError(createKey(bare, id), 'CustomKeyStoreInvalidStateException', /Nothing stands behind/);
    const random = bare.call('GenerateRandom', { NumberOfBytes: 8, CustomKeyStoreId: id }, context);
    await expectError(random, 'CustomKeyStoreInvalidStateException', /Nothing stands behind/);
  });
});

describe('secrets of custom key stores', () => {
  it('rest in no file and no log in the clear', async () => {
    const engine = await openWithBackend();
    const cluster = await create(engine);
    const proxy = await create(engine, xksStore());
    await engine.call('UpdateCustomKeyStore', { CustomKeyStoreId: cluster, KeyStorePassword: `${PASSWORD}!` }, context);
    for (const id of [cluster, proxy]) {
      await engine.call('ConnectCustomKeyStore', { CustomKeyStoreId: id }, context);
    }
    await inState(engine, cluster, 'FAILED');
    await inState(engine, proxy, 'CONNECTED');
    for (const round of ['while open', 'closed']) {
      for (const file of readdirSync(folder.path)) {
        const bytes = readFileSync(join(folder.path, file));
        expect(bytes.includes(PASSWORD), `${file} ${round}`).toBe(false);
        expect(bytes.includes(CREDENTIAL.RawSecretAccessKey), `${file} ${round}`).toBe(false);
      }
      await closeAll();
    }
    expect(readFileSync(join(folder.path, 'keywright.db')).includes(CREDENTIAL.AccessKeyId)).toBe(true);
    expect(logged).toContain(proxy);
    expect(logged).not.toContain(PASSWORD);
  });

  const swaps: readonly (readonly [what: string, Create, sql: string])[] = [
    [
      'to another store',
      undefined,
      'UPDATE custom_key_stores SET sealed_secret = (SELECT min(sealed_secret) FROM custom_key_stores)',
    ],
    ['to another account', undefined, "UPDATE custom_key_stores SET account_id = '444455556666'"],
    ['to another access key id', xksStore(), "UPDATE custom_key_stores SET access_key_id = 'ANOTHERABCDEFGHIJKLM'"],
  ];

  it.each(swaps)('that were moved %s do not open', async (what, input, sql) => {
    const engine = await openWithBackend();
    const ids = [
      await create(engine, input),
      await create(engine, what === 'to another store' ? undefined : xksStore()),
    ];
    await closeAll();
    database().exec(sql);
    const accountId = what === 'to another account' ? '444455556666' : '111122223333';
    const after = await openWithBackend();
    const caller = rootOf(accountId);
    const codes = [];
    for (const CustomKeyStoreId of ids) {
      await after.call('ConnectCustomKeyStore', { CustomKeyStoreId }, { ...context, caller });
      const settled = await eventually(async () => {
        const { CustomKeyStores } = await after.call(
          'DescribeCustomKeyStores',
          { CustomKeyStoreId },
          { ...context, caller },
        );
        const [store] = CustomKeyStores;
        return store?.ConnectionState === 'CONNECTING' ? undefined : store;
      });
      codes.push(settled.ConnectionErrorCode ?? settled.ConnectionState);
    }
    expect(codes).toContain('INTERNAL_ERROR');
    expect(logged).toContain('the stored secret does not belong to custom key store');
  });
});
