import { createCipheriv, createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CryptoCore, KeyHandle, WrappingAlgorithm } from '../../../src/core/crypto-core.ts';
import { PAIR_TYPES, publicPart, sharedPair } from './pairs.ts';
import { expectStatus, flipBit, holds, octets, sampleBytes, suite } from './support.ts';

const aad = sampleBytes(7);
const none = new Uint8Array(0);

/** What the bytes of an `hmac` key do. */
const macOf = (core: CryptoCore, key: KeyHandle): string => core.hmac(key, 'SHA-256', aad).toString('hex');

/** RSA_AES_KEY_WRAP as its definition says, of material that the test may see. */
function rsaAesWrap(core: CryptoCore, wrappingKey: KeyHandle, hash: 1 | 256, material: Uint8Array): Buffer {
  const kek = core.randomBytes(32);
  const head = core.publicEncrypt(wrappingKey, `RSAES_OAEP_SHA_${hash}`, kek);
  return Buffer.concat([head, kwpWrapBytes(core, kek, material)]);
}

/** AES-KWP of any bytes: as an `hmac` key up to 1024 bytes, else as the private key that they are. */
function kwpWrapBytes(core: CryptoCore, kek: Uint8Array, material: Uint8Array): Buffer {
  const wrapping = core.importKey('aesKwp', kek);
  if (material.length <= 1024) return core.kwpWrap(wrapping, core.importKey('hmac', material));
  return core.kwpWrap(wrapping, core.importPrivateKey('rsa2048', material));
}

export const keyTransportConformance = [
  suite('kwWrap and kwUnwrap', (core) => {
    it('give back the key, and refuse what has no wrapped form', () => {
      const kek = core.generateKey('aesKw');
      for (const length of [16, 24, 32, 1024]) {
        const key = core.generateKey('hmac', length);
        const wrapped = core.kwWrap(kek, key);
        expect(wrapped.length).toBe(length + 8);
        expect(macOf(core, core.kwUnwrap(kek, wrapped, 'hmac'))).toBe(macOf(core, key));
        for (let bit = 0; bit < wrapped.length * 8; bit += 5) {
          expectStatus(() => core.kwUnwrap(kek, flipBit(wrapped, bit), 'hmac'), 'authenticationFailed');
        }
      }
      for (const length of [1, 8, 15, 17]) {
        expectStatus(() => core.kwWrap(kek, core.generateKey('hmac', length)), 'invalidArgument');
        expectStatus(() => core.kwUnwrap(kek, sampleBytes(length), 'hmac'), 'authenticationFailed');
      }
      expectStatus(() => core.kwWrap(core.generateKey('aesKwp'), kek), 'wrongKeyType');
      expectStatus(() => core.kwUnwrap(core.generateKey('aesKwp'), sampleBytes(40), 'hmac'), 'wrongKeyType');
      expectStatus(
        () => core.kwUnwrap(core.generateKey('aesKw'), core.kwWrap(kek, kek), 'aesKw'),
        'authenticationFailed',
      );
    });
  }),

  suite('key wrap, with and without padding', (core) => {
    it('agrees with node:crypto in both directions', () => {
      const forms = [
        { name: 'id-aes256-wrap', iv: 'a6a6a6a6a6a6a6a6', type: 'aesKw', wrap: 'kwWrap', unwrap: 'kwUnwrap' },
        { name: 'id-aes256-wrap-pad', iv: 'a65959a6', type: 'aesKwp', wrap: 'kwpWrap', unwrap: 'kwpUnwrap' },
      ] as const;
      holds(
        fc.property(octets(32, 32), fc.integer({ min: 2, max: 16 }), fc.constantFrom(...forms), (bytes, n, form) => {
          const kek = core.importKey(form.type, bytes);
          const material = core.randomBytes(8 * n);
          const key = core.importKey('hmac', material);
          const cipher = createCipheriv(form.name, bytes, Buffer.from(form.iv, 'hex'));
          const wrapped = Buffer.concat([cipher.update(material), cipher.final()]);
          expect(core[form.wrap](kek, key)).toEqual(wrapped);
          expect(macOf(core, core[form.unwrap](kek, wrapped, 'hmac'))).toBe(macOf(core, key));
        }),
      );
    });
  }),

  suite('unwrapImported', (core) => {
    const wrappingKey = (): KeyHandle => sharedPair(core, 'rsa2048');

    it('makes the key that was wrapped, by every algorithm', () => {
      for (const length of [28, 32, 48, 64]) {
        const material = sampleBytes(length, 4);
        const expected = macOf(core, core.importKey('hmac', material));
        for (const hash of [1, 256] as const) {
          const plain = core.publicEncrypt(wrappingKey(), `RSAES_OAEP_SHA_${hash}`, material);
          const imported = core.unwrapImported(wrappingKey(), `RSAES_OAEP_SHA_${hash}`, plain, 'hmac', length);
          expect(macOf(core, imported)).toBe(expected);
          const wrapped = rsaAesWrap(core, wrappingKey(), hash, material);
          const algorithm = `RSA_AES_KEY_WRAP_SHA_${hash}` as const;
          expect(macOf(core, core.unwrapImported(wrappingKey(), algorithm, wrapped, 'hmac'))).toBe(expected);
        }
        const sm2 = sharedPair(core, 'sm2');
        const wrapped = core.publicEncrypt(sm2, 'SM2PKE', material);
        expect(macOf(core, core.unwrapImported(sm2, 'SM2PKE', wrapped, 'hmac', length))).toBe(expected);
      }
    });

    it('makes backing keys and private keys', () => {
      const backing = core.unwrapImported(
        wrappingKey(),
        'RSAES_OAEP_SHA_256',
        core.publicEncrypt(wrappingKey(), 'RSAES_OAEP_SHA_256', sampleBytes(32)),
        'backing',
      );
      const blob = core.encryptMessage(core.importKey('backing', sampleBytes(32)), none, aad, aad);
      expect(core.decryptMessage(backing, 0, blob, aad)).toEqual(aad);
      for (const type of ['p256', 'p384', 'p521', 'secp256k1', 'ed25519', 'sm2', 'rsa2048'] as const) {
        const pair = sharedPair(core, type);
        const wrapped = rsaAesWrap(core, wrappingKey(), 256, core.exportPrivateKey(pair));
        const imported = core.unwrapImported(wrappingKey(), 'RSA_AES_KEY_WRAP_SHA_256', wrapped, type);
        expect(core.exportPublicKey(imported)).toEqual(core.exportPublicKey(pair));
      }
    });

    it('tells what does not decrypt from what is no key', () => {
      const wrap = (bytes: Uint8Array): Buffer => core.publicEncrypt(wrappingKey(), 'RSAES_OAEP_SHA_256', bytes);
      const unwrap = (wrapped: Uint8Array, algorithm: WrappingAlgorithm = 'RSAES_OAEP_SHA_256') => {
        return (): KeyHandle => core.unwrapImported(wrappingKey(), algorithm, wrapped, 'backing', 32);
      };
      expectStatus(unwrap(flipBit(wrap(sampleBytes(32)), 50)), 'authenticationFailed');
      expectStatus(unwrap(wrap(sampleBytes(32)), 'RSAES_OAEP_SHA_1'), 'authenticationFailed');
      expectStatus(unwrap(wrap(sampleBytes(32)), 'RSA_AES_KEY_WRAP_SHA_256'), 'authenticationFailed');
      expectStatus(unwrap(sampleBytes(100)), 'authenticationFailed');
      expectStatus(unwrap(none), 'authenticationFailed');
      expectStatus(unwrap(none, 'RSA_AES_KEY_WRAP_SHA_256'), 'authenticationFailed');
      const whole = rsaAesWrap(core, wrappingKey(), 256, sampleBytes(32));
      expectStatus(unwrap(flipBit(whole, 8 * 260), 'RSA_AES_KEY_WRAP_SHA_256'), 'authenticationFailed');
      expectStatus(unwrap(whole.subarray(0, 256), 'RSA_AES_KEY_WRAP_SHA_256'), 'authenticationFailed');
      for (const length of [16, 31, 33, 64]) expectStatus(unwrap(wrap(sampleBytes(length))), 'invalidKey');
      expectStatus(unwrap(wrap(none)), 'invalidKey');
      const hmac = (): KeyHandle =>
        core.unwrapImported(wrappingKey(), 'RSAES_OAEP_SHA_256', wrap(sampleBytes(32)), 'hmac', 48);
      expectStatus(hmac, 'invalidKey');
      const pair = (): KeyHandle =>
        core.unwrapImported(wrappingKey(), 'RSAES_OAEP_SHA_256', wrap(sampleBytes(100)), 'p256');
      expectStatus(pair, 'invalidKey');
    });

    it('refuses keys that wrap nothing', () => {
      for (const key of [sharedPair(core, 'p256'), publicPart(core, wrappingKey()), core.generateKey('hmac')]) {
        for (const algorithm of ['RSAES_OAEP_SHA_256', 'RSA_AES_KEY_WRAP_SHA_1', 'RSAES_PKCS1_V1_5'] as const) {
          expectStatus(() => core.unwrapImported(key, algorithm, sampleBytes(300), 'backing'), 'wrongKeyType');
        }
      }
    });
  }),

  suite('materialFingerprint', (core) => {
    it('is the documented MAC, the same for the same material', () => {
      const label = Buffer.from('keywright/material/v1\0');
      const secret = sampleBytes(32, 8);
      const fingerprintKey = core.importKey('hmac', secret);
      for (const [type, number] of [
        ['backing', 3],
        ['hmac', 4],
      ] as const) {
        const expected = createHmac('sha256', secret)
          .update(Buffer.concat([label, Buffer.of(number), sampleBytes(32)]))
          .digest();
        for (let round = 0; round < 2; round++) {
          expect(core.materialFingerprint(fingerprintKey, core.importKey(type, sampleBytes(32)))).toEqual(expected);
        }
      }
      const pair = sharedPair(core, 'p384');
      const again = core.importPrivateKey('p384', core.exportPrivateKey(pair));
      expect(core.materialFingerprint(fingerprintKey, again)).toEqual(core.materialFingerprint(fingerprintKey, pair));
      expect(core.materialFingerprint(fingerprintKey, core.generateKeyPair('p384'))).not.toEqual(
        core.materialFingerprint(fingerprintKey, pair),
      );
      expectStatus(() => core.materialFingerprint(core.generateKey('backing'), pair), 'wrongKeyType');
      expectStatus(() => core.materialFingerprint(fingerprintKey, publicPart(core, pair)), 'wrongKeyType');
    });
  }),

  suite('data key pairs', (core) => {
    it('have a public key, a private key, and the private key encrypted', () => {
      const key = core.generateKey('backing');
      const header = sampleBytes(20);
      for (const type of PAIR_TYPES.filter((name) => !name.startsWith('mlDsa') && name !== 'rsa4096')) {
        const { publicKey, privateKey, blob } = core.generateDataKeyPair(key, header, aad, type);
        expect(core.decryptMessage(key, 20, blob, aad)).toEqual(privateKey);
        expect(core.exportPublicKey(core.importPrivateKey(type, privateKey))).toEqual(publicKey);
        expect(blob.subarray(0, 20)).toEqual(header);
      }
      const without = core.generateDataKeyPairWithoutPlaintext(key, header, aad, 'p256');
      expect(Object.keys(without)).toEqual(['publicKey', 'blob']);
      const opened = core.importPrivateKey('p256', core.decryptMessage(key, 20, without.blob, aad));
      expect(core.exportPublicKey(opened)).toEqual(without.publicKey);
      expectStatus(() => core.generateDataKeyPair(key, header, aad, 'mlDsa44'), 'invalidArgument');
      expectStatus(() => core.generateDataKeyPair(key, header, aad, 'hmac' as 'p256'), 'invalidArgument');
      expectStatus(() => core.generateDataKeyPair(key, Buffer.alloc(5000), aad, 'p256'), 'invalidArgument');
      expectStatus(() => core.generateDataKeyPair(core.generateKey('hmac'), header, aad, 'p256'), 'wrongKeyType');
    });
  }),

  suite('cmsEnvelopeEncrypt', (core) => {
    it('refuses recipients that are no RSA keys, and plaintexts that are too long', () => {
      const recipient = core.exportPublicKey(sharedPair(core, 'rsa2048'));
      expect(core.cmsEnvelopeEncrypt(recipient, aad)).not.toEqual(core.cmsEnvelopeEncrypt(recipient, aad));
      for (const type of ['p256', 'mlKem512'] as const) {
        const other = core.exportPublicKey(sharedPair(core, type));
        expectStatus(() => core.cmsEnvelopeEncrypt(other, aad), 'invalidKey');
      }
      expectStatus(() => core.cmsEnvelopeEncrypt(flipBit(recipient, 3), aad), 'invalidKey');
      expectStatus(() => core.cmsEnvelopeEncrypt(none, aad), 'invalidKey');
      expectStatus(() => core.cmsEnvelopeEncrypt(recipient, Buffer.alloc(65537)), 'invalidArgument');
      expect(core.cmsEnvelopeEncrypt(recipient, Buffer.alloc(65536)).length).toBeGreaterThan(65536);
    });
  }),
] as const;
