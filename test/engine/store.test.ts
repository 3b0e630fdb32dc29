/** What the store promises to an engine: durability, one key space for many doors, and rows that cannot be swapped. */
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { expectError } from '../support/expect-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const REGION = 'eu-central-1';
const context = { caller: rootOf('111122223333'), region: REGION };

let folder: ReturnType<typeof temporaryFolder>;
const engines: Engine[] = [];

async function open(): Promise<Engine> {
  const engine = await Engine.open({ dataDirectory: folder.path, regions: [REGION, 'us-east-1'] });
  engines.push(engine);
  return engine;
}

async function closeAll(): Promise<void> {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
}

function database(): SqliteDatabase.Database {
  return new SqliteDatabase(join(folder.path, 'keywright.db'));
}

async function createKey(engine: Engine): Promise<string> {
  return (await engine.call('CreateKey', {}, context)).KeyMetadata.KeyId;
}

async function encrypt(engine: Engine, KeyId: string): Promise<Uint8Array> {
  return (await engine.call('Encrypt', { KeyId, Plaintext: Buffer.from('secret') }, context)).CiphertextBlob;
}

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(async () => {
  await closeAll();
  folder.remove();
});

describe('the store', () => {
  it('keeps keys and ciphertext readable across a restart', async () => {
    const before = await open();
    const KeyId = await createKey(before);
    const blob = await encrypt(before, KeyId);
    await closeAll();
    const after = await open();
    const { Plaintext } = await after.call('Decrypt', { CiphertextBlob: blob }, context);
    expect(Buffer.from(Plaintext ?? []).toString()).toBe('secret');
  });

  it('lets its owner alone read what it keeps', async () => {
    await createKey(await open());
    for (const name of ['keywright.db', 'keywright.db-wal', 'root-key']) {
      expect(statSync(join(folder.path, name)).mode & 0o777, name).toBe(0o600);
    }
  });

  it('shows a change of one engine to another on the same store', async () => {
    const [one, other] = [await open(), await open()];
    const KeyId = await createKey(one);
    const blob = await encrypt(other, KeyId);
    await one.call('DisableKey', { KeyId }, context);
    // Longer than the time that a cache may go without looking at the store.
    await new Promise((resolve) => setTimeout(resolve, 20));
    await expectError(other.call('Decrypt', { CiphertextBlob: blob }, context), 'DisabledException');
    await other.call('CreateAlias', { AliasName: 'alias/seen', TargetKeyId: KeyId }, context);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { KeyMetadata } = await one.call('DescribeKey', { KeyId: 'alias/seen' }, context);
    expect(KeyMetadata.KeyId).toBe(KeyId);
  });

  it('loses no change when two engines change one key at the same time', async () => {
    const [one, other] = [await open(), await open()];
    const KeyId = await createKey(one);
    const tag = (engine: Engine, TagKey: string): Promise<unknown> =>
      engine.call('TagResource', { KeyId, Tags: [{ TagKey, TagValue: '' }] }, context);
    for (let round = 0; round < 10; round++) {
      await Promise.all([tag(one, `one${String(round)}`), tag(other, `other${String(round)}`)]);
    }
    await closeAll();
    const { Tags } = await (await open()).call('ListResourceTags', { KeyId }, context);
    expect(Tags).toHaveLength(20);
  });

  it('refuses a material that was swapped with that of another key', async () => {
    const engine = await open();
    const [left, right] = [await createKey(engine), await createKey(engine)];
    const blob = await encrypt(engine, left);
    await closeAll();
    const db = database();
    const [a, b] = db.prepare('SELECT key_id, wrapped FROM key_materials').all() as {
      key_id: string;
      wrapped: Buffer;
    }[];
    const update = db.prepare('UPDATE key_materials SET wrapped = ? WHERE key_id = ?');
    update.run(b?.wrapped, a?.key_id);
    update.run(a?.wrapped, b?.key_id);
    db.close();
    const after = await open();
    await expectError(after.call('Decrypt', { CiphertextBlob: blob }, context), 'KMSInternalException');
    await expectError(encrypt(after, right), 'KMSInternalException');
  });

  it('refuses a material whose key row was given another account', async () => {
    const KeyId = await createKey(await open());
    await closeAll();
    database().exec(
      "UPDATE kms_keys SET account_id = '444455556666', policy = replace(policy, '111122223333', '444455556666')",
    );
    const after = await open();
    await expectError(
      after.call('Encrypt', { KeyId, Plaintext: Buffer.from('x') }, { ...context, caller: rootOf('444455556666') }),
      'KMSInternalException',
    );
  });

  it('refuses a material whose key row was given another spec', async () => {
    const engine = await open();
    const input = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' } as const;
    const { KeyId } = (await engine.call('CreateKey', input, context)).KeyMetadata;
    await closeAll();
    database().exec("UPDATE kms_keys SET key_spec = 'HMAC_512'");
    const after = await open();
    await expectError(
      after.call('GenerateMac', { KeyId, Message: Buffer.from('x'), MacAlgorithm: 'HMAC_SHA_512' }, context),
      'KMSInternalException',
    );
  });

  it('refuses a material whose wrapped bytes were changed', async () => {
    const KeyId = await createKey(await open());
    await closeAll();
    const db = database();
    const row = db.prepare('SELECT wrapped FROM key_materials').get() as { wrapped: Buffer };
    row.wrapped[40] = (row.wrapped[40] ?? 0) ^ 1;
    db.prepare('UPDATE key_materials SET wrapped = ?').run(row.wrapped);
    db.close();
    await expectError(encrypt(await open(), KeyId), 'KMSInternalException');
  });

  it('refuses a region key that was moved to another Region', async () => {
    const KeyId = await createKey(await open());
    await closeAll();
    const db = database();
    db.pragma('foreign_keys = OFF');
    db.exec("UPDATE region_keys SET region = 'us-east-1' WHERE region = 'eu-central-1'");
    db.exec("UPDATE key_materials SET region = 'us-east-1'; UPDATE kms_keys SET region = 'us-east-1'");
    db.close();
    const after = await open();
    await expectError(
      after.call('Encrypt', { KeyId, Plaintext: Buffer.from('x') }, { ...context, region: 'us-east-1' }),
      'KMSInternalException',
    );
  });

  it('holds no key material in the clear', async () => {
    const engine = await open();
    const { secretAccessKey } = await engine.accessKeys.create(context.caller);
    await createKey(engine);
    await closeAll();
    const bytes = readFileSync(join(folder.path, 'keywright.db'));
    expect(bytes.includes(secretAccessKey)).toBe(false);
  });

  it('loads a cold key once, however many callers wait for it', async () => {
    const KeyId = await createKey(await open());
    await closeAll();
    const engine = await open();
    const results = await Promise.all(Array.from({ length: 200 }, () => encrypt(engine, KeyId)));
    expect(results).toHaveLength(200);
    expect(engine.core.info().secureHeap.usedBytes).toBeLessThan(64 * 1024);
  });
});

describe('the root key file', () => {
  const path = (): string => join(folder.path, 'root-key');

  it('is missing: the store is not opened, and the text says what to do', async () => {
    await open();
    await closeAll();
    rmSync(path());
    await expectError(
      Engine.open({ dataDirectory: folder.path }),
      'RootKeyError',
      /is missing.*restore it from a backup/,
    );
  });

  it('belongs to another store: the store is not opened', async () => {
    await open();
    await closeAll();
    writeFileSync(path(), 'another passphrase of some length\n', { mode: 0o600 });
    await expectError(Engine.open({ dataDirectory: folder.path }), 'RootKeyError', /does not belong to this store/);
  });

  it('is open to others: the store is not opened', async () => {
    await open();
    await closeAll();
    chmodSync(path(), 0o644);
    await expectError(Engine.open({ dataDirectory: folder.path }), 'RootKeyError', /chmod 600/);
  });

  it('may be written by the owner before the first start', async () => {
    writeFileSync(path(), 'correct horse battery staple\n', { mode: 0o600 });
    const KeyId = await createKey(await open());
    await closeAll();
    expect(readFileSync(path(), 'utf8')).toBe('correct horse battery staple\n');
    await encrypt(await open(), KeyId);
  });

  it('is too short: refused', async () => {
    writeFileSync(path(), 'short\n', { mode: 0o600 });
    await expectError(Engine.open({ dataDirectory: folder.path }), 'RootKeyError', /less than 16 bytes/);
  });
});

describe('credentials', () => {
  it('an access key whose secret was moved to another account does not open', async () => {
    const engine = await open();
    const { accessKeyId } = await engine.accessKeys.create(context.caller);
    await closeAll();
    database().exec("UPDATE access_keys SET account_id = '444455556666'");
    const after = await open();
    await expect(Promise.resolve().then(() => after.accessKeys.find(accessKeyId))).rejects.toThrow(
      'authenticationFailed',
    );
  });
});
