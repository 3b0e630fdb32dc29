/** What the HTTP door does with requests that no SDK would send. */
import { connect } from 'node:net';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SILENT_LOG } from '../../src/base/log.ts';
import { Engine } from '../../src/engine/engine.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { HttpServer } from '../../src/server/http-server.ts';
import { NodeSha256 } from '../support/node-sha256.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: { readonly __type?: string; readonly message?: string } & Record<string, unknown>;
}

let folder: ReturnType<typeof temporaryFolder>;
let engine: Engine;
let server: HttpServer;
let credentials: { accessKeyId: string; secretAccessKey: string };
let url: string;

beforeAll(async () => {
  folder = temporaryFolder();
  engine = await Engine.open({ dataDirectory: folder.path, regions: ['us-east-1', 'eu-central-1'] });
  credentials = await engine.accessKeys.create(rootOf('111122223333'));
  server = await HttpServer.listen({ engine, log: SILENT_LOG, host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${String(server.port)}/`;
});

afterAll(async () => {
  await server.close();
  await engine.close();
  folder.remove();
});

interface CallOptions {
  readonly target?: string;
  readonly region?: string;
  readonly service?: string;
  readonly at?: Date;
  readonly secretAccessKey?: string;
  readonly accessKeyId?: string;
  /** Body that is sent instead of the signed one. */
  readonly sentBody?: string;
  readonly extraHeaders?: Record<string, string>;
}

async function signedHeaders(body: string | Uint8Array, options: CallOptions): Promise<Record<string, string>> {
  const signer = new SignatureV4({
    service: options.service ?? 'kms',
    region: options.region ?? 'us-east-1',
    credentials: { ...credentials, ...options },
    sha256: NodeSha256,
  });
  const { headers } = await signer.sign(
    {
      method: 'POST',
      protocol: 'http:',
      hostname: '127.0.0.1',
      port: server.port,
      path: '/',
      headers: {
        host: `127.0.0.1:${String(server.port)}`,
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': options.target ?? 'TrentService.ListKeys',
        ...options.extraHeaders,
      },
      body,
    },
    options.at === undefined ? {} : { signingDate: options.at },
  );
  return headers;
}

async function call(body: string | Uint8Array, options: CallOptions = {}): Promise<Answer> {
  const headers = await signedHeaders(body, options);
  delete headers['host'];
  return send(options.sentBody ?? body, headers);
}

async function send(body: string | Uint8Array, headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', headers, body: body as string });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === '' ? {} : JSON.parse(text)) as Answer['body'],
  };
}

/** Sends bytes as they are and returns all that comes back before the server closes. */
function sendRaw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1', () => {
      socket.write(bytes);
    });
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      received += chunk;
    });
    socket.on('close', () => {
      resolve(received);
    });
    socket.on('error', reject);
  });
}

describe('a good request', () => {
  it('is answered as awsJson1_1, with a request id of its own', async () => {
    const first = await call('{}');
    const second = await call('{}');
    expect(first.status).toBe(200);
    expect(first.body).toEqual({ Keys: [], Truncated: false });
    expect(first.headers.get('content-type')).toBe('application/x-amz-json-1.1');
    expect(first.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(first.headers.get('x-amzn-requestid')).not.toBe(second.headers.get('x-amzn-requestid'));
  });

  it('of an operation without output has an empty body', async () => {
    const created = await call('{}', { target: 'TrentService.CreateKey' });
    const { KeyId } = created.body['KeyMetadata'] as { KeyId: string };
    const headers = await signedHeaders(JSON.stringify({ KeyId }), { target: 'TrentService.DisableKey' });
    delete headers['host'];
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ KeyId }) });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('0');
  });

  it('carries timestamps as epoch seconds and no null members', async () => {
    const { body } = await call('{"Description":null,"Unknown":1}', { target: 'TrentService.CreateKey' });
    const metadata = body['KeyMetadata'] as Record<string, unknown>;
    expect(metadata['CreationDate']).toBeCloseTo(Date.now() / 1000, -2);
    expect(Object.values(metadata)).not.toContain(null);
  });

  it('is told apart by Region through its signature', async () => {
    await call('{}', { target: 'TrentService.CreateKey', region: 'eu-central-1' });
    const european = await call('{}', { region: 'eu-central-1' });
    expect((european.body['Keys'] as unknown[]).length).toBe(1);
  });
});

describe('a bad request', () => {
  it.each([
    ['without any signature', {}, 'MissingAuthenticationTokenException'],
    ['with a malformed Authorization', { authorization: 'AWS4-HMAC-SHA256 nonsense' }, 'IncompleteSignatureException'],
  ])('%s is refused', async (_what, headers, name) => {
    const answer = await send('{}', { 'x-amz-target': 'TrentService.ListKeys', ...headers });
    expect([answer.status, answer.body.__type]).toEqual([400, name]);
  });

  it.each([
    ['signed with another secret', { secretAccessKey: 'x'.repeat(40) }, 'InvalidSignatureException'],
    ['signed by an unknown access key', { accessKeyId: 'AKIAUNKNOWNUNKNOWN77' }, 'UnrecognizedClientException'],
    ['signed six minutes ago', { at: new Date(Date.now() - 360_000) }, 'InvalidSignatureException'],
    ['signed six minutes ahead', { at: new Date(Date.now() + 360_000) }, 'InvalidSignatureException'],
    ['signed for another service', { service: 's3' }, 'InvalidSignatureException'],
    ['signed for a Region that is not served', { region: 'ap-south-1' }, 'InvalidSignatureException'],
    ['whose body was changed after signing', { sentBody: '{"Limit":1}' }, 'InvalidSignatureException'],
    ['of an unknown operation', { target: 'TrentService.DoMagic' }, 'UnknownOperationException'],
    ['of another service', { target: 'DynamoDB_20120810.ListTables' }, 'UnknownOperationException'],
    ['of an inherited name', { target: 'TrentService.constructor' }, 'UnknownOperationException'],
  ] as const)('%s is refused', async (_what, options, name) => {
    const answer = await call('{}', options);
    expect([answer.status, answer.body.__type]).toEqual([400, name]);
  });

  it.each([
    ['that is not JSON', 'not json'],
    ['that is cut off', '{"KeyId":'],
    ['that is no object', '[]'],
    ['that is a number', '17'],
    ['with bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ])('with a body %s is a SerializationException', async (_what, body) => {
    const answer = await call(body);
    expect([answer.status, answer.body.__type]).toEqual([400, 'SerializationException']);
  });

  it.each([
    ['{"KeyId":1}', 'NUMBER_VALUE can not be converted to a String'],
    ['{"KeyId":true}', 'TRUE_VALUE can not be converted to a String'],
    ['{"KeyId":{}}', 'Start of structure or map found where not expected.'],
    ['{"KeyId":"a","Plaintext":"!!!!"}', 'The input is not valid base64.'],
    ['{"KeyId":"a","Plaintext":"AA=","EncryptionContext":{}}', 'The input is not valid base64.'],
    ['{"KeyId":"a","Plaintext":"AA==","EncryptionContext":[]}', 'Expected map or null'],
    ['{"KeyId":"a","Plaintext":"AA==","EncryptionContext":{"a":1}}', 'NUMBER_VALUE can not be converted to a String'],
    ['{"KeyId":"a","Plaintext":"AA==","DryRun":"yes"}', 'STRING_VALUE can not be converted to a Boolean'],
  ])('with a member of the wrong type, %s, is a SerializationException', async (body, message) => {
    const answer = await call(body, { target: 'TrentService.Encrypt' });
    expect(answer.body).toEqual({ __type: 'SerializationException', message });
  });

  it('with a required member missing is a ValidationException in the words of AWS', async () => {
    const answer = await call('{}', { target: 'TrentService.Encrypt' });
    expect(answer.body).toEqual({
      __type: 'ValidationException',
      message:
        "2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null; " +
        "Value null at 'plaintext' failed to satisfy constraint: Member must not be null",
    });
  });

  it('whose body is deeply nested does not hurt', async () => {
    const answer = await call(`{"KeyId":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, {
      target: 'TrentService.DescribeKey',
    });
    expect(answer.body.__type).toBe('SerializationException');
  });

  it.each([
    ['says so in its Content-Length', `Content-Length: 1048577\r\n\r\n`],
    ['comes in chunks', `Transfer-Encoding: chunked\r\n\r\n${`10000\r\n${'x'.repeat(0x10000)}\r\n`.repeat(17)}`],
  ])('whose body is over 1 MiB and %s is refused without reading it to the end', async (_what, rest) => {
    const answer = await sendRaw(
      `POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: TrentService.ListKeys\r\n${rest}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"__type":"RequestEntityTooLargeException"');
    expect(answer).toMatch(/connection: close/i);
  });

  it('that is not HTTP is closed with status 400', async () => {
    expect(await sendRaw('this is not http\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('to another path or method is an unknown operation', async () => {
    for (const request of ['GET / HTTP/1.1', 'POST /other HTTP/1.1', 'DELETE / HTTP/1.1']) {
      const answer = await sendRaw(`${request}\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      expect(answer).toContain('UnknownOperationException');
    }
  });

  it('leaves the server alive', async () => {
    expect((await call('{}')).status).toBe(200);
  });
});

describe('health', () => {
  it.each([
    ['healthz', 'ok\n'],
    ['readyz', 'ready\n'],
  ])('GET /%s answers without a signature', async (path, text) => {
    const response = await fetch(`${url}${path}`);
    expect([response.status, await response.text()]).toEqual([200, text]);
  });
});

describe('shutdown', () => {
  it('answers the requests that are under way and refuses new connections', async () => {
    const own = await HttpServer.listen({ engine, log: SILENT_LOG, host: '127.0.0.1', port: 0 });
    const { port } = own;
    let finish: (() => void) | undefined;
    const answer = new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(
          'POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: TrentService.ListKeys\r\nContent-Length: 2\r\n\r\n{',
        );
        finish = () => {
          socket.write('}');
        };
      });
      let received = '';
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1');
      });
      socket.on('close', () => {
        resolve(received);
      });
      socket.on('error', reject);
    });
    await expect.poll(() => finish).toBeDefined();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const closing = own.close();
    await expect(fetch(`http://127.0.0.1:${String(port)}/healthz`)).rejects.toThrow();
    finish?.();
    expect(await answer).toContain('MissingAuthenticationTokenException');
    await closing;
  });
});
