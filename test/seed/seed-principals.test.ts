/** Users, roles and services of a seed file: what it makes, what it leaves alone, and what it refuses. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { ADMINISTRATOR_POLICY, callerOf, rootOf } from '../../src/iam/identities.ts';
import { applySeed } from '../../src/seed/apply-seed.ts';
import { expectError } from '../support/expect-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ACCOUNT = '012345678901';
const OTHER_ACCOUNT = '210987654321';
const REGION = 'eu-central-1';
const context = { caller: rootOf(ACCOUNT), region: REGION };
const worker = { accountId: ACCOUNT, kind: 'user', name: 'worker' } as const;

const FILE = `
accounts:
  - accountId: ${ACCOUNT}
    users:
      - name: worker
        policies:
          use: { Version: 2012-10-17, Statement: { Effect: Allow, Action: kms:ListKeys, Resource: '*' } }
          text: '{"Statement":{"Effect":"Deny","Action":"kms:ListAliases","Resource":"*"}}'
        permissionsBoundary: { Statement: [{ Effect: Allow, Action: 'kms:*', Resource: '*' }] }
        tags: { team: orders }
        accessKeys: [{ accessKeyId: AKIAWORKERWORKERWORK, secretAccessKey: secret-of-the-worker }]
      - name: visitor
        generateAccessKey: true
    roles:
      - name: reader
        maxSessionSeconds: 7200
        trustPolicy:
          Statement: { Effect: Allow, Principal: { AWS: 'arn:aws:iam::${ACCOUNT}:user/worker' }, Action: 'sts:*' }
    services:
      - name: s3.amazonaws.com
        accessKeys: [{ accessKeyId: AKIASERVICESERVICESE, secretAccessKey: secret-of-the-service }]
`;
const THINGS = 7;

let folder: ReturnType<typeof temporaryFolder>;
let engine: Engine;

beforeEach(async () => {
  folder = temporaryFolder();
  engine = await Engine.open({ dataDirectory: folder.path, regions: [REGION] });
});

afterEach(async () => {
  vi.restoreAllMocks();
  await engine.close();
  folder.remove();
});

async function expectRefused(source: string, problem: string | RegExp): Promise<void> {
  const before = await engine.identities.list();
  await expectError(applySeed(engine, source, { file: 'a.yaml' }), 'SeedError', problem);
  expect(await engine.identities.list()).toEqual(before);
}

/** A file of one account with one user that has these members. */
function userWith(...members: readonly string[]): string {
  return ['accounts:', `- accountId: ${ACCOUNT}`, '  users:', '  - name: u', ...members.map((m) => `    ${m}`)].join(
    '\n',
  );
}

describe('principals of a seed file', () => {
  it('are made with everything that the file says, and decide', async () => {
    expect(await applySeed(engine, FILE)).toMatchObject({ created: THINGS, existing: 0 });
    const user = await engine.identities.get(worker);
    expect(user).toMatchObject({ arn: `arn:aws:iam::${ACCOUNT}:user/worker`, tags: new Map([['team', 'orders']]) });
    expect([...user.policies.keys()]).toEqual(['use', 'text']);
    expect(JSON.parse(user.permissionsBoundary ?? '')).toMatchObject({ Statement: [{ Action: 'kms:*' }] });
    const asWorker = { ...context, caller: callerOf(user) };
    expect(await engine.call('ListKeys', {}, asWorker)).toMatchObject({ Keys: [] });
    await expectError(engine.call('ListAliases', {}, asWorker), 'AccessDeniedException', /explicit deny/);
    const role = await engine.identities.get({ accountId: ACCOUNT, kind: 'role', name: 'reader' });
    expect(role.maxSessionSeconds).toBe(7200);
  });

  it('have the access keys of the file, and generated ones where it asks for them', async () => {
    const { generatedAccessKeys } = await applySeed(engine, FILE);
    expect((await engine.accessKeys.find('AKIAWORKERWORKERWORK'))?.identity.arn).toBe(
      `arn:aws:iam::${ACCOUNT}:user/worker`,
    );
    expect((await engine.accessKeys.find('AKIASERVICESERVICESE'))?.identity).toEqual({
      accountId: ACCOUNT,
      arn: 's3.amazonaws.com',
      principalId: `s3.amazonaws.com/${ACCOUNT}`,
    });
    expect(generatedAccessKeys).toMatchObject([{ accountId: ACCOUNT, ownerName: 'visitor' }]);
    const made = await engine.accessKeys.find(generatedAccessKeys[0]!.accessKeyId);
    expect(made?.identity.arn).toBe(`arn:aws:iam::${ACCOUNT}:user/visitor`);
  });

  it('are left alone by a second load of the same file', async () => {
    await applySeed(engine, FILE);
    const before = await engine.identities.list();
    const nothing = { created: 0, changes: [], existing: THINGS, generatedAccessKeys: [] };
    expect(await applySeed(engine, FILE)).toEqual(nothing);
    expect(await engine.identities.list()).toEqual(before);
  });

  it('become again what the file says when they were changed since', async () => {
    await applySeed(engine, FILE);
    const before = await engine.identities.get(worker);
    await engine.identities.update(worker, () => ({
      policies: new Map([['other', ADMINISTRATOR_POLICY]]),
      permissionsBoundary: undefined,
      tags: new Map([['team', 'other']]),
    }));
    const what = 'policy other, policy use, policy text, permissionsBoundary, tags';
    const report = { created: 0, changes: [`user worker of account ${ACCOUNT}: ${what}`], existing: THINGS };
    expect(await applySeed(engine, FILE, { isCheckOnly: true })).toMatchObject(report);
    expect([...(await engine.identities.get(worker)).policies.keys()]).toEqual(['other']);
    expect(await applySeed(engine, FILE)).toMatchObject(report);
    expect(await engine.identities.get(worker)).toEqual({ ...before, version: before.version + 2 });
    expect(await applySeed(engine, FILE)).toMatchObject({ changes: [] });
  });

  it('become what another file says, and lose what it leaves out', async () => {
    await applySeed(engine, FILE);
    const role = (...more: string[]): string =>
      ['accounts:', `- accountId: '${ACCOUNT}'`, '  roles:', '  - name: reader', ...more].join('\n');
    const trust = `    trustPolicy: { Statement: { Effect: Allow, Principal: { AWS: '${ACCOUNT}' }, Action: 'sts:AssumeRole' } }`;
    expect((await applySeed(engine, role(trust))).changes).toEqual([
      `role reader of account ${ACCOUNT}: trustPolicy, maxSessionSeconds`,
    ]);
    const stored = await engine.identities.get({ accountId: ACCOUNT, kind: 'role', name: 'reader' });
    expect(stored).toMatchObject({ maxSessionSeconds: 3600, permissionsBoundary: undefined });
    expect(stored.policies.size + stored.tags.size).toBe(0);
    // Those whom the file does not name stay.
    expect(await engine.identities.findByName(worker)).toBeDefined();
  });

  it('may trust each other, in whatever order and account they stand', async () => {
    const role = (account: string, name: string, trusted: string): string => `
- accountId: '${account}'
  roles:
  - name: ${name}
    trustPolicy: { Statement: { Effect: Allow, Principal: { AWS: '${trusted}' }, Action: 'sts:AssumeRole' } }`;
    const [a, b] = [`arn:aws:iam::${ACCOUNT}:role/a`, `arn:aws:sts::${OTHER_ACCOUNT}:assumed-role/b/work`];
    const file = `accounts:${role(ACCOUNT, 'a', b)}${role(OTHER_ACCOUNT, 'b', a)}`;
    expect(await applySeed(engine, file)).toMatchObject({ created: 2, changes: [] });
    const idOf = async (accountId: string, name: string): Promise<string> =>
      (await engine.identities.get({ accountId, kind: 'role', name })).uniqueId;
    const first = await engine.identities.get({ accountId: ACCOUNT, kind: 'role', name: 'a' });
    expect(first.trustPolicy).toContain(`"${await idOf(OTHER_ACCOUNT, 'b')}:work"`);
    expect(await applySeed(engine, file)).toMatchObject({ created: 0, changes: [], existing: 2 });
    await engine.identities.delete({ accountId: OTHER_ACCOUNT, kind: 'role', name: 'b' });
    expect((await applySeed(engine, file)).changes).toEqual([`role a of account ${ACCOUNT}: trustPolicy`]);
  });

  it('must be there, or in the file, to be named', async () => {
    const nobody = `arn:aws:iam::${ACCOUNT}:user/nobody`;
    const Principal = `Principal: { AWS: '${nobody}' }`;
    const role = `{ name: r, trustPolicy: { Statement: { Effect: Allow, ${Principal}, Action: 'sts:*' } } }`;
    const account = `accounts:\n- accountId: '${ACCOUNT}'\n  users: [{ name: u }]\n`;
    await expectRefused(
      `${account}  roles:\n  - ${role}`,
      new RegExp(`Invalid principal in policy: "AWS":"${nobody}"`),
    );
    const key = `keys:\n- keyId: 1f5a4c2e-6b7d-4e8f-9a0b-1c2d3e4f5a6b\n  region: ${REGION}\n`;
    const statement = `{ Effect: Allow, ${Principal}, Action: 'kms:*', Resource: '*' }`;
    await expectRefused(`${account}${key}  policy: { Statement: ${statement} }`, /one or more invalid principals/);
    const grant = `{ name: g, granteePrincipal: '${nobody}', operations: [Decrypt] }`;
    await expectRefused(
      `${account}${key}  grants: [${grant}]`,
      new RegExp(`ARN does not refer to a valid principal: ${nobody}`),
    );
  });

  it('are made again with their access keys when they were deleted', async () => {
    await applySeed(engine, FILE);
    await engine.identities.delete(worker);
    expect(await applySeed(engine, FILE)).toMatchObject({ created: 2, existing: THINGS - 2 });
    expect((await engine.accessKeys.find('AKIAWORKERWORKERWORK'))?.identity).toEqual(
      callerOf(await engine.identities.get(worker)),
    );
  });

  it('that a crash kept away are made by the next load', async () => {
    const put = vi.spyOn(engine.accessKeys, 'put').mockRejectedValueOnce(new Error('cut off'));
    await expect(applySeed(engine, FILE)).rejects.toThrow('cut off');
    expect(put).toHaveBeenCalledOnce();
    expect(await applySeed(engine, FILE)).toMatchObject({ created: THINGS - 1, existing: 1 });
    expect(await applySeed(engine, FILE)).toMatchObject({ created: 0, existing: THINGS });
  });

  it('are made once when two engines load one file at the same time', async () => {
    const other = await Engine.open({ dataDirectory: folder.path, regions: [REGION] });
    try {
      for (const { created, existing } of await Promise.all([applySeed(engine, FILE), applySeed(other, FILE)])) {
        expect(created + existing).toBe(THINGS);
      }
    } finally {
      await other.close();
    }
    expect((await engine.identities.list()).map(({ name }) => name).sort()).toEqual([
      'reader',
      's3.amazonaws.com',
      'visitor',
      'worker',
    ]);
  });

  it('are only counted by a check', async () => {
    expect(await applySeed(engine, FILE, { isCheckOnly: true })).toMatchObject({ created: THINGS, existing: 0 });
    expect(await engine.identities.list()).toEqual([]);
  });
});

describe('a principal that cannot be', () => {
  it.each([
    [
      'a wrong policy',
      userWith('policies: { p: { Statement: { Effect: Maybe } } }'),
      /^a\.yaml:5:20: MalformedPolicyDocument: .*Effect/,
    ],
    [
      'a policy that is no JSON',
      userWith('policies: { p: no json }'),
      'a.yaml:5:20: MalformedPolicyDocument: This policy contains invalid Json',
    ],
    [
      'a policy that is a list',
      userWith('policies: { p: [1] }'),
      'a.yaml:5:20: policy must be a mapping, or a text of JSON',
    ],
    ['a list of policies', userWith('policies: [1]'), 'a.yaml:5:15: policies must be a mapping of names to values'],
    [
      'a wrong policy name',
      userWith(`policies: { 'a b': '${allowAll()}' }`),
      /^a\.yaml:4:5: InvalidInput: The name of a policy/,
    ],
    [
      'a policy that is too long',
      userWith(`policies: { p: '${allowAll(2100)}' }`),
      /^a\.yaml:4:5: LimitExceeded: .* 2048 characters/,
    ],
    [
      'a wrong boundary',
      userWith('permissionsBoundary: { Statement: [] }'),
      /^a\.yaml:5:26: MalformedPolicyDocument: Policy has no/,
    ],
    ['a reserved tag', userWith('tags: { "aws:x": y }'), /^a\.yaml:4:5: InvalidInput: The tag aws:x/],
    [
      'a user with a trust policy',
      userWith('trustPolicy: x'),
      /^a\.yaml:5:5: users\[0\] has the unknown member trustPolicy/,
    ],
    ['a wrong name', userWith('').replace('name: u', "name: 'a b'"), /^a\.yaml:4:5: InvalidInput: A name has/],
    [
      'the administrator',
      userWith('').replace('name: u', 'name: administrator'),
      /^a\.yaml:4:5: administrator is there by itself/,
    ],
    [
      'a name twice',
      userWith('- name: u').replace('    - name', '  - name'),
      /^a\.yaml:5:5: user u of account .* is there twice/,
    ],
    [
      'a role without trust policy',
      userWith('').replace('users', 'roles'),
      /^a\.yaml:4:5: roles\[0\] lacks the member trustPolicy/,
    ],
    [
      'a wrong service name',
      userWith('').replace('users', 'services'),
      /^a\.yaml:4:5: InvalidInput: A service is named by a DNS name/,
    ],
    [
      'a wrong trust policy',
      userWith('trustPolicy: { Statement: { Effect: Allow, Action: sts:AssumeRole } }').replace('users', 'roles'),
      /^a\.yaml:5:18: MalformedPolicyDocument: Statement needs exactly one of Principal/,
    ],
    [
      'given and generated access keys',
      userWith('generateAccessKey: true', 'accessKeys: [{ accessKeyId: AKIAX, secretAccessKey: y }]'),
      'a.yaml:4:5: generateAccessKey is for those without accessKeys',
    ],
  ])('is refused at its place: %s', async (_title, source, problem) => {
    await expectRefused(source, problem);
  });
});

function allowAll(length = 0): string {
  return JSON.stringify({ Statement: [{ Sid: 'a'.repeat(length), Effect: 'Allow', Action: '*', Resource: '*' }] });
}

describe('a conflict of principals', () => {
  it('of the owner of an access key names both, and shows no secret', async () => {
    await applySeed(engine, FILE);
    await expectRefused(
      userWith('accessKeys: [{ accessKeyId: AKIAWORKERWORKERWORK, secretAccessKey: secret-of-the-worker }]'),
      `a.yaml:5:18: owner of access key AKIAWORKERWORKERWORK: the file says arn:aws:iam::${ACCOUNT}:user/u, ` +
        `the store has arn:aws:iam::${ACCOUNT}:user/worker`,
    );
    await expectRefused(FILE.replace('secret-of-the-worker', 'other'), /the secret of the file is not the one/);
  });
});
