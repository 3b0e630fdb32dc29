/** `keywright policy`: questions to a store, their answers and exit statuses. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { callerOf, rootOf } from '../../src/iam/identities.ts';
import { applySeed } from '../../src/seed/apply-seed.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const run = promisify(execFile);

const ACCOUNT = '111122223333';
const PARTNER = '444455556666';
const REGION = 'us-east-1';
const KEY = '1f5a4c2e-6b7d-4e8f-9a0b-1c2d3e4f5a6b';
const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/${KEY}`;
const USER = `arn:aws:iam::${ACCOUNT}:user/u`;
const GONE = `arn:aws:iam::${PARTNER}:user/gone`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/r`;

const allow = (action: string, more = ''): string =>
  `{ Version: '2012-10-17', Statement: { Effect: Allow, Action: '${action}', Resource: '*' ${more} } }`;

const SEED = `
accounts:
  - accountId: '${ACCOUNT}'
    users:
      - { name: u, tags: { team: orders }, policies: { p: ${allow('kms:*')} } }
      - { name: idle }
    roles:
      - name: r
        trustPolicy: { Statement: { Effect: Allow, Principal: { AWS: '${ACCOUNT}' }, Action: sts:AssumeRole } }
    services: [{ name: logs.amazonaws.com }]
  - accountId: '${PARTNER}'
    users: [{ name: far, policies: { p: ${allow('kms:Decrypt')} } }, { name: stranger }, { name: gone }]
keys:
  - keyId: ${KEY}
    accountId: '${ACCOUNT}'
    region: ${REGION}
    aliases: [alias/a]
    policy:
      Statement:
        - { Sid: Own, Effect: Allow, Principal: { AWS: '${ACCOUNT}' }, Action: 'kms:*', Resource: '*' }
        - { Sid: Far, Effect: Allow, Principal: { AWS: '${PARTNER}' }, Action: 'kms:Decrypt', Resource: '*' }
        - { Sid: Gone, Effect: Allow, Principal: { AWS: '${GONE}' }, Action: 'kms:Decrypt', Resource: '*' }
        - { Sid: Logs, Effect: Allow, Principal: { Service: logs.amazonaws.com }, Action: 'kms:Decrypt', Resource: '*' }
        - Sid: NotFromThere
          Effect: Deny
          Principal: '*'
          Action: 'kms:Encrypt'
          Resource: '*'
          Condition: { IpAddress: { 'aws:SourceIp': 192.0.2.0/24 } }
    grants:
      - { name: g, granteePrincipal: '${ROLE}', operations: [Decrypt, CreateGrant] }
`;

let folder: ReturnType<typeof temporaryFolder>;
let token: string;
/** The unique id of the user who is gone. */
let gone: string;

beforeAll(async () => {
  folder = temporaryFolder();
  const engine = await Engine.open({ dataDirectory: folder.path });
  await applySeed(engine, SEED);
  const context = { caller: rootOf(ACCOUNT), region: REGION };
  const grant = { KeyId: KEY, GranteePrincipal: USER, Operations: ['Decrypt' as const] };
  token = (await engine.call('CreateGrant', grant, context)).GrantToken;
  const leaver = { accountId: PARTNER, kind: 'user', name: 'gone' } as const;
  gone = (await engine.identities.get(leaver)).uniqueId;
  await engine.identities.delete(leaver);
  await engine.close();
});

afterAll(() => {
  folder.remove();
});

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function policy(...args: readonly string[]): Promise<Outcome> {
  const env = { PATH: process.env['PATH'], KEYWRIGHT_DATA: folder.path };
  try {
    return { status: 0, ...(await run(process.execPath, [MAIN, 'policy', ...args], { env })) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, stdout, stderr };
  }
}

const simulate = (principal: string, action: string, ...more: readonly string[]): Promise<Outcome> =>
  policy('simulate', '--principal', principal, '--action', action, ...more);

async function answer(...args: Parameters<typeof simulate>): Promise<Record<string, unknown>> {
  const { status, stdout } = await simulate(...args, '--json');
  const json = JSON.parse(stdout) as Record<string, unknown>;
  expect(status).toBe(json['decision'] === 'allowed' ? 0 : 2);
  return json;
}

describe('keywright policy simulate', () => {
  it('names the policy and statement that allow, and what every policy says', async () => {
    expect(await answer(USER, 'kms:Encrypt', '--key', 'alias/a', '--region', REGION)).toMatchObject({
      decision: 'allowed',
      principal: USER,
      resource: KEY_ARN,
      by: { type: 'identity policy', name: 'p', statement: { index: 0 } },
      policies: [
        { type: 'key policy', effect: 'allow', statement: { index: 0, sid: 'Own' }, how: 'names the account' },
        { type: 'identity policy', applies: true, effect: 'allow', name: 'p' },
        { type: 'permissions boundary', applies: false },
        { type: 'session policy', applies: false },
        { type: 'VPC endpoint policy', applies: false },
      ],
    });
  });

  it('names the statement that denies, with status 2, and what the caller would read', async () => {
    const denied = await answer(USER, 'kms:Encrypt', '--key', KEY_ARN, '--source-ip', '192.0.2.7');
    expect(denied).toMatchObject({
      decision: 'denied',
      by: { type: 'key policy', statement: { index: 4, sid: 'NotFromThere' } },
      message:
        `User: ${USER} is not authorized to perform: kms:Encrypt on resource: ${KEY_ARN} ` +
        'with an explicit deny in a resource-based policy',
    });
  });

  it('answers as the service does', async () => {
    const engine = await Engine.open({ dataDirectory: folder.path });
    const idle = callerOf(await engine.identities.get({ accountId: ACCOUNT, kind: 'user', name: 'idle' }));
    const text = await engine.call('DescribeKey', { KeyId: KEY }, { caller: idle, region: REGION }).then(
      () => 'allowed',
      (error: unknown) => (error as Error).message,
    );
    await engine.close();
    expect(await answer(idle.arn, 'kms:DescribeKey', '--key', KEY_ARN)).toMatchObject({ message: text });
  });

  it('takes a role for a session of it, and names the grant that lets it in', async () => {
    expect(await answer(ROLE, 'kms:Decrypt', '--key', KEY_ARN)).toMatchObject({
      decision: 'allowed',
      principal: `arn:aws:sts::${ACCOUNT}:assumed-role/r/simulation`,
      by: { type: 'grant', name: 'g' },
    });
    const session = `arn:aws:sts::${ACCOUNT}:assumed-role/r/mine`;
    expect(await answer(session, 'kms:Decrypt', '--key', KEY_ARN)).toMatchObject({ principal: session });
    expect(await answer(ROLE, 'kms:Encrypt', '--key', KEY_ARN)).toMatchObject({ decision: 'denied' });
  });

  it('compares a grant to make with the one that lets its maker make it', async () => {
    const make = (operation: string): Promise<Record<string, unknown>> =>
      answer(ROLE, 'kms:CreateGrant', '--key', KEY_ARN, '--value', `kms:GrantOperations=${operation}`);
    expect(await make('Decrypt')).toMatchObject({ decision: 'allowed', by: { type: 'grant', name: 'g' } });
    expect(await make('Encrypt')).toMatchObject({ decision: 'denied' });
  });

  it('keeps operations within their account, whatever policies say', async () => {
    const far = `arn:aws:iam::${PARTNER}:user/far`;
    expect(await answer(far, 'kms:Decrypt', '--key', KEY_ARN)).toMatchObject({ decision: 'allowed' });
    expect(await answer(`arn:aws:iam::${PARTNER}:root`, 'kms:DisableKey', '--key', KEY_ARN)).toMatchObject({
      decision: 'denied',
      reason: expect.stringMatching(/^because the resource does not exist in this Region/) as string,
    });
  });

  it('decides actions without a key, and takes grant tokens', async () => {
    expect(await answer(USER, 'kms:CreateKey', '--region', REGION)).toMatchObject({
      resource: '*',
      decision: 'allowed',
    });
    expect(await answer(USER, 'kms:Decrypt', '--key', KEY_ARN, '--grant-token', token)).toMatchObject({
      decision: 'allowed',
    });
  });

  it.each([
    ['an unknown action', [USER, 'kms:Explode', '--key', KEY_ARN], /--action must be/],
    ['ReEncrypt, which is two actions', [USER, 'kms:ReEncrypt', '--key', KEY_ARN], /--action must be/],
    ['RetireGrant', [USER, 'kms:RetireGrant', '--key', KEY_ARN], /other than kms:RetireGrant/],
    ['an unknown principal', [`${USER}x`, 'kms:Decrypt', '--key', KEY_ARN], /there is no principal/],
    ['a federated user', [`arn:aws:sts::${ACCOUNT}:federated-user/u`, 'kms:Decrypt', '--key', KEY_ARN], /no principal/],
    ['an unknown key', [USER, 'kms:Decrypt', '--key', KEY_ARN.replace('1f', '2f')], /there is no key/],
    [
      'the key of another account',
      [USER, 'kms:Decrypt', '--key', KEY_ARN.replace(ACCOUNT, PARTNER)],
      /there is no key/,
    ],
    ['no key', [USER, 'kms:Decrypt'], /--key is missing/],
    ['a key too many', [USER, 'kms:CreateKey', '--key', KEY_ARN], /leave --key out/],
    ['no Region', [USER, 'kms:Decrypt', '--key', KEY], /--region is missing/],
    ['a grant without operations', [USER, 'kms:CreateGrant', '--key', KEY_ARN], /kms:GrantOperations/],
    ['a false grant token', [USER, 'kms:Decrypt', '--key', KEY_ARN, '--grant-token', 'x'], /InvalidGrantToken/],
    ['an unknown endpoint', [USER, 'kms:Decrypt', '--key', KEY_ARN, '--vpc-endpoint', 'vpce-1'], /has no endpoint/],
    ['a context too many', [USER, 'kms:DescribeKey', '--key', KEY_ARN, '--context', 'a=b'], /no encryption context/],
    ['two Regions', [USER, 'kms:Decrypt', '--key', KEY_ARN, '--region', 'eu-west-1'], /is not the Region/],
    ['the kind of a document', [USER, 'kms:Decrypt', '--key', KEY_ARN, '--kind', 'key'], /--kind is for check/],
    ['half a pair', [USER, 'kms:Decrypt', '--key', KEY_ARN, '--context', 'a'], /must have the form NAME=VALUE/],
    [
      'a value that follows from the caller',
      [USER, 'kms:Decrypt', '--key', KEY_ARN, '--value', 'aws:PrincipalTag/team=x'],
      /that follows from --principal/,
    ],
  ])('refuses %s with status 64', async (_title, [principal = '', action = '', ...more], problem) => {
    const { status, stdout, stderr } = await simulate(principal, action, ...more);
    expect([status, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(problem);
  });
});

describe('keywright policy who-can', () => {
  it('lists the account, the named and the allowed, each with its reason', async () => {
    const { status, stdout } = await policy('who-can', '--action', 'kms:Decrypt', '--key', KEY_ARN);
    expect(status).toBe(0);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(Object.fromEntries(lines.map(([principal, verdict, reason]) => [principal, [verdict, reason]]))).toEqual({
      [`arn:aws:iam::${ACCOUNT}:root`]: ['allowed', 'by being the root user'],
      [USER]: ['allowed', 'by identity policy p, statement 0'],
      [`arn:aws:iam::${ACCOUNT}:user/idle`]: [
        'denied',
        'because no identity-based policy allows the kms:Decrypt action',
      ],
      [ROLE]: ['allowed', expect.stringMatching(/^by grant g, [0-9a-f]{64}$/)],
      'logs.amazonaws.com': ['allowed', 'by key policy, statement 3 (Logs)'],
      [`arn:aws:iam::${PARTNER}:root`]: ['allowed', 'by being the root user'],
      [`arn:aws:iam::${PARTNER}:user/far`]: ['allowed', 'by identity policy p, statement 0'],
      [gone]: ['absent', 'named, but not in this store'],
    });
  });

  it('answers as JSON too', async () => {
    const { stdout } = await policy('who-can', '--json', '--action', 'kms:Encrypt', '--key', KEY_ARN);
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ principal: ROLE, decision: 'denied', action: 'kms:Encrypt' }),
    );
  });

  it.each([
    [['--action', 'kms:CreateKey', '--region', REGION], /needs an action on a key/],
    [['--action', 'kms:Decrypt', '--key', 'alias/a', '--region', REGION], /whose alias/],
    [['--action', 'kms:Decrypt', '--key', KEY_ARN, '--principal', USER], /leave --principal out/],
  ])('refuses %j', async (args, problem) => {
    expect(await policy('who-can', ...args)).toMatchObject({
      status: 64,
      stderr: expect.stringMatching(problem) as string,
    });
  });
});

describe('keywright policy check', () => {
  it.each([
    ['key', { Statement: { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' } }, 0],
    ['vpc-endpoint', { Statement: { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' } }, 0],
    ['identity', { Statement: { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' } }, 65],
    ['identity', { Statement: { Effect: 'Allow', Action: 'kms:*', Resource: '*' } }, 0],
    ['trust', { Statement: { Effect: 'Allow', Action: 'sts:AssumeRole' } }, 65],
    ['boundary', { Statement: [] }, 65],
    ['session', 'no policy', 65],
    ['other', {}, 64],
  ])('of kind %s judges %j', async (kind, document, status) => {
    const file = join(folder.path, 'document.json');
    writeFileSync(file, JSON.stringify(document));
    const outcome = await policy('check', file, '--kind', kind);
    expect(outcome.status).toBe(status);
    expect(outcome.stdout).toBe(status === 0 ? `${file} is good\n` : '');
  });

  it('says what is wrong in the words of AWS', async () => {
    const file = join(folder.path, 'document.json');
    writeFileSync(file, '{');
    expect(await policy('check', file, '--kind', 'key')).toEqual({
      status: 65,
      stdout: '',
      stderr: `keywright: ${file}: This policy contains invalid Json\n`,
    });
    expect((await policy('check', join(folder.path, 'none.json'), '--kind', 'key')).status).toBe(64);
  });
});

it('keywright policy tells its commands, and refuses others', async () => {
  expect(await policy('--help')).toMatchObject({ status: 0, stdout: expect.stringMatching(/who-can/) as string });
  expect((await policy('explode')).status).toBe(64);
  expect((await policy('check', 'a', 'b')).status).toBe(64);
  expect((await policy('check', 'a', '--kind', 'key', '--json')).status).toBe(64);
  const elsewhere = { env: { PATH: process.env['PATH'], KEYWRIGHT_DATA: join(folder.path, 'none') } };
  const question = ['policy', 'who-can', '--action', 'kms:Decrypt', '--key', KEY_ARN];
  await expect(run(process.execPath, [MAIN, ...question], elsewhere)).rejects.toThrow(/there is no store/);
});
