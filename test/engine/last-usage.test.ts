/** What the store promises of the last uses of keys: they outlive the process, and the latest of all stays. */
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SILENT_LOG, type Log } from '../../src/base/log.ts';
import { Engine } from '../../src/engine/engine.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { TestClock } from '../support/test-clock.ts';

const REGION = 'eu-central-1';
const DAY_MS = 86_400_000;
/** A busy machine may take longer than the second that vitest waits. */
const PATIENCE = { timeout: 15_000 };
const context = { caller: rootOf('111122223333'), region: REGION };

let folder: ReturnType<typeof temporaryFolder>;
let clock: TestClock;
const engines: Engine[] = [];

async function open(log: Log = SILENT_LOG): Promise<Engine> {
  const engine = await Engine.open({ dataDirectory: folder.path, regions: [REGION], clock, log });
  engines.push(engine);
  return engine;
}

async function closeAll(): Promise<void> {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
}

async function createKey(engine: Engine): Promise<string> {
  return (await engine.call('CreateKey', {}, context)).KeyMetadata.KeyId;
}

async function encrypt(engine: Engine, KeyId: string, requestId: string): Promise<void> {
  await engine.call('Encrypt', { KeyId, Plaintext: Buffer.from('x') }, { ...context, requestId });
}

async function lastRequestId(engine: Engine, KeyId: string): Promise<string | undefined> {
  return (await engine.call('GetKeyLastUsage', { KeyId }, context)).KeyLastUsage.KmsRequestId;
}

function rows(): unknown[] {
  const db = new SqliteDatabase(join(folder.path, 'keywright.db'));
  const found = db.prepare('SELECT * FROM key_last_uses').all();
  db.close();
  return found;
}

beforeEach(() => {
  folder = temporaryFolder();
  clock = new TestClock();
});

afterEach(async () => {
  vi.useRealTimers();
  await closeAll();
  folder.remove();
});

it('the last use survives a restart', async () => {
  const before = await open();
  const KeyId = await createKey(before);
  await encrypt(before, KeyId, 'first');
  await encrypt(before, KeyId, 'second');
  const told = await before.call('GetKeyLastUsage', { KeyId }, context);
  await closeAll();
  expect(await (await open()).call('GetKeyLastUsage', { KeyId }, context)).toEqual(told);
  expect(told.KeyLastUsage.KmsRequestId).toBe('second');
});

it('a call gets a request id when its caller has none', async () => {
  const engine = await open();
  const KeyId = await createKey(engine);
  await engine.call('Encrypt', { KeyId, Plaintext: Buffer.from('x') }, context);
  expect(await lastRequestId(engine, KeyId)).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
});

it('uses are written in the background, and nothing is written at the time of the use', async () => {
  const engine = await open();
  const KeyId = await createKey(engine);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  await encrypt(engine, KeyId, 'one');
  expect(rows()).toEqual([]);
  await vi.advanceTimersByTimeAsync(5_000);
  await vi.waitFor(() => {
    expect(rows()).toMatchObject([{ key_id: KeyId, operation: 'Encrypt', request_id: 'one' }]);
  }, PATIENCE);
});

it('of two engines on one store the one that used the key last is told, whichever closes last', async () => {
  const [one, other] = [await open(), await open()];
  const KeyId = await createKey(one);
  await encrypt(one, KeyId, 'earlier');
  clock.advanceMs(1000);
  await encrypt(other, KeyId, 'later');
  await other.close();
  engines.pop();
  expect(await lastRequestId(one, KeyId)).toBe('later');
  await closeAll();
  expect(await lastRequestId(await open(), KeyId)).toBe('later');
});

it('more keys than one transaction takes are all written', async () => {
  const engine = await open();
  const ids = await Promise.all(Array.from({ length: 450 }, () => createKey(engine)));
  await Promise.all(ids.map((KeyId) => encrypt(engine, KeyId, KeyId)));
  await closeAll();
  expect(rows()).toHaveLength(ids.length);
});

it('the record goes with its key, also when the use is written after the key was deleted', async () => {
  const [one, other] = [await open(), await open()];
  const KeyId = await createKey(one);
  await encrypt(one, KeyId, 'one');
  await one.close();
  engines.shift();
  expect(rows()).toHaveLength(1);
  await encrypt(other, KeyId, 'other');
  await other.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 }, context);
  clock.advanceMs(7 * DAY_MS);
  expect(await other.runMaintenance()).toMatchObject({ deletedKeys: 1 });
  expect(rows()).toEqual([]);
  await closeAll();
  expect(rows()).toEqual([]);
});

it('a use that cannot be written is logged and kept, and written later', async () => {
  const log = { info: vi.fn(), error: vi.fn() };
  const engine = await open(log);
  const KeyId = await createKey(engine);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  await encrypt(engine, KeyId, 'kept');
  const db = new SqliteDatabase(join(folder.path, 'keywright.db'));
  db.exec('ALTER TABLE key_last_uses RENAME TO away');
  await vi.advanceTimersByTimeAsync(5_000);
  await vi.waitFor(() => {
    expect(log.error).toHaveBeenCalledOnce();
  }, PATIENCE);
  db.exec('ALTER TABLE away RENAME TO key_last_uses');
  db.close();
  expect(await lastRequestId(engine, KeyId)).toBe('kept');
  await vi.advanceTimersByTimeAsync(5_000);
  await vi.waitFor(() => {
    expect(rows()).toMatchObject([{ request_id: 'kept' }]);
  }, PATIENCE);
});
