/** Keys of CloudHSM key stores between store and HSMs: how they are bound, how they end, and who holds sessions. */
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Log } from '../../src/base/log.ts';
import { Engine } from '../../src/engine/engine.ts';
import { holdCeremony } from '../../src/hsm/cluster-ceremony.ts';
import { ConfiguredClusters } from '../../src/hsm/cloudhsm-backend.ts';
import type { ClusterConfiguration } from '../../src/hsm/cluster-configuration.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { openPkcs11Token } from '../../src/pkcs11/index.ts';
import { Pkcs11Error, type Pkcs11Token, type Pkcs11TokenOptions } from '../../src/pkcs11/token.ts';
import { expectError } from '../support/expect-error.ts';
import { cloudHsmStore } from '../support/key-store-requests.ts';
import { eventually } from '../support/memory-backend.ts';
import { createSoftHsm, missingSoftHsm, type SoftHsm } from '../support/softhsm.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { TestClock } from '../support/test-clock.ts';

const PIN = 'kmsuser-password';
const WEEK_MS = 7 * 86_400_000;
const context = { caller: rootOf('111122223333'), region: 'eu-central-1' };

describe.skipIf(missingSoftHsm !== undefined)('over SoftHSM2', () => {
  let hsm: SoftHsm;
  let folder: ReturnType<typeof temporaryFolder>;
  let clock: TestClock;
  let logged: string;
  /** Labels of tokens that cannot be reached. */
  const away = new Set<string>();
  const engines: Engine[] = [];

  const log: Log = {
    info: () => undefined,
    error: (...line) => (logged += `${JSON.stringify(line)}\n`),
  };

  const clusterOf = (clusterId: string, labels: readonly string[]): ClusterConfiguration => ({
    clusterId,
    profile: 'softhsm',
    copies: labels.length,
    queueLength: undefined,
    timeoutMs: undefined,
    trustAnchor: undefined,
    members: labels.map((label) => ({
      name: label,
      modulePath: hsm.module,
      token: { label },
      pinFile: undefined,
      initArgs: undefined,
      sessions: 1,
      process: undefined,
      environment: undefined,
    })),
  });

  /** Counts the open tokens, and lets those that are away fail. */
  const watch = (open: Set<Pkcs11Token>) => async (options: Pkcs11TokenOptions) => {
    const token = await openPkcs11Token(options);
    open.add(token);
    return new Proxy(token, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...values: unknown[]): unknown => {
          if (name === 'close') open.delete(target);
          return name !== 'close' && name !== 'state' && away.has(target.info.label)
            ? Promise.reject(new Pkcs11Error('unavailable', 0, 'the token is away'))
            : Reflect.apply(value, target, values);
        };
      },
    });
  };

  async function openEngine(open = new Set<Pkcs11Token>()): Promise<Engine> {
    const engine = await Engine.open({
      dataDirectory: folder.path,
      regions: [context.region],
      clock,
      log,
      keyStoreBackends: (services) => ({
        AWS_CLOUDHSM: new ConfiguredClusters(
          [clusterOf('cluster-aaaaaaaaaaa', ['alone']), clusterOf('cluster-bbbbbbbbbbb', ['left', 'right'])],
          services,
          watch(open),
        ),
      }),
    });
    engines.push(engine);
    return engine;
  }

  async function settle(engine: Engine, CustomKeyStoreId: string): Promise<string> {
    return eventually(async () => {
      const { CustomKeyStores } = await engine.call('DescribeCustomKeyStores', { CustomKeyStoreId }, context);
      const state = CustomKeyStores[0]?.ConnectionState;
      return state?.endsWith('ING') === true ? undefined : state;
    });
  }

  async function connect(engine: Engine, CloudHsmClusterId: string): Promise<string> {
    const input = cloudHsmStore({ CloudHsmClusterId, KeyStorePassword: PIN });
    const { CustomKeyStoreId } = await engine.call('CreateCustomKeyStore', input as never, context);
    await engine.call('ConnectCustomKeyStore', { CustomKeyStoreId }, context);
    expect(await settle(engine, CustomKeyStoreId)).toBe('CONNECTED');
    return CustomKeyStoreId;
  }

  async function disconnect(engine: Engine, CustomKeyStoreId: string): Promise<void> {
    await engine.call('DisconnectCustomKeyStore', { CustomKeyStoreId }, context);
    expect(await settle(engine, CustomKeyStoreId)).toBe('DISCONNECTED');
  }

  async function createKey(engine: Engine, CustomKeyStoreId: string): Promise<string> {
    const input = { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId } as const;
    return (await engine.call('CreateKey', input, context)).KeyMetadata.KeyId;
  }

  async function encrypt(engine: Engine, KeyId: string): Promise<Uint8Array> {
    return (await engine.call('Encrypt', { KeyId, Plaintext: Buffer.from('secret') }, context)).CiphertextBlob;
  }

  async function deleteKey(engine: Engine, KeyId: string): Promise<void> {
    await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 }, context);
    // A round that is under way goes by the time at which it began.
    await engine.runMaintenance();
    clock.advanceMs(WEEK_MS);
    expect((await engine.runMaintenance()).deletedKeys).toBe(1);
  }

  /** How many objects the token has for the key, or for any key of a KMS key. */
  async function objectsIn(label: string, keyId = ':key/'): Promise<number> {
    const token = await openPkcs11Token({ modulePath: hsm.module, token: { label }, pin: Buffer.from(PIN) });
    const found = await token.findKeys();
    await token.close();
    return found.filter((key) => key.label.includes(keyId)).length;
  }

  const database = (): SqliteDatabase.Database => new SqliteDatabase(join(folder.path, 'keywright.db'));

  beforeAll(async () => {
    hsm = createSoftHsm();
    for (const label of ['alone', 'left', 'right']) hsm.addToken(label, { pin: PIN });
    hsm.useInThisProcess();
    const pair = await Promise.all(
      ['left', 'right'].map((label) =>
        openPkcs11Token({ modulePath: hsm.module, token: { label }, pin: Buffer.from(PIN), profile: 'softhsm' }),
      ),
    );
    await holdCeremony(pair);
    await Promise.all(pair.map((token) => token.close()));
  });
  afterAll(() => {
    hsm.remove();
  });
  beforeEach(() => {
    folder = temporaryFolder();
    clock = new TestClock();
    logged = '';
    away.clear();
  });
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((engine) => engine.close()));
    folder.remove();
  });

  describe('a key that is deleted', () => {
    it('is destroyed on every member when its waiting period is over, and not before', async () => {
      const engine = await openEngine();
      const store = await connect(engine, 'cluster-bbbbbbbbbbb');
      const [gone, kept] = [await createKey(engine, store), await createKey(engine, store)];
      await engine.call('ScheduleKeyDeletion', { KeyId: kept, PendingWindowInDays: 7 }, context);
      await engine.call('CancelKeyDeletion', { KeyId: kept }, context);
      await engine.call('EnableKey', { KeyId: kept }, context);
      const blob = await encrypt(engine, kept);
      expect([await objectsIn('left', gone), await objectsIn('right', gone)]).toEqual([1, 1]);
      await deleteKey(engine, gone);
      expect([await objectsIn('left', gone), await objectsIn('right', gone)]).toEqual([0, 0]);
      expect(logged).toBe('');
      const { Plaintext } = await engine.call('Decrypt', { CiphertextBlob: blob }, context);
      expect(Buffer.from(Plaintext ?? []).toString()).toBe('secret');
    });

    it('stays on a member that is away, which is logged, and is brought back to no other when that returns', async () => {
      const engine = await openEngine();
      const store = await connect(engine, 'cluster-bbbbbbbbbbb');
      const [KeyId, other] = [await createKey(engine, store), await createKey(engine, store)];
      const CiphertextBlob = await encrypt(engine, KeyId);
      away.add('right');
      await deleteKey(engine, KeyId);
      expect(logged).toMatch(/a key stays in an HSM.*"member":"right","id":"[0-9a-f]{64}"/);
      away.clear();
      for (let i = 0; i < 8; i++) await encrypt(engine, other);
      await expect(engine.call('Decrypt', { CiphertextBlob, KeyId }, context)).rejects.toThrow();
      expect([await objectsIn('left', KeyId), await objectsIn('right', KeyId)]).toEqual([0, 1]);
    });

    it('is deleted from a store that is not connected too, where its object is orphaned and logged', async () => {
      const engine = await openEngine();
      const store = await connect(engine, 'cluster-aaaaaaaaaaa');
      const KeyId = await createKey(engine, store);
      await disconnect(engine, store);
      await deleteKey(engine, KeyId);
      await expectError(engine.call('DescribeKey', { KeyId }, context), 'NotFoundException');
      expect(await objectsIn('alone', KeyId)).toBe(1);
      expect(logged).toContain('a key that was deleted stays in its HSMs');
    });
  });

  it('a key whose row names the object of another one does not take that with it', async () => {
    const engine = await openEngine();
    const store = await connect(engine, 'cluster-aaaaaaaaaaa');
    const [victim, gone] = [await createKey(engine, store), await createKey(engine, store)];
    const rows = database();
    rows.exec(`UPDATE kms_keys SET current_material_id =
      (SELECT current_material_id FROM kms_keys WHERE key_id = '${victim}') WHERE key_id = '${gone}'`);
    rows.close();
    await Promise.all(engines.splice(0).map((each) => each.close()));
    await deleteKey(await openEngine(), gone);
    expect(await objectsIn('alone', victim)).toBe(1);
    expect(logged).toContain('has the label of another key');
  });

  it('a key that the store did not take leaves nothing in the HSM', async () => {
    const engine = await openEngine();
    const store = await connect(engine, 'cluster-aaaaaaaaaaa');
    const before = await objectsIn('alone');
    const other = database();
    other.exec("CREATE TRIGGER refuse BEFORE INSERT ON kms_keys BEGIN SELECT RAISE(ABORT, 'full'); END");
    other.close();
    await expectError(createKey(engine, store), 'KMSInternalException');
    expect(await objectsIn('alone')).toBe(before);
  });

  describe('a row of the store that somebody changed', () => {
    const material = (column: string): string =>
      `(SELECT ${column} FROM key_materials WHERE key_id = (SELECT min(key_id) FROM kms_keys))`;
    const changes: readonly (readonly [what: string, sql: string])[] = [
      ['with the wrapped key of another row', `UPDATE key_materials SET wrapped = ${material('wrapped')}`],
      [
        'with the whole material of another key',
        `CREATE TEMP TABLE other AS SELECT material_id, wrapped FROM key_materials
           WHERE key_id = (SELECT min(key_id) FROM kms_keys);
         UPDATE key_materials SET material_id = (SELECT material_id FROM other), wrapped = (SELECT wrapped FROM other);
         UPDATE kms_keys SET current_material_id = (SELECT material_id FROM other)`,
      ],
      [
        'with nothing wrapped',
        "UPDATE key_materials SET wrapped = x'' WHERE key_id = (SELECT max(key_id) FROM kms_keys)",
      ],
    ];

    it.each(
      ['cluster-aaaaaaaaaaa', 'cluster-bbbbbbbbbbb'].flatMap((id) => changes.map((each) => [id, ...each] as const)),
    )('in %s, %s, makes its key unusable instead of another one', async (clusterId, _what, sql) => {
      const engine = await openEngine();
      const store = await connect(engine, clusterId);
      const keys = [await createKey(engine, store), await createKey(engine, store)].sort();
      await Promise.all(engines.splice(0).map((each) => each.close()));
      const rows = database();
      rows.exec(sql);
      rows.close();
      const after = await openEngine();
      await encrypt(after, keys[0] ?? '');
      await expectError(encrypt(after, keys[1] ?? ''), 'KMSInternalException');
      expect(logged).toContain('does not belong to key');
    });
  });

  it('sessions end in every process when one disconnects the store, and begin again with it', async () => {
    const [ours, theirs] = [new Set<Pkcs11Token>(), new Set<Pkcs11Token>()];
    const [one, other] = [await openEngine(ours), await openEngine(theirs)];
    const store = await connect(one, 'cluster-aaaaaaaaaaa');
    const KeyId = await createKey(one, store);
    const CiphertextBlob = await encrypt(other, KeyId);
    expect([ours.size, theirs.size]).toEqual([1, 1]);
    await disconnect(one, store);
    expect(ours.size).toBe(0);
    await other.runMaintenance();
    await eventually(() => Promise.resolve(theirs.size === 0 ? true : undefined));
    await one.call('ConnectCustomKeyStore', { CustomKeyStoreId: store }, context);
    await settle(one, store);
    await eventually(() => other.call('Decrypt', { CiphertextBlob }, context).catch(() => undefined));
    expect(theirs.size).toBe(1);
  });

  it('sessions end in every process when one deletes the store, also when the others see nothing in between', async () => {
    const theirs = new Set<Pkcs11Token>();
    const [one, other] = [await openEngine(), await openEngine(theirs)];
    const CustomKeyStoreId = await connect(one, 'cluster-aaaaaaaaaaa');
    await other.call('GenerateRandom', { CustomKeyStoreId, NumberOfBytes: 8 }, context);
    expect(theirs.size).toBe(1);
    await disconnect(one, CustomKeyStoreId);
    await one.call('DeleteCustomKeyStore', { CustomKeyStoreId }, context);
    await other.runMaintenance();
    await eventually(() => Promise.resolve(theirs.size === 0 ? true : undefined));
  });
});
