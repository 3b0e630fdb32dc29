/** What moving the root key to another place promises: everything stays as it is, also for those who are at work. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { moveRootKey, readRootKeyStatus, type RootKeyPlace } from '../../src/engine/root-key-move.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { MemoryRootKeys } from '../support/memory-root-key.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const REGIONS = ['eu-central-1', 'us-east-1', 'us-west-2'];
const caller = rootOf('111122223333');

let folder: ReturnType<typeof temporaryFolder>;
let memory: MemoryRootKeys;
const engines: Engine[] = [];

const place = (): RootKeyPlace => ({ dataDirectory: folder.path, rootKeyProviders: [memory] });

async function open(extra: Partial<Parameters<typeof Engine.open>[0]> = {}): Promise<Engine> {
  const engine = await Engine.open({ ...place(), regions: REGIONS, ...extra });
  engines.push(engine);
  return engine;
}

async function closeAll(): Promise<void> {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
}

interface Secret {
  readonly region: string;
  readonly blob: Uint8Array;
}

async function encrypt(engine: Engine, region: string): Promise<Secret> {
  const { KeyMetadata } = await engine.call('CreateKey', {}, { caller, region });
  const Plaintext = Buffer.from(`of ${region}`);
  const { CiphertextBlob } = await engine.call('Encrypt', { KeyId: KeyMetadata.KeyId, Plaintext }, { caller, region });
  return { region, blob: CiphertextBlob };
}

async function expectReadable(engine: Engine, { region, blob }: Secret): Promise<void> {
  const { Plaintext } = await engine.call('Decrypt', { CiphertextBlob: blob }, { caller, region });
  expect(Buffer.from(Plaintext ?? []).toString()).toBe(`of ${region}`);
}

/** All that depends on the region keys, as it stands in the store. */
function storedMaterials(): unknown {
  const db = new SqliteDatabase(join(folder.path, 'keywright.db'), { readonly: true });
  const rows: unknown = [
    db.prepare('SELECT hex(wrapped) FROM key_materials ORDER BY 1').all(),
    db.prepare('SELECT hex(secret) FROM access_keys ORDER BY 1').all(),
  ];
  db.close();
  return rows;
}

beforeEach(() => {
  folder = temporaryFolder();
  memory = new MemoryRootKeys();
});

afterEach(async () => {
  await closeAll();
  folder.remove();
});

describe('moving the root key', () => {
  it('keeps ciphertexts, key materials and access keys as they are, there and back', async () => {
    const before = await open();
    const secret = await encrypt(before, 'eu-central-1');
    const accessKey = await before.accessKeys.create(caller);
    await closeAll();
    const materials = storedMaterials();
    for (const [index, to] of ['memory', 'passphrase-file'].entries()) {
      expect(await moveRootKey(place(), to, 1)).toMatchObject({ provider: to, version: index + 2, regionKeys: 2 });
      const after = await open();
      await expectReadable(after, secret);
      const found = await after.accessKeys.find(accessKey.accessKeyId);
      expect(found !== undefined && after.accessKeys.hasSecret(found, accessKey.secretAccessKey)).toBe(true);
      await closeAll();
      expect(storedMaterials()).toEqual(materials);
    }
  });

  it('leaves nothing that the old root key is needed for', async () => {
    const before = await open();
    const secret = await encrypt(before, 'eu-central-1');
    await closeAll();
    await moveRootKey(place(), 'memory', 1);
    renameSync(join(folder.path, 'root-key'), join(folder.path, 'root-key.away'));
    await expectReadable(await open(), secret);
  });

  it('loses no request of an engine that is at work meanwhile, in Regions old and new', async () => {
    const working = await open();
    const secret = await encrypt(working, 'eu-central-1');
    const moved = new AbortController();
    const requests = (async () => {
      while (!moved.signal.aborted) {
        await expectReadable(working, secret);
        await new Promise(setImmediate);
      }
    })();
    await moveRootKey(place(), 'memory', 1);
    moved.abort();
    await requests;
    const later = await encrypt(working, 'us-east-1');
    await closeAll();
    expect(await readRootKeyStatus(place())).toMatchObject({ provider: 'memory', regionKeys: 3 });
    const after = await open();
    await expectReadable(after, secret);
    await expectReadable(after, later);
  });

  it('takes along region keys that come to be while it moves', async () => {
    const working = await open();
    const racing = REGIONS.map((region) => encrypt(working, region));
    await moveRootKey(place(), 'memory', 1);
    const secrets = await Promise.all(racing);
    await closeAll();
    expect(await readRootKeyStatus(place())).toMatchObject({ provider: 'memory', regionKeys: REGIONS.length + 1 });
    const after = await open();
    await Promise.all(secrets.map((secret) => expectReadable(after, secret)));
  });

  it('changes nothing when one of two moves at the same time comes too late', async () => {
    const secret = await encrypt(await open(), 'eu-central-1');
    const outcomes = await Promise.allSettled([moveRootKey(place(), 'memory', 1), moveRootKey(place(), 'memory', 1)]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(1);
    await closeAll();
    await expectReadable(await open(), secret);
  });

  it('changes nothing when the new root key cannot be used', async () => {
    const secret = await encrypt(await open(), 'eu-central-1');
    await closeAll();
    memory.isReachable = false;
    await expect(moveRootKey(place(), 'memory', 1)).rejects.toThrow('out of reach');
    expect(await readRootKeyStatus(place())).toMatchObject({ provider: 'passphrase-file', version: 1 });
    await expectReadable(await open(), secret);
  });
});

describe('a new store', () => {
  it('takes its root key from the provider that is named', async () => {
    const engine = await open({ firstRootKey: 'memory' });
    const secret = await encrypt(engine, 'eu-central-1');
    await closeAll();
    expect(await readRootKeyStatus(place())).toMatchObject({ provider: 'memory', version: 1 });
    await expectReadable(await open(), secret);
  });

  it('is not opened while the provider of its root key is missing', async () => {
    await open({ firstRootKey: 'memory' });
    await closeAll();
    await expect(Engine.open({ dataDirectory: folder.path })).rejects.toThrow('comes from "memory"');
  });

  it('has no root key to move', async () => {
    await expect(moveRootKey(place(), 'memory', 1)).rejects.toThrow('no root key');
  });
});
