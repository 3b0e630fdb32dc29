/** Vectors of C2SP/wycheproof, which are data beside this repository and no part of it. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { CryptoCore, DigestAlgorithm, KeyHandle } from '../../../src/core/crypto-core.ts';
import { expectStatus, suite } from './support.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const FOLDER = path.join(process.env['KEYWRIGHT_VECTORS'] ?? path.resolve(ROOT, '../shared/vectors'), 'wycheproof');
const isPresent = existsSync(FOLDER);

interface Vector {
  readonly tcId: number;
  readonly result: 'valid' | 'invalid' | 'acceptable';
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}

interface Group {
  readonly keySize: number;
  readonly ivSize: number;
  readonly tagSize: number;
  readonly tests: readonly Vector[];
}

interface VectorFile {
  readonly numberOfTests: number;
  readonly testGroups: readonly Group[];
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/**
 * Runs every vector of a file whose group `skip` gives no reason to leave out, and checks that none was lost: those
 * that ran and those left out, which `skipped` lists by reason, are all that the file says it has.
 */
function runFile(
  name: string,
  skip: (group: Group) => string | undefined,
  skipped: Readonly<Record<string, number>>,
  check: (vector: Vector, group: Group) => void,
): void {
  const file = JSON.parse(readFileSync(path.join(FOLDER, `${name}_test.json`), 'utf8')) as VectorFile;
  const leftOut: Record<string, number> = {};
  let count = 0;
  for (const group of file.testGroups) {
    const reason = skip(group);
    if (reason !== undefined) leftOut[reason] = (leftOut[reason] ?? 0) + group.tests.length;
    for (const vector of group.tests) {
      count++;
      if (reason === undefined) withName(`${name} ${vector.tcId}`, () => check(vector, group));
    }
  }
  expect(count).toBe(file.numberOfTests);
  expect(leftOut).toEqual(skipped);
}

function withName(name: string, action: () => void): void {
  try {
    action();
  } catch (cause) {
    throw new Error(`vector ${name} failed`, { cause });
  }
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
      expect(isPresent, `no vectors in ${FOLDER}; set KEYWRIGHT_VECTORS`).toBe(true);
    });

    const run = it.skipIf(!isPresent);
    const hint = isPresent ? '' : ' (skipped: no vectors; set KEYWRIGHT_VECTORS to the folder that holds wycheproof/)';

    run(`of AES-256-GCM with 96-bit nonces decrypt or are rejected as they say${hint}`, () => {
      const skip = ({ keySize, ivSize }: Group): string | undefined => {
        if (keySize !== 256) return 'another key size than AES-256';
        return ivSize === 96 ? undefined : 'another nonce size than 96 bits';
      };
      const skipped = { 'another key size than AES-256': 211, 'another nonce size than 96 bits': 39 };
      runFile('aes_gcm', skip, skipped, (vector, { tagSize }) => {
        expect(tagSize).toBe(128);
        const key = core.importKey('aesGcm', hex(vector.key));
        const sealed = hex(vector.iv + vector.ct + vector.tag);
        if (vector.result === 'valid') expect(core.decrypt(key, sealed, hex(vector.aad))).toEqual(hex(vector.msg));
        else expectStatus(() => core.decrypt(key, sealed, hex(vector.aad)), 'authenticationFailed');
      });
    });

    run(`of AES-256-KWP wrap, unwrap or are rejected as they say${hint}`, () => {
      const skip = ({ keySize }: Group): string | undefined => {
        return keySize === 256 ? undefined : 'another key size than AES-256';
      };
      runFile('aes_kwp', skip, { 'another key size than AES-256': 160 }, (vector) => checkKeyWrap(core, vector));
    });

    for (const algorithm of ['SHA-224', 'SHA-256', 'SHA-384', 'SHA-512'] as const) {
      run(`of HMAC with ${algorithm} verify or are rejected as they say${hint}`, () => {
        const name = `hmac_${algorithm.toLowerCase().replace('-', '')}`;
        runFile(
          name,
          () => undefined,
          {},
          (vector, group) => checkHmac(core, algorithm, vector, group),
        );
      });
    }
  }),
] as const;
