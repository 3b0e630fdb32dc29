import { describe, expect, it } from 'vitest';
import {
  canonicalHeaders,
  canonicalQuery,
  canonicalRequest,
  canonicalUri,
  formatAmzDate,
  indexHeaders,
  parseAmzDate,
  parseAuthorization,
  parseCredential,
  parseHttpDate,
  parseSignedHeaders,
  type RawHeaders,
  stringToSign,
} from '../../src/sigv4/index.ts';
import { ACCESS_KEY_ID, core, NOW_MS, setUp, sha256, TIMESTAMP } from './fixture.ts';

const latin1 = (text: string): string => Buffer.from(text).toString('latin1');
const EMPTY_HASH = sha256('').toString('hex');

describe('canonicalUri', () => {
  it.each([
    ['', '/'],
    ['/', '/'],
    ['//', '/'],
    ['/./', '/'],
    ['/example/..', '/'],
    ['/example1/example2/../..', '/'],
    ['/../..', '/'],
    ['//example//', '/example/'],
    ['/./example', '/example'],
    ['/a/./b/../c', '/a/c'],
    ['/example space/', '/example%20space/'],
    ['/example%20space/', '/example%2520space/'],
    ['/%2e%2e/a', '/%252e%252e/a'],
    ['/-._~0Aa', '/-._~0Aa'],
    ["/!$&'()*+,;=:@", '/%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%40'],
    [latin1('/\u1234'), '/%E1%88%B4'],
    ['/\u1234', undefined],
    ['a', undefined],
    ['*', undefined],
  ])('%j becomes %j', (path, expected) => {
    expect(canonicalUri(path)).toBe(expected);
  });
});

describe('canonicalQuery', () => {
  it.each([
    ['', ''],
    ['&&', ''],
    ['a', 'a='],
    ['a=', 'a='],
    ['=a', '=a'],
    ['a=b=c', 'a=b%3Dc'],
    ['b=1&a=2', 'a=2&b=1'],
    ['a=2&a=1&a', 'a=&a=1&a=2'],
    ['a-=1&a=2', 'a=2&a-=1'],
    ['Param1=v&param1=v', 'Param1=v&param1=v'],
    ['a=%7e%2f%C3%A9', 'a=~%2F%C3%A9'],
    [latin1('\u1234=bar'), '%E1%88%B4=bar'],
    ['a=b+c', 'a=b%2Bc'],
    ['a=b c', 'a=b%20c'],
    ['a=%ff', 'a=%FF'],
    ['a=%', undefined],
    ['a=%a', undefined],
    ['%zz=', undefined],
    ['a=\u1234', undefined],
  ])('%j becomes %j', (query, expected) => {
    expect(canonicalQuery(query)?.text).toBe(expected);
  });

  it('sees a presigned request, however its names are encoded', () => {
    expect(canonicalQuery('X-Amz-Algorithm=x')?.isPresigned).toBe(true);
    expect(canonicalQuery('a=b&%58-Amz-Signature')?.isPresigned).toBe(true);
    expect(canonicalQuery('X-Amz-Date=x')?.isPresigned).toBe(false);
  });
});

describe('canonicalHeaders', () => {
  const index = (headers: RawHeaders) => indexHeaders(headers) ?? expect.fail('too large');
  it.each<[string, RawHeaders, string | undefined]>([
    [
      'joins values in their order',
      [
        ['B', 'v2'],
        ['b', 'v2'],
        ['B', 'v1'],
      ],
      'b:v2,v2,v1\n',
    ],
    ['trims and collapses', [['b', '  a   b \t c  ']], 'b:a b c\n'],
    ['collapses in quoted strings', [['b', '"a   b"']], 'b:"a b"\n'],
    ['keeps commas', [['b', 'a, b ,c']], 'b:a, b ,c\n'],
    ['makes nothing of blanks', [['b', ' \t ']], 'b:\n'],
    [
      'trims each of several values',
      [
        ['b', ' a '],
        ['b', ' '],
      ],
      'b:a,\n',
    ],
    ['refuses control characters', [['b', 'a\rb']], undefined],
    ['refuses DEL', [['b', 'a\u007f']], undefined],
    [
      'refuses NUL in a later value',
      [
        ['b', 'a'],
        ['b', '\0'],
      ],
      undefined,
    ],
    ['refuses what is no octet', [['b', '\u0100']], undefined],
    ['refuses absent names', [['a', '']], undefined],
  ])('%s', (_, headers, expected) => {
    expect(canonicalHeaders(['b'], index(headers))).toBe(expected);
  });
});

describe('parsers', () => {
  it('parseAuthorization takes the documented example apart', () => {
    const signature = 'a'.repeat(64);
    const header =
      'AWS4-HMAC-SHA256 Credential=K/20150830/us-east-1/iam/aws4_request, ' +
      `SignedHeaders=a;b, Signature=${signature}`;
    expect(parseAuthorization(header)).toEqual({
      ok: true,
      authorization: {
        algorithm: 'AWS4-HMAC-SHA256',
        credential: 'K/20150830/us-east-1/iam/aws4_request',
        signedHeaders: 'a;b',
        signature,
      },
    });
  });

  it('parseCredential wants five parts', () => {
    expect(parseCredential('k/d/r/s/t')).toEqual({
      accessKeyId: 'k',
      date: 'd',
      region: 'r',
      service: 's',
      terminator: 't',
      scope: 'd/r/s/t',
    });
    for (const text of ['', 'k', 'k/d/r/s', 'k/d/r/s/t/', 'k/d/r/s/t/u']) expect(parseCredential(text)).toBeUndefined();
  });

  it('parseSignedHeaders wants sorted, unique, small names', () => {
    expect(parseSignedHeaders(':authority;host;x-a;x-b')).toEqual([':authority', 'host', 'x-a', 'x-b']);
    for (const text of ['', ';', 'b;a', 'a;a', 'A', 'a;', ';a', 'a b', 'a:b', ':path', 'a\n', '\u00e9', '\u0141']) {
      expect(parseSignedHeaders(text)).toBeUndefined();
    }
  });

  it('dates round off and come back', () => {
    expect(formatAmzDate(NOW_MS + 999)).toBe(TIMESTAMP);
    expect(parseAmzDate(TIMESTAMP)).toEqual({ epochMs: NOW_MS, timestamp: TIMESTAMP });
    expect(parseHttpDate('Sun, 30 Aug 2015 12:36:00 GMT')).toEqual({ epochMs: NOW_MS, timestamp: TIMESTAMP });
    for (const leapDay of ['20160229T000000Z', '20000229T235959Z', '19700101T000000Z']) {
      const parsed = parseAmzDate(leapDay);
      expect(formatAmzDate(parsed?.epochMs ?? Number.NaN)).toBe(leapDay);
    }
    for (const none of ['19000229T000000Z', '21000229T000000Z', '20150431T000000Z', '19691231T235959Z']) {
      expect(parseAmzDate(none)).toBeUndefined();
    }
  });
});

// The worked example of the documentation (ListUsers of IAM) and the "aws-sig-v4-test-suite" that came with it; both
// use the example key, us-east-1 and 2015-08-30T12:36:00Z.
// @source AWS General Reference, "Signature Version 4 signing process" and "Signature Version 4 test suite"
describe('published examples', () => {
  const listUsers = [
    ['Host', 'iam.amazonaws.com'],
    ['Content-Type', 'application/x-www-form-urlencoded; charset=utf-8'],
    ['X-Amz-Date', TIMESTAMP],
  ] as const;

  it('the canonical request and the string to sign of ListUsers', () => {
    const names = ['content-type', 'host', 'x-amz-date'];
    const canonical = canonicalRequest({
      method: 'GET',
      uri: canonicalUri('/') ?? '',
      query: canonicalQuery('Version=2010-05-08&Action=ListUsers')?.text ?? '',
      headers: canonicalHeaders(names, indexHeaders(listUsers) ?? expect.fail('too large')) ?? '',
      signedHeaders: names.join(';'),
      payloadHash: EMPTY_HASH,
    });
    const hash = core.digest('SHA-256', Buffer.from(canonical, 'latin1')).toString('hex');
    expect(hash).toBe('f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59');
    expect(stringToSign(TIMESTAMP, '20150830/us-east-1/iam/aws4_request', hash)).toBe(
      `AWS4-HMAC-SHA256\n${TIMESTAMP}\n20150830/us-east-1/iam/aws4_request\n${hash}`,
    );
  });

  const host = ['Host', 'example.amazonaws.com'] as const;
  const date = ['X-Amz-Date', TIMESTAMP] as const;
  const all = '-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  const form = 'application/x-www-form-urlencoded';
  const vanilla = '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31';
  interface Example {
    readonly name: string;
    readonly signature: string;
    readonly method?: string;
    readonly path?: string;
    readonly query?: string;
    readonly headers?: RawHeaders;
    readonly body?: string;
    readonly service?: string;
  }
  const examples: readonly Example[] = [
    {
      name: 'ListUsers',
      signature: '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
      query: 'Action=ListUsers&Version=2010-05-08',
      headers: listUsers,
      service: 'iam',
    },
    { name: 'get-vanilla', signature: vanilla },
    { name: 'get-relative', signature: vanilla, path: '/example/..' },
    {
      name: 'get-slashes',
      signature: '9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84',
      path: '//example//',
    },
    {
      name: 'get-header-key-duplicate',
      signature: 'c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea',
      headers: [host, ['My-Header1', 'value2'], ['My-Header1', 'value2'], ['My-Header1', 'value1'], date],
    },
    {
      name: 'get-header-value-order',
      signature: '08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01',
      headers: [
        host,
        ['My-Header1', 'value4'],
        ['My-Header1', 'value1'],
        ['My-Header1', 'value3'],
        ['My-Header1', 'value2'],
        date,
      ],
    },
    {
      name: 'get-header-value-trim',
      signature: 'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
      headers: [host, ['My-Header1', ' value1'], ['My-Header2', ' "a   b   c"'], date],
    },
    {
      name: 'get-unreserved',
      signature: '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
      path: `/${all}`,
    },
    {
      name: 'get-utf8',
      signature: '8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85',
      path: latin1('/\u1234'),
    },
    {
      name: 'get-vanilla-query-order-key-case',
      signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
      query: 'Param2=value2&Param1=value1',
    },
    {
      name: 'get-vanilla-empty-query-key',
      signature: 'a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb',
      query: 'Param1=value1',
    },
    {
      name: 'get-vanilla-query-unreserved',
      signature: '9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197',
      query: `${all}=${all}`,
    },
    {
      name: 'get-vanilla-utf8-query',
      signature: '2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04',
      query: latin1('\u1234=bar'),
    },
    {
      name: 'post-vanilla',
      signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
      method: 'POST',
    },
    {
      name: 'post-header-value-case',
      signature: 'cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d',
      method: 'POST',
      headers: [host, ['My-Header1', 'VALUE1'], date],
    },
    {
      name: 'post-vanilla-query',
      signature: '28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11',
      method: 'POST',
      query: 'Param1=value1',
    },
    {
      name: 'post-x-www-form-urlencoded',
      signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
      method: 'POST',
      headers: [['Content-Type', form], host, date],
      body: 'Param1=value1',
    },
    {
      name: 'post-x-www-form-urlencoded-parameters',
      signature: '1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe',
      method: 'POST',
      headers: [['Content-Type', `${form}; charset=utf8`], host, date],
      body: 'Param1=value1',
    },
  ];

  it.each(examples)(
    '$name',
    ({ signature, method = 'GET', path = '/', query = '', headers = [host, date], body = '', service = 'service' }) => {
      const names = [...new Set(headers.map(([name]) => name.toLowerCase()))].sort();
      const scope = `20150830/us-east-1/${service}/aws4_request`;
      const authorization =
        `AWS4-HMAC-SHA256 Credential=${ACCESS_KEY_ID}/${scope}, ` +
        `SignedHeaders=${names.join(';')}, Signature=${signature}`;
      const request = {
        method,
        path,
        query,
        headers: [...headers, ['Authorization', authorization] as const],
        body: Buffer.from(body),
      };
      expect(setUp().verify(request, { service })).toMatchObject({ ok: true });
    },
  );
});
