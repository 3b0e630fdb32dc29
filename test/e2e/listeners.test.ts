/** The listeners of a server process: TLS with made and own certificates, and the doors of VPC endpoints. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { request as sendHttps } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { CreateKeyCommand, DescribeKeyCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureCertificates } from '../../src/server/tls-certificates.ts';
import { expectError } from '../support/expect-error.ts';
import { freePort, runKeywright, startServer, type ServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const AWS = '/usr/bin/aws';
const run = promisify(execFile);
const CREDENTIALS = { accessKeyId: 'AKIATESTTESTTESTTEST', secretAccessKey: 'a secret of the test' };
const ENVIRONMENT = {
  KEYWRIGHT_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  KEYWRIGHT_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  KEYWRIGHT_ACCOUNT_ID: '111122223333',
};

let folder: ReturnType<typeof temporaryFolder>;
let server: ServerProcess | undefined;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(async () => {
  await server?.kill();
  server = undefined;
  folder.remove();
});

async function start(environment: Readonly<Record<string, string>>): Promise<ServerProcess> {
  server = await startServer(folder.path, await freePort(), { ...ENVIRONMENT, ...environment });
  return server;
}

function clientOptions(endpoint: string, ca?: Buffer) {
  const requestHandler = ca === undefined ? {} : { httpsAgent: { ca } };
  return { region: 'us-east-1', endpoint, credentials: CREDENTIALS, maxAttempts: 1, requestHandler };
}

function client(endpoint: string, ca?: Buffer): KMSClient {
  return new KMSClient(clientOptions(endpoint, ca));
}

/** The version that is agreed on, or the code of the error. */
function shakeHands(port: number, version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): Promise<string> {
  return new Promise((resolve) => {
    // The level of security lets this client offer what is no longer safe.
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      minVersion: version,
      maxVersion: version,
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    socket.on('secureConnect', () => {
      resolve(socket.getProtocol() ?? '');
      socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? '');
    });
  });
}

describe('the TLS listener', () => {
  it('serves beside the HTTP listener, to clients that trust the authority that it made', async () => {
    const port = await freePort();
    const url = `https://127.0.0.1:${String(port)}`;
    const { output, url: plainUrl } = await start({
      KEYWRIGHT_TLS_LISTEN: url,
      KEYWRIGHT_TLS_NAMES: 'kms.example.test',
    });
    expect(output()).toContain(url);
    expect(output()).toContain(join(folder.path, 'tls', 'ca.pem'));
    const trusted = await runKeywright(folder.path, ['trust']);
    expect(trusted).toMatchObject({ status: 0, stdout: `${join(folder.path, 'tls', 'ca.pem')}\n` });
    const ca = readFileSync(trusted.stdout.trim());
    const kms = client(url, ca);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const { Keys } = await client(plainUrl).send(new ListKeysCommand({}));
    expect(Keys?.map(({ KeyId }) => KeyId)).toEqual([KeyMetadata?.KeyId]);
    const sts = new STSClient(clientOptions(url, ca));
    expect((await sts.send(new GetCallerIdentityCommand({}))).Account).toBe('111122223333');
    await expect(client(url).send(new ListKeysCommand({}))).rejects.toMatchObject({
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
    kms.destroy();
    sts.destroy();

    expect(await shakeHands(port, 'TLSv1.3')).toBe('TLSv1.3');
    expect(await shakeHands(port, 'TLSv1.2')).toBe('TLSv1.2');
    for (const old of ['TLSv1.1', 'TLSv1'] as const) {
      expect(await shakeHands(port, old)).toMatch(/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|ECONNRESET/);
    }
    expect(await server?.stop()).toBe(0);
  });

  it.skipIf(!existsSync(AWS) && process.env['CI'] !== 'true')(
    'serves the AWS CLI',
    async () => {
      const url = `https://localhost:${String(await freePort())}`;
      await start({ KEYWRIGHT_TLS_LISTEN: url });
      const aws = async (...args: readonly string[]): Promise<string> => {
        const environment = {
          PATH: process.env['PATH'],
          HOME: folder.path,
          AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
          AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
          AWS_DEFAULT_REGION: 'us-east-1',
          AWS_CA_BUNDLE: join(folder.path, 'tls', 'ca.pem'),
        };
        return (await run(AWS, ['--endpoint-url', url, '--output', 'json', ...args], { env: environment })).stdout;
      };
      expect(JSON.parse(await aws('kms', 'list-keys'))).toEqual({ Keys: [] });
      expect(JSON.parse(await aws('sts', 'get-caller-identity'))).toMatchObject({ Account: '111122223333' });
    },
    60_000,
  );

  it('shows the certificate of the operator instead, and makes none', async () => {
    const own = temporaryFolder();
    try {
      const { certificate, privateKey } = await ensureCertificates(own.path, ['127.0.0.1'], Date.now());
      writeFileSync(join(own.path, 'cert.pem'), certificate.slice(certificate.indexOf('-----BEGIN CERT')));
      writeFileSync(join(own.path, 'key.pem'), privateKey.slice(0, privateKey.indexOf('-----BEGIN CERT')));
      const url = `https://127.0.0.1:${String(await freePort())}`;
      await start({
        KEYWRIGHT_TLS_LISTEN: url,
        KEYWRIGHT_TLS_CERT: join(own.path, 'cert.pem'),
        KEYWRIGHT_TLS_KEY: join(own.path, 'key.pem'),
      });
      const ca = readFileSync(join(own.path, 'ca.pem'));
      expect((await client(url, ca).send(new ListKeysCommand({}))).Keys).toEqual([]);
      expect(existsSync(join(folder.path, 'tls'))).toBe(false);
    } finally {
      own.remove();
    }
  });

  it('has no control endpoint for tests, even where the HTTP listener has it', async () => {
    const port = await freePort();
    await start({ KEYWRIGHT_TLS_LISTEN: `https://127.0.0.1:${String(port)}`, KEYWRIGHT_TEST_POWERS: '1' });
    const status = await new Promise((resolve, reject) => {
      const path = '/keywright/test/clock';
      const options = { port, path, host: '127.0.0.1', rejectUnauthorized: false, headers: { host: 'localhost' } };
      sendHttps(options, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(400);
  });

  it.each<[Record<string, string>, RegExp]>([
    [{ KEYWRIGHT_TLS_LISTEN: 'http://127.0.0.1:4600' }, /KEYWRIGHT_TLS_LISTEN must look like https:/],
    [{ KEYWRIGHT_TLS_LISTEN: 'https://127.0.0.1' }, /KEYWRIGHT_TLS_LISTEN must look like/],
    [{ KEYWRIGHT_TLS_NAMES: 'not a name' }, /"not a name" is neither/],
    [{ KEYWRIGHT_TLS_CERT: '/nowhere.pem' }, /must be set together/],
    [{ KEYWRIGHT_TLS_CERT: '/nowhere.pem', KEYWRIGHT_TLS_KEY: '/nowhere.pem' }, /needs a listener that shows it/],
    [
      {
        KEYWRIGHT_TLS_LISTEN: 'https://127.0.0.1:0',
        KEYWRIGHT_TLS_CERT: '/nowhere.pem',
        KEYWRIGHT_TLS_KEY: '/nowhere.pem',
      },
      /KEYWRIGHT_TLS_CERT and KEYWRIGHT_TLS_KEY: ENOENT/,
    ],
    [
      {
        KEYWRIGHT_TLS_LISTEN: 'https://127.0.0.1:0',
        KEYWRIGHT_TLS_CERT: 'package.json',
        KEYWRIGHT_TLS_KEY: 'package.json',
      },
      /the TLS certificate or its key cannot be used/,
    ],
    [{ KEYWRIGHT_PLAIN_HTTP: 'yes' }, /KEYWRIGHT_PLAIN_HTTP can only be "anywhere"/],
  ])('is refused with %j, and the error says why', async (environment, text) => {
    const started = start(environment);
    await expect(started).rejects.toThrow(/status 64/);
    await expect(started).rejects.toThrow(text);
  });
});

describe('plain HTTP', () => {
  it('leaves loopback where the operator trusts the network', async () => {
    const port = await freePort();
    const listen = { KEYWRIGHT_LISTEN: `http://0.0.0.0:${String(port)}`, KEYWRIGHT_PLAIN_HTTP: 'anywhere' };
    await start(listen);
    expect((await client(`http://127.0.0.1:${String(port)}`).send(new ListKeysCommand({}))).Keys).toEqual([]);
  });
});

describe('keywright trust', () => {
  it('says that there is nothing to trust before a TLS listener started', async () => {
    const { status, stderr } = await runKeywright(folder.path, ['trust']);
    expect(status).toBe(64);
    expect(stderr).toMatch(/it is made when a server with KEYWRIGHT_TLS_LISTEN starts/);
  });
});

describe('the listener of a VPC endpoint', () => {
  const ENDPOINT = 'vpce-0a1b2c3d4e5f60718';
  const VPC = 'vpc-0123456789abcdef0';

  function writeEndpoints(...entries: readonly object[]): string {
    const path = join(folder.path, 'endpoints.yaml');
    writeFileSync(path, JSON.stringify(entries));
    return path;
  }

  function keyPolicy(condition: object): string {
    const all = {
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::111122223333:root' },
      Action: 'kms:*',
      Resource: '*',
    };
    const deny = { Effect: 'Deny', Principal: '*', Action: 'kms:DescribeKey', Resource: '*', Condition: condition };
    return JSON.stringify({ Version: '2012-10-17', Statement: [all, deny] });
  }

  it('is what conditions of policies go by, instead of the source address', async () => {
    const address = `http://127.0.0.1:${String(await freePort())}`;
    const path = writeEndpoints({ listen: address, vpcEndpointId: ENDPOINT, vpcId: VPC });
    const { url, output } = await start({ KEYWRIGHT_VPC_ENDPOINTS: path });
    expect(output()).toContain(`${address} (${ENDPOINT})`);
    const [direct, through] = [client(url), client(address)];
    const seenBy = async (condition: object): Promise<string[]> => {
      const { KeyMetadata } = await direct.send(new CreateKeyCommand({ Policy: keyPolicy(condition) }));
      const outcomes = [direct, through].map((kms) =>
        kms.send(new DescribeKeyCommand({ KeyId: KeyMetadata?.KeyId })).then(
          () => 'allowed',
          (error: unknown) => (error as Error).name,
        ),
      );
      return Promise.all(outcomes);
    };
    const [onlyDirect, onlyThrough] = [
      ['allowed', 'AccessDeniedException'],
      ['AccessDeniedException', 'allowed'],
    ];
    expect(await seenBy({ StringEquals: { 'aws:SourceVpce': ENDPOINT } })).toEqual(onlyDirect);
    expect(await seenBy({ StringNotEquals: { 'aws:SourceVpce': ENDPOINT } })).toEqual(onlyThrough);
    expect(await seenBy({ StringNotEquals: { 'aws:SourceVpc': VPC } })).toEqual(onlyThrough);
    expect(await seenBy({ IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } })).toEqual(onlyThrough);
    expect(await seenBy({ Null: { 'aws:SourceIp': 'true' } })).toEqual(onlyDirect);
    expect(await seenBy({ IpAddress: { 'aws:VpcSourceIp': '127.0.0.0/8' } })).toEqual(onlyDirect);
    expect(await seenBy({ Bool: { 'aws:SecureTransport': 'false' } })).toEqual([
      'AccessDeniedException',
      'AccessDeniedException',
    ]);
  });

  it('lets through what its policy allows, and nothing else; with TLS too', async () => {
    const port = String(await freePort());
    const policy = { Statement: [{ Effect: 'Allow', Principal: '*', Action: 'kms:ListKeys', Resource: '*' }] };
    const path = writeEndpoints({ listen: `https://127.0.0.1:${port}`, vpcEndpointId: ENDPOINT, vpcId: VPC, policy });
    const { url } = await start({ KEYWRIGHT_VPC_ENDPOINTS: path });
    const through = client(`https://127.0.0.1:${port}`, readFileSync(join(folder.path, 'tls', 'ca.pem')));
    expect((await through.send(new ListKeysCommand({}))).Keys).toEqual([]);
    await expectError(through.send(new CreateKeyCommand({})), 'AccessDeniedException', /VPC endpoint policy/);
    await client(url).send(new CreateKeyCommand({}));
  });

  it.each<[string, string, RegExp]>([
    ['no list', 'listen: x', /must be a list of endpoints/],
    ['no YAML', '- {', /endpoints\.yaml: /],
    ['an alias to nothing', '- *nothing', /endpoints\.yaml: /],
    ['no object', '- 5', /entry 1 must have the members/],
    ['an unknown member', '- { port: 5 }', /entry 1 has the unknown member "port"/],
    ['no id', '- { listen: "http://127.0.0.1:1" }', /entry 1: vpcEndpointId must match/],
    ['no VPC', `- { vpcEndpointId: ${ENDPOINT}, vpcId: 5 }`, /entry 1: vpcId must match/],
    ['no address', `- { vpcEndpointId: ${ENDPOINT}, vpcId: ${VPC} }`, /entry 1: listen must be an address/],
    [
      'an address on the network without TLS',
      `- { listen: "http://0.0.0.0:1", vpcEndpointId: ${ENDPOINT}, vpcId: ${VPC} }`,
      /entry 1: listen=http:\/\/0\.0\.0\.0:1 would send plaintext keys/,
    ],
    [
      'a bad policy',
      `- { listen: "http://127.0.0.1:1", vpcEndpointId: ${ENDPOINT}, vpcId: ${VPC}, policy: { Statement: 5 } }`,
      /entry 1: policy: /,
    ],
  ])('is refused with %s in its file, and the error says why', async (_what, text, problem) => {
    const path = join(folder.path, 'endpoints.yaml');
    writeFileSync(path, text);
    const started = start({ KEYWRIGHT_VPC_ENDPOINTS: path });
    await expect(started).rejects.toThrow(/status 64/);
    await expect(started).rejects.toThrow(problem);
  });
});
