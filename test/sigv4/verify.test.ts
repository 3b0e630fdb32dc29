import { describe, expect, it } from 'vitest';
import {
  type Credential,
  MAX_AUTHORIZATION_LENGTH,
  MAX_HEADERS,
  MAX_HEADERS_LENGTH,
  MAX_PATH_LENGTH,
  MAX_QUERY_LENGTH,
  type SignedRequest,
  verifyRequest,
} from '../../src/sigv4/index.ts';
import {
  ACCESS_KEY_ID,
  authorizationOf,
  credentialOf,
  expectRefusal,
  type Identity,
  importSecret,
  KMS_HEADERS,
  MISMATCH,
  NOW_MS,
  SECRET,
  SESSION_TOKEN,
  setUp,
  sha256,
  signed,
  TIMESTAMP,
  withHeaders,
} from './fixture.ts';

const INCOMPLETE = 'IncompleteSignatureException';
const INVALID = 'InvalidSignatureException';
const MISSING = 'MissingAuthenticationTokenException';
const UNRECOGNIZED = 'UnrecognizedClientException';
const EXPIRED = 'ExpiredTokenException';
const INVALID_TOKEN = 'The security token included in the request is invalid.';
const HASHED = '(Hashed with SHA-256 and encoded with Base64)';
const NEEDS_CREDENTIAL = "Authorization header requires 'Credential' parameter. ";
const NEEDS_SIGNATURE = "Authorization header requires 'Signature' parameter. ";
const NEEDS_HEADERS = "Authorization header requires 'SignedHeaders' parameter. ";
const NEEDS_DATE = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
const SIGNED_HEADERS = "'SignedHeaders' must be lower-case, sorted, without repetition and present in the request.";
const TOO_LARGE = 'The request line or the headers are too large to verify.';
const HEX64 = 'ab'.repeat(32);

const hashOf = (text: string): string => sha256(text).toString('base64');
const authorized = (authorization: string): SignedRequest => withHeaders(signed(), { Authorization: authorization });
const dated = (timestamp: string): SignedRequest => {
  const headers = KMS_HEADERS.map(([name, value]) => [name, name === 'X-Amz-Date' ? timestamp : value] as const);
  return signed({ headers, timestamp });
};
const and = (...more: (readonly [string, string])[]): { headers: (readonly [string, string])[] } => ({
  headers: [...KMS_HEADERS, ...more],
});

describe('a request that is signed well', () => {
  it('is answered with its credential, Region, time and signed headers', () => {
    const { store, verify } = setUp();
    expect(verify(signed())).toEqual({
      ok: true,
      credential: store.get(ACCESS_KEY_ID),
      region: 'us-east-1',
      signedAtMs: NOW_MS,
      signedHeaders: ['content-type', 'host', 'x-amz-date', 'x-amz-target'],
    });
  });

  it('is answered by a promise only when the lookup is asynchronous', async () => {
    const { options, store } = setUp();
    expect(verifyRequest(signed(), options)).not.toBeInstanceOf(Promise);
    const answer = verifyRequest(signed(), { ...options, credentials: async (id) => store.get(id) });
    expect(answer).toBeInstanceOf(Promise);
    expect(await answer).toMatchObject({ ok: true });
  });

  it('passes the failure of a lookup on', async () => {
    const { options } = setUp();
    const credentials = async (): Promise<Credential<Identity>> => {
      throw new Error('store is away');
    };
    await expect(verifyRequest(signed(), { ...options, credentials })).rejects.toThrow('store is away');
  });

  const [algorithm = '', credential = '', names = '', signature = ''] = authorizationOf(signed()).split(/,? /);
  it.each([
    ['without blanks after commas', `${algorithm} ${credential},${names},${signature}`],
    ['with its parameters in another order', `${algorithm} ${signature}, ${names}, ${credential}`],
    ['with more blanks', `  ${algorithm}   ${credential} ,\t${names}  ,${signature}  `],
  ])('is accepted %s', (_, authorization) => {
    expect(setUp().verify(authorized(authorization))).toMatchObject({ ok: true });
  });

  it.each<[string, SignedRequest]>([
    ['unsigned headers that are not x-amz-*', withHeaders(signed(), { 'User-Agent': 'x', 'X-Amzn-Trace-Id': 'y' })],
    ['several values of one header', signed(and(['My-Header', ' a  b '], ['my-header', '"c   d"']))],
    ['an empty header', signed(and(['My-Header', '']))],
    ['octets above 127', signed(and(['My-Header', Buffer.from('é €').toString('latin1')]))],
    ['the hash of the body', signed(and(['X-Amz-Content-Sha256', sha256('{}').toString('hex')]))],
    ['an empty body', signed({ body: new Uint8Array(0) })],
    ['an empty path', { ...signed(), path: '' }],
    ['query and path', signed({ path: '/a%20b/../c', canonicalUri: '/c', query: 'b=2&a', canonicalQuery: 'a=&b=2' })],
  ])('may have %s', (_, request) => {
    expect(setUp().verify(request)).toMatchObject({ ok: true });
  });

  it('may carry the HTTP/2 :authority for its host', () => {
    const [host, ...rest] = KMS_HEADERS;
    const pseudo = [':authority', host?.[1] ?? ''] as const;
    const { verify } = setUp();
    const asHost = signed();
    const onlyPseudo = { ...asHost, headers: [pseudo, ...asHost.headers.slice(1)] };
    expect(verify(onlyPseudo)).toMatchObject({ ok: true });
    expect(verify(signed({ headers: [pseudo, ...rest] }))).toMatchObject({ ok: true });
    expect(verify({ ...asHost, headers: [pseudo, ...asHost.headers] })).toMatchObject({ ok: true });
    const other = { ...asHost, headers: [[':authority', 'evil.example'] as const, ...asHost.headers] };
    expectRefusal(verify(other), INVALID, "'Host' and ':authority' must be the same.");
  });

  it.each([
    ['RFC 9110', 'Sun, 30 Aug 2015 12:36:00 GMT'],
    ['ISO 8601', TIMESTAMP],
  ])('may have its date in a Date header (%s)', (_, date) => {
    const headers = KMS_HEADERS.map(([name, value]) =>
      name === 'X-Amz-Date' ? (['Date', date] as const) : ([name, value] as const),
    );
    expect(setUp().verify(signed({ headers }))).toMatchObject({ ok: true, signedAtMs: NOW_MS });
    const signedHeaders = ['content-type', 'host', 'x-amz-target'];
    expect(setUp().verify(signed({ headers, signedHeaders }))).toMatchObject({ ok: true });
  });

  it('has its X-Amz-Date preferred to its Date', () => {
    const request = withHeaders(signed(), { Date: 'Mon, 01 Jan 2001 00:00:00 GMT' });
    expect(setUp().verify(request)).toMatchObject({ ok: true, signedAtMs: NOW_MS });
  });
});

describe('MissingAuthenticationTokenException', () => {
  const presigned = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=x&X-Amz-Signature=${HEX64}`;
  it.each<[string, SignedRequest]>([
    ['no Authorization', withHeaders(signed(), { Authorization: undefined })],
    ['an empty Authorization', authorized(' ')],
    ['the presigned query form', { ...withHeaders(signed(), { Authorization: undefined }), query: presigned }],
    ['no headers at all', { ...signed(), headers: [] }],
  ])('answers %s', (_, request) => {
    expectRefusal(setUp().verify(request), MISSING, 'Missing Authentication Token');
  });
});

describe('IncompleteSignatureException', () => {
  const long = `AWS4-HMAC-SHA256 ${'x'.repeat(MAX_AUTHORIZATION_LENGTH)}`;
  const credential = `${ACCESS_KEY_ID}/20150830/us-east-1/kms/aws4_request`;
  const missing = (header: string, ...needs: string[]): [string, string] => [
    header,
    `${needs.join('')}${HASHED} Authorization=${hashOf(header)}`,
  ];
  const unsplit = (text: string): [string, string] => [
    `AWS4-HMAC-SHA256 Credential=${text}, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=${HEX64}`,
    'Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, ' +
      `${HASHED} got '${hashOf(text)}'`,
  ];
  const withoutEqualSign = (header: string): [string, string] => [
    header,
    'Invalid key=value pair (missing equal-sign) in Authorization header ' +
      `(hashed with SHA-256 and encoded with Base64): '${hashOf(header)}'.`,
  ];

  it.each<[string, string]>([
    missing('AWS4-HMAC-SHA256', NEEDS_CREDENTIAL, NEEDS_SIGNATURE, NEEDS_HEADERS),
    missing('Basic dXNlcjpwYXNzd29yZA==', NEEDS_CREDENTIAL, NEEDS_SIGNATURE, NEEDS_HEADERS),
    missing(`AWS4-HMAC-SHA256 SignedHeaders=host, Signature=${HEX64}`, NEEDS_CREDENTIAL),
    missing(`AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host`, NEEDS_SIGNATURE),
    missing(`AWS4-HMAC-SHA256 Credential=${credential}, Signature=${HEX64}`, NEEDS_HEADERS),
    missing(
      'AWS4-HMAC-SHA256 Credential=, SignedHeaders=, Signature=',
      NEEDS_CREDENTIAL,
      NEEDS_SIGNATURE,
      NEEDS_HEADERS,
    ),
    withoutEqualSign('Bearer eyJhbGciOi'),
    withoutEqualSign(`AWS4-HMAC-SHA256 Credential=${credential},, Signature=${HEX64}`),
    withoutEqualSign(`AWS4-HMAC-SHA256 Credential ${credential}, Signature=${HEX64}`),
    unsplit(ACCESS_KEY_ID),
    unsplit(`${ACCESS_KEY_ID}/20150830/us-east-1/kms`),
    unsplit(`${credential}/`),
    unsplit(`wJalrXUtnFEMI/K7MDENG/${credential}`),
    [long, 'Authorization header is too large.'],
    [
      `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=${HEX64}, Extra=1`,
      `Authorization header has an unknown parameter. ${HASHED} Authorization=` +
        hashOf(`AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=${HEX64}, Extra=1`),
    ],
    [authorizationOf(signed({ algorithm: 'AWS4-HMAC-SHA512' })), "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512'."],
    [
      authorizationOf(signed({ algorithm: 'AWS4-ECDSA-P256-SHA256' })),
      "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'.",
    ],
  ])('answers Authorization: %.60s', (authorization, message) => {
    expectRefusal(setUp().verify(authorized(authorization)), INCOMPLETE, message);
  });

  it.each(['Credential', 'SignedHeaders', 'Signature'])('answers a repeated %s', (name) => {
    const header = `${authorizationOf(signed())}, ${name}=`;
    const message = `Authorization header has a repeated parameter. ${HASHED} Authorization=${hashOf(header)}`;
    expectRefusal(setUp().verify(authorized(header)), INCOMPLETE, message);
  });

  it('lists all that is missing', () => {
    const request = withHeaders(signed(), { Authorization: 'AWS4-HMAC-SHA256 x=y', 'X-Amz-Date': undefined });
    const header = 'AWS4-HMAC-SHA256 x=y';
    const unknown = `Authorization header has an unknown parameter. ${HASHED} Authorization=${hashOf(header)}`;
    expectRefusal(setUp().verify(request), INCOMPLETE, unknown);
    const bare = withHeaders(request, { Authorization: 'AWS4-HMAC-SHA256' });
    const all = NEEDS_CREDENTIAL + NEEDS_SIGNATURE + NEEDS_HEADERS + NEEDS_DATE;
    expectRefusal(setUp().verify(bare), INCOMPLETE, `${all}${HASHED} Authorization=${hashOf('AWS4-HMAC-SHA256')}`);
  });

  it.each([undefined, '', ' '])('answers a date of %j', (date) => {
    const request = withHeaders(signed(), { 'X-Amz-Date': date });
    const message = `${NEEDS_DATE}${HASHED} Authorization=${hashOf(authorizationOf(request))}`;
    expectRefusal(setUp().verify(request), INCOMPLETE, message);
  });

  it.each([
    '201',
    '20150830',
    '2015-08-30T12:36:00Z',
    '20150830T123600',
    '20150830T123600z',
    '20150830t123600Z',
    '20150830T123600+0000',
    '20150830T12360ZZ',
    '20150230T123600Z',
    '20150229T123600Z',
    '20151330T123600Z',
    '20150030T123600Z',
    '20150800T123600Z',
    '20150830T243600Z',
    '20150830T126000Z',
    '20150830T123560Z',
    '00000830T123600Z',
    '+0150830T123600Z',
    '2015 830T123600Z',
    'Sun, 30 Aug 2015 12:36:00 GMT',
    '1440938160',
  ])('answers X-Amz-Date: %s', (date) => {
    const message = `Date must be in ISO-8601 'basic format'. Got '${date}'. See http://en.wikipedia.org/wiki/ISO_8601`;
    expectRefusal(setUp().verify(dated(date)), INCOMPLETE, message);
  });

  it.each([
    'Mon, 30 Aug 2015 12:36:00 GMT',
    'Sun, 31 Feb 2015 12:36:00 GMT',
    'Sun, 30 aug 2015 12:36:00 GMT',
    'Sun, 30 Aug 2015 12:36:00 UTC',
    'Sun, 30 Aug 2015 25:36:00 GMT',
    'Sunday, 30-Aug-15 12:36:00 GMT',
    'Sun Aug 30 12:36:00 2015',
    '2015-08-30T12:36:00.000+00:00',
  ])('answers Date: %s', (date) => {
    const request = withHeaders(signed(), { 'X-Amz-Date': undefined, Date: date });
    const message = `Date must be in ISO-8601 'basic format'. Got '${date}'. See http://en.wikipedia.org/wiki/ISO_8601`;
    expectRefusal(setUp().verify(request), INCOMPLETE, message);
  });

  it('repeats at most 64 printable characters', () => {
    const message =
      `Date must be in ISO-8601 'basic format'. Got '${'?'.repeat(60)}aaaa...'. ` +
      'See http://en.wikipedia.org/wiki/ISO_8601';
    const request = withHeaders(signed(), { 'X-Amz-Date': `${'\u00e9'.repeat(60)}${'a'.repeat(5)}` });
    expectRefusal(setUp().verify(request), INCOMPLETE, message);
  });
});

describe('InvalidSignatureException', () => {
  it.each([
    ['20150830T123100Z', undefined],
    ['20150830T124100Z', undefined],
    [
      '20150830T123059Z',
      'Signature expired: 20150830T123059Z is now earlier than 20150830T123100Z (20150830T123600Z - 5 min.)',
    ],
    [
      '20150829T123600Z',
      'Signature expired: 20150829T123600Z is now earlier than 20150830T123100Z (20150830T123600Z - 5 min.)',
    ],
    [
      '20150830T124101Z',
      'Signature not yet current: 20150830T124101Z is still later than 20150830T124100Z (20150830T123600Z + 5 min.)',
    ],
    [
      '99991231T235959Z',
      'Signature not yet current: 99991231T235959Z is still later than 20150830T124100Z (20150830T123600Z + 5 min.)',
    ],
  ])('answers a request of %s as the clock says', (timestamp, message) => {
    const { verify } = setUp();
    // Within the second of "now", at both of its ends.
    for (const nowMs of [NOW_MS, NOW_MS + 999]) {
      const result = verify(dated(timestamp), { nowMs });
      if (message === undefined) expect(result).toMatchObject({ ok: true });
      else expectRefusal(result, INVALID, message);
    }
  });

  const region = 'Credential should be scoped to a valid region. ';
  const service = "Credential should be scoped to correct service: 'kms'. ";
  const terminator = "Credential should be scoped with a valid terminator: 'aws4_request'. ";
  const date = (written: string): string =>
    'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ' +
    `'${written}' != '20150830', from '20150830T123600Z'.`;
  it.each([
    ['20150830/us-west-9/kms/aws4_request', region],
    ['20150830/US-EAST-1/kms/aws4_request', region],
    ['20150830//kms/aws4_request', region],
    ['20150830/us-east-1/s3/aws4_request', service],
    ['20150830/us-east-1/KMS/aws4_request', service],
    ['20150830/us-east-1/kms/aws4', terminator],
    ['20150829/us-east-1/kms/aws4_request', date('20150829')],
    ['/us-east-1/kms/aws4_request', date('')],
    ['b/c/d/e', region + service + terminator + date('b')],
  ])('answers the scope %s', (scope, message) => {
    expectRefusal(setUp().verify(signed({ scope })), INVALID, message);
  });

  it.each<[string, SignedRequest, string]>([
    [
      'an unsigned host',
      signed({ signedHeaders: ['content-type', 'x-amz-date', 'x-amz-target'] }),
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    ],
    [
      'an unsigned x-amz-target',
      signed({ signedHeaders: ['host', 'x-amz-date'] }),
      "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.",
    ],
    [
      'an unsigned x-amz-date',
      signed({ signedHeaders: ['host', 'x-amz-target'] }),
      "'x-amz-date' must be a 'SignedHeader' in the AWS Authorization.",
    ],
    [
      'any other unsigned x-amz-*',
      withHeaders(signed(), { 'X-AMZ-Anything': 'x' }),
      "'x-amz-anything' must be a 'SignedHeader' in the AWS Authorization.",
    ],
    [
      'unsorted names',
      signed({ signedHeaders: ['host', 'content-type', 'x-amz-date', 'x-amz-target'] }),
      SIGNED_HEADERS,
    ],
    ['repeated names', signed({ signedHeaders: ['host', 'host', 'x-amz-date', 'x-amz-target'] }), SIGNED_HEADERS],
    ['names with capitals', signed({ signedHeaders: ['Host', 'x-amz-date', 'x-amz-target'] }), SIGNED_HEADERS],
    ['an empty name', signed({ signedHeaders: ['', 'host', 'x-amz-date', 'x-amz-target'] }), SIGNED_HEADERS],
    ['names of no header', signed({ signedHeaders: ['a b', 'host', 'x-amz-date', 'x-amz-target'] }), SIGNED_HEADERS],
    ['absent headers', signed({ signedHeaders: ['absent', 'host', 'x-amz-date', 'x-amz-target'] }), SIGNED_HEADERS],
    ['a host that is signed and absent', withHeaders(signed(), { Host: undefined }), SIGNED_HEADERS],
    [
      'more names than the limit',
      signed(and(...Array.from({ length: 61 }, (_, index) => [`a${index}`, ''] as const))),
      SIGNED_HEADERS,
    ],
    [
      'a stated body hash of other bytes',
      signed(and(['X-Amz-Content-Sha256', HEX64])),
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ],
    [
      'an empty body hash',
      signed(and(['X-Amz-Content-Sha256', ''])),
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ],
    [
      'UNSIGNED-PAYLOAD',
      signed(and(['X-Amz-Content-Sha256', 'UNSIGNED-PAYLOAD'])),
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ],
    [
      'a streamed body',
      signed(and(['X-Amz-Content-Sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'])),
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    ],
    ['another secret', signed({ secret: `${SECRET}x` }), MISMATCH],
    ['a line feed in a value', signed(and(['My-Header', 'a\nb'])), MISMATCH],
    ['a character that is no octet', signed(and(['My-Header', 'Ł'])), MISMATCH],
    ['a method in small letters', signed({ method: 'post' }), MISMATCH],
    ['no method', signed({ method: '' }), MISMATCH],
    ['a path that is not absolute', signed({ path: 'http://x/', canonicalUri: '/' }), MISMATCH],
    ['a broken escape in the query', signed({ query: 'a=%4', canonicalQuery: 'a=%254' }), MISMATCH],
    ['a query character that is no octet', signed({ query: 'Ł', canonicalQuery: '%C5%81=' }), MISMATCH],
    ['a path character that is no octet', signed({ path: '/Ł', canonicalUri: '/%C5%81' }), MISMATCH],
    [
      'header and presigned form at once',
      { ...signed(), query: 'X-Amz-Algorithm=AWS4-HMAC-SHA256' },
      "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    ],
    [
      'header and query signature at once',
      { ...signed(), query: `X-Amz-Signatur%65=${HEX64}` },
      "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    ],
    [
      'too many headers',
      { ...signed(), headers: Array.from({ length: MAX_HEADERS + 1 }, () => ['a', ''] as const) },
      TOO_LARGE,
    ],
    ['too long headers', withHeaders(signed(), { 'My-Header': 'a'.repeat(MAX_HEADERS_LENGTH) }), TOO_LARGE],
    ['a too long path', { ...signed(), path: `/${'a'.repeat(MAX_PATH_LENGTH)}` }, TOO_LARGE],
    ['a too long query', { ...signed(), query: 'a'.repeat(MAX_QUERY_LENGTH + 1) }, TOO_LARGE],
  ])('answers %s', (_, request, message) => {
    expectRefusal(setUp().verify(request), INVALID, message);
  });

  it.each(['Host', 'X-Amz-Date', 'Authorization', 'X-Amz-Target', 'X-Amz-Security-Token', 'Content-Type', 'Date'])(
    'answers two headers %s, whatever their case and values',
    (name) => {
      const values = new Map([
        ...KMS_HEADERS,
        ['Authorization', authorizationOf(signed())],
        ['Date', 'x'],
        ['X-Amz-Security-Token', 't'],
      ]);
      const value = values.get(name) ?? '';
      const twice = [
        ...KMS_HEADERS.filter(([other]) => other !== name),
        [name, value],
        [name.toLowerCase(), value],
      ] as const;
      const request =
        name === 'Authorization'
          ? { ...signed(), headers: [...signed().headers, [name, value] as const] }
          : signed({ headers: twice });
      expectRefusal(setUp().verify(request), INVALID, `The request has more than one '${name.toLowerCase()}' header.`);
    },
  );

  it.each<[string, (signature: string) => string]>([
    ['in capitals', (signature) => signature.toUpperCase()],
    ['too short', (signature) => signature.slice(2)],
    ['too long', (signature) => `${signature}00`],
    ['with a character that is no digit', (signature) => `${signature.slice(0, 63)}g`],
    ['of nothing but zeros', () => '0'.repeat(64)],
    ['quoted', (signature) => `"${signature.slice(2)}"`],
  ])('answers a signature %s', (_, change) => {
    const header = authorizationOf(signed());
    const signature = header.slice(-64);
    expect(change(signature)).not.toBe(signature);
    const request = authorized(header.slice(0, -64) + change(signature));
    expectRefusal(setUp().verify(request), INVALID, MISMATCH);
  });
});

describe('UnrecognizedClientException and ExpiredTokenException', () => {
  const ASIA = 'ASIAEXAMPLE';
  const tokenHeader = ['X-Amz-Security-Token', SESSION_TOKEN] as const;
  const session = (changes: Partial<Credential<Identity>> = {}): Credential<Identity> =>
    credentialOf(importSecret(SECRET), {
      accessKeyId: ASIA,
      sessionTokenDigest: sha256(SESSION_TOKEN),
      expiresAtMs: NOW_MS + 1,
      ...changes,
    });
  const bySession = { accessKeyId: ASIA, ...and(tokenHeader) };

  it('are not what a session with its token gets', () => {
    const { store, verify } = setUp();
    store.set(ASIA, session());
    expect(verify(signed(bySession))).toMatchObject({ ok: true, credential: { accessKeyId: ASIA } });
  });

  it.each<[string, Credential<Identity> | undefined, SignedRequest]>([
    ['an unknown access key', undefined, signed({ accessKeyId: ASIA })],
    ['an inactive access key', session({ isActive: false }), signed(bySession)],
    [
      'an inactive access key with a wrong signature',
      session({ isActive: false }),
      signed({ ...bySession, secret: 'x' }),
    ],
    ['a session without its token', session(), signed({ accessKeyId: ASIA })],
    [
      'a session with another token',
      session(),
      signed({ accessKeyId: ASIA, ...and(['X-Amz-Security-Token', `${SESSION_TOKEN}x`]) }),
    ],
    ['a session with an empty token', session(), signed({ accessKeyId: ASIA, ...and(['X-Amz-Security-Token', '']) })],
    [
      'a session whose digest is too long',
      session({ sessionTokenDigest: Buffer.concat([sha256(SESSION_TOKEN), Buffer.alloc(1)]) }),
      signed(bySession),
    ],
    ['a session whose digest is damaged', session({ sessionTokenDigest: new Uint8Array(0) }), signed(bySession)],
    [
      'a session whose record lacks the digest',
      session({ sessionTokenDigest: undefined }),
      signed({ accessKeyId: ASIA }),
    ],
    [
      'a long-term key with a token',
      session({ accessKeyId: ACCESS_KEY_ID, sessionTokenDigest: undefined }),
      signed(and(tokenHeader)),
    ],
    ['a lookup that answers with another key', session({ accessKeyId: 'asiaexample' }), signed(bySession)],
  ])('answer %s', (_, credential, request) => {
    const { verify } = setUp();
    expectRefusal(verify(request, { credentials: () => credential }), UNRECOGNIZED, INVALID_TOKEN);
  });

  it.each(['', 'a'.repeat(129), 'AKIA EXAMPLE', 'AKIA\u00e9'])(
    'answer the access key id %j without a lookup',
    (accessKeyId) => {
      const { options, verify } = setUp();
      const credentials = (): undefined => expect.fail('the store was asked');
      const request = signed({ accessKeyId });
      expectRefusal(verify(request, { ...options, credentials }), UNRECOGNIZED, INVALID_TOKEN);
    },
  );

  it.each([
    [NOW_MS, 'at the moment it ends'],
    [NOW_MS - 1, 'after it'],
    [Number.NaN, 'when its end is not a number'],
  ])('answer an expired session (%d, %s)', (expiresAtMs) => {
    const { store, verify } = setUp();
    store.set(ASIA, session({ expiresAtMs }));
    expectRefusal(verify(signed(bySession)), EXPIRED, 'The security token included in the request is expired');
  });

  it('do not tell who cannot sign that a session has expired', () => {
    const { store, verify } = setUp();
    store.set(ASIA, session({ expiresAtMs: 0 }));
    expectRefusal(verify(signed({ ...bySession, secret: 'x' })), INVALID, MISMATCH);
  });

  it('answer an unsigned token before the key is looked at', () => {
    const { store, verify } = setUp();
    store.set(ASIA, session());
    const request = withHeaders(signed({ accessKeyId: ASIA }), { [tokenHeader[0]]: tokenHeader[1] });
    const message = "'x-amz-security-token' must be a 'SignedHeader' in the AWS Authorization.";
    expectRefusal(verify(request), INVALID, message);
  });
});

describe('programming errors', () => {
  it.each([Number.NaN, Infinity, -Infinity])('a clock of %d is thrown back', (nowMs) => {
    expect(() => setUp().verify(signed(), { nowMs })).toThrow(RangeError);
  });

  it('a destroyed secret is thrown back', () => {
    const { store, verify } = setUp();
    store.get(ACCESS_KEY_ID)?.secret.destroy();
    expect(() => verify(signed())).toThrow('destroyedKey');
  });
});

describe('size', () => {
  it('work stays linear in what a request may hold', () => {
    const { verify } = setUp();
    const worst: SignedRequest[] = [
      authorized(`AWS4-HMAC-SHA256 ${'a=,'.repeat(1300)}`),
      authorized(`AWS4-HMAC-SHA256 Credential=${'/'.repeat(4000)}`),
      authorized(`AWS4-HMAC-SHA256${' '.repeat(4000)}x`),
      authorized(`AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=${'a;'.repeat(2000)}, Signature=${HEX64}`),
      signed(and(['My-Header', ' \t'.repeat(15_000)])),
      signed(and(['My-Header', 'a  '.repeat(10_000)])),
      signed(and(...Array.from({ length: 120 }, () => ['My-Header', 'a  '.repeat(60)] as const))),
      { ...signed(), query: 'a&'.repeat(4000) },
      { ...signed(), query: '%41'.repeat(2700) },
      { ...signed(), path: '/..'.repeat(680) },
    ];
    const start = performance.now();
    for (let round = 0; round < 50; round += 1) for (const request of worst) verify(request);
    // 500 requests; a quadratic step over 30 000 characters would take minutes.
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
