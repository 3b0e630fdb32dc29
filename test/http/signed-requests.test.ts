/** Changed copies of good requests, on the wire of a real listener: nothing that is signed can be changed. */
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Log } from '../../src/base/log.ts';
import { Engine } from '../../src/engine/engine.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { HttpServer } from '../../src/server/http-server.ts';
import { NodeSha256 } from '../support/node-sha256.ts';
import { SEED } from '../support/seed.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ACCOUNT = '111122223333';
const REGION = 'eu-central-1';
const RANDOM_CASES = 200;
const MISMATCH = /^(?:InvalidSignatureException|SignatureDoesNotMatch)$/;
const UNKNOWN_KEY = /^(?:UnrecognizedClientException|InvalidClientTokenId)$/;
const INCOMPLETE = /^(?:IncompleteSignatureException|IncompleteSignature)$/;
const MISSING = /^(?:MissingAuthenticationTokenException|MissingAuthenticationToken)$/;

type Header = readonly [name: string, value: string];

interface WireRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Header[];
  readonly body: Buffer;
}

interface WireAnswer {
  /** 0 when the server closed without a word. */
  readonly status: number;
  /** Name of the error. */
  readonly code: string;
  readonly text: string;
}

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const logged: string[] = [];
const log: Log = {
  info: (text) => logged.push(text),
  error: (text, facts) => logged.push(`${text} ${JSON.stringify(facts)}`),
};

let folder: ReturnType<typeof temporaryFolder>;
let engine: Engine;
let server: HttpServer;
let host: string;
let longTerm: Credentials;
let session: Credentials;

beforeAll(async () => {
  folder = temporaryFolder();
  engine = await Engine.open({ dataDirectory: folder.path, regions: [REGION, 'us-east-1'], log });
  longTerm = await engine.accessKeys.create(rootOf(ACCOUNT));
  session = await makeSession();
  server = await HttpServer.listen({ engine, log, host: '127.0.0.1', port: 0 });
  host = `127.0.0.1:${String(server.port)}`;
});

afterAll(async () => {
  await server.close();
  await engine.close();
  folder.remove();
});

function makeSession(): Promise<Credentials> {
  const root = rootOf(ACCOUNT);
  const facts = { policy: undefined, tags: new Map(), transitiveTagKeys: [], sourceIdentity: undefined };
  const caller = { ...root, session: { ...facts, issuerArn: root.arn, issuedMs: Date.now() } };
  return engine.accessKeys.createTemporary(caller, Date.now() + 3_600_000);
}

const KINDS = ['kms with long-term', 'kms with session', 'sts with long-term', 'sts with session'] as const;
type Kind = (typeof KINDS)[number];

/** A request that is answered with 200. Every header of it is signed, but for Connection and Content-Length. */
async function sign(kind: Kind): Promise<WireRequest> {
  const isKms = kind.startsWith('kms');
  const body = isKms ? '{"Limit":5,"Unknown":"ä"}' : 'Action=GetCallerIdentity&Version=2011-06-15';
  const signer = new SignatureV4({
    service: isKms ? 'kms' : 'sts',
    region: REGION,
    credentials: kind.endsWith('session') ? session : longTerm,
    sha256: NodeSha256,
  });
  const type = isKms ? 'application/x-amz-json-1.1' : 'application/x-www-form-urlencoded';
  const headers = {
    host,
    'content-type': type,
    'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
    'x-custom': 'some  value',
    ...(isKms ? { 'x-amz-target': 'TrentService.ListKeys' } : {}),
  };
  const request = { method: 'POST', protocol: 'http:', hostname: '127.0.0.1', path: '/', headers, body };
  const signed = await signer.sign(request);
  return { method: 'POST', target: '/', headers: Object.entries(signed.headers), body: Buffer.from(body) };
}

function serialize({ method, target, headers, body }: WireRequest, contentLength = body.length): Buffer {
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    'Connection: close',
    `Content-Length: ${String(contentLength)}`,
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

/** Sends bytes as they are, says that there are no more, and reads until the server closes. */
function sendRaw(bytes: Buffer): Promise<WireAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
    const chunks: Buffer[] = [];
    const finish = (): void => {
      socket.destroy();
      const text = Buffer.concat(chunks).toString('latin1');
      const code = /"__type":"(?:[^"#]*#)?([^"]+)"/.exec(text)?.[1] ?? /<Code>([^<]+)/.exec(text)?.[1] ?? '';
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0), code, text });
    };
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', finish);
    socket.on('error', finish);
    socket.end(bytes);
  });
}

function send(request: WireRequest): Promise<WireAnswer> {
  return sendRaw(serialize(request));
}

/** The request with a header changed, or without it when `change` gives undefined. */
function withHeader(request: WireRequest, wanted: string, change: (value: string) => string | undefined): WireRequest {
  const headers = request.headers.flatMap(([name, value]): Header[] => {
    const changed = name.toLowerCase() === wanted ? change(value) : value;
    return changed === undefined ? [] : [[name, changed]];
  });
  return { ...request, headers };
}

function inAuthorization(from: RegExp, to: string): (request: WireRequest) => WireRequest {
  return (request) => withHeader(request, 'authorization', (value) => value.replace(from, to));
}

const MUTATIONS: readonly (readonly [what: string, mutate: (request: WireRequest) => WireRequest, code: RegExp])[] = [
  ['without Authorization', (request) => withHeader(request, 'authorization', () => undefined), MISSING],
  ['with another scheme', inAuthorization(/AWS4-HMAC-SHA256/, 'AWS4-HMAC-SHA384'), INCOMPLETE],
  ['with another access key id', inAuthorization(/Credential=A/, 'Credential=B'), UNKNOWN_KEY],
  ['with another date of the scope', inAuthorization(/\/\d{8}\//, '/20200101/'), MISMATCH],
  ['with another Region', inAuthorization(/eu-central-1/, 'us-east-1'), MISMATCH],
  ['with a Region that is not served', inAuthorization(/eu-central-1/, 'xx-central-1'), MISMATCH],
  ['with another service', inAuthorization(/\/(?:kms|sts)\//, '/s3/'), MISMATCH],
  ['with another end of the scope', inAuthorization(/aws4_request/, 'aws5_request'), MISMATCH],
  ['with a scope that is too short', inAuthorization(/\/aws4_request/, ''), INCOMPLETE],
  ['without the content type among the signed headers', inAuthorization(/content-type;/, ''), MISMATCH],
  ['without the host among the signed headers', inAuthorization(/;host/, ''), MISMATCH],
  ['without the date among the signed headers', inAuthorization(/;x-amz-date/, ''), MISMATCH],
  ['with another order of the signed headers', inAuthorization(/content-type;host/, 'host;content-type'), MISMATCH],
  ['with a signed header twice', inAuthorization(/content-type;/, 'content-type;content-type;'), MISMATCH],
  ['with a signed header that is not there', inAuthorization(/content-type;/, 'accept;content-type;'), MISMATCH],
  ['with capitals among the signed headers', inAuthorization(/content-type;/, 'Content-Type;'), MISMATCH],
  ['with another signature', inAuthorization(/Signature=./, 'Signature=g'), MISMATCH],
  ['with a capital signature', inAuthorization(/Signature=.{64}/, `Signature=${'A'.repeat(64)}`), MISMATCH],
  ['with a short signature', inAuthorization(/.$/, ''), MISMATCH],
  ['without a signature', inAuthorization(/, Signature=.*/, ''), INCOMPLETE],
  ['with two signatures', inAuthorization(/(Signature=.*)/, '$1, $1'), INCOMPLETE],
  ['with another host', (request) => withHeader(request, 'host', () => 'kms.example.test'), MISMATCH],
  ['with another custom header', (request) => withHeader(request, 'x-custom', () => 'another value'), MISMATCH],
  ['without a signed header', (request) => withHeader(request, 'x-custom', () => undefined), MISMATCH],
  ['with an empty signed header', (request) => withHeader(request, 'x-custom', () => ''), MISMATCH],
  ['with another hash of the body', (request) => withHeader(request, 'x-amz-content-sha256', () => '0'), MISMATCH],
  ['unsigned-payload', (request) => withHeader(request, 'x-amz-content-sha256', () => 'UNSIGNED-PAYLOAD'), MISMATCH],
  [
    'dated a second later',
    (request) =>
      withHeader(request, 'x-amz-date', (date) => {
        const seconds = (Number(date.slice(13, 15)) + 1) % 60;
        return `${date.slice(0, 13)}${String(seconds).padStart(2, '0')}Z`;
      }),
    MISMATCH,
  ],
  ['dated years ago', (request) => withHeader(request, 'x-amz-date', (date) => `2020${date.slice(4)}`), MISMATCH],
  ['dated in words', (request) => withHeader(request, 'x-amz-date', () => 'yesterday'), INCOMPLETE],
  ['without a date', (request) => withHeader(request, 'x-amz-date', () => undefined), INCOMPLETE],
  ['with a query', (request) => ({ ...request, target: '/?a=b' }), MISMATCH],
  ['with a presigned query besides', (request) => ({ ...request, target: '/?X-Amz-Signature=00' }), MISMATCH],
  ['with a token that nobody signed', (request) => addHeader(request, 'x-amz-security-token', 'x'), MISMATCH],
  ['with an unsigned header of AWS', (request) => addHeader(request, 'x-amz-source-arn', 'arn:aws:s3:::b'), MISMATCH],
  ['with a signed header twice on the wire', (request) => addHeader(request, 'x-custom', 'more'), MISMATCH],
  [
    'with the body of another request',
    (request) => ({
      ...request,
      body: Buffer.from(request.body.toString().replace('CallerIdentity', 'SessionToken') + '\n'),
    }),
    MISMATCH,
  ],
  [
    'with a longer body',
    (request) => ({ ...request, body: Buffer.concat([request.body, Buffer.from(' ')]) }),
    MISMATCH,
  ],
  ['with a shorter body', (request) => ({ ...request, body: request.body.subarray(0, -1) }), MISMATCH],
];

function addHeader(request: WireRequest, name: string, value: string): WireRequest {
  return { ...request, headers: [...request.headers, [name, value]] };
}

describe.each(KINDS)('a request of %s credentials', (kind) => {
  it('is answered as often as it is sent, while its date holds', async () => {
    const request = await sign(kind);
    expect((await send(request)).status).toBe(200);
    expect((await send(request)).status).toBe(200);
  });

  it.each(MUTATIONS)('is refused %s', async (_what, mutate, code) => {
    const request = await sign(kind);
    const answer = await send(mutate(request));
    // A session that lost or gained a token is a matter of the token as often as of the signature.
    expect(answer.code).toMatch(code);
    expect(answer.status).toBe(kind.startsWith('kms') ? 400 : 403);
    expect((await send(request)).status).toBe(200);
  });

  it('is refused with any byte of its body changed', async () => {
    const request = await sign(kind);
    for (let at = 0; at < request.body.length; at++) {
      const body = Buffer.from(request.body);
      body.writeUInt8(body.readUInt8(at) ^ (1 << (at % 8)), at);
      const { status } = await send({ ...request, body });
      expect([400, 403], `byte ${String(at)}`).toContain(status);
    }
  });

  it.each(['authorization', 'host', 'content-type', 'x-amz-date', 'x-amz-content-sha256'])(
    'is refused with two %s headers, even when they are the same',
    async (name) => {
      const request = await sign(kind);
      const value = request.headers.find(([each]) => each.toLowerCase() === name)?.[1] ?? '';
      expect((await send(addHeader(request, name, value))).status).toBeGreaterThanOrEqual(400);
      expect((await send(addHeader(request, name.toUpperCase(), 'x'))).status).toBeGreaterThanOrEqual(400);
    },
  );

  it(`is refused with any change of what is signed (${String(RANDOM_CASES)} random ones, seed ${String(SEED)})`, async () => {
    const seed = SEED;
    const random = generator(seed);
    const request = await sign(kind);
    const good = serialize(request);
    const places = signedPlaces(request, good);
    for (let round = 0; round < RANDOM_CASES; round++) {
      const changed = Buffer.from(good);
      for (let count = 1 + (random() % 2); count > 0; count--) {
        const at = places[random() % places.length] ?? 0;
        changed.writeUInt8(random() % 256, at);
      }
      const { status } = await sendRaw(changed);
      const isSame = normalize(changed).equals(normalize(good));
      expect(status === 200, `seed ${String(seed)}, round ${String(round)}`).toBe(isSame);
      expect(status, `seed ${String(seed)}, round ${String(round)}`).toBeLessThan(500);
    }
    expect((await send(request)).status).toBe(200);
    expect(logged).toEqual([]);
  }, 60_000);
});

/** Offsets of the bytes that the signature covers, or that are the signature. */
function signedPlaces(request: WireRequest, bytes: Buffer): number[] {
  const text = bytes.toString('latin1');
  // Without the blank of the request line, where another kind of blank is no HTTP.
  const ranges: [number, number][] = [
    [0, 'POST'.length],
    ['POST '.length, 'POST /'.length],
  ];
  for (const [name, value] of request.headers) {
    const start = text.indexOf(`${name}: ${value}`) + name.length + 2;
    ranges.push([start, start + value.length]);
  }
  ranges.push([bytes.length - request.body.length, bytes.length]);
  return ranges.flatMap(([from, to]) => Array.from({ length: to - from }, (_, index) => from + index));
}

/** Blanks between words are one to SigV4, whichever they are. */
function normalize(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(/[\t ]+/g, ' '), 'latin1');
}

/** Mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

describe('a session', () => {
  it.each<[string, (token: string) => string | undefined]>([
    ['with another token', (token) => `B${token.slice(1)}`],
    ['with a longer token', (token) => `${token}A`],
    ['without its token', () => undefined],
    ['with an empty token', () => ''],
  ])('is refused %s', async (_what, change) => {
    for (const kind of ['kms with session', 'sts with session'] as const) {
      const { code } = await send(withHeader(await sign(kind), 'x-amz-security-token', change));
      expect(code).toMatch(MISMATCH);
    }
  });

  it('is refused with the token of another session, also when it signs that', async () => {
    const mine = session;
    session = { ...mine, sessionToken: (await makeSession()).sessionToken ?? '' };
    try {
      expect((await send(await sign('kms with session'))).code).toMatch(UNKNOWN_KEY);
      expect((await send(await sign('sts with session'))).code).toMatch(UNKNOWN_KEY);
    } finally {
      session = mine;
    }
  });

  it('is refused when it passes for long-term credentials', async () => {
    const mine = session;
    session = { accessKeyId: mine.accessKeyId, secretAccessKey: mine.secretAccessKey };
    try {
      expect((await send(await sign('kms with session'))).code).toMatch(UNKNOWN_KEY);
    } finally {
      session = mine;
    }
  });
});

describe('a request that two readers could read in two ways', () => {
  const raw = async (change: (text: string) => string): Promise<WireAnswer> => {
    const text = serialize(await sign('kms with long-term')).toString('latin1');
    const changed = change(text);
    expect(changed).not.toBe(text);
    return sendRaw(Buffer.from(changed, 'latin1'));
  };

  it.each<[string, (text: string) => string]>([
    ['two lengths', (text) => text.replace('Content-Length', 'Content-Length: 2\r\nContent-Length')],
    ['a length and chunks', (text) => text.replace('Connection: close', 'Transfer-Encoding: chunked')],
    ['a negative length', (text) => text.replace(/Content-Length: \d+/, 'Content-Length: -1')],
    ['a length in hexadecimal', (text) => text.replace(/Content-Length: \d+/, 'Content-Length: 0x1a')],
    ['a blank before the colon', (text) => text.replace('x-amz-target:', 'x-amz-target :')],
    ['a folded header', (text) => text.replace('x-amz-target: ', 'x-amz-target:\r\n ')],
    ['a zero byte in a header', (text) => text.replace('TrentService', 'Trent\0Service')],
    ['a bare carriage return', (text) => text.replace('TrentService', 'Trent\rService')],
    ['two targets', (text) => text.replace('x-amz-target', 'x-amz-target: TrentService.CreateKey\r\nx-amz-target')],
    ['an absolute target', (text) => text.replace('POST / ', 'POST http://other.example.test/ ')],
    ['a header of 40 kB', (text) => text.replace('Connection', `x-long: ${'a'.repeat(40_000)}\r\nConnection`)],
    ['300 headers', (text) => text.replace('Connection', `${'x-many: a\r\n'.repeat(300)}Connection`)],
    ['a path that resolves to the root', (text) => text.replace('POST / ', 'POST /a/.. ')],
    ['no host', (text) => text.replace(/host: .*\r\n/i, '')],
  ])('is refused: %s', async (_what, change) => {
    const { status } = await raw(change);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  it.each<[string, (text: string) => string]>([
    ['another letter case of header names', (text) => text.replace('x-amz-target', 'X-Amz-Target')],
    ['blanks around a value', (text) => text.replace('x-custom: some  value', 'x-custom:   some value\t ')],
    ['a header that nobody signed', (text) => text.replace('Connection', 'x-other: 1\r\nConnection')],
  ])('is answered when only what is not signed differs: %s', async (_what, change) => {
    expect((await raw(change)).status).toBe(200);
  });

  it('leaves nothing in the log and the server in service', async () => {
    expect(logged).toEqual([]);
    expect((await send(await sign('kms with long-term'))).status).toBe(200);
  });
});

describe('without a signature', () => {
  it.each([
    ['GET', '/', 400],
    ['POST', '/', 400],
    ['HEAD', '/healthz', 400],
    ['POST', '/healthz', 400],
    ['GET', '/healthz/', 400],
    ['GET', '/healthz?x', 400],
    ['GET', '/readyz/../', 400],
    ['OPTIONS', '/', 400],
    ['DELETE', '/keywright/test/clock', 400],
    ['GET', '/healthz', 200],
    ['GET', '/readyz', 200],
  ])('%s %s is answered with %i', async (method, target, status) => {
    const headers: Header[] = [['Host', host]];
    const answer = await send({ method, target, headers, body: Buffer.alloc(0) });
    expect(answer.status).toBe(status);
  });

  it.each(['ListKeys', 'CreateKey', 'Decrypt', 'GenerateRandom'])('nobody calls %s', async (operation) => {
    const headers: Header[] = [
      ['Host', host],
      ['X-Amz-Target', `TrentService.${operation}`],
      ['Content-Type', 'application/x-amz-json-1.1'],
    ];
    const answer = await send({ method: 'POST', target: '/', headers, body: Buffer.from('{}') });
    expect(answer.code).toBe('MissingAuthenticationTokenException');
  });

  it.each(['GetCallerIdentity', 'AssumeRole', 'GetSessionToken'])('nobody calls %s', async (action) => {
    const headers: Header[] = [
      ['Host', host],
      ['Content-Type', 'application/x-www-form-urlencoded; charset=utf-8'],
    ];
    const answer = await send({ method: 'POST', target: '/', headers, body: Buffer.from(`Action=${action}`) });
    expect([answer.status, answer.code]).toEqual([403, 'MissingAuthenticationToken']);
  });

  it('the name of an unknown action is not sent back at length', async () => {
    const headers: Header[] = [
      ['Host', host],
      ['Content-Type', 'application/x-www-form-urlencoded'],
    ];
    const body = Buffer.from(`Action=${'<'.repeat(100_000)}`);
    const answer = await send({ method: 'POST', target: '/', headers, body });
    expect(answer.code).toBe('InvalidAction');
    expect(answer.text.length).toBeLessThan(2000);
  });
});
