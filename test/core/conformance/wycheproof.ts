import { expect, it } from 'vitest';
import type { CryptoCore, DigestAlgorithm, KeyHandle } from '../../../src/core/crypto-core.ts';
import { expectStatus, suite } from './support.ts';
import {
  hex,
  HINT,
  itWithVectors as run,
  nothing,
  requireVectors,
  runVectors,
  type AnyGroup,
  type AnyVector,
} from './wycheproof-support.ts';

interface Vector extends AnyVector {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}

interface Group extends AnyGroup<Vector> {
  readonly keySize: number;
  readonly ivSize: number;
  readonly tagSize: number;
}

function checkHmac(core: CryptoCore, algorithm: DigestAlgorithm, vector: Vector, { tagSize }: Group): void {
  const key = core.importKey('hmac', hex(vector.key));
  const expected = hex(vector.tag);
  // The core has no truncated MACs: of those, the front of the whole MAC is compared.
  const mac = core.hmac(key, algorithm, hex(vector.msg)).subarray(0, tagSize / 8);
  expect(mac.equals(expected)).toBe(vector.result === 'valid');
  const isWhole = mac.length === core.digest(algorithm, expected).length;
  expect(core.hmacVerify(key, algorithm, hex(vector.msg), expected)).toBe(isWhole && vector.result === 'valid');
  key.destroy();
}

function checkKeyWrap(core: CryptoCore, vector: Vector): void {
  const kek = core.importKey('aesKwp', hex(vector.key));
  const fingerprint = (key: KeyHandle): Buffer => core.hmac(key, 'SHA-256', Buffer.from('which key?'));
  if (vector.result === 'valid') {
    const key = core.importKey('hmac', hex(vector.msg));
    expect(core.kwpWrap(kek, key)).toEqual(hex(vector.ct));
    expect(fingerprint(core.kwpUnwrap(kek, hex(vector.ct), 'hmac'))).toEqual(fingerprint(key));
  } else {
    expectStatus(() => core.kwpUnwrap(kek, hex(vector.ct), 'hmac'), 'authenticationFailed');
  }
}

export const wycheproofConformance = [
  suite('Wycheproof vectors', (core) => {
    it.runIf(process.env['CI'] === 'true')('are there, because CI must run them', () => {
      requireVectors();
    });

    run(`of AES-128-GCM and AES-256-GCM with 96-bit nonces decrypt or are rejected as they say${HINT}`, () => {
      const skip = (_: Vector, { keySize, ivSize }: Group): string | undefined => {
        if (keySize === 192) return 'AES-192, which the core does not have';
        return ivSize === 96 ? undefined : 'another nonce size than 96 bits';
      };
      const skipped = { 'AES-192, which the core does not have': 103, 'another nonce size than 96 bits': 80 };
      runVectors<Vector, Group>('aes_gcm', skip, skipped, (vector, { keySize, tagSize }) => {
        expect(tagSize).toBe(128);
        const key = core.importKey(keySize === 128 ? 'aes128Gcm' : 'aesGcm', hex(vector.key));
        const sealed = hex(vector.iv + vector.ct + vector.tag);
        if (vector.result === 'valid') expect(core.decrypt(key, sealed, hex(vector.aad))).toEqual(hex(vector.msg));
        else expectStatus(() => core.decrypt(key, sealed, hex(vector.aad)), 'authenticationFailed');
      });
    });

    run(`of AES-256-KWP wrap, unwrap or are rejected as they say${HINT}`, () => {
      const skip = (_: Vector, { keySize }: Group): string | undefined => {
        return keySize === 256 ? undefined : 'another key size than AES-256';
      };
      runVectors<Vector, Group>('aes_kwp', skip, { 'another key size than AES-256': 160 }, (vector) =>
        checkKeyWrap(core, vector),
      );
    });

    for (const algorithm of ['SHA-224', 'SHA-256', 'SHA-384', 'SHA-512'] as const) {
      run(`of HMAC with ${algorithm} verify or are rejected as they say${HINT}`, () => {
        const name = `hmac_${algorithm.toLowerCase().replace('-', '')}`;
        runVectors<Vector, Group>(name, nothing, {}, (vector, group) => checkHmac(core, algorithm, vector, group));
      });
    }
  }),
] as const;
