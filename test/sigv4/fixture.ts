import { createHash, createHmac } from 'node:crypto';
import { expect } from 'vitest';
import { core, type CryptoCore, type KeyHandle } from '../../src/core/index.ts';
import {
  type Credential,
  type RawHeaders,
  type SignedRequest,
  SigningKeys,
  type VerifyOptions,
  verifyRequest,
  type VerifyResult,
} from '../../src/sigv4/index.ts';

export { core };

/** 2015-08-30T12:36:00Z, the moment of the published examples. */
export const NOW_MS = Date.UTC(2015, 7, 30, 12, 36, 0);
export const TIMESTAMP = '20150830T123600Z';
export const REGION = 'us-east-1';
export const ACCESS_KEY_ID = 'AKIDEXAMPLE';
/** The example secret of the AWS documentation. */
export const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
export const SESSION_TOKEN = 'FwoGZXIvYXdzEBYaDHExampleSessionToken//////////wEaDKEXAMPLE+token==';
export const MISMATCH =
  'The request signature we calculated does not match the signature you provided. ' +
  'Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';

export interface Identity {
  readonly arn: string;
}

export function sha256(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}

export function importSecret(secret: string): KeyHandle {
  return core.importKey('hmac', Buffer.from(`AWS4${secret}`));
}

export function credentialOf(secret: KeyHandle, changes: Partial<Credential<Identity>> = {}): Credential<Identity> {
  const identity = { arn: 'arn:aws:iam::111122223333:user/alice' };
  return { accessKeyId: ACCESS_KEY_ID, secret, isActive: true, identity, ...changes };
}

export interface Setup {
  readonly options: VerifyOptions<Identity>;
  /** What the lookup finds, by access key id. */
  readonly store: Map<string, Credential<Identity>>;
  readonly verify: (request: SignedRequest, changes?: Partial<VerifyOptions<Identity>>) => VerifyResult<Identity>;
}

/** A verifier whose store is in memory and holds one long-term key. */
export function setUp(changes: Partial<VerifyOptions<Identity>> = {}, usedCore: CryptoCore = core): Setup {
  const store = new Map([[ACCESS_KEY_ID, credentialOf(importSecret(SECRET))]]);
  const options: VerifyOptions<Identity> = {
    nowMs: NOW_MS,
    service: 'kms',
    regions: new Set([REGION, 'eu-west-1']),
    core: usedCore,
    credentials: (accessKeyId) => store.get(accessKeyId),
    signingKeys: new SigningKeys(usedCore),
    ...changes,
  };
  const verify: Setup['verify'] = (request, more = {}) => {
    const result = verifyRequest(request, { ...options, ...more });
    if (result instanceof Promise) throw new Error('a synchronous lookup was answered with a promise');
    return result;
  };
  return { options, store, verify };
}

/** What a request is signed with; every part may be made wrong on purpose. */
export interface Signing {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** Already canonical, unlike `path` and `query`, which are sent. */
  readonly canonicalUri: string;
  readonly canonicalQuery: string;
  readonly headers: RawHeaders;
  readonly body: Uint8Array;
  readonly timestamp: string;
  readonly accessKeyId: string;
  readonly secret: string;
  readonly scope: string;
  readonly algorithm: string;
  /** Names to sign, in the order to write them; by default all of `headers`, sorted. */
  readonly signedHeaders: readonly string[] | undefined;
}

export const KMS_HEADERS: RawHeaders = [
  ['Host', 'kms.us-east-1.amazonaws.com'],
  ['Content-Type', 'application/x-amz-json-1.1'],
  ['X-Amz-Date', TIMESTAMP],
  ['X-Amz-Target', 'TrentService.ListKeys'],
];

const DEFAULTS: Signing = {
  method: 'POST',
  path: '/',
  query: '',
  canonicalUri: '/',
  canonicalQuery: '',
  headers: KMS_HEADERS,
  body: Buffer.from('{}'),
  timestamp: TIMESTAMP,
  accessKeyId: ACCESS_KEY_ID,
  secret: SECRET,
  scope: `20150830/${REGION}/kms/aws4_request`,
  algorithm: 'AWS4-HMAC-SHA256',
  signedHeaders: undefined,
};

function hmac(key: string | Uint8Array, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

/** Signs without judging: an independent writing of the specification over node:crypto, octets as characters. */
export function signatureOf(signing: Signing): string {
  const names = signing.signedHeaders ?? defaultNames(signing.headers);
  const lines = names.map((name) => {
    const values = signing.headers.filter(([header]) => header.toLowerCase() === name);
    return `${name}:${values.map(([, value]) => value.trim().replace(/[ \t]+/g, ' ')).join(',')}\n`;
  });
  const canonical = [
    signing.method,
    signing.canonicalUri,
    signing.canonicalQuery,
    lines.join(''),
    names.join(';'),
    sha256(signing.body).toString('hex'),
  ].join('\n');
  const hash = sha256(Buffer.from(canonical, 'latin1')).toString('hex');
  const key = signing.scope
    .split('/')
    .reduce((previous: string | Buffer, part) => hmac(previous, part), `AWS4${signing.secret}`);
  return hmac(key, `AWS4-HMAC-SHA256\n${signing.timestamp}\n${signing.scope}\n${hash}`).toString('hex');
}

function defaultNames(headers: RawHeaders): string[] {
  return [...new Set(headers.map(([name]) => name.toLowerCase()))].sort();
}

/** A request signed with the defaults and `changes`; its `Authorization` header comes last. */
export function signed(changes: Partial<Signing> = {}): SignedRequest {
  const signing = { ...DEFAULTS, ...changes };
  const names = signing.signedHeaders ?? defaultNames(signing.headers);
  const authorization =
    `${signing.algorithm} Credential=${signing.accessKeyId}/${signing.scope}, ` +
    `SignedHeaders=${names.join(';')}, Signature=${signatureOf(signing)}`;
  const { method, path, query, body } = signing;
  return { method, path, query, body, headers: [...signing.headers, ['Authorization', authorization]] };
}

export function authorizationOf(request: SignedRequest): string {
  return request.headers.find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? '';
}

/** The request with other values for some headers; undefined removes one, a new name adds one at the end. */
export function withHeaders(request: SignedRequest, values: Record<string, string | undefined>): SignedRequest {
  const names = new Set(Object.keys(values).map((name) => name.toLowerCase()));
  const kept = request.headers.filter(([name]) => !names.has(name.toLowerCase()));
  const added = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { ...request, headers: [...kept, ...added] };
}

export function expectRefusal(result: VerifyResult<Identity>, name: string, message: string): void {
  expect(result).toEqual({ ok: false, error: { name, message } });
}

export { SEED } from '../support/seed.ts';
