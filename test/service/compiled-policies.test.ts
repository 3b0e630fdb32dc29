/** Policies are compiled when they are stored or loaded, and never for a decision. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type * as Compiler from '../../src/policy/compile.ts';
import { Engine } from '../../src/engine/engine.ts';
import { callerOf, rootOf } from '../../src/iam/identities.ts';
import { MAX_STALENESS_MS } from '../../src/store/change-feed.ts';
import { ACCOUNT, openEngine, REGION, type OpenEngine } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';

const { counted } = vi.hoisted(() => ({ counted: { compilations: 0, isDeciding: false, inDecisions: 0 } }));

vi.mock('../../src/policy/compile.ts', async (load) => {
  const actual = await load<typeof Compiler>();
  const compilePolicy: typeof Compiler.compilePolicy = (document, name) => {
    counted.compilations += 1;
    counted.inDecisions += counted.isDeciding ? 1 : 0;
    return actual.compilePolicy(document, name);
  };
  return { ...actual, compilePolicy };
});

let open: OpenEngine;

beforeEach(async () => {
  open = await openEngine();
});

afterEach(async () => {
  await open.engine.close();
  open.remove();
});

const allow = (actions: readonly string[], more = {}): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*', ...more }] });
const keyPolicy = (...actions: string[]): string =>
  allow(['kms:PutKeyPolicy', ...actions], { Principal: { AWS: ACCOUNT } });
const region = REGION;

it('a writer compiles what it stores, and decisions about it compile nothing', async () => {
  const { engine } = open;
  const admin = { caller: rootOf(ACCOUNT), region };
  const user = callerOf(
    await engine.identities.create(
      { accountId: ACCOUNT, kind: 'user', name: 'reader' },
      { policies: new Map([['read', allow(['kms:DescribeKey'])]]), permissionsBoundary: allow(['kms:Describe*']) },
    ),
  );
  const before = counted.compilations;
  const made = await engine.call('CreateKey', { Policy: keyPolicy('kms:DescribeKey') }, admin);
  expect(counted.compilations).toBe(before + 1);
  const { KeyId } = made.KeyMetadata;
  await engine.call('DescribeKey', { KeyId }, { caller: user, region });
  for (let round = 0; round < 50; round++) {
    await engine.call('DescribeKey', { KeyId }, { caller: user, region });
    await expectError(engine.call('DisableKey', { KeyId }, { caller: user, region }), 'AccessDeniedException');
  }
  expect(counted.compilations).toBe(before + 1);
  const Policy = keyPolicy('kms:DescribeKey', 'kms:CreateGrant', 'kms:GetKeyPolicy');
  await engine.call('PutKeyPolicy', { KeyId, Policy }, admin);
  expect(counted.compilations).toBe(before + 2);
  const grant = { KeyId, GranteePrincipal: user.arn, RetiringPrincipal: user.arn, Operations: ['Decrypt' as const] };
  const { GrantId } = await engine.call('CreateGrant', grant, admin);
  await engine.call('RetireGrant', { KeyId, GrantId }, { caller: user, region });
  expect(counted.compilations).toBe(before + 2);
});

it('what another process wrote is compiled when it is loaded, before the decision', async () => {
  const { engine } = open;
  const admin = { caller: rootOf(ACCOUNT), region };
  const { KeyMetadata } = await engine.call('CreateKey', {}, admin);
  const { KeyId } = KeyMetadata;
  const decide = engine.access.decide.bind(engine.access);
  vi.spyOn(engine.access, 'decide').mockImplementation((request) => {
    counted.isDeciding = true;
    try {
      return decide(request);
    } finally {
      counted.isDeciding = false;
    }
  });
  // Written past this process, which has not seen the text.
  const { default: SqliteDatabase } = await import('better-sqlite3');
  const database = new SqliteDatabase(`${open.folder}/keywright.db`);
  database
    .prepare('UPDATE kms_keys SET policy = ?, version = version + 1 WHERE key_id = ?')
    .run(keyPolicy('kms:DescribeKey', 'kms:Decrypt'), KeyId);
  database
    .prepare("INSERT INTO outbox (entity, region, entity_id, version, at_ms) VALUES ('key', ?, ?, 2, 0)")
    .run(region, KeyId);
  database.close();
  await new Promise((resolve) => setTimeout(resolve, 2 * MAX_STALENESS_MS));
  const before = counted.compilations;
  await engine.call('DescribeKey', { KeyId }, admin);
  await engine.call('DescribeKey', { KeyId }, admin);
  expect(counted.compilations).toBe(before + 1);
  expect(counted.inDecisions).toBe(0);
  await expectError(engine.call('DisableKey', { KeyId }, admin), 'AccessDeniedException');
});

it('an engine that is opened compiles what its store has when a request first needs it', async () => {
  const admin = { caller: rootOf(ACCOUNT), region };
  const { KeyMetadata } = await open.engine.call('CreateKey', { Policy: keyPolicy('kms:Describe*') }, admin);
  const second = await Engine.open({ dataDirectory: open.folder, regions: [region] });
  try {
    const { KeyId } = KeyMetadata;
    expect((await second.call('DescribeKey', { KeyId }, admin)).KeyMetadata.KeyId).toBe(KeyId);
  } finally {
    await second.close();
  }
});
