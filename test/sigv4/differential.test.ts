import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NodeSha256 } from '../support/node-sha256.ts';
import type { RawHeaders, SignedRequest } from '../../src/sigv4/index.ts';
import {
  ACCESS_KEY_ID,
  credentialOf,
  importSecret,
  NOW_MS,
  SECRET,
  SEED,
  SESSION_TOKEN,
  setUp,
  sha256,
} from './fixture.ts';

interface Case {
  readonly method: string;
  readonly path: string;
  readonly query: Record<string, string | string[]>;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
  readonly atMs: number;
  readonly region: string;
  readonly isSession: boolean;
  /** Decides what the specification leaves free: header order and case, and how the query is encoded. */
  readonly freedom: number[];
}

const printable = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  maxLength: 30,
});
const blanks = fc.string({ unit: fc.constantFrom(' ', '\t', 'a', 'B', '"', ','), maxLength: 20 });
const headerName = fc.stringMatching(/^my-[a-z0-9_.-]{1,12}$/);
const segment = fc.oneof(
  fc.constantFrom('', '.', '..', 'key', '%2F', 'a%20b', '~x'),
  fc.string({ unit: 'grapheme', maxLength: 6 }).map((text) => encodeURIComponent(text.toWellFormed())),
);
// The signer drops a parameter of the name __proto__.
const text = fc
  .string({ unit: 'grapheme', maxLength: 10 })
  .map((value) => value.toWellFormed())
  .filter((value) => value !== '__proto__');

const cases: fc.Arbitrary<Case> = fc.record({
  method: fc.constantFrom('POST', 'GET', 'PUT', 'DELETE'),
  path: fc.oneof(
    fc.constant('/'),
    fc.array(segment, { maxLength: 5 }).map((parts) => `/${parts.join('/')}`),
  ),
  query: fc.oneof(
    fc.constant({}),
    fc.dictionary(text, fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 })), { maxKeys: 5 }),
  ),
  headers: fc.dictionary(headerName, fc.oneof(printable, blanks), { maxKeys: 6 }),
  body: fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.constant(new Uint8Array(0))),
  atMs: fc.integer({ min: -300, max: 300 }).map((seconds) => NOW_MS + seconds * 1000),
  region: fc.constantFrom('us-east-1', 'eu-west-1'),
  isSession: fc.boolean(),
  freedom: fc.array(fc.nat(255), { minLength: 16, maxLength: 16 }),
});

/** Signs with the SDK's signer and writes the request the way it goes over the wire. */
async function signBySdk(test: Case): Promise<SignedRequest> {
  const signer = new SignatureV4({
    service: 'kms',
    region: test.region,
    sha256: NodeSha256,
    credentials: {
      accessKeyId: test.isSession ? 'ASIASESSION' : ACCESS_KEY_ID,
      secretAccessKey: SECRET,
      ...(test.isSession ? { sessionToken: SESSION_TOKEN } : {}),
    },
    applyChecksum: (test.freedom[0] ?? 0) % 2 === 0,
  });
  const request = await signer.sign(
    {
      method: test.method,
      protocol: 'https:',
      hostname: 'kms.us-east-1.amazonaws.com',
      path: test.path,
      query: test.query,
      headers: {
        ...test.headers,
        host: 'kms.us-east-1.amazonaws.com',
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'TrentService.ListKeys',
        'user-agent': 'aws-sdk-js/3.0.0',
        connection: 'keep-alive',
        'x-amzn-trace-id': 'Root=1-5759e988-bd862e3fe1be46a994272793',
      },
      body: test.body,
    },
    { signingDate: new Date(test.atMs) },
  );
  return {
    method: test.method,
    path: test.path,
    query: wireQuery(test),
    headers: wireHeaders(request.headers, test),
    body: test.body,
  };
}

function wireQuery({ query, freedom }: Case): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((one) => {
      // A pair without name, value and equal sign would be nothing at all on the wire.
      const isBare = one === '' && name !== '' && (freedom[1] ?? 0) % 2 === 0;
      return isBare ? loosely(name, freedom) : `${loosely(name, freedom)}=${loosely(one, freedom)}`;
    }),
  );
  const turned = pairs.slice((freedom[2] ?? 0) % (pairs.length + 1));
  return [...turned, ...pairs.slice(0, pairs.length - turned.length)].join('&');
}

/** Encodes some octets that need not be, leaves some that need not, and uses small hexadecimal digits at times. */
function loosely(value: string, freedom: number[]): string {
  const octets = [...Buffer.from(value)];
  return octets
    .map((octet, index) => {
      const choice = freedom[(index + 3) % freedom.length] ?? 0;
      const char = String.fromCharCode(octet);
      if (/[A-Za-z0-9\-._~]/.test(char) && choice % 3 !== 0) return char;
      if (/[!$'()*,;:@/?+]/.test(char) && choice % 3 === 1) return char;
      const hex = octet.toString(16).padStart(2, '0');
      return `%${choice % 2 === 0 ? hex.toUpperCase() : hex}`;
    })
    .join('');
}

function wireHeaders(headers: Record<string, string>, { freedom }: Case): RawHeaders {
  return Object.entries(headers)
    .map(([name, value], index) => {
      const choice = freedom[index % freedom.length] ?? 0;
      const written = choice % 3 === 0 ? name.toUpperCase() : name;
      return { choice, pair: [written, value] as const };
    })
    .sort((a, b) => a.choice - b.choice)
    .map(({ pair }) => pair);
}

describe('against the signer of the AWS SDK', () => {
  it(`accepts what it signs (seed ${SEED})`, async () => {
    const { store, verify } = setUp();
    const secret = importSecret(SECRET);
    const session = { accessKeyId: 'ASIASESSION', sessionTokenDigest: sha256(SESSION_TOKEN), expiresAtMs: NOW_MS + 1 };
    store.set('ASIASESSION', credentialOf(secret, session));
    const property = fc.asyncProperty(cases, async (test) => {
      const result = verify(await signBySdk(test));
      expect(result).toMatchObject({ ok: true, region: test.region, signedAtMs: test.atMs });
    });
    await fc.assert(property, { seed: SEED, numRuns: 2000 });
  });

  it(`refuses what it signed with another secret (seed ${SEED})`, async () => {
    const { store, verify } = setUp();
    store.set(ACCESS_KEY_ID, credentialOf(importSecret('anotherSecret')));
    const property = fc.asyncProperty(cases, async (test) => {
      expect(verify(await signBySdk({ ...test, isSession: false }))).toMatchObject({ ok: false });
    });
    await fc.assert(property, { seed: SEED, numRuns: 200 });
  });
});
