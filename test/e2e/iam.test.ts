/** `keywright iam` as operators use it: beside a server that runs on the same store and sees every change. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateKeyCommand, DescribeKeyCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { freePort, runKeywright, startServer, type ServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const AWS = '/usr/bin/aws';
const run = promisify(execFile);
const ACCOUNT = '111122223333';
/** Wide: the bound is 5 ms from the moment that the command has ended. */
const BOUND_MS = 10;

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

let folder: ReturnType<typeof temporaryFolder>;
let data: string;
let server: ServerProcess;
let administrator: Credentials;

beforeAll(async () => {
  folder = temporaryFolder();
  data = join(folder.path, 'data');
  server = await startServer(data, await freePort());
  administrator = (await iam('account', 'create', ACCOUNT)) as unknown as Credentials;
});

afterAll(async () => {
  await server.kill();
  folder.remove();
});

/** Runs a command that must succeed; its answer, once every server must have seen the change. */
async function iam(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await runKeywright(data, ['iam', ...args]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  await new Promise((resolve) => setTimeout(resolve, BOUND_MS));
  return (stdout === '' ? {} : JSON.parse(stdout)) as Record<string, unknown>;
}

function inAccount(...args: readonly string[]): Promise<Record<string, unknown>> {
  return iam(...args, '--account', ACCOUNT);
}

async function newAccessKey(...owner: readonly string[]): Promise<Credentials> {
  return (await inAccount('access-key', 'create', ...owner)) as unknown as Credentials;
}

function file(name: string, content: object): string {
  const path = join(folder.path, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

function allow(action: string): object {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }] };
}

function trust(arn: string): object {
  return { Statement: [{ Effect: 'Allow', Principal: { AWS: arn }, Action: 'sts:AssumeRole' }] };
}

function optionsFor(credentials: Credentials) {
  return { region: 'us-east-1', endpoint: server.url, credentials, maxAttempts: 1 };
}

function kmsOf(credentials: Credentials): KMSClient {
  return new KMSClient(optionsFor(credentials));
}

function stsOf(credentials: Credentials): STSClient {
  return new STSClient(optionsFor(credentials));
}

/** The name of the error of ListKeys, or "ok". */
function listKeys(credentials: Credentials): Promise<string> {
  return kmsOf(credentials)
    .send(new ListKeysCommand({}))
    .then(
      () => 'ok',
      (error: unknown) => (error as Error).name,
    );
}

describe('keywright iam, seen by a running server', () => {
  it('an account has an administrator who may do everything in it', async () => {
    const identity = await stsOf(administrator).send(new GetCallerIdentityCommand({}));
    expect(identity).toMatchObject({ Account: ACCOUNT, Arn: `arn:aws:iam::${ACCOUNT}:user/administrator` });
    expect(await listKeys(administrator)).toBe('ok');
  });

  it('a user may do what its policies allow, from one command to the next', async () => {
    const created = await inAccount('user', 'create', 'alice', '--tag', 'team=blue');
    expect(created).toMatchObject({ arn: `arn:aws:iam::${ACCOUNT}:user/alice`, tags: { team: 'blue' }, policies: {} });
    const key = await newAccessKey('alice');
    expect(await listKeys(key)).toBe('AccessDeniedException');
    await inAccount('user', 'update', 'alice', '--policy', `lists=${file('lists.json', allow('kms:ListKeys'))}`);
    expect(await listKeys(key)).toBe('ok');
    await inAccount('user', 'update', 'alice', '--boundary', file('boundary.json', allow('kms:DescribeKey')));
    expect(await listKeys(key)).toBe('AccessDeniedException');
    await inAccount('user', 'update', 'alice', '--boundary', 'none');
    expect(await listKeys(key)).toBe('ok');
    await inAccount('user', 'update', 'alice', '--remove-policy', 'lists');
    expect(await listKeys(key)).toBe('AccessDeniedException');
    const shown = await inAccount('user', 'update', 'alice', '--tag', 'stage=test', '--untag', 'team');
    expect(shown).toEqual(await inAccount('user', 'show', 'alice'));
    expect(shown['tags']).toEqual({ stage: 'test' });
    await inAccount('user', 'delete', 'alice');
    expect(await listKeys(key)).toBe('UnrecognizedClientException');
  }, 60_000);

  it('an access key works while it is active, and its secret is shown once', async () => {
    await inAccount('user', 'create', 'bob', '--policy', `all=${file('all.json', allow('kms:*'))}`);
    const key = await newAccessKey('bob');
    expect(await listKeys(key)).toBe('ok');
    await iam('access-key', 'deactivate', key.accessKeyId);
    expect(await listKeys(key)).toBe('UnrecognizedClientException');
    const listed = await inAccount('access-key', 'list', 'bob');
    expect(listed).toMatchObject([{ accessKeyId: key.accessKeyId, isActive: false }]);
    expect(JSON.stringify(listed)).not.toContain(key.secretAccessKey);
    await iam('access-key', 'activate', key.accessKeyId);
    expect(await listKeys(key)).toBe('ok');
    await iam('access-key', 'delete', key.accessKeyId);
    expect(await listKeys(key)).toBe('UnrecognizedClientException');
    expect(await inAccount('access-key', 'list', 'bob')).toEqual([]);
    expect(server.output() + server.errors()).not.toContain(key.secretAccessKey);
    for (const name of readdirSync(data).filter((each) => !each.endsWith('-lock'))) {
      expect(readFileSync(join(data, name)).includes(key.secretAccessKey), name).toBe(false);
    }
  }, 60_000);

  it('a role is assumed by whom it trusts, and its sessions end with it', async () => {
    const policy = `all=${file('all.json', allow('kms:*'))}`;
    const mayAssume = `sts=${file('assume.json', allow('sts:AssumeRole'))}`;
    const trusting = file('trust.json', trust(`arn:aws:iam::${ACCOUNT}:user/carol`));
    await inAccount('user', 'create', 'carol', '--policy', mayAssume);
    await inAccount('role', 'create', 'operator', '--trust', trusting, '--policy', policy, '--max-session', '7200');
    const carol = await newAccessKey('carol');
    const assume = new AssumeRoleCommand({
      RoleArn: `arn:aws:iam::${ACCOUNT}:role/operator`,
      RoleSessionName: 'work',
      DurationSeconds: 7200,
    });
    await inAccount('user', 'create', 'dave', '--policy', mayAssume);
    await expectError(stsOf(await newAccessKey('dave')).send(assume), 'AccessDenied');
    const { Credentials: made } = await stsOf(carol).send(assume);
    const session: Credentials = {
      accessKeyId: made?.AccessKeyId ?? '',
      secretAccessKey: made?.SecretAccessKey ?? '',
      sessionToken: made?.SessionToken ?? '',
    };
    expect(await listKeys(carol)).toBe('AccessDeniedException');
    expect(await listKeys(session)).toBe('ok');
    await inAccount('role', 'update', 'operator', '--remove-policy', 'all');
    expect(await listKeys(session)).toBe('AccessDeniedException');
    await inAccount('role', 'delete', 'operator');
    expect(await listKeys(session)).toBe('UnrecognizedClientException');
    await expectError(stsOf(carol).send(assume), 'AccessDenied');
  }, 60_000);

  it('lists the principals of one account, or all', async () => {
    await iam('account', 'create', '444455556666');
    const names = async (...args: string[]): Promise<unknown[]> =>
      ((await iam('list', ...args)) as unknown as { accountId: string; name: string }[]).map(
        ({ accountId, name }) => `${accountId}/${name}`,
      );
    expect(await names('--account', '444455556666')).toEqual(['444455556666/administrator']);
    expect(await names()).toContain('444455556666/administrator');
    expect(await names()).toContain(`${ACCOUNT}/administrator`);
  }, 60_000);
});

describe('a service', () => {
  async function newService(name: string): Promise<Credentials> {
    await inAccount('service', 'create', name);
    return newAccessKey(name, '--service');
  }

  type Headers = Readonly<Record<string, string>>;

  /** A client that adds headers, before or after the request is signed. */
  function saying(credentials: Credentials, headers: Headers, step: 'build' | 'deserialize' = 'build'): KMSClient {
    const client = kmsOf(credentials);
    client.middlewareStack.add(
      (next) => (handed) => {
        Object.assign((handed.request as { headers: Record<string, string> }).headers, headers);
        return next(handed);
      },
      { step, name: 'says' } as { step: 'build' },
    );
    return client;
  }

  async function keyFor(statement: object): Promise<string> {
    const root = {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
      Action: 'kms:*',
      Resource: '*',
    };
    const special = { Effect: 'Allow', Action: 'kms:DescribeKey', Resource: '*', ...statement };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [root, special] });
    const made = await kmsOf(administrator).send(
      new CreateKeyCommand({ Policy, BypassPolicyLockoutSafetyCheck: true }),
    );
    return made.KeyMetadata?.Arn ?? '';
  }

  async function describeKey(client: KMSClient, KeyId: string): Promise<string> {
    return client.send(new DescribeKeyCommand({ KeyId })).then(
      () => 'ok',
      (error: unknown) => (error as Error).name,
    );
  }

  it('hands on requests of the users of its own account, and of no other', async () => {
    const s3 = await newService('s3.amazonaws.com');
    const viaS3 = { StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com' } };
    const onlyUser = `arn:aws:iam::${ACCOUNT}:user/reader`;
    await inAccount('user', 'create', 'reader');
    const KeyId = await keyFor({ Principal: { AWS: onlyUser }, Condition: viaS3 });
    const behalf = (arn: string): Headers => ({ 'x-keywright-on-behalf-of': arn });
    expect(await describeKey(saying(s3, behalf(onlyUser)), KeyId)).toBe('ok');
    expect(await describeKey(kmsOf(s3), KeyId)).toBe('AccessDeniedException');
    expect(await describeKey(kmsOf(await newAccessKey('reader')), KeyId)).toBe('AccessDeniedException');
    // What is not signed is ignored: the service asks for itself.
    expect(await describeKey(saying(s3, behalf(onlyUser), 'deserialize'), KeyId)).toBe('AccessDeniedException');
    // A user cannot speak for another.
    expect(await describeKey(saying(await newAccessKey('reader'), behalf(onlyUser)), KeyId)).toBe(
      'AccessDeniedException',
    );
    for (const nobody of [
      `arn:aws:iam::444455556666:user/administrator`,
      'arn:aws:iam::444455556666:root',
      `arn:aws:iam::${ACCOUNT}:user/nobody`,
      's3.amazonaws.com',
      '',
    ]) {
      expect(await describeKey(saying(s3, behalf(nobody)), KeyId), nobody).toBe('UnrecognizedClientException');
    }
  }, 60_000);

  it('says for which resource it works, in headers that it signs', async () => {
    const sns = await newService('sns.amazonaws.com');
    const source = { 'x-amz-source-arn': `arn:aws:sns:us-east-1:${ACCOUNT}:topic`, 'x-amz-source-account': ACCOUNT };
    const KeyId = await keyFor({
      Principal: { Service: 'sns.amazonaws.com' },
      Condition: {
        ArnLike: { 'aws:SourceArn': source['x-amz-source-arn'] },
        StringEquals: { 'aws:SourceAccount': ACCOUNT },
      },
    });
    expect(await describeKey(saying(sns, source), KeyId)).toBe('ok');
    expect(await describeKey(kmsOf(sns), KeyId)).toBe('AccessDeniedException');
    const other = { ...source, 'x-amz-source-account': '444455556666' };
    expect(await describeKey(saying(sns, other), KeyId)).toBe('AccessDeniedException');
    expect(await describeKey(saying(sns, source, 'deserialize'), KeyId)).not.toBe('ok');
    expect(await describeKey(saying(administrator, source), KeyId)).toBe('ok');
  }, 60_000);

  it('gets no credentials from STS, neither its own nor those of a user', async () => {
    const sqs = await newService('sqs.amazonaws.com');
    await expectError(stsOf(sqs).send(new GetSessionTokenCommand({})), 'AccessDenied');
    const sts = stsOf(sqs);
    sts.middlewareStack.add(
      (next) => (handed) => {
        const { headers } = handed.request as { headers: Record<string, string> };
        headers['x-keywright-on-behalf-of'] = `arn:aws:iam::${ACCOUNT}:user/administrator`;
        return next(handed);
      },
      { step: 'build' },
    );
    await expectError(sts.send(new GetSessionTokenCommand({})), 'AccessDenied');
    const role = { RoleArn: `arn:aws:iam::${ACCOUNT}:role/any`, RoleSessionName: 'work' };
    await expectError(sts.send(new AssumeRoleCommand(role)), 'AccessDenied');
  }, 60_000);

  it('of the same name is another principal in another account', async () => {
    await inAccount('service', 'create', 'logs.amazonaws.com');
    const other = await iam('service', 'create', 'logs.amazonaws.com', '--account', '444455556666');
    expect(other).toMatchObject({ accountId: '444455556666', name: 'logs.amazonaws.com', arn: 'logs.amazonaws.com' });
  }, 60_000);
});

describe.skipIf(!existsSync(AWS) && process.env['CI'] !== 'true')('the AWS CLI', () => {
  async function aws(environment: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<string> {
    const base = { PATH: process.env['PATH'], HOME: folder.path, AWS_DEFAULT_REGION: 'us-east-1' };
    const options = ['--endpoint-url', server.url, '--output', 'json'];
    return (await run(AWS, [...options, ...args], { env: { ...base, ...environment } })).stdout;
  }

  it('gets at the credentials of a role, and works with them', async () => {
    const own = { AWS_ACCESS_KEY_ID: administrator.accessKeyId, AWS_SECRET_ACCESS_KEY: administrator.secretAccessKey };
    const identity = JSON.parse(await aws(own, 'sts', 'get-caller-identity')) as object;
    expect(identity).toMatchObject({ Account: ACCOUNT, Arn: `arn:aws:iam::${ACCOUNT}:user/administrator` });
    const trusting = file('trust-all.json', trust(`arn:aws:iam::${ACCOUNT}:root`));
    await inAccount(
      'role',
      'create',
      'reader',
      '--trust',
      trusting,
      '--policy',
      `all=${file('k.json', allow('kms:*'))}`,
    );
    const role = ['--role-arn', `arn:aws:iam::${ACCOUNT}:role/reader`, '--role-session-name', 'cli'];
    const { Credentials: made } = JSON.parse(await aws(own, 'sts', 'assume-role', ...role)) as {
      Credentials: { AccessKeyId: string; SecretAccessKey: string; SessionToken: string };
    };
    const session = {
      AWS_ACCESS_KEY_ID: made.AccessKeyId,
      AWS_SECRET_ACCESS_KEY: made.SecretAccessKey,
      AWS_SESSION_TOKEN: made.SessionToken,
    };
    const inSession = JSON.parse(await aws(session, 'sts', 'get-caller-identity')) as object;
    expect(inSession).toMatchObject({ Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/reader/cli` });
    expect(JSON.parse(await aws(session, 'kms', 'list-keys'))).toHaveProperty('Keys');
  }, 60_000);
});

describe('keywright iam refuses', () => {
  const account = ['--account', ACCOUNT];
  it.each<[string, readonly string[], RegExp]>([
    ['no command', [], /unknown command "iam "/],
    ['an unknown command', ['group', 'create', 'x', ...account], /unknown command "iam group create x"/],
    ['an unknown verb', ['user', 'rename', 'x', ...account], /unknown command/],
    ['too many words', ['user', 'show', 'x', 'y', ...account], /unknown command/],
    ['an unknown option', ['list', '--all'], /Unknown option '--all'/],
    ['an option of another command', ['user', 'show', 'x', '--tag', 'a=b', ...account], /does not take --tag/],
    ['a trust policy of a user', ['user', 'create', 'x', '--trust', 'y', ...account], /does not take --trust/],
    ['no account', ['user', 'create', 'x'], /--account must be the 12 digits/],
    ['a short account', ['user', 'create', 'x', '--account', '123'], /12 digits of the account, not "123"/],
    ['a short account to list', ['list', '--account', '123'], /12 digits/],
    ['a short account to make', ['account', 'create', '123'], /account id must be 12 digits/],
    ['a bad name', ['user', 'create', 'a b', ...account], /A name has 1 to 64 characters/],
    ['a user that is there', ['user', 'create', 'administrator', ...account], /already exists/],
    ['a user that is not there', ['user', 'show', 'nobody', ...account], /cannot be found/],
    ['a service without a dot', ['service', 'create', 's3', ...account], /named by a DNS name/],
    ['a role that trusts nobody', ['role', 'create', 'x', ...account], /needs a trust policy/],
    ['a policy without a file', ['user', 'create', 'x', '--policy', 'p', ...account], /must have the form NAME=FILE/],
    ['a file that is not there', ['user', 'create', 'x', '--policy', 'p=/nowhere', ...account], /ENOENT/],
    ['a file that is no policy', ['user', 'create', 'x', '--policy', 'p=package.json', ...account], /./],
    ['a tag without a value', ['user', 'create', 'x', '--tag', 'a', ...account], /must have the form KEY=VALUE/],
    ['a policy to remove', ['user', 'update', 'administrator', '--remove-policy', 'x', ...account], /no policy x/],
    ['an access key that is not there', ['access-key', 'delete', 'AKIANOTHING'], /there is no access key AKIANOTHING/],
    ['an access key of nobody', ['access-key', 'create', 'nobody', ...account], /cannot be found/],
  ])('%s with status 64', async (_what, args, text) => {
    const { status, stderr, stdout } = await runKeywright(data, ['iam', ...args]);
    expect({ status, stdout }).toEqual({ status: 64, stdout: '' });
    expect(stderr).toMatch(text);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  it('nothing of --help', async () => {
    const { status, stdout } = await runKeywright(data, ['iam', '--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Usage: keywright iam <command>/);
  });
});
