/** Grants at the size that AWS allows, and on a store that several engines share. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Caller } from '../../src/base/caller.ts';
import { SILENT_LOG } from '../../src/base/log.ts';
import { Engine } from '../../src/engine/engine.ts';
import { callerOf, rootOf } from '../../src/iam/identities.ts';
import { DEFAULT_RESOURCE_QUOTAS } from '../../src/service/resource-quotas.ts';
import { MAX_STALENESS_MS } from '../../src/store/change-feed.ts';
import { ACCOUNT, openEngine, OTHER_REGION, REGION, type OpenEngine } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';

const administrator = { caller: rootOf(ACCOUNT), region: REGION };
const Plaintext = Buffer.from('x');

let open: OpenEngine;
/** Another engine on the same store, as in another process. */
let other: Engine;
let worker: Caller;

beforeAll(async () => {
  open = await openEngine();
  other = await Engine.open({
    dataDirectory: open.folder,
    regions: [REGION, OTHER_REGION],
    clock: open.clock,
    log: SILENT_LOG,
  });
  worker = callerOf(await open.engine.identities.create({ accountId: ACCOUNT, kind: 'user', name: 'worker' }));
});

afterAll(async () => {
  await other.close();
  await open.engine.close();
  open.remove();
});

async function newKey(): Promise<string> {
  return (await open.engine.call('CreateKey', {}, administrator)).KeyMetadata.KeyId;
}

async function grant(KeyId: string, tenant?: string): Promise<{ GrantId: string; GrantToken: string }> {
  const Constraints = tenant === undefined ? undefined : { EncryptionContextEquals: { tenant } };
  const input = {
    KeyId,
    GranteePrincipal: worker.arn,
    Operations: ['Encrypt' as const],
    ...(Constraints && { Constraints }),
  };
  return open.engine.call('CreateGrant', input, administrator);
}

const encrypt = (engine: Engine, KeyId: string, more: object = {}): Promise<object> =>
  engine.call('Encrypt', { KeyId, Plaintext, ...more }, { caller: worker, region: REGION });

/** Copies the only grant of a key until the key has as many as it can; `changes` gives columns by number `n`. */
function fill(KeyId: string, changes: Readonly<Record<string, string>>): void {
  const database = new SqliteDatabase(join(open.folder, 'keywright.db'), { timeout: 5_000 });
  const columns = database.prepare("SELECT name FROM pragma_table_info('grants')").pluck().all() as string[];
  const values = columns.map((column) => changes[column] ?? column);
  const id = `printf('%064x', n)`;
  database
    .prepare(
      `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
       INSERT INTO grants (${columns.join(', ')})
       SELECT ${values.map((value, index) => (columns[index] === 'grant_id' ? id : value)).join(', ')}
       FROM grants, numbers WHERE key_id = ?`,
    )
    .run(DEFAULT_RESOURCE_QUOTAS.grantsPerKey - 1, KeyId);
  database.close();
}

/** How many grants the store hands over for a request. */
async function grantsLookedAt(request: () => Promise<unknown>): Promise<readonly number[]> {
  const find = vi.spyOn(open.engine.ports.grants, 'findUsable');
  await request();
  const found = await Promise.all(find.mock.results.map(({ value }) => value as Promise<readonly unknown[]>));
  find.mockRestore();
  return found.map(({ length }) => length);
}

it.each([
  ['are for others', { grantee_id: "'AIDAOTHEROTHER' || n" }],
  [
    'are for the same grantee in other contexts',
    {
      selector: `'equals[["tenant","' || n || '"]]'`,
      constraints: `'{"EncryptionContextEquals":{"tenant":"' || n || '"}}'`,
    },
  ],
  [
    'are for the same grantee with a part of the context in common',
    {
      selector: `'subset[["shared","x"],["tenant","' || n || '"]]'`,
      constraints: `'{"EncryptionContextSubset":{"shared":"x","tenant":"' || n || '"}}'`,
    },
  ],
])('of 50,000 grants that %s, a request looks at one', async (_title, changes) => {
  const KeyId = await newKey();
  await grant(KeyId, '0');
  fill(KeyId, changes);
  await sleep(2 * MAX_STALENESS_MS);
  const looked = await grantsLookedAt(() => encrypt(open.engine, KeyId, { EncryptionContext: { tenant: '0' } }));
  expect(looked).toEqual([1]);
  await expectError(encrypt(open.engine, KeyId, { EncryptionContext: { tenant: 'none' } }), 'AccessDeniedException');
  await expectError(
    grant(KeyId),
    'LimitExceededException',
    `arn:aws:kms:${REGION}:${ACCOUNT}:key/${KeyId} has too many grants.`,
  );
});

it('the grants of a grantee are found by an index', () => {
  const database = new SqliteDatabase(join(open.folder, 'keywright.db'), { readonly: true });
  const plan = database
    .prepare(
      `EXPLAIN QUERY PLAN SELECT * FROM grants WHERE region = '' AND key_id = '' AND grantee_kind = 'principal'
       AND grantee_id IN ('a', 'b') AND selector IN ('c', 'd') AND operations LIKE '%"Encrypt"%'`,
    )
    .all() as readonly { readonly detail: string }[];
  database.close();
  expect(plan[0]?.detail).toContain('grants_by_grantee (region=? AND key_id=? AND grantee_id=? AND selector=?)');
});

it('a token makes a fresh grant usable at once in another engine, and none is needed soon after', async () => {
  const KeyId = await newKey();
  // Now the other engine has the answer that there is no grant.
  await expectError(encrypt(other, KeyId), 'AccessDeniedException');
  const { GrantToken } = await grant(KeyId);
  await encrypt(other, KeyId, { GrantTokens: [GrantToken] });
  await encrypt(open.engine, KeyId);
  await sleep(2 * MAX_STALENESS_MS);
  await encrypt(other, KeyId);
});

it.each(['RevokeGrant', 'RetireGrant'] as const)('%s ends access in another engine', async (operation) => {
  const KeyId = await newKey();
  const { GrantId, GrantToken } = await grant(KeyId);
  await sleep(2 * MAX_STALENESS_MS);
  await encrypt(other, KeyId);
  await open.engine.call(operation, { KeyId, GrantId }, administrator);
  await expectError(encrypt(open.engine, KeyId), 'AccessDeniedException');
  await sleep(2 * MAX_STALENESS_MS);
  for (const more of [{}, { GrantTokens: [GrantToken] }]) {
    await expectError(encrypt(other, KeyId, more), 'AccessDeniedException');
  }
});

it('the token of a grant on one key is nothing on another key', async () => {
  const [KeyId, another] = [await newKey(), await newKey()];
  const { GrantToken } = await grant(KeyId);
  await expectError(encrypt(open.engine, another, { GrantTokens: [GrantToken] }), 'AccessDeniedException');
});
