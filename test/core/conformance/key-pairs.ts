import { expect, it } from 'vitest';
import type { AsymmetricKeyType, CryptoCore, KeyHandle } from '../../../src/core/crypto-core.ts';
import { ALGORITHMS, der, ecPrivateKey, pkcs8, spki } from './encodings.ts';
import { PAIR_TYPES, publicPart, QUICK_TYPES, sharedPair } from './pairs.ts';
import { expectStatus, flipBit, sampleBytes, suite } from './support.ts';

const EXPORTABLE = PAIR_TYPES.filter((type) => !type.startsWith('mlDsa'));
const aad = sampleBytes(7);

/** Tells two private keys apart by the public key that belongs to each. */
const identity = (core: CryptoCore, key: KeyHandle): string => core.exportPublicKey(key).toString('hex');

export const keyPairConformance = [
  suite('key pairs', (core) => {
    it('are exported and imported', () => {
      for (const type of EXPORTABLE) {
        const pair = sharedPair(core, type);
        const imported = core.importPrivateKey(type, core.exportPrivateKey(pair));
        expect([imported.type, imported.isPublic]).toEqual([type, false]);
        expect(identity(core, imported)).toBe(identity(core, pair));
        expect(core.exportPrivateKey(imported)).toEqual(core.exportPrivateKey(pair));
      }
      for (const type of PAIR_TYPES) {
        const pair = sharedPair(core, type);
        const imported = publicPart(core, pair);
        expect([imported.type, imported.isPublic]).toEqual([type, true]);
        expect(identity(core, imported)).toBe(identity(core, pair));
      }
    });

    it('differ', () => {
      for (const type of QUICK_TYPES.filter((name) => name !== 'rsa2048')) {
        expect(new Set(Array.from({ length: 20 }, () => identity(core, core.generateKeyPair(type)))).size).toBe(20);
      }
    });

    it('of ML-DSA and public ones do not come out', () => {
      for (const type of ['mlDsa44', 'mlDsa65', 'mlDsa87'] as const) {
        expectStatus(() => core.exportPrivateKey(sharedPair(core, type)), 'wrongKeyType');
      }
      const verifier = publicPart(core, sharedPair(core, 'p256'));
      expectStatus(() => core.exportPrivateKey(verifier), 'wrongKeyType');
      expectStatus(() => core.wrapKey(core.generateKey('backing'), verifier, aad), 'wrongKeyType');
      expectStatus(() => core.exportPublicKey(core.generateKey('hmac')), 'wrongKeyType');
      expectStatus(() => core.exportPrivateKey(core.generateKey('hmac')), 'wrongKeyType');
    });

    it('of ML-KEM come out as seeds, and go in as seeds, with their seed and expanded', () => {
      for (const type of ['mlKem512', 'mlKem768', 'mlKem1024'] as const) {
        const seed = sampleBytes(64, 5);
        const key = core.importPrivateKey(type, seed);
        const exported = core.exportPrivateKey(key);
        expect(exported).toEqual(pkcs8(type, der(0x80, seed)));
        expect(exported.length).toBe(86);
        expect(identity(core, core.importPrivateKey(type, exported))).toBe(identity(core, key));
      }
    });

    it('are wrapped and unwrapped, by every key wrap', () => {
      const backing = core.generateKey('backing');
      const kwp = core.generateKey('aesKwp');
      for (const type of PAIR_TYPES) {
        const pair = sharedPair(core, type);
        const wrapped = core.wrapKey(backing, pair, aad);
        const unwrapped = core.unwrapKey(backing, wrapped, aad, type);
        expect(identity(core, unwrapped)).toBe(identity(core, pair));
        expect(unwrapped.isPublic).toBe(false);
        expect(identity(core, core.kwpUnwrap(kwp, core.kwpWrap(kwp, pair), type))).toBe(identity(core, pair));
        expectStatus(() => core.unwrapKey(backing, flipBit(wrapped, 300), aad, type), 'authenticationFailed');
        const other = PAIR_TYPES[(PAIR_TYPES.indexOf(type) + 1) % PAIR_TYPES.length]!;
        expectStatus(() => core.unwrapKey(backing, wrapped, aad, other), 'authenticationFailed');
        expectStatus(() => core.unwrapKey(backing, wrapped, aad, 'hmac'), 'authenticationFailed');
        expectStatus(
          () => core.kwpUnwrap(kwp, core.kwpWrap(kwp, core.generateKey('hmac', 31)), type),
          'authenticationFailed',
        );
      }
    });

    it('raise destroyedKey once destroyed', () => {
      const key = core.generateKeyPair('p256');
      const kem = core.generateKeyPair('mlKem512');
      const peer = core.exportPublicKey(key);
      key.destroy();
      kem.destroy();
      for (const run of [
        () => core.exportPublicKey(key),
        () => core.exportPrivateKey(key),
        () => core.sign(key, 'ECDSA_SHA_256', 'RAW', aad),
        () => core.verify(key, 'ECDSA_SHA_256', 'RAW', aad, aad),
        () => core.publicEncrypt(key, 'SM2PKE', aad),
        () => core.privateDecrypt(key, 'SM2PKE', aad),
        () => core.ecdh(key, peer),
        () => core.encapsulate(kem),
        () => core.decapsulate(kem, sampleBytes(768)),
      ]) {
        expectStatus(run, 'destroyedKey');
      }
    });

    it('are not made by the functions of symmetric keys, and the other way round', () => {
      expectStatus(() => core.generateKey('p256' as 'hmac'), 'invalidArgument');
      expectStatus(() => core.importKey('ed25519' as 'hmac', sampleBytes(32)), 'invalidArgument');
      expectStatus(() => core.deriveKey(core.generateKey('backing'), aad, aad, 'p256' as 'hmac'), 'invalidArgument');
      expectStatus(() => core.generateKeyPair('hmac' as 'p256'), 'invalidArgument');
      expectStatus(() => core.importPrivateKey('hmac' as 'p256', sampleBytes(32)), 'invalidArgument');
      expectStatus(() => core.importPublicKey('hmac' as 'p256', sampleBytes(32)), 'invalidArgument');
    });
  }),

  suite('importPrivateKey', (core) => {
    const refuses = (type: AsymmetricKeyType, encoded: Uint8Array): void => {
      expectStatus(() => core.importPrivateKey(type, encoded), 'invalidKey');
    };

    it('takes keys of the exact type only', () => {
      for (const type of EXPORTABLE) {
        const encoded = core.exportPrivateKey(sharedPair(core, type));
        for (const other of PAIR_TYPES.filter((name) => name !== type)) refuses(other, encoded);
      }
    });

    it('refuses bytes behind, bytes missing, and rubbish', () => {
      for (const type of EXPORTABLE) {
        const encoded = core.exportPrivateKey(sharedPair(core, type));
        refuses(type, Buffer.concat([encoded, Buffer.alloc(1)]));
        for (const length of [0, 1, 2, 10, encoded.length - 1]) refuses(type, encoded.subarray(0, length));
        refuses(type, sampleBytes(encoded.length));
        refuses(type, sampleBytes(9000));
      }
      const inner = Buffer.concat([ecPrivateKey(sampleBytes(32, 1)), Buffer.alloc(1)]);
      refuses('p256', pkcs8('p256', inner));
      // The length of the outermost SEQUENCE in two bytes, where DER takes one.
      const loose = pkcs8('p256', ecPrivateKey(sampleBytes(32, 1)));
      core.importPrivateKey('p256', loose);
      refuses('p256', Buffer.concat([Buffer.of(0x30, 0x81), loose.subarray(1)]));
    });

    it('derives the public key when there is none, and refuses one of another key', () => {
      const pair = core.importPrivateKey('p256', pkcs8('p256', ecPrivateKey(sampleBytes(32, 1))));
      const other = core.exportPublicKey(core.generateKeyPair('p256')).subarray(-65);
      const own = core.exportPublicKey(pair).subarray(-65);
      const withPublic = (point: Uint8Array): Buffer => {
        const key = der(0x30, der(2, Buffer.of(1)), der(4, sampleBytes(32, 1)), der(0xa1, der(3, Buffer.of(0), point)));
        return pkcs8('p256', key);
      };
      expect(identity(core, core.importPrivateKey('p256', withPublic(own)))).toBe(identity(core, pair));
      refuses('p256', withPublic(other));
    });

    it('refuses scalars outside of the group', () => {
      const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
      for (const scalar of [Buffer.alloc(32), order, Buffer.alloc(32, 0xff)]) {
        refuses('p256', pkcs8('p256', ecPrivateKey(scalar)));
      }
    });

    it('refuses an RSA key with a part changed', () => {
      const encoded = core.exportPrivateKey(sharedPair(core, 'rsa2048'));
      for (const bit of [8 * 300, 8 * 500, 8 * 700, 8 * 900, 8 * 1100, 8 * 1200]) {
        refuses('rsa2048', flipBit(encoded, bit));
      }
    });

    it('refuses ML-KEM and ML-DSA keys whose seed and expanded key are not of each other', () => {
      const seed = sampleBytes(64, 3);
      refuses('mlKem512', pkcs8('mlKem512', der(0x30, der(4, seed), der(4, sampleBytes(1632)))));
      refuses('mlDsa44', pkcs8('mlDsa44', der(0x30, der(4, sampleBytes(32)), der(4, sampleBytes(2560)))));
    });
  }),

  suite('importPublicKey', (core) => {
    const refuses = (type: AsymmetricKeyType, encoded: Uint8Array): void => {
      expectStatus(() => core.importPublicKey(type, encoded), 'invalidKey');
    };

    it('takes keys of the exact type only', () => {
      for (const type of PAIR_TYPES) {
        const encoded = core.exportPublicKey(sharedPair(core, type));
        for (const other of PAIR_TYPES.filter((name) => name !== type)) refuses(other, encoded);
        refuses(type, Buffer.concat([encoded, Buffer.alloc(1)]));
        for (const length of [0, 1, 20, encoded.length - 1]) refuses(type, encoded.subarray(0, length));
      }
    });

    it('takes compressed points, and refuses points off the curve, at infinity and in hybrid form', () => {
      for (const type of ['p256', 'p384', 'p521', 'secp256k1', 'sm2'] as const) {
        const whole = core.exportPublicKey(sharedPair(core, type));
        const width = { p256: 32, p384: 48, p521: 66, secp256k1: 32, sm2: 32 }[type];
        const point = whole.subarray(-1 - 2 * width);
        const isOdd = point.at(-1)! & 1;
        const compressed = Buffer.concat([Buffer.of(2 + isOdd), point.subarray(1, 1 + width)]);
        expect(core.exportPublicKey(core.importPublicKey(type, spki(type, compressed)))).toEqual(whole);
        refuses(type, spki(type, flipBit(point, 8 * width)));
        refuses(type, spki(type, Buffer.of(0)));
        refuses(type, spki(type, Buffer.concat([Buffer.of(6 + isOdd), point.subarray(1)])));
      }
    });

    it('refuses an ML-KEM key that is not reduced', () => {
      refuses('mlKem512', spki('mlKem512', Buffer.alloc(800, 0xff)));
    });
  }),

  suite('publicEncrypt and privateDecrypt', (core) => {
    it('give back what was encrypted, up to the longest plaintext and no more', () => {
      for (const [type, algorithm, longest] of [
        ['rsa2048', 'RSAES_OAEP_SHA_1', 214],
        ['rsa2048', 'RSAES_OAEP_SHA_256', 190],
        ['rsa3072', 'RSAES_OAEP_SHA_1', 342],
        ['rsa3072', 'RSAES_OAEP_SHA_256', 318],
        ['rsa4096', 'RSAES_OAEP_SHA_1', 470],
        ['rsa4096', 'RSAES_OAEP_SHA_256', 446],
        ['sm2', 'SM2PKE', 1024],
      ] as const) {
        const key = sharedPair(core, type);
        const encryptor = publicPart(core, key);
        for (const length of [1, 32, longest]) {
          const ciphertext = core.publicEncrypt(encryptor, algorithm, sampleBytes(length));
          expect(core.privateDecrypt(key, algorithm, ciphertext)).toEqual(sampleBytes(length));
          expect(core.publicEncrypt(encryptor, algorithm, sampleBytes(length))).not.toEqual(ciphertext);
        }
        expectStatus(() => core.publicEncrypt(key, algorithm, sampleBytes(longest + 1)), 'invalidArgument');
        expectStatus(() => core.privateDecrypt(encryptor, algorithm, sampleBytes(256)), 'wrongKeyType');
      }
    });

    it('fail for every other ciphertext and key in the same way', () => {
      const key = sharedPair(core, 'rsa2048');
      const ciphertext = core.publicEncrypt(key, 'RSAES_OAEP_SHA_256', aad);
      for (const wrong of [
        flipBit(ciphertext, 100),
        ciphertext.subarray(1),
        Buffer.concat([ciphertext, Buffer.alloc(1)]),
        Buffer.alloc(256),
        Buffer.alloc(256, 0xff),
        Buffer.alloc(0),
      ]) {
        expectStatus(() => core.privateDecrypt(key, 'RSAES_OAEP_SHA_256', wrong), 'authenticationFailed');
      }
      expectStatus(() => core.privateDecrypt(key, 'RSAES_OAEP_SHA_1', ciphertext), 'authenticationFailed');
      const sm2 = sharedPair(core, 'sm2');
      const ofSm2 = core.publicEncrypt(sm2, 'SM2PKE', aad);
      for (const wrong of [flipBit(ofSm2, 300), ofSm2.subarray(1), Buffer.alloc(0), Buffer.alloc(5000)]) {
        expectStatus(() => core.privateDecrypt(sm2, 'SM2PKE', wrong), 'authenticationFailed');
      }
      expect(core.privateDecrypt(key, 'RSAES_OAEP_SHA_256', ciphertext)).toEqual(aad);
    });

    it('refuse keys of other types', () => {
      expectStatus(() => core.publicEncrypt(sharedPair(core, 'p256'), 'RSAES_OAEP_SHA_256', aad), 'wrongKeyType');
      expectStatus(() => core.publicEncrypt(sharedPair(core, 'rsa2048'), 'SM2PKE', aad), 'wrongKeyType');
      expectStatus(() => core.privateDecrypt(sharedPair(core, 'sm2'), 'RSAES_OAEP_SHA_1', aad), 'wrongKeyType');
      expectStatus(() => core.privateDecrypt(core.generateKey('hmac'), 'SM2PKE', aad), 'wrongKeyType');
    });
  }),

  suite('key agreement', (core) => {
    it('ecdh gives both sides the same secret, in the width of the field', () => {
      for (const [type, width] of [
        ['p256', 32],
        ['p384', 48],
        ['p521', 66],
        ['sm2', 32],
      ] as const) {
        const [one, two] = [core.generateKeyPair(type), core.generateKeyPair(type)];
        for (let round = 0; round < 3; round++) {
          const secret = core.ecdh(one, core.exportPublicKey(two));
          expect(secret.length).toBe(width);
          expect(core.ecdh(two, core.exportPublicKey(one))).toEqual(secret);
        }
      }
    });

    it('ecdh refuses other curves, other keys, and keys that are none', () => {
      const key = sharedPair(core, 'p256');
      for (const type of ['p384', 'secp256k1', 'sm2', 'ed25519', 'rsa2048'] as const) {
        expectStatus(() => core.ecdh(key, core.exportPublicKey(sharedPair(core, type))), 'invalidKey');
      }
      const peer = core.exportPublicKey(key);
      expectStatus(() => core.ecdh(key, flipBit(peer, 8 * 40)), 'invalidKey');
      expectStatus(() => core.ecdh(key, der(0x30, ALGORITHMS.p256)), 'invalidKey');
      expectStatus(() => core.ecdh(publicPart(core, key), peer), 'wrongKeyType');
      for (const type of ['secp256k1', 'ed25519', 'rsa2048', 'mlKem512'] as const) {
        expectStatus(() => core.ecdh(sharedPair(core, type), peer), 'wrongKeyType');
      }
    });

    it('decapsulate gives the secret of encapsulate, and another one for other ciphertexts', () => {
      for (const [type, length] of [
        ['mlKem512', 768],
        ['mlKem768', 1088],
        ['mlKem1024', 1568],
      ] as const) {
        const key = sharedPair(core, type);
        const { sharedSecret, ciphertext } = core.encapsulate(publicPart(core, key));
        expect([sharedSecret.length, ciphertext.length]).toEqual([32, length]);
        expect(core.decapsulate(key, ciphertext)).toEqual(sharedSecret);
        const rejected = core.decapsulate(key, flipBit(ciphertext, 77));
        expect(rejected).not.toEqual(sharedSecret);
        expect(core.decapsulate(key, flipBit(ciphertext, 77))).toEqual(rejected);
        expect(core.encapsulate(key).ciphertext).not.toEqual(ciphertext);
        for (const wrong of [0, length - 1, length + 1]) {
          expectStatus(() => core.decapsulate(key, sampleBytes(wrong)), 'invalidArgument');
        }
        expectStatus(() => core.decapsulate(publicPart(core, key), ciphertext), 'wrongKeyType');
      }
      expectStatus(() => core.encapsulate(sharedPair(core, 'p256')), 'wrongKeyType');
      expectStatus(() => core.decapsulate(sharedPair(core, 'mlDsa44'), aad), 'wrongKeyType');
    });
  }),
] as const;
