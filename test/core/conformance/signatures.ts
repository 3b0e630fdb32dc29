import { expect, it } from 'vitest';
import type { CryptoCore, KeyHandle, MessageType, SignatureAlgorithm } from '../../../src/core/crypto-core.ts';
import { MESSAGE_TYPES, PAIR_TYPES, publicPart, SCHEMES, sharedPair } from './pairs.ts';
import { expectStatus, flipBit, sampleBytes, suite } from './support.ts';

/** Calls `visit` for every pair of algorithm and key, with a message of every type that it takes. */
function forEachUse(
  core: CryptoCore,
  visit: (key: KeyHandle, algorithm: SignatureAlgorithm, messageType: MessageType, message: Buffer) => void,
): void {
  for (const { algorithm, types, messages } of SCHEMES) {
    for (const type of types) {
      for (const [messageType, length] of Object.entries(messages)) {
        visit(sharedPair(core, type), algorithm, messageType as MessageType, sampleBytes(length === 0 ? 77 : length));
      }
    }
  }
}

export const signatureConformance = [
  suite('sign and verify', (core) => {
    it('agree on every algorithm, key and type of message, again and again', () => {
      forEachUse(core, (key, algorithm, messageType, message) => {
        const verifier = publicPart(core, key);
        for (let round = 0; round < 3; round++) {
          const signature = core.sign(key, algorithm, messageType, message);
          expect(core.verify(verifier, algorithm, messageType, message, signature), algorithm).toBe(true);
          expect(core.verify(key, algorithm, messageType, message, signature)).toBe(true);
          expect(core.verify(key, algorithm, messageType, flipBit(message, 9), signature)).toBe(false);
          expect(core.verify(key, algorithm, messageType, message, flipBit(signature, 70 + round))).toBe(false);
        }
        verifier.destroy();
      });
    });

    it('take messages of any length where they are raw', () => {
      for (const [type, algorithm] of [
        ['p256', 'ECDSA_SHA_256'],
        ['ed25519', 'ED25519_SHA_512'],
        ['mlDsa44', 'ML_DSA_SHAKE_256'],
        ['sm2', 'SM2DSA'],
      ] as const) {
        const key = sharedPair(core, type);
        for (const length of [0, 1, 4096]) {
          const signature = core.sign(key, algorithm, 'RAW', sampleBytes(length));
          expect(core.verify(key, algorithm, 'RAW', sampleBytes(length), signature)).toBe(true);
        }
      }
    });

    it('know a raw message and its digest as the same', () => {
      const message = sampleBytes(100);
      for (const [type, algorithm, hash] of [
        ['rsa2048', 'RSASSA_PSS_SHA_384', 'SHA-384'],
        ['rsa2048', 'RSASSA_PKCS1_V1_5_SHA_256', 'SHA-256'],
        ['p521', 'ECDSA_SHA_512', 'SHA-512'],
        ['secp256k1', 'ECDSA_SHA_256', 'SHA-256'],
      ] as const) {
        const key = sharedPair(core, type);
        const digest = core.digest(hash, message);
        expect(core.verify(key, algorithm, 'DIGEST', digest, core.sign(key, algorithm, 'RAW', message))).toBe(true);
        expect(core.verify(key, algorithm, 'RAW', message, core.sign(key, algorithm, 'DIGEST', digest))).toBe(true);
      }
    });

    it('refuse digests and µ of other lengths by a status of its own', () => {
      for (const { algorithm, types, messages } of SCHEMES) {
        const key = sharedPair(core, types[0]!);
        for (const [messageType, length] of Object.entries(messages)) {
          if (length === 0) continue;
          for (const wrong of [0, length - 1, length + 1]) {
            const type = messageType as MessageType;
            expectStatus(() => core.sign(key, algorithm, type, sampleBytes(wrong)), 'invalidLength');
            expectStatus(() => core.verify(key, algorithm, type, sampleBytes(wrong), sampleBytes(8)), 'invalidLength');
          }
        }
      }
    });

    it('refuse types of messages that the algorithm does not have', () => {
      for (const { algorithm, types, messages } of SCHEMES) {
        const key = sharedPair(core, types[0]!);
        for (const type of MESSAGE_TYPES.filter((name) => !(name in messages))) {
          expectStatus(() => core.sign(key, algorithm, type, sampleBytes(64)), 'invalidArgument');
          expectStatus(() => core.verify(key, algorithm, type, sampleBytes(64), sampleBytes(8)), 'invalidArgument');
        }
      }
    });

    it('refuse keys that are none of the algorithm', () => {
      const symmetric = core.generateKey('hmac');
      for (const { algorithm, types, messages } of SCHEMES) {
        const [messageType, length] = Object.entries(messages)[0]! as [MessageType, number];
        for (const type of PAIR_TYPES.filter((name) => !types.some((own) => own === name))) {
          const key = sharedPair(core, type);
          expectStatus(() => core.sign(key, algorithm, messageType, sampleBytes(length)), 'wrongKeyType');
          expectStatus(
            () => core.verify(key, algorithm, messageType, sampleBytes(length), sampleBytes(8)),
            'wrongKeyType',
          );
        }
        expectStatus(() => core.sign(symmetric, algorithm, messageType, sampleBytes(length)), 'wrongKeyType');
        const verifier = publicPart(core, sharedPair(core, types[0]!));
        expectStatus(() => core.sign(verifier, algorithm, messageType, sampleBytes(length)), 'wrongKeyType');
      }
    });

    it('verify answers false for signatures that are none', () => {
      forEachUse(core, (key, algorithm, messageType, message) => {
        const signature = core.sign(key, algorithm, messageType, message);
        const longer = Buffer.concat([signature, Buffer.alloc(1)]);
        for (const wrong of [Buffer.alloc(0), Buffer.of(0x30), Buffer.of(0x30, 0), signature.subarray(1), longer]) {
          expect(core.verify(key, algorithm, messageType, message, wrong)).toBe(false);
        }
        expect(core.verify(key, algorithm, messageType, message, Buffer.alloc(signature.length))).toBe(false);
        expect(core.verify(key, algorithm, messageType, message, sampleBytes(6000))).toBe(false);
      });
    });

    it('sign gives signatures of the documented lengths', () => {
      for (const [type, algorithm, length] of [
        ['rsa2048', 'RSASSA_PSS_SHA_256', 256],
        ['rsa4096', 'RSASSA_PKCS1_V1_5_SHA_512', 512],
        ['ed25519', 'ED25519_SHA_512', 64],
        ['mlDsa44', 'ML_DSA_SHAKE_256', 2420],
        ['mlDsa65', 'ML_DSA_SHAKE_256', 3309],
        ['mlDsa87', 'ML_DSA_SHAKE_256', 4627],
      ] as const) {
        expect(core.sign(sharedPair(core, type), algorithm, 'RAW', sampleBytes(3)).length).toBe(length);
      }
    });

    it('are Ed25519 and Ed25519ph of RFC 8032', () => {
      // §7.1, test 2, and §7.3; there the message is "abc", so here its digest cannot give the same signature.
      const seed = Buffer.from('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', 'hex');
      const key = core.importPrivateKey('ed25519', seed);
      const signature =
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
        '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';
      expect(core.sign(key, 'ED25519_SHA_512', 'RAW', Buffer.of(0x72)).toString('hex')).toBe(signature);
    });
  }),
] as const;
