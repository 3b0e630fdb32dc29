import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SignedRequest } from '../../src/sigv4/index.ts';
import {
  ACCESS_KEY_ID,
  authorizationOf,
  credentialOf,
  importSecret,
  KMS_HEADERS,
  NOW_MS,
  SEED,
  SESSION_TOKEN,
  SECRET,
  setUp,
  sha256,
  signed,
  withHeaders,
} from './fixture.ts';

const body = Buffer.from('{"KeyId":"alias/a","Plaintext":"aGVsbG8="}');
const session = { accessKeyId: 'ASIASESSION', sessionTokenDigest: sha256(SESSION_TOKEN), expiresAtMs: NOW_MS + 1 };
const headers = [
  ...KMS_HEADERS,
  ['My-Header', 'a, b  "c"'],
  ['X-Amz-Content-Sha256', sha256(body).toString('hex')],
  ['X-Amz-Security-Token', SESSION_TOKEN],
] as const;
const original = signed({
  accessKeyId: session.accessKeyId,
  headers,
  body,
  path: '/a/b%20c',
  canonicalUri: '/a/b%2520c',
  query: 'x=1&y=%20',
  canonicalQuery: 'x=1&y=%20',
});

const { store, verify } = setUp();
store.set(session.accessKeyId, credentialOf(importSecret(SECRET), session));
store.set(ACCESS_KEY_ID, credentialOf(importSecret(SECRET)));

/** `text` with one character replaced by another visible one. */
function flip(text: string, at: number, step: number): string {
  const index = at % text.length;
  const code = text.charCodeAt(index);
  const flipped = 0x21 + ((Math.max(code, 0x20) - 0x21 + 1 + (step % 93) + 94) % 94);
  return text.slice(0, index) + String.fromCharCode(flipped === code ? code - 1 : flipped) + text.slice(index + 1);
}

const numbers = fc.tuple(fc.nat(100_000), fc.nat(92));

function neverVerifies(title: string, mutate: (at: number, step: number) => SignedRequest, numRuns = 500): void {
  it(`${title} (seed ${SEED})`, () => {
    const property = fc.property(numbers, ([at, step]) => {
      const mutant = mutate(at, step);
      expect(mutant).not.toEqual(original);
      expect(verify(mutant).ok).toBe(false);
    });
    fc.assert(property, { seed: SEED, numRuns });
  });
}

describe('a request with one thing changed never verifies', () => {
  it('and verifies unchanged', () => {
    expect(verify(original)).toMatchObject({ ok: true });
  });

  neverVerifies('a bit of the body', (at, step) => {
    const changed = Buffer.from(body);
    changed[at % body.length] = (changed[at % body.length] ?? 0) ^ (1 << (step % 8));
    return { ...original, body: changed };
  });

  neverVerifies('a body longer or shorter', (at) => ({
    ...original,
    body: at % 2 === 0 ? Buffer.concat([body, Buffer.alloc(1 + (at % 7))]) : body.subarray(0, at % body.length),
  }));

  for (const [name, value] of headers) {
    neverVerifies(
      `a character of ${name}`,
      (at, step) => withHeaders(original, { [name]: flip(value, at, step) }),
      200,
    );
    it(`${name} removed, emptied or given again`, () => {
      expect(verify(withHeaders(original, { [name]: undefined })).ok).toBe(false);
      expect(verify(withHeaders(original, { [name]: '' })).ok).toBe(false);
      expect(verify({ ...original, headers: [...original.headers, [name, value]] }).ok).toBe(false);
    });
  }

  neverVerifies(
    'a character of Authorization',
    (at, step) => withHeaders(original, { Authorization: flip(authorizationOf(original), at, step) }),
    3000,
  );

  it('each character of the signature, to each other digit', () => {
    const header = authorizationOf(original);
    for (let index = header.length - 64; index < header.length; index += 1) {
      for (const digit of '0123456789abcdefABCDEF') {
        if (digit === header.charAt(index)) continue;
        const changed = header.slice(0, index) + digit + header.slice(index + 1);
        expect(verify(withHeaders(original, { Authorization: changed })).ok).toBe(false);
      }
    }
  });

  it.each<[string, Partial<SignedRequest>]>([
    ['the method', { method: 'PUT' }],
    ['the path', { path: '/a/b%20d' }],
    ['the encoding of the path', { path: '/a/b+c' }],
    ['a slash at the end of the path', { path: '/a/b%20c/' }],
    ['the query', { query: 'x=1&y=%21' }],
    ['no query', { query: '' }],
    ['a parameter more', { query: 'x=1&y=%20&z' }],
    ['a parameter twice', { query: 'x=1&x=1&y=%20' }],
    ['an equal sign that is data', { query: 'x%3D1&y=%20' }],
  ])('%s', (_, change) => {
    expect(verify({ ...original, ...change }).ok).toBe(false);
  });

  it.each<[string, string]>([
    ['another Region', authorizationOf(original).replace('us-east-1', 'eu-west-1')],
    ['another day', authorizationOf(original).replace('20150830', '20150831')],
    [
      'the access key id of another with the same secret',
      authorizationOf(original).replace('ASIASESSION', ACCESS_KEY_ID),
    ],
    ['a signed header fewer', authorizationOf(original).replace('my-header;', '')],
  ])('%s', (_, authorization) => {
    expect(authorization).not.toBe(authorizationOf(original));
    expect(verify(withHeaders(original, { Authorization: authorization })).ok).toBe(false);
  });

  it('the time, as seen by the verifier', () => {
    for (const nowMs of [NOW_MS - 301_000, NOW_MS + 301_000, 0]) {
      expect(verify(original, { nowMs }).ok).toBe(false);
    }
  });

  it('the service and the Regions of the verifier', () => {
    expect(verify(original, { service: 's3' }).ok).toBe(false);
    expect(verify(original, { regions: new Set() }).ok).toBe(false);
  });
});

describe('what the specification calls the same request', () => {
  it.each<[string, SignedRequest]>([
    ['headers in another order', { ...original, headers: original.headers.toReversed() }],
    [
      'names in capitals',
      { ...original, headers: original.headers.map(([name, value]) => [name.toUpperCase(), value]) },
    ],
    ['blanks around a value', withHeaders(original, { 'My-Header': '  a,   b\t"c" ' })],
    ['the query in another order and encoding', { ...original, query: '&y=%20&%78=1&' }],
    ['a path with dots', { ...original, path: '/./z/..//a/b%20c' }],
  ])('verifies: %s', (_, request) => {
    expect(verify(request)).toMatchObject({ ok: true });
  });
});
