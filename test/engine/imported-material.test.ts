/** What the store promises for imported material: it is there as a whole or not at all, and gone when it is gone. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SILENT_LOG } from '../../src/base/log.ts';
import { Engine } from '../../src/engine/engine.ts';
import { rootOf } from '../../src/iam/identities.ts';
import type { OperationInput } from '../../src/service/registry.ts';
import { openStore } from '../../src/store/open-store.ts';
import { expectError } from '../support/expect-error.ts';
import { wrapMaterial } from '../support/key-import.ts';
import { SEED } from '../support/seed.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { TestClock } from '../support/test-clock.ts';

const REGION = 'eu-central-1';
const HOUR_MS = 3_600_000;
const context = { caller: rootOf('111122223333'), region: REGION };

let folder: ReturnType<typeof temporaryFolder>;
let clock: TestClock;
const engines: Engine[] = [];

async function open(): Promise<Engine> {
  const engine = await Engine.open({ dataDirectory: folder.path, regions: [REGION], clock });
  engines.push(engine);
  return engine;
}

async function closeAll(): Promise<void> {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
}

function inDatabase<T>(use: (db: SqliteDatabase.Database) => T): T {
  const db = new SqliteDatabase(join(folder.path, 'keywright.db'));
  try {
    return use(db);
  } finally {
    db.close();
  }
}

const wrappedRows = (): { material_id: string; wrapped: Buffer }[] =>
  inDatabase((db) => db.prepare('SELECT material_id, wrapped FROM key_materials').all()) as never;

async function createKey(engine: Engine): Promise<string> {
  return (await engine.call('CreateKey', { Origin: 'EXTERNAL' }, context)).KeyMetadata.KeyId;
}

type Parameters = Awaited<ReturnType<typeof parametersOf>>;

function parametersOf(engine: Engine, KeyId: string) {
  const input = { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const;
  return engine.call('GetParametersForImport', input, context);
}

function importInto(
  engine: Engine,
  parameters: Parameters,
  material: Uint8Array,
  members: Partial<OperationInput<'ImportKeyMaterial'>> = {},
) {
  const input = {
    KeyId: parameters.KeyId,
    ImportToken: parameters.ImportToken,
    EncryptedKeyMaterial: wrapMaterial('RSAES_OAEP_SHA_256', parameters.PublicKey, material),
    ExpirationModel: members.ValidTo === undefined ? 'KEY_MATERIAL_DOES_NOT_EXPIRE' : 'KEY_MATERIAL_EXPIRES',
    ...members,
  } as const;
  return engine.call('ImportKeyMaterial', input, context);
}

const stateOf = async (engine: Engine, KeyId: string): Promise<string> =>
  (await engine.call('DescribeKey', { KeyId }, context)).KeyMetadata.KeyState;

const encrypt = async (engine: Engine, KeyId: string, text = 'secret'): Promise<Uint8Array> =>
  (await engine.call('Encrypt', { KeyId, Plaintext: Buffer.from(text) }, context)).CiphertextBlob;

const decrypt = async (engine: Engine, CiphertextBlob: Uint8Array): Promise<string> =>
  Buffer.from((await engine.call('Decrypt', { CiphertextBlob }, context)).Plaintext ?? []).toString();

/** Longer than the time that a cache may go without looking at the store. */
const settle = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 20));

const inHours = (hours: number): Date => new Date(clock.nowMs() + hours * HOUR_MS);

beforeEach(() => {
  folder = temporaryFolder();
  clock = new TestClock();
});

afterEach(async () => {
  await closeAll();
  folder.remove();
});

describe('imported material', () => {
  it('outlives a restart, expires while nothing runs, and is deleted at the next start', async () => {
    const before = await open();
    const KeyId = await createKey(before);
    const parameters = await parametersOf(before, KeyId);
    const material = randomBytes(32);
    await importInto(before, parameters, material, { ValidTo: inHours(2) });
    const blob = await encrypt(before, KeyId);
    await closeAll();
    clock.advanceMs(HOUR_MS);
    const between = await open();
    expect(await decrypt(between, blob)).toBe('secret');
    await closeAll();
    expect(wrappedRows()).toHaveLength(1);
    clock.advanceMs(HOUR_MS);
    const after = await open();
    await expectError(decrypt(after, blob), 'KMSInvalidStateException');
    await after.runMaintenance();
    expect(wrappedRows()).toEqual([]);
    expect(await stateOf(after, KeyId)).toBe('PendingImport');
    await importInto(after, parameters, material);
    expect(await decrypt(after, blob)).toBe('secret');
  });

  it('comes in through another engine than the one that made the parameters, also after a restart', async () => {
    const [one, other] = [await open(), await open()];
    const KeyId = await createKey(one);
    const parameters = await parametersOf(one, KeyId);
    await settle();
    const material = randomBytes(32);
    const first = await importInto(other, parameters, material);
    await closeAll();
    const again = await importInto(await open(), parameters, material);
    expect(again.KeyMaterialId).toBe(first.KeyMaterialId);
  });

  it('is gone for another engine as soon as one deletes it', async () => {
    const [one, other] = [await open(), await open()];
    const KeyId = await createKey(one);
    await importInto(one, await parametersOf(one, KeyId), randomBytes(32));
    await settle();
    const blob = await encrypt(other, KeyId);
    await one.call('DeleteImportedKeyMaterial', { KeyId }, context);
    await settle();
    await expectError(decrypt(other, blob), 'KMSInvalidStateException');
  });

  it('is let go of by a process without requests when it catches up', async () => {
    const engine = await open();
    const KeyId = await createKey(engine);
    await importInto(engine, await parametersOf(engine, KeyId), randomBytes(32));
    const idle = await openStore(`sqlite:${join(folder.path, 'keywright.db')}`, clock, SILENT_LOG);
    const changed: string[] = [];
    idle.onKeyChange((_region, keyId) => changed.push(keyId));
    await engine.call('DeleteImportedKeyMaterial', { KeyId }, context);
    expect(changed).toEqual([]);
    await settle();
    await idle.catchUp();
    expect(changed).toEqual([KeyId]);
    await idle.close();
  });

  it('leaves no bytes in the files of the store when it is deleted or expires', async () => {
    const engine = await open();
    const contains = (bytes: Uint8Array): boolean =>
      ['keywright.db', 'keywright.db-wal']
        .map((name) => join(folder.path, name))
        .some((path) => existsSync(path) && readFileSync(path).includes(Buffer.from(bytes)));
    for (const end of ['deletion', 'expiry']) {
      const KeyId = await createKey(engine);
      await importInto(engine, await parametersOf(engine, KeyId), randomBytes(32), { ValidTo: inHours(1) });
      const [row] = wrappedRows();
      expect(contains(row!.wrapped), end).toBe(true);
      if (end === 'deletion') {
        await engine.call('DeleteImportedKeyMaterial', { KeyId }, context);
      } else {
        clock.advanceMs(HOUR_MS);
        await engine.runMaintenance();
      }
      expect(wrappedRows(), end).toEqual([]);
      expect(contains(row!.wrapped), end).toBe(false);
    }
  });

  it('changes together with the state of its key and the outbox, or not at all', async () => {
    const engine = await open();
    const KeyId = await createKey(engine);
    const parameters = await parametersOf(engine, KeyId);
    const material = randomBytes(32);
    const failing = async (call: () => Promise<unknown>): Promise<void> => {
      inDatabase((db) =>
        db.exec("CREATE TRIGGER broken BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'full'); END"),
      );
      await expectError(call(), 'KMSInternalException');
      inDatabase((db) => db.exec('DROP TRIGGER broken'));
    };
    await failing(() => importInto(engine, parameters, material));
    expect([await stateOf(engine, KeyId), wrappedRows().length]).toEqual(['PendingImport', 0]);
    await importInto(engine, parameters, material);
    const blob = await encrypt(engine, KeyId);
    await failing(() => engine.call('DeleteImportedKeyMaterial', { KeyId }, context));
    expect([await stateOf(engine, KeyId), wrappedRows().length]).toEqual(['Enabled', 1]);
    expect(await decrypt(engine, blob)).toBe('secret');
  });

  it('waits for a rotation once, however many engines bring one at the same time', async () => {
    const [one, other] = [await open(), await open()];
    const KeyId = await createKey(one);
    const parameters = await parametersOf(one, KeyId);
    await importInto(one, parameters, randomBytes(32));
    await settle();
    const outcomes = await Promise.allSettled(
      [one, other, one, other].map((engine) =>
        importInto(engine, parameters, randomBytes(32), { ImportType: 'NEW_KEY_MATERIAL' }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(wrappedRows()).toHaveLength(2);
  });

  it('is not recognised by the fingerprint key of another key', async () => {
    const engine = await open();
    const [left, right] = [await createKey(engine), await createKey(engine)];
    const parameters = await parametersOf(engine, left);
    await closeAll();
    inDatabase((db) => {
      const copy = 'UPDATE kms_keys SET imported = (SELECT imported FROM kms_keys WHERE key_id = ?) WHERE key_id = ?';
      expect(db.prepare(copy).run(right, left).changes).toBe(1);
    });
    await expectError(importInto(await open(), parameters, randomBytes(32)), 'KMSInternalException');
  });

  it('has the public key that came with it, and no other that is written into the store', async () => {
    const engine = await open();
    const pair = (): Buffer =>
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'der', type: 'pkcs8' });
    const spec = { Origin: 'EXTERNAL', KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' } as const;
    const ids: string[] = [];
    for (const material of [pair(), pair()]) {
      const { KeyId } = (await engine.call('CreateKey', spec, context)).KeyMetadata;
      await importInto(engine, await parametersOf(engine, KeyId), material);
      ids.push(KeyId);
    }
    const [left, right] = ids;
    await closeAll();
    inDatabase((db) => {
      const path = '$.materials[0].publicKey';
      const exchange = `UPDATE kms_keys SET imported = json_set(imported, '${path}', json(
        (SELECT imported -> '${path}' FROM kms_keys WHERE key_id = ?))) WHERE key_id = ?`;
      expect(db.prepare(exchange).run(right, left).changes).toBe(1);
    });
    const after = await open();
    await expectError(after.call('GetPublicKey', { KeyId: left! }, context), 'KMSInternalException');
    await after.call('GetPublicKey', { KeyId: right! }, context);
  });

  it(`follows the rules in whatever order it comes, goes, expires and rotates (seed ${SEED})`, async () => {
    const engine = await open();
    const index = fc.nat(2);
    const hours = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined });
    const isNew = fc.boolean();
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('import' as const), index, isNew, hours }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), index }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), isSlow: fc.boolean() }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('rotate' as const) }) },
    );
    const first: Step = { kind: 'import', index: 0, isNew: true, hours: undefined };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 20 }), async (steps) => {
        await runAgainstModel(engine, [first, ...steps]);
      }),
      { seed: SEED, numRuns: 25 },
    );
  }, 120_000);
});

type Step =
  | { kind: 'import'; index: number; isNew: boolean; hours: number | undefined }
  | { kind: 'delete'; index: number }
  | { kind: 'pass'; isSlow: boolean }
  | { kind: 'rotate' };

/** The rules of the developer guide about three materials, without any of the code that is tested. */
class Model {
  readonly presentUntil = new Map<number, number>();
  readonly associated: number[] = [];
  pending: number | undefined;

  get isUsable(): boolean {
    return this.associated.length > 0 && this.associated.every((index) => this.presentUntil.has(index));
  }

  get canRotate(): boolean {
    return this.isUsable && this.pending !== undefined;
  }

  canImport(index: number, isNew: boolean): boolean {
    const isKnown = this.associated.includes(index) || this.pending === index;
    return isNew ? !isKnown && this.pending === undefined : isKnown;
  }

  import(index: number, isNew: boolean, untilMs: number): void {
    this.presentUntil.set(index, untilMs);
    if (isNew && this.associated.length === 0) {
      this.associated.push(index);
    } else if (isNew) {
      this.pending = index;
    }
  }

  delete(index: number): void {
    this.presentUntil.delete(index);
    this.pending = this.pending === index ? undefined : this.pending;
  }

  expire(nowMs: number): void {
    for (const [index] of [...this.presentUntil].filter(([, untilMs]) => untilMs <= nowMs)) {
      this.delete(index);
    }
  }

  rotate(): void {
    this.associated.push(this.pending!);
    this.pending = undefined;
  }
}

/** One key that is taken through the steps, in the engine and in the model. */
interface Run {
  readonly engine: Engine;
  readonly model: Model;
  readonly parameters: Parameters;
  readonly bytes: readonly Uint8Array[];
  /** Ids of the materials that were ever imported, by index. */
  readonly ids: (string | undefined)[];
}

async function expectAllowed(isAllowed: boolean, call: Promise<unknown>): Promise<void> {
  const outcome = await call.then(
    () => 'done',
    (error: unknown) => (error as Error).name,
  );
  expect(outcome === 'done', outcome).toBe(isAllowed);
}

async function importStep({ engine, model, parameters, bytes, ids }: Run, step: Step & { kind: 'import' }) {
  const { index, isNew, hours } = step;
  const members = {
    ImportType: isNew ? ('NEW_KEY_MATERIAL' as const) : ('EXISTING_KEY_MATERIAL' as const),
    ValidTo: hours === undefined ? undefined : inHours(hours),
  };
  const isAllowed = model.canImport(index, isNew);
  const call = importInto(engine, parameters, bytes[index]!, members);
  await expectAllowed(isAllowed, call);
  if (isAllowed) {
    const { KeyMaterialId } = await call;
    expect(KeyMaterialId).toBe(ids[index] ?? KeyMaterialId);
    ids[index] = KeyMaterialId;
    model.import(index, isNew, members.ValidTo?.getTime() ?? Infinity);
  }
}

async function perform(run: Run, step: Step): Promise<void> {
  const { engine, model, parameters } = run;
  const { KeyId } = parameters;
  switch (step.kind) {
    case 'import':
      await importStep(run, step);
      break;
    case 'delete': {
      const KeyMaterialId = run.ids[step.index] ?? 'ab'.repeat(32);
      await engine.call('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId }, context);
      model.delete(step.index);
      break;
    }
    case 'pass':
      clock.advanceMs(HOUR_MS);
      model.expire(clock.nowMs());
      await (step.isSlow ? undefined : engine.runMaintenance());
      break;
    case 'rotate': {
      const isAllowed = model.canRotate;
      await expectAllowed(isAllowed, engine.call('RotateKeyOnDemand', { KeyId }, context));
      if (isAllowed) {
        model.rotate();
      }
      break;
    }
  }
}

async function runAgainstModel(engine: Engine, steps: readonly Step[]): Promise<void> {
  const KeyId = await createKey(engine);
  const parameters = await parametersOf(engine, KeyId);
  const bytes = Array.from({ length: 3 }, () => randomBytes(32));
  const model = new Model();
  const run: Run = { engine, model, parameters, bytes, ids: [] };
  const blobs: Uint8Array[] = [];
  for (const step of steps) {
    await perform(run, step);
    expect(await stateOf(engine, KeyId)).toBe(model.isUsable ? 'Enabled' : 'PendingImport');
    if (model.isUsable) {
      blobs.push(await encrypt(engine, KeyId, `blob ${blobs.length}`));
      const { KeyMaterialId } = await engine.call('Decrypt', { CiphertextBlob: blobs.at(-1) }, context);
      expect(KeyMaterialId).toBe(run.ids[model.associated.at(-1)!]);
    }
    for (const [number, blob] of blobs.entries()) {
      await (model.isUsable
        ? expect(decrypt(engine, blob)).resolves.toBe(`blob ${number}`)
        : expectError(decrypt(engine, blob), 'KMSInvalidStateException'));
    }
  }
  await engine.runMaintenance();
  const stored = inDatabase((db) =>
    db.prepare('SELECT material_id FROM key_materials WHERE key_id = ?').pluck().all(KeyId),
  );
  expect(new Set(stored)).toEqual(new Set([...model.presentUntil.keys()].map((index) => run.ids[index])));
}
