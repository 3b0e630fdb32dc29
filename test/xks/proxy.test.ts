/** Our proxy against requests as the published specification has them, made with nothing of ours. */
import { createHash } from 'node:crypto';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AllowList } from '../../src/xks/proxy/allow-list.ts';
import type { ServedKey } from '../../src/xks/proxy/external-key.ts';
import type { ProxySettings, XksProxy } from '../../src/xks/proxy/proxy-server.ts';
import { CREDENTIAL } from '../support/key-store-requests.ts';
import {
  Authority,
  credentialOf,
  PROXY_HOST,
  proxySettings,
  sendRaw,
  startProxy,
  type Identity,
  type RawAnswer,
  type RawRequest,
} from '../support/xks.ts';
import { KEY_KINDS, servedKey, type KeySource } from '../support/xks-keys.ts';

const ARN = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const METADATA = {
  awsPrincipalArn: 'arn:aws:iam::111122223333:user/Alice',
  kmsOperation: 'Encrypt',
  kmsRequestId: 'anything at all',
  kmsKeyArn: ARN,
};
const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');
const ENCRYPT = { requestMetadata: METADATA, plaintext: base64('Hello World!'), encryptionAlgorithm: 'AES_GCM' };
const AAD = base64('project=nile,department=marketing');

/** A key that breaks a promise. */
const FORGETFUL: ServedKey = {
  key: {
    encrypt: (plaintext) => ({
      ciphertext: plaintext,
      iv: Buffer.alloc(12),
      tag: Buffer.alloc(16),
      metadata: Buffer.alloc(0),
    }),
    decrypt: () => undefined,
    isPresent: () => true,
  },
  usage: ['ENCRYPT', 'DECRYPT'],
  isEnabled: true,
  allow: undefined,
};
/** A key that was deleted in its key manager. */
const LOST: ServedKey = { ...FORGETFUL, key: { ...FORGETFUL.key, isPresent: () => false } };

describe.each(KEY_KINDS)('a proxy before $name', (kind) => {
  describe.skipIf(kind.missing !== undefined)('answers', () => {
    let authority: Authority;
    let identity: Identity;
    let settings: ProxySettings;
    let proxy: XksProxy;
    let logged: string;
    let source: KeySource;

    beforeAll(async () => {
      source = await kind.open();
      authority = await Authority.create();
      identity = await authority.issue(PROXY_HOST);
      const allow = new AllowList({
        awsPrincipalArn: ['arn:aws:iam::111122223333:user/*'],
        kmsOperation: ['Encrypt', 'CreateKey'],
        kmsKeyArn: [ARN],
      });
      settings = proxySettings(identity, {
        pathPrefix: '/one/customer',
        managers: [source.manager],
        keys: new Map([
          ['key-1', await servedKey(source)],
          ['key_2.0', await servedKey(source)],
          ['disabled', await servedKey(source, { isEnabled: false })],
          ['write-only', await servedKey(source, { usage: ['ENCRYPT'] })],
          ['limited', await servedKey(source, { allow })],
          ['forgetful', FORGETFUL],
          ['lost', LOST],
        ]),
      });
      logged = '';
      const note = (message: string, fields: object = {}): void => {
        logged += `${message} ${JSON.stringify(fields)}\n`;
      };
      proxy = await startProxy(settings, { info: note, error: note });
    });

    afterAll(async () => {
      await proxy.close();
      await source.close();
    });

    const PREFIX = '/one/customer/kms/xks/v1';

    function send(resource: string, body: unknown, more: Partial<RawRequest> = {}): Promise<RawAnswer> {
      return sendRaw({ port: proxy.port, ca: authority.pem, path: `${PREFIX}${resource}`, body, ...more });
    }

    async function refusal(resource: string, body: unknown, more: Partial<RawRequest> = {}): Promise<string> {
      const { status, json, headers } = await send(resource, body, more);
      expect(headers['content-type']).toBe('application/json');
      expect(Object.keys(json).sort()).toEqual(['errorMessage', 'errorName']);
      expect(json.errorMessage).toMatch(/^[\x20-\x7e]{1,511}$/);
      return `${String(status)} ${String(json.errorName)}`;
    }

    interface EncryptAnswer {
      readonly ciphertext: string;
      readonly initializationVector: string;
      readonly authenticationTag: string;
      readonly ciphertextMetadata?: string;
      readonly ciphertextDataIntegrityValue?: string;
    }

    async function encrypted(changes: object = {}, keyId = 'key-1'): Promise<EncryptAnswer> {
      const { status, json } = await send(`/keys/${keyId}/encrypt`, { ...ENCRYPT, ...changes });
      expect(status).toBe(200);
      return json as unknown as EncryptAnswer;
    }

    function decryptRequest(answer: EncryptAnswer, changes: object = {}): object {
      const { ciphertextDataIntegrityValue: _, ...sealed } = answer;
      return { requestMetadata: METADATA, encryptionAlgorithm: 'AES_GCM', ...sealed, ...changes };
    }

    describe('health', () => {
      it('tells of proxy and key manager what the specification asks for', async () => {
        const { status, json } = await send('/health', {
          requestMetadata: { kmsRequestId: 'x', kmsOperation: 'KmsHealthCheck' },
        });
        expect(status).toBe(200);
        expect(json).toEqual({
          xksProxyFleetSize: 1,
          xksProxyVendor: 'Keywright',
          xksProxyModel: expect.any(String) as string,
          ekmVendor: 'Keywright',
          ekmFleetDetails: [
            { id: expect.any(String) as string, model: expect.any(String) as string, healthStatus: 'ACTIVE' },
          ],
        });
      });

      it('needs a signature and a valid request', async () => {
        expect(await refusal('/health', {}, { isSigned: false })).toBe('401 AuthenticationFailedException');
        for (const body of ['no JSON', {}, { requestMetadata: {} }, { requestMetadata: { kmsRequestId: 'x' } }]) {
          expect(await refusal('/health', body)).toBe('400 ValidationException');
        }
      });
    });

    describe('metadata', () => {
      it.each([
        ['key-1', { keySpec: 'AES_256', keyUsage: ['ENCRYPT', 'DECRYPT'], keyStatus: 'ENABLED' }],
        ['disabled', { keySpec: 'AES_256', keyUsage: ['ENCRYPT', 'DECRYPT'], keyStatus: 'DISABLED' }],
        ['write-only', { keySpec: 'AES_256', keyUsage: ['ENCRYPT'], keyStatus: 'ENABLED' }],
      ])('of %s', async (keyId, expected) => {
        const { kmsKeyArn: _, ...requestMetadata } = METADATA;
        const { status, json } = await send(`/keys/${keyId}/metadata`, { requestMetadata });
        expect(status).toBe(200);
        expect(json).toEqual(expected);
      });
    });

    it('the metadata of a key that its key manager has lost is not there', async () => {
      const { kmsKeyArn: _, ...requestMetadata } = METADATA;
      expect(await refusal('/keys/lost/metadata', { requestMetadata })).toBe('404 KeyNotFoundException');
    });

    describe('encrypt and decrypt', () => {
      it.each([
        ['12 bytes', Buffer.from('Hello World!')],
        ['one byte', Buffer.of(7)],
        ['4300 bytes', Buffer.alloc(4300, 'x')],
      ])('%s come back as they were, with and without additional data', async (_what, text) => {
        for (const additional of [{}, { additionalAuthenticatedData: base64(Buffer.alloc(8192, 'a')) }]) {
          const answer = await encrypted({ plaintext: base64(text), ...additional });
          expect(answer.ciphertextDataIntegrityValue).toBeUndefined();
          expect(Buffer.from(answer.ciphertext, 'base64')).toHaveLength(text.length);
          expect(Buffer.from(answer.initializationVector, 'base64')).toHaveLength(12);
          expect(Buffer.from(answer.authenticationTag, 'base64')).toHaveLength(16);
          expect(Buffer.from(answer.ciphertextMetadata ?? '', 'base64')).toHaveLength(kind.metadataBytes);
          const { status, json } = await send('/keys/key-1/decrypt', decryptRequest(answer, additional));
          expect(status).toBe(200);
          expect(json).toEqual({ plaintext: base64(text) });
        }
      });

      it('the integrity value is the hash of additional data, metadata, vector, ciphertext and tag', async () => {
        const answer = await encrypted({
          additionalAuthenticatedData: AAD,
          ciphertextDataIntegrityValueAlgorithm: 'SHA_256',
        });
        const parts = [
          AAD,
          answer.ciphertextMetadata ?? '',
          answer.initializationVector,
          answer.ciphertext,
          answer.authenticationTag,
        ];
        const hash = createHash('sha256').update(Buffer.concat(parts.map((part) => Buffer.from(part, 'base64'))));
        expect(answer.ciphertextDataIntegrityValue).toBe(hash.digest('base64'));
      });

      it('a key that does not decrypt what it encrypted gives no integrity value', async () => {
        const request = { ...ENCRYPT, ciphertextDataIntegrityValueAlgorithm: 'SHA_256' };
        expect(await refusal('/keys/forgetful/encrypt', request)).toBe('500 InternalException');
        expect((await send('/keys/forgetful/encrypt', ENCRYPT)).status).toBe(200);
      });

      it('two encryptions of the same text share nothing', async () => {
        const [one, other] = [await encrypted(), await encrypted()];
        expect(one.ciphertext).not.toBe(other.ciphertext);
        expect(one.initializationVector).not.toBe(other.initializationVector);
        expect(one.ciphertextMetadata === undefined || one.ciphertextMetadata !== other.ciphertextMetadata).toBe(true);
      });

      it('every bit of what was answered, and the additional data, is checked', async () => {
        const answer = await encrypted({ additionalAuthenticatedData: AAD });
        const flip = (text: string): string => {
          const bytes = Buffer.from(text, 'base64');
          bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
          return base64(bytes);
        };
        const { ciphertextMetadata: metadata } = answer;
        const changes: readonly object[] = [
          ...(metadata === undefined
            ? [{ ciphertextMetadata: 'AQ==' }]
            : [{ ciphertextMetadata: flip(metadata) }, { ciphertextMetadata: undefined }]),
          { ciphertext: flip(answer.ciphertext) },
          { initializationVector: flip(answer.initializationVector) },
          { initializationVector: base64(Buffer.alloc(16)) },
          { authenticationTag: flip(answer.authenticationTag) },
          { additionalAuthenticatedData: flip(AAD) },
          { additionalAuthenticatedData: undefined },
          // The lengths keep one from passing for a part of the other.
          { additionalAuthenticatedData: undefined, ciphertextMetadata: AAD.slice(0, 24) },
        ];
        for (const change of changes) {
          const request = decryptRequest(answer, { additionalAuthenticatedData: AAD, ...change });
          expect(await refusal('/keys/key-1/decrypt', request)).toBe('400 InvalidCiphertextException');
        }
        const elsewhere = decryptRequest(answer, { additionalAuthenticatedData: AAD });
        expect(await refusal('/keys/key_2.0/decrypt', elsewhere)).toBe('400 InvalidCiphertextException');
      });
    });

    describe('refusals', () => {
      const invalidEncrypts: readonly (readonly [what: string, object | string])[] = [
        ['no JSON', 'plaintext'],
        ['no object', '[]'],
        ['without metadata', { ...ENCRYPT, requestMetadata: undefined }],
        ...['awsPrincipalArn', 'kmsOperation', 'kmsRequestId', 'kmsKeyArn'].map(
          (name) => [`without ${name}`, { ...ENCRYPT, requestMetadata: { ...METADATA, [name]: undefined } }] as const,
        ),
        ['with a number as ARN', { ...ENCRYPT, requestMetadata: { ...METADATA, kmsKeyArn: 1 } }],
        ['without plaintext', { ...ENCRYPT, plaintext: undefined }],
        ['with plaintext that is no base64', { ...ENCRYPT, plaintext: 'a' }],
        ['with URL-safe base64', { ...ENCRYPT, plaintext: '-_-_' }],
        ['with empty plaintext', { ...ENCRYPT, plaintext: '' }],
        ['without algorithm', { ...ENCRYPT, encryptionAlgorithm: undefined }],
        ['with another algorithm', { ...ENCRYPT, encryptionAlgorithm: 'AES_CBC' }],
        ['with another integrity algorithm', { ...ENCRYPT, ciphertextDataIntegrityValueAlgorithm: 'SHA_1' }],
      ];
      it.each(invalidEncrypts)('an encryption %s is a ValidationException', async (_what, body) => {
        expect(await refusal('/keys/key-1/encrypt', body)).toBe('400 ValidationException');
      });

      it.each([
        ['without ciphertext', { ciphertext: undefined }],
        ['without vector', { initializationVector: undefined }],
        ['with a vector of 13 bytes', { initializationVector: base64(Buffer.alloc(13)) }],
        ['without tag', { authenticationTag: undefined }],
        ['with a tag of 12 bytes', { authenticationTag: base64(Buffer.alloc(12)) }],
        ['with metadata of 21 bytes', { ciphertextMetadata: base64(Buffer.alloc(21)) }],
        ['without algorithm', { encryptionAlgorithm: undefined }],
      ])('a decryption %s is a ValidationException', async (_what, changes) => {
        const request = decryptRequest(await encrypted(), changes);
        expect(await refusal('/keys/key-1/decrypt', request)).toBe('400 ValidationException');
      });

      it('members and operations that nobody knows yet are no reason to refuse', async () => {
        const requestMetadata = { ...METADATA, kmsOperation: 'BulkEncrypt', sourceIdentity: 'somebody' };
        expect((await send('/keys/key-1/encrypt', { ...ENCRYPT, requestMetadata, more: true })).status).toBe(200);
      });

      it('a key that is disabled, of another usage or not there', async () => {
        expect(await refusal('/keys/disabled/encrypt', ENCRYPT)).toBe('400 InvalidStateException');
        const answer = await encrypted({}, 'write-only');
        // What is to be decrypted for the integrity value.
        const checked = { ...ENCRYPT, ciphertextDataIntegrityValueAlgorithm: 'SHA_256' };
        expect(await refusal('/keys/write-only/encrypt', checked)).toBe('400 InvalidKeyUsageException');
        expect(await refusal('/keys/write-only/decrypt', decryptRequest(answer))).toBe('400 InvalidKeyUsageException');
        for (const [operation, body] of [
          ['encrypt', ENCRYPT],
          ['decrypt', decryptRequest(answer)],
          ['metadata', { requestMetadata: METADATA }],
        ] as const) {
          expect(await refusal(`/keys/nobody/${operation}`, body)).toBe('404 KeyNotFoundException');
        }
      });

      it('a principal, operation or KMS key that the key is not for', async () => {
        const as = (changes: object): object => ({ ...ENCRYPT, requestMetadata: { ...METADATA, ...changes } });
        expect((await send('/keys/limited/encrypt', as({}))).status).toBe(200);
        for (const changes of [
          { awsPrincipalArn: 'arn:aws:iam::444455556666:user/Alice' },
          { kmsOperation: 'GenerateDataKey' },
          { kmsKeyArn: `${ARN}0` },
        ]) {
          expect(await refusal('/keys/limited/encrypt', as(changes))).toBe('403 AccessDeniedException');
        }
        const { kmsKeyArn: _, ...requestMetadata } = METADATA;
        const describe = (kmsOperation: string): Promise<RawAnswer> =>
          send('/keys/limited/metadata', { requestMetadata: { ...requestMetadata, kmsOperation } });
        expect((await describe('CreateKey')).status).toBe(200);
        expect((await describe('DescribeKey')).status).toBe(403);
      });

      it.each([
        '/one/customer/kms/xks/v2/health',
        '/one/customer/kms/xks/v1/',
        '/one/customer/kms/xks/v1/healthy',
        '/kms/xks/v1/health',
        '/other/kms/xks/v1/health',
        `${PREFIX}/keys/key-1/sign`,
        `${PREFIX}/keys/key-1`,
        `${PREFIX}/keys//encrypt`,
        `${PREFIX}/keys/a%2Fb/encrypt`,
        `${PREFIX}/keys/${'a'.repeat(129)}/encrypt`,
      ])('the path %s', async (path) => {
        expect(await refusal('', ENCRYPT, { path })).toBe('404 InvalidUriPathException');
      });

      it('a request that is too large to be read', async () => {
        const body = { ...ENCRYPT, plaintext: 'A'.repeat(100_000) };
        expect(await refusal('/keys/key-1/encrypt', body)).toBe('501 UnsupportedOperationException');
      });

      it.each(['/health', '/keys/key-1/metadata', '/keys/key-1/encrypt', '/keys/key-1/decrypt'])(
        'GET %s is a method that is not allowed',
        async (resource) => {
          const { status, headers } = await send(resource, undefined, { method: 'GET' });
          expect([status, headers['allow']]).toEqual([405, 'POST']);
        },
      );

      it('a load balancer asks GET /healthz without a signature', async () => {
        expect((await send('', undefined, { path: '/healthz', method: 'GET', isSigned: false })).status).toBe(200);
      });
    });

    describe('signatures', () => {
      const otherSecret = `${CREDENTIAL.RawSecretAccessKey.slice(0, -1)}9`;
      const cases: readonly (readonly [what: string, () => Partial<RawRequest>])[] = [
        ['none', () => ({ isSigned: false })],
        ['another secret', () => ({ credential: { ...CREDENTIAL, RawSecretAccessKey: otherSecret } })],
        ['an unknown access key', () => ({ credential: { ...CREDENTIAL, AccessKeyId: 'A'.repeat(20) } })],
        ['another body', () => ({ sentBody: JSON.stringify({ ...ENCRYPT, plaintext: 'AAAA' }) })],
        ['another service', () => ({ service: 'kms' })],
        ['another Region', () => ({ region: 'eu-west-1' })],
        ['a time more than 5 minutes ago', () => ({ signedMs: Date.now() - 302_000 })],
        ['a time more than 5 minutes from now', () => ({ signedMs: Date.now() + 302_000 })],
      ];
      it.each(cases)('%s', async (_what, more) => {
        expect(await refusal('/keys/key-1/encrypt', ENCRYPT, more())).toBe('401 AuthenticationFailedException');
      });

      it('a clock that is off by less than 5 minutes does no harm', async () => {
        for (const offset of [-290_000, 290_000]) {
          expect((await send('/keys/key-1/encrypt', ENCRYPT, { signedMs: Date.now() + offset })).status).toBe(200);
        }
      });

      it('two credentials hold at once, until the old one is taken away', async () => {
        const added = { AccessKeyId: 'B'.repeat(20), RawSecretAccessKey: otherSecret };
        const both = new Map([
          ...settings.credentials,
          [added.AccessKeyId, credentialOf(added.AccessKeyId, added.RawSecretAccessKey)],
        ]);
        const statusWith = async (credential: typeof added): Promise<number> =>
          (await send('/keys/key-1/encrypt', ENCRYPT, { credential })).status;
        try {
          proxy.use({ ...settings, credentials: both });
          expect([await statusWith(CREDENTIAL), await statusWith(added)]).toEqual([200, 200]);
          both.delete(CREDENTIAL.AccessKeyId);
          proxy.use({ ...settings, credentials: both });
          expect([await statusWith(CREDENTIAL), await statusWith(added)]).toEqual([401, 200]);
        } finally {
          proxy.use(settings);
        }
      });
    });

    describe('TLS', () => {
      const negotiate = (options: object): Promise<string> =>
        new Promise((resolve) => {
          const socket = connectTls({
            host: '127.0.0.1',
            port: proxy.port,
            servername: PROXY_HOST,
            ca: authority.pem,
            ...options,
          });
          socket.once('secureConnect', () => {
            resolve(`${String(socket.getProtocol())} ${socket.getCipher().standardName}`);
            socket.destroy();
          });
          socket.once('error', () => {
            resolve('refused');
          });
        });

      it('speaks TLS 1.2 and 1.3 with the cipher suites of the specification, and nothing older', async () => {
        expect(await negotiate({})).toBe('TLSv1.3 TLS_AES_256_GCM_SHA384');
        expect(await negotiate({ maxVersion: 'TLSv1.2' })).toBe('TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384');
        const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' };
        expect(await negotiate(old)).toBe('refused');
        expect(await negotiate({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' })).toBe('refused');
      });

      it('with clients that must show a certificate, only the right name from the right authority gets through', async () => {
        const [clients, others] = [await Authority.create('Clients'), await Authority.create('Others')];
        const commonName = 'cks.kms.eu-central-1.amazonaws.com';
        const guarded = await startProxy(
          proxySettings(identity, { tls: { ...identity, clients: { authorities: clients.pem, commonName } } }),
        );
        const attempt = async (shown: Identity | undefined): Promise<number | 'refused'> => {
          const options = shown === undefined ? {} : { cert: shown.certificate, key: shown.privateKey };
          const body = { requestMetadata: { kmsRequestId: 'x', kmsOperation: 'ConnectCustomKeyStore' } };
          const request = { port: guarded.port, ca: authority.pem, path: '/kms/xks/v1/health', body, options };
          return sendRaw(request).then(
            ({ status }) => status,
            () => 'refused',
          );
        };
        try {
          expect(await attempt(await clients.issue(commonName))).toBe(200);
          expect(await attempt(undefined)).toBe('refused');
          expect(await attempt(await clients.issue('cks.kms.eu-west-1.amazonaws.com'))).toBe('refused');
          expect(await attempt(await others.issue(commonName))).toBe('refused');
        } finally {
          await guarded.close();
        }
      });
    });

    it('the log tells of every request what KMS said of it, and no secret', async () => {
      logged = '';
      const requestMetadata = { ...METADATA, kmsRequestId: 'look for me' };
      const answer = await encrypted({ requestMetadata, plaintext: base64('a well-kept secret') });
      await send('/keys/key-1/decrypt', decryptRequest(answer, { requestMetadata }));
      await send('/keys/nobody/encrypt', { ...ENCRYPT, requestMetadata });
      const lines = logged.trim().split('\n');
      expect(lines).toHaveLength(3);
      for (const line of lines) {
        expect(line).toContain('look for me');
        expect(line).toContain(METADATA.awsPrincipalArn);
        expect(line).toContain(ARN);
      }
      expect(lines[2]).toContain('KeyNotFoundException');
      expect(logged).not.toContain(base64('a well-kept secret'));
      expect(logged).not.toContain('well-kept');
      expect(logged).not.toContain(CREDENTIAL.RawSecretAccessKey);
    });
  });
});
