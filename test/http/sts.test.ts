/** STS at the endpoint of KMS, asked by the AWS SDK, and KMS with the credentials that it gives. */
import { DescribeKeyCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
  type AssumeRoleCommandInput,
  type Credentials,
} from '@aws-sdk/client-sts';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SILENT_LOG } from '../../src/base/log.ts';
import type { Caller } from '../../src/base/caller.ts';
import { callerOf, rootOf } from '../../src/iam/identities.ts';
import { HttpServer } from '../../src/server/http-server.ts';
import { ACCOUNT, openEngine, OTHER_ACCOUNT, REGION, type OpenEngine } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { NodeSha256 } from '../support/node-sha256.ts';

interface LongTerm {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface Keys extends LongTerm {
  readonly sessionToken?: string | undefined;
}

const HOUR_MS = 3_600_000;

let open: OpenEngine;
let server: HttpServer;
let keyId: string;
let alice: LongTerm;
let aliceArn: string;

const policy = (...statements: readonly object[]): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map((statement) => ({ Effect: 'Allow', Action: '*', Resource: '*', ...statement })),
  });
/** A trust policy has no Resource. */
const trust = (...statements: readonly object[]): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map((statement) => ({ Effect: 'Allow', Action: 'sts:*', ...statement })),
  });
const TRUSTING = trust({ Principal: { AWS: ACCOUNT } });

beforeAll(async () => {
  open = await openEngine();
  server = await HttpServer.listen({ engine: open.engine, log: SILENT_LOG, host: '127.0.0.1', port: 0 });
  const { KeyMetadata } = await open.engine.call('CreateKey', {}, { caller: rootOf(ACCOUNT), region: REGION });
  keyId = KeyMetadata.KeyId;
  const made = await newUser('alice', policy({}));
  aliceArn = made.arn;
  alice = await open.engine.accessKeys.create(made);
});

afterAll(async () => {
  await server.close();
  await open.engine.close();
  open.remove();
});

async function newUser(name: string, text: string | undefined, accountId = ACCOUNT): Promise<Caller> {
  const policies = new Map(text === undefined ? [] : [['inline', text]]);
  return callerOf(await open.engine.identities.create({ accountId, kind: 'user', name }, { policies }));
}

let roles = 0;

/** A new role that may do everything. */
async function newRole(trustPolicy = TRUSTING, settings: object = {}): Promise<{ arn: string; name: string }> {
  const name = `role-${String(++roles)}`;
  const policies = new Map([['inline', policy({})]]);
  const wanted = { accountId: ACCOUNT, kind: 'role', name } as const;
  const { arn } = await open.engine.identities.create(wanted, { policies, trustPolicy, ...settings });
  return { arn, name };
}

const clientOptions = (credentials: Keys): object => ({
  region: REGION,
  endpoint: `http://127.0.0.1:${String(server.port)}`,
  credentials,
  systemClockOffset: open.clock.nowMs() - Date.now(),
  maxAttempts: 1,
});
const sts = (credentials: Keys = alice): STSClient => new STSClient(clientOptions(credentials));
const kms = (credentials: Keys): KMSClient => new KMSClient(clientOptions(credentials));

function toKeys({ AccessKeyId = '', SecretAccessKey = '', SessionToken }: Partial<Credentials> = {}): Keys {
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
}

async function assume(input: Partial<AssumeRoleCommandInput> & { RoleArn: string }, by: Keys = alice): Promise<Keys> {
  const command = new AssumeRoleCommand({ RoleSessionName: 'session', ...input });
  return toKeys((await sts(by).send(command)).Credentials);
}

const encrypt = (credentials: Keys): Promise<object> =>
  kms(credentials).send(new EncryptCommand({ KeyId: keyId, Plaintext: Buffer.from('x') }));

const whoIs = async (credentials: Keys): Promise<string | undefined> =>
  (await sts(credentials).send(new GetCallerIdentityCommand({}))).Arn;

const denied = (user: string, action: string, role: string): string =>
  `User: ${user} is not authorized to perform: ${action} on resource: ${role}`;

describe('AssumeRole', () => {
  it('gives credentials of a session, which says who it is and uses keys as the role may', async () => {
    const role = await newRole();
    const answer = await sts().send(new AssumeRoleCommand({ RoleArn: role.arn, RoleSessionName: 'work' }));
    const arn = `arn:aws:sts::${ACCOUNT}:assumed-role/${role.name}/work`;
    expect(answer.AssumedRoleUser?.Arn).toBe(arn);
    expect(answer.AssumedRoleUser?.AssumedRoleId).toMatch(/^AROA[A-Z2-7]{16}:work$/);
    expect(answer.Credentials?.Expiration?.getTime()).toBe(open.clock.nowMs() + HOUR_MS);
    const keys = toKeys(answer.Credentials);
    expect(keys.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    const { $metadata: _, ...identity } = await sts(keys).send(new GetCallerIdentityCommand({}));
    expect(identity).toEqual({ Account: ACCOUNT, Arn: arn, UserId: answer.AssumedRoleUser?.AssumedRoleId });
    await encrypt(keys);
  });

  it('needs both sides for a principal of another account, and the trust policy alone for one that it names', async () => {
    const stranger = await newUser('stranger', undefined, OTHER_ACCOUNT);
    const keys = await open.engine.accessKeys.create(stranger);
    const bob = await newUser('bob', undefined);
    const bobKeys = await open.engine.accessKeys.create(bob);
    const role = await newRole(trust({ Principal: { AWS: [stranger.arn, bob.arn] } }));
    await expectError(
      assume({ RoleArn: role.arn }, keys),
      'AccessDenied',
      denied(stranger.arn, 'sts:AssumeRole', role.arn),
    );
    await assume({ RoleArn: role.arn }, bobKeys);
    await open.engine.identities.update({ accountId: OTHER_ACCOUNT, kind: 'user', name: 'stranger' }, () => ({
      policies: new Map([['assume', policy({ Action: 'sts:AssumeRole', Resource: role.arn })]]),
    }));
    await encrypt(await assume({ RoleArn: role.arn }, keys));
  });

  it('refuses a role that does not trust the caller like one that is not there', async () => {
    const role = await newRole(trust({ Principal: { AWS: OTHER_ACCOUNT } }));
    const absent = `arn:aws:iam::${ACCOUNT}:role/absent`;
    for (const RoleArn of [role.arn, absent]) {
      await expectError(assume({ RoleArn }), 'AccessDenied', denied(aliceArn, 'sts:AssumeRole', RoleArn));
    }
  });

  it('asks for the external id that the trust policy demands', async () => {
    const Condition = { StringEquals: { 'sts:ExternalId': 'unique-42' } };
    const { arn: RoleArn } = await newRole(trust({ Principal: { AWS: ACCOUNT }, Condition }));
    const refusal = denied(aliceArn, 'sts:AssumeRole', RoleArn);
    await expectError(assume({ RoleArn }), 'AccessDenied', refusal);
    await expectError(assume({ RoleArn, ExternalId: 'other' }), 'AccessDenied', refusal);
    await assume({ RoleArn, ExternalId: 'unique-42' });
  });

  it('a session policy limits the session, and adds nothing to the role', async () => {
    const { arn: RoleArn, name } = await newRole();
    const keys = await assume({ RoleArn, Policy: policy({ Action: 'kms:DescribeKey' }) });
    await kms(keys).send(new DescribeKeyCommand({ KeyId: keyId }));
    await expectError(
      encrypt(keys),
      'AccessDeniedException',
      `User: arn:aws:sts::${ACCOUNT}:assumed-role/${name}/session is not authorized to perform: kms:Encrypt ` +
        `on resource: arn:aws:kms:${REGION}:${ACCOUNT}:key/${keyId} ` +
        'because no session policy allows the kms:Encrypt action',
    );
    const powerless = await newRole(TRUSTING, { policies: new Map() });
    await expectError(
      encrypt(await assume({ RoleArn: powerless.arn, Policy: policy({}) })),
      'AccessDeniedException',
      /because no identity-based policy allows the kms:Encrypt action$/,
    );
    await expectError(assume({ RoleArn, Policy: '{' }), 'MalformedPolicyDocumentException');
  });

  it('session tags are principal tags, need sts:TagSession, and pass on when they are transitive', async () => {
    const byTag = policy({ Condition: { StringEquals: { 'aws:PrincipalTag/team': 'shop' } } });
    const policies = new Map([['inline', byTag]]);
    const second = await newRole(TRUSTING, { policies });
    const chaining = policy({ Action: 'sts:*' }, { Condition: { StringEquals: { 'aws:PrincipalTag/team': 'shop' } } });
    const first = await newRole(TRUSTING, { policies: new Map([['inline', chaining]]) });
    const Tags = [{ Key: 'team', Value: 'shop' }];
    await encrypt(await assume({ RoleArn: first.arn, Tags }));
    await expectError(encrypt(await assume({ RoleArn: first.arn })), 'AccessDeniedException');

    const passing = await assume({ RoleArn: first.arn, Tags, TransitiveTagKeys: ['Team'] });
    await encrypt(await assume({ RoleArn: second.arn }, passing));
    await expectError(assume({ RoleArn: second.arn, Tags }, passing), 'ValidationError', /transitive tag key/);
    const keeping = await assume({ RoleArn: first.arn, Tags });
    await expectError(encrypt(await assume({ RoleArn: second.arn }, keeping)), 'AccessDeniedException');

    const untagged = await newRole(trust({ Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' }));
    const careful = await newUser('careful', policy({ Action: 'sts:AssumeRole' }));
    const carefulKeys = await open.engine.accessKeys.create(careful);
    await assume({ RoleArn: untagged.arn }, carefulKeys);
    await expectError(
      assume({ RoleArn: untagged.arn, Tags }, carefulKeys),
      'AccessDenied',
      denied(careful.arn, 'sts:TagSession', untagged.arn),
    );
  });

  it('a session keeps its source identity, which chained sessions have too', async () => {
    const role = await newRole(TRUSTING, {
      policies: new Map([['inline', policy({ Condition: { StringEquals: { 'aws:SourceIdentity': 'jane' } } })]]),
    });
    const first = await newRole();
    const command = new AssumeRoleCommand({ RoleArn: role.arn, RoleSessionName: 'named', SourceIdentity: 'jane' });
    const { SourceIdentity, Credentials: given } = await sts().send(command);
    expect(SourceIdentity).toBe('jane');
    await encrypt(toKeys(given));
    await expectError(encrypt(await assume({ RoleArn: role.arn })), 'AccessDeniedException');
    const named = await assume({ RoleArn: first.arn, SourceIdentity: 'jane' });
    await encrypt(await assume({ RoleArn: role.arn }, named));
    await expectError(
      assume({ RoleArn: role.arn, SourceIdentity: 'someone' }, named),
      'AccessDenied',
      /sts:SetSourceIdentity/,
    );
  });

  it('lasts from 15 minutes to what the role allows, and an hour when a session makes it', async () => {
    const { arn: RoleArn } = await newRole(TRUSTING, { maxSessionSeconds: 7200 });
    await assume({ RoleArn, DurationSeconds: 900 });
    await assume({ RoleArn, DurationSeconds: 7200 });
    await expectError(
      assume({ RoleArn, DurationSeconds: 7201 }),
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    );
    await expectError(assume({ RoleArn, DurationSeconds: 899 }), 'ValidationError', /durationSeconds/);
    const keys = await assume({ RoleArn });
    await assume({ RoleArn, DurationSeconds: 3600 }, keys);
    await expectError(
      assume({ RoleArn, DurationSeconds: 3601 }, keys),
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    );
  });

  it.each([
    ['no role', { RoleArn: '' }],
    ['an ARN of something else', { RoleArn: `arn:aws:iam::${ACCOUNT}:user/alice` }],
    ['a session name with a space', { RoleSessionName: 'a b' }],
    ['too short a session name', { RoleSessionName: 'a' }],
    ['an empty tag key', { Tags: [{ Key: '', Value: 'x' }] }],
    [
      'the same tag twice',
      {
        Tags: [
          { Key: 'a', Value: '1' },
          { Key: 'A', Value: '2' },
        ],
      },
    ],
    ['a transitive tag that is no tag', { TransitiveTagKeys: ['absent'] }],
  ])('refuses %s', async (_title, input) => {
    const { arn: RoleArn } = await newRole();
    const refusal: unknown = await assume({ RoleArn, ...input }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ $metadata: { httpStatusCode: 400 } });
    expect((refusal as Error).name).toMatch(/^(?:ValidationError|InvalidParameterValue)$/);
  });
});

describe('GetSessionToken', () => {
  it('gives the user a session with the same permissions', async () => {
    const { Credentials: given } = await sts().send(new GetSessionTokenCommand({}));
    expect(given?.Expiration?.getTime()).toBe(open.clock.nowMs() + 12 * HOUR_MS);
    expect(await whoIs(toKeys(given))).toBe(aliceArn);
    await encrypt(toKeys(given));
  });

  it('is nothing for sessions, and has limits', async () => {
    const { arn: RoleArn } = await newRole();
    const keys = await assume({ RoleArn });
    await expectError(
      sts(keys).send(new GetSessionTokenCommand({})),
      'AccessDenied',
      'Cannot call GetSessionToken with session credentials',
    );
    for (const DurationSeconds of [899, 129_601]) {
      await expectError(sts().send(new GetSessionTokenCommand({ DurationSeconds })), 'ValidationError');
    }
    const root = await open.engine.accessKeys.create(rootOf(ACCOUNT));
    const { Credentials: given } = await sts(root).send(new GetSessionTokenCommand({ DurationSeconds: 36_000 }));
    expect(given?.Expiration?.getTime()).toBe(open.clock.nowMs() + HOUR_MS);
  });
});

describe('a session', () => {
  it('ends at its time, for KMS and for STS', async () => {
    const keys = await assume({ RoleArn: (await newRole()).arn });
    open.clock.advanceMs(HOUR_MS - 1000);
    await encrypt(keys);
    open.clock.advanceMs(1000);
    const text = 'The security token included in the request is expired';
    await expectError(encrypt(keys), 'ExpiredTokenException', text);
    const refusal: unknown = await whoIs(keys).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ name: 'ExpiredToken', $metadata: { httpStatusCode: 403 } });
  });

  it('ends with its role, also when a role of the same name is made', async () => {
    const role = await newRole();
    const keys = await assume({ RoleArn: role.arn });
    await encrypt(keys);
    const wanted = { accountId: ACCOUNT, kind: 'role', name: role.name } as const;
    await open.engine.identities.delete(wanted);
    const refused = [
      ['UnrecognizedClientException', encrypt(keys)],
      ['InvalidClientTokenId', whoIs(keys)],
    ] as const;
    for (const [name, call] of refused) {
      await expectError(call, name, 'The security token included in the request is invalid.');
    }
    const policies = new Map([['inline', policy({})]]);
    await open.engine.identities.create(wanted, { policies, trustPolicy: TRUSTING });
    await expectError(encrypt(keys), 'UnrecognizedClientException');
  });

  it('is nothing without its very token', async () => {
    const { arn: RoleArn } = await newRole();
    const [keys, others] = [await assume({ RoleArn }), await assume({ RoleArn })];
    const token = keys.sessionToken ?? '';
    const tokens = [
      undefined,
      others.sessionToken,
      token.slice(0, -1),
      token.slice(0, token.length / 2),
      `${token}A`,
      token.toLowerCase(),
    ];
    for (const sessionToken of tokens) {
      await expectError(encrypt({ ...keys, sessionToken }), 'UnrecognizedClientException');
      await expectError(whoIs({ ...keys, sessionToken }), 'InvalidClientTokenId');
    }
    await expectError(encrypt({ ...alice, sessionToken: token }), 'UnrecognizedClientException');
    await encrypt(keys);
  });
});

describe('the wire', () => {
  const post = async (body: string, { credentials = alice }: { credentials?: LongTerm } = {}) => {
    const host = `127.0.0.1:${String(server.port)}`;
    const headers = { host, 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
    const signer = new SignatureV4({ service: 'sts', region: REGION, credentials, sha256: NodeSha256 });
    const request = { method: 'POST', protocol: 'http:', hostname: host, path: '/', headers, body };
    const signed = await signer.sign(request, { signingDate: new Date(open.clock.nowMs()) });
    const { host: _, ...sent } = signed.headers;
    const response = await fetch(`http://${host}/`, { method: 'POST', headers: sent, body });
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
  };

  it('an answer is XML of the namespace of STS', async () => {
    const { status, type, text } = await post('Action=GetCallerIdentity&Version=2011-06-15');
    expect([status, type]).toEqual([200, 'text/xml']);
    expect(text).toContain('<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">');
    expect(text).toContain(`<Arn>${aliceArn}</Arn>`);
    expect(text).toMatch(/<RequestId>[0-9a-f-]{36}<\/RequestId>/);
  });

  it.each([
    ['an action that is not there', 'Action=Dance&Version=2011-06-15', 400, 'InvalidAction'],
    ['no action', 'Version=2011-06-15', 400, 'InvalidAction'],
    ['what is no form', '{"Action":"GetCallerIdentity"}', 400, 'InvalidAction'],
    ['a missing member', 'Action=AssumeRole&Version=2011-06-15&RoleSessionName=ab', 400, 'ValidationError'],
    ['a duration that is no number', 'Action=GetSessionToken&DurationSeconds=ten', 400, 'MalformedInput'],
    ['markup in a member', 'Action=AssumeRole&RoleSessionName=ab&RoleArn=%3Cx%3E%26', 400, 'ValidationError'],
  ])('%s is refused in XML', async (_title, body, expected, code) => {
    const { status, type, text } = await post(body);
    expect([status, type]).toEqual([expected, 'text/xml']);
    expect(text).toContain(`<Type>Sender</Type>`);
    expect(text).toContain(`<Code>${code}</Code>`);
    expect(text).not.toContain('<x>');
  });

  it('credentials that are not known, or do not sign, are refused with 403', async () => {
    const body = 'Action=GetCallerIdentity&Version=2011-06-15';
    const unknown = await post(body, { credentials: { ...alice, accessKeyId: 'AKIAUNKNOWNUNKNOWN77' } });
    expect(unknown.status).toBe(403);
    expect(unknown.text).toContain('<Code>InvalidClientTokenId</Code>');
    const forged = await post(body, { credentials: { ...alice, secretAccessKey: 'forged' } });
    expect(forged.status).toBe(403);
    expect(forged.text).toContain('<Code>SignatureDoesNotMatch</Code>');
  });
});
