/** The core against node:crypto and the openssl command, in both directions. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  privateDecrypt,
  publicEncrypt,
  sign,
  verify,
  type KeyObject,
  type SignKeyObjectInput,
} from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { AsymmetricKeyType, SignatureAlgorithm } from '../../../src/core/crypto-core.ts';
import { sharedPair } from './pairs.ts';
import { sampleBytes, suite } from './support.ts';

const message = sampleBytes(123);

const nodePrivate = (pkcs8: Buffer): KeyObject => createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
const nodePublic = (spki: Buffer): KeyObject => createPublicKey({ key: spki, format: 'der', type: 'spki' });
const spkiOf = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' });
const pkcs8Of = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'pkcs8' });

const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };

/** Type, algorithm, and the same algorithm for node:crypto. */
const SIGNATURES: readonly [
  AsymmetricKeyType,
  SignatureAlgorithm,
  string | null,
  Pick<SignKeyObjectInput, 'padding' | 'saltLength'>,
][] = [
  ['rsa2048', 'RSASSA_PSS_SHA_256', 'sha256', pss],
  ['rsa2048', 'RSASSA_PSS_SHA_384', 'sha384', pss],
  ['rsa3072', 'RSASSA_PSS_SHA_512', 'sha512', pss],
  ['rsa2048', 'RSASSA_PKCS1_V1_5_SHA_256', 'sha256', {}],
  ['rsa3072', 'RSASSA_PKCS1_V1_5_SHA_384', 'sha384', {}],
  ['rsa4096', 'RSASSA_PKCS1_V1_5_SHA_512', 'sha512', {}],
  ['p256', 'ECDSA_SHA_256', 'sha256', {}],
  ['p384', 'ECDSA_SHA_384', 'sha384', {}],
  ['p521', 'ECDSA_SHA_512', 'sha512', {}],
  ['secp256k1', 'ECDSA_SHA_256', 'sha256', {}],
  ['ed25519', 'ED25519_SHA_512', null, {}],
];

export const keyPairDifferential = [
  suite('key pairs and node:crypto', (core) => {
    it.each(SIGNATURES)('sign and verify with %s the same %s', (type, algorithm, hash, padding) => {
      const key = sharedPair(core, type);
      const publicKey = nodePublic(core.exportPublicKey(key));
      const privateKey = nodePrivate(core.exportPrivateKey(key));
      const ours = core.sign(key, algorithm, 'RAW', message);
      expect(verify(hash, message, { key: publicKey, ...padding }, ours)).toBe(true);
      const theirs = sign(hash, message, { key: privateKey, ...padding });
      expect(core.verify(key, algorithm, 'RAW', message, theirs)).toBe(true);
      if (hash !== null) {
        const digest = createHash(hash).update(message).digest();
        expect(core.verify(key, algorithm, 'DIGEST', digest, theirs)).toBe(true);
        const ofDigest = core.sign(key, algorithm, 'DIGEST', digest);
        expect(verify(hash, message, { key: publicKey, ...padding }, ofDigest)).toBe(true);
      }
    });

    it('write and read the same keys', () => {
      for (const type of ['rsa2048', 'p256', 'p384', 'p521', 'secp256k1', 'ed25519'] as const) {
        const key = sharedPair(core, type);
        const privateKey = nodePrivate(core.exportPrivateKey(key));
        expect(spkiOf(createPublicKey(privateKey))).toEqual(core.exportPublicKey(key));
        expect(pkcs8Of(privateKey)).toEqual(core.exportPrivateKey(key));
      }
      for (const [type, made] of [
        ['rsa2048', generateKeyPairSync('rsa', { modulusLength: 2048 })],
        ['p384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
        ['secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
        ['ed25519', generateKeyPairSync('ed25519')],
      ] as const) {
        const imported = core.importPrivateKey(type, pkcs8Of(made.privateKey));
        expect(core.exportPublicKey(imported)).toEqual(spkiOf(made.publicKey));
      }
    });

    it('refuse what node:crypto makes of another kind', () => {
      const explicit = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' });
      expect(() => core.importPrivateKey('p256', pkcs8Of(explicit.privateKey))).toThrow('invalidKey');
      expect(() => core.importPublicKey('p256', spkiOf(explicit.publicKey))).toThrow('invalidKey');
      const ofPss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
      expect(() => core.importPrivateKey('rsa2048', pkcs8Of(ofPss.privateKey))).toThrow('invalidKey');
      expect(() => core.importPublicKey('rsa2048', spkiOf(ofPss.publicKey))).toThrow('invalidKey');
      const odd = generateKeyPairSync('rsa', { modulusLength: 2040 });
      expect(() => core.importPrivateKey('rsa2048', pkcs8Of(odd.privateKey))).toThrow('invalidKey');
      const small = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 });
      expect(() => core.importPrivateKey('rsa2048', pkcs8Of(small.privateKey))).toThrow('invalidKey');
    });

    it('encrypt and decrypt the same OAEP', () => {
      for (const [algorithm, oaepHash] of [
        ['RSAES_OAEP_SHA_1', 'sha1'],
        ['RSAES_OAEP_SHA_256', 'sha256'],
      ] as const) {
        const key = sharedPair(core, 'rsa2048');
        const padding = constants.RSA_PKCS1_OAEP_PADDING;
        const theirs = publicEncrypt({ key: nodePublic(core.exportPublicKey(key)), padding, oaepHash }, message);
        expect(core.privateDecrypt(key, algorithm, theirs)).toEqual(message);
        const ours = core.publicEncrypt(key, algorithm, message);
        const privateKey = nodePrivate(core.exportPrivateKey(key));
        expect(privateDecrypt({ key: privateKey, padding, oaepHash }, ours)).toEqual(message);
      }
    });

    it('import material that node:crypto wrapped by PKCS #1 v1.5', () => {
      const key = sharedPair(core, 'rsa2048');
      const padding = constants.RSA_PKCS1_PADDING;
      const material = sampleBytes(48);
      const wrapped = publicEncrypt({ key: nodePublic(core.exportPublicKey(key)), padding }, material);
      const imported = core.unwrapImported(key, 'RSAES_PKCS1_V1_5', wrapped, 'hmac', 48);
      const expected = core.importKey('hmac', material);
      expect(core.hmac(imported, 'SHA-384', message)).toEqual(core.hmac(expected, 'SHA-384', message));
    });

    it('agree on ECDH secrets and HKDF', () => {
      for (const type of ['p256', 'p384', 'p521'] as const) {
        const [one, two] = [core.generateKeyPair(type), core.generateKeyPair(type)];
        const theirs = diffieHellman({
          privateKey: nodePrivate(core.exportPrivateKey(one)),
          publicKey: nodePublic(core.exportPublicKey(two)),
        });
        expect(core.ecdh(one, core.exportPublicKey(two))).toEqual(theirs);
      }
      for (const [hash, name] of [
        ['SHA-256', 'sha256'],
        ['SHA-512', 'sha512'],
      ] as const) {
        for (const salt of [Buffer.alloc(0), sampleBytes(20)]) {
          const theirs = Buffer.from(hkdfSync(name, message, salt, sampleBytes(9), 77));
          expect(core.hkdf(hash, message, salt, sampleBytes(9), 77)).toEqual(theirs);
        }
      }
    });
  }),

  suite('key pairs and the openssl command', (core) => {
    const run = it.skipIf(spawnSync('openssl', ['version']).status !== 0);
    const folder = mkdtempSync(path.join(tmpdir(), 'keywright-openssl-test-'));
    afterAll(() => rmSync(folder, { recursive: true }));
    const file = (name: string, content: Uint8Array): string => {
      writeFileSync(path.join(folder, name), content);
      return path.join(folder, name);
    };
    const openssl = (...options: string[]): Buffer => execFileSync('openssl', options, { stdio: 'pipe' });

    run('open envelopes', () => {
      for (const type of ['rsa2048', 'rsa3072', 'rsa4096'] as const) {
        const key = sharedPair(core, type);
        const pem = file('key.pem', Buffer.from(pemOf(core.exportPrivateKey(key))));
        for (const length of [0, 1, 16, 32, 5000]) {
          const envelope = core.cmsEnvelopeEncrypt(core.exportPublicKey(key), sampleBytes(length));
          const opened = openssl(
            ...['cms', '-decrypt', '-inform', 'DER', '-in', file('cms.der', envelope), '-inkey', pem, '-binary'],
          );
          expect(opened).toEqual(sampleBytes(length));
        }
      }
      const text = openssl(
        'cms',
        '-cmsout',
        '-print',
        '-inform',
        'DER',
        '-in',
        path.join(folder, 'cms.der'),
      ).toString();
      expect(text).toMatch(/d\.ktri:\s+version: 2\s+d\.subjectKeyIdentifier/);
      expect(text).toContain('algorithm: rsaesOaep');
      expect(text).toContain('algorithm: aes-256-cbc');
    });

    run('verify ECDSA and SM2 signatures and make such that the core verifies', () => {
      for (const [type, algorithm, digest, extra] of [
        ['p256', 'ECDSA_SHA_256', '-sha256', []],
        ['p521', 'ECDSA_SHA_512', '-sha512', []],
        ['sm2', 'SM2DSA', '-sm3', ['-sigopt', 'distid:1234567812345678']],
      ] as const) {
        const key = sharedPair(core, type);
        const pem = file('private.pem', Buffer.from(pemOf(core.exportPrivateKey(key))));
        const spki = file('public.der', core.exportPublicKey(key));
        const text = file('message', message);
        const signature = file('signature', core.sign(key, algorithm, 'RAW', message));
        const common = [
          '-rawin',
          '-digest',
          digest.slice(1),
          ...extra.map((value) => value.replace('-sigopt', '-pkeyopt')),
        ];
        openssl(
          ...['pkeyutl', '-verify', '-in', text, '-sigfile', signature, '-pubin', '-inkey', spki, '-keyform', 'DER'],
          ...common,
        );
        const theirs = openssl('pkeyutl', '-sign', '-in', text, '-inkey', pem, ...common);
        expect(core.verify(key, algorithm, 'RAW', message, theirs)).toBe(true);
      }
    });

    run('decrypt SM2 ciphertexts and make such that the core decrypts', () => {
      const key = sharedPair(core, 'sm2');
      const pem = file('sm2.pem', Buffer.from(pemOf(core.exportPrivateKey(key))));
      const ours = file('sm2.bin', core.publicEncrypt(key, 'SM2PKE', message));
      expect(openssl('pkeyutl', '-decrypt', '-in', ours, '-inkey', pem)).toEqual(message);
      const theirs = openssl('pkeyutl', '-encrypt', '-in', file('text', message), '-inkey', pem);
      expect(core.privateDecrypt(key, 'SM2PKE', theirs)).toEqual(message);
    });
  }),
] as const;

function pemOf(pkcs8: Buffer): string {
  const lines = pkcs8.toString('base64').replace(/(.{64})/g, '$1\n');
  return `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`;
}
