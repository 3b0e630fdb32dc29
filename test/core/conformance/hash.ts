import { createHash, createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { DigestAlgorithm } from '../../../src/core/crypto-core.ts';
import { expectStatus, flipBit, holds, octets, sampleBytes, suite } from './support.ts';

const NODE_NAMES: Readonly<Record<DigestAlgorithm, string>> = {
  'SHA-224': 'sha224',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};
const ALGORITHMS = Object.keys(NODE_NAMES) as DigestAlgorithm[];

const algorithms = fc.constantFrom(...ALGORITHMS);

export const hashConformance = [
  suite('digest and hmac', (core) => {
    it('agree with node:crypto', () => {
      holds(
        fc.property(algorithms, octets(200, 1), octets(300), (algorithm, bytes, data) => {
          const key = core.importKey('hmac', bytes);
          const mac = createHmac(NODE_NAMES[algorithm], bytes).update(data).digest();
          expect(core.digest(algorithm, data)).toEqual(createHash(NODE_NAMES[algorithm]).update(data).digest());
          expect(core.hmac(key, algorithm, data)).toEqual(mac);
          expect(core.hmacVerify(key, algorithm, data, mac)).toBe(true);
          key.destroy();
        }),
      );
    });

    it('verify rejects a MAC that changed in any bit or in length', () => {
      const key = core.generateKey('hmac');
      for (const algorithm of ALGORITHMS) {
        const mac = core.hmac(key, algorithm, sampleBytes(3));
        for (let bit = 0; bit < mac.length * 8; bit++) {
          expect(core.hmacVerify(key, algorithm, sampleBytes(3), flipBit(mac, bit))).toBe(false);
        }
        for (let length = 0; length < mac.length; length++) {
          expect(core.hmacVerify(key, algorithm, sampleBytes(3), mac.subarray(0, length))).toBe(false);
        }
        expect(core.hmacVerify(key, algorithm, sampleBytes(3), Buffer.concat([mac, Buffer.alloc(1)]))).toBe(false);
      }
    });

    it('deriveHmacKey makes the key whose bytes are the MAC', () => {
      const key = core.generateKey('hmac');
      for (const algorithm of ALGORITHMS) {
        const derived = core.deriveHmacKey(key, algorithm, sampleBytes(8));
        const expected = core.importKey('hmac', core.hmac(key, algorithm, sampleBytes(8)));
        expect(core.hmac(derived, algorithm, sampleBytes(5))).toEqual(core.hmac(expected, algorithm, sampleBytes(5)));
      }
    });
  }),
  suite('randomBytes', (core) => {
    it('gives from 0 to 2^20 bytes', () => {
      for (const length of [0, 1, 32, 2 ** 20]) expect(core.randomBytes(length).length).toBe(length);
      for (const length of [-1, 2 ** 20 + 1, 1.5, Number.NaN]) {
        expectStatus(() => core.randomBytes(length), 'invalidArgument');
      }
    });

    it('gives other bytes every time, in all positions', () => {
      expect(new Set(Array.from({ length: 500 }, () => core.randomBytes(16).toString('hex'))).size).toBe(500);
      const seen = Buffer.alloc(100);
      for (let round = 0; round < 100; round++) core.randomBytes(100).forEach((byte, index) => (seen[index]! |= byte));
      expect(seen).toEqual(Buffer.alloc(100, 0xff));
    });
  }),
] as const;
