/** An account and Region has one key for each predefined alias, however many processes ask for it first. */
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const REGION = 'eu-central-1';
const context = { caller: rootOf('111122223333'), region: REGION };

let folder: ReturnType<typeof temporaryFolder>;
const engines: Engine[] = [];

async function open(): Promise<Engine> {
  const engine = await Engine.open({ dataDirectory: folder.path, regions: [REGION] });
  engines.push(engine);
  return engine;
}

async function closeAll(): Promise<void> {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
}

async function describeAlias(engine: Engine, KeyId: string): Promise<string> {
  return (await engine.call('DescribeKey', { KeyId }, context)).KeyMetadata.KeyId;
}

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(async () => {
  await closeAll();
  folder.remove();
});

it('two engines that make the key of an alias at the same time make one', async () => {
  const [one, other] = [await open(), await open()];
  const names = ['s3', 'ebs', 'rds', 'ssm', 'sns', 'sqs', 'glue', 'backup'];
  for (const name of names) {
    const ids = await Promise.all(
      [one, other, one, other, one, other].map((engine) => describeAlias(engine, `alias/aws/${name}`)),
    );
    expect(new Set(ids).size).toBe(1);
  }
  await closeAll();
  const db = new SqliteDatabase(join(folder.path, 'keywright.db'));
  const count = (table: string): unknown => db.prepare(`SELECT count(*) AS count FROM ${table}`).get();
  for (const table of ['kms_keys', 'key_materials', 'aliases']) {
    expect(count(table), table).toEqual({ count: names.length });
  }
  db.close();
});

it('the key and its alias survive a restart', async () => {
  const made = await describeAlias(await open(), 'alias/aws/s3');
  await closeAll();
  const after = await open();
  expect(await describeAlias(after, 'alias/aws/s3')).toBe(made);
  const { KeyMetadata } = await after.call('DescribeKey', { KeyId: made }, context);
  expect(KeyMetadata.KeyManager).toBe('AWS');
});
