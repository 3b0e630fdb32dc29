import { expect, it } from 'vitest';
import type { KeyHandle } from '../../../src/core/crypto-core.ts';
import { expectStatus, sampleBytes, suite } from './support.ts';

/** What a caller without types could pass where bytes are due. */
const NO_BYTES = [
  null,
  'text',
  5,
  {},
  [1, 2],
  { length: 5 },
  new ArrayBuffer(8),
  new DataView(new ArrayBuffer(8)),
  new Uint16Array(4),
];
/** And where a whole number is due. */
const NO_NUMBERS = [null, '1', -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32, 2 ** 53, 1n, {}];

const bytes = sampleBytes(8);

export const argumentConformance = [
  suite('arguments that types would have refused', (core) => {
    it('are invalidArgument where bytes are due', () => {
      const gcm = core.generateKey('aesGcm');
      const backing = core.generateKey('backing');
      const hmac = core.generateKey('hmac');
      const out = Buffer.alloc(200);
      for (const value of NO_BYTES) {
        const wrong = value as Uint8Array;
        for (const run of [
          () => core.encrypt(gcm, wrong),
          () => core.encrypt(gcm, bytes, wrong),
          () => core.decrypt(gcm, out, wrong),
          () => core.encryptInto(gcm, wrong, undefined, out),
          () => core.encryptInto(gcm, bytes, undefined, wrong),
          () => core.decryptInto(gcm, wrong, undefined, out),
          () => core.encryptBatchInto(gcm, { data: wrong, ends: Uint32Array.of(1) }, undefined, out),
          () => core.encryptBatchInto(gcm, { data: bytes, ends: wrong as unknown as Uint32Array }, undefined, out),
          () => core.encryptBatchInto(gcm, { data: bytes, ends: Uint32Array.of(1) }, undefined, wrong),
          () => core.encryptMessage(backing, wrong, bytes, bytes),
          () => core.encryptMessage(backing, bytes, wrong, bytes),
          () => core.encryptMessage(backing, bytes, bytes, wrong),
          () => core.decryptMessage(backing, 0, wrong, bytes),
          () => core.decryptMessage(backing, 0, out, wrong),
          () => core.generateDataKey(backing, wrong, bytes, 32),
          () => core.generateDataKey(backing, bytes, wrong, 32),
          () => core.deriveBytes(backing, wrong, bytes, 32),
          () => core.deriveKey(backing, bytes, wrong, 'hmac'),
          () => core.importKey('hmac', wrong),
          () => core.digest('SHA-256', wrong),
          () => core.hmac(hmac, 'SHA-256', wrong),
          () => core.hmacVerify(hmac, 'SHA-256', bytes, wrong),
          () => core.wrapKey(backing, hmac, wrong),
          () => core.unwrapKey(backing, wrong, bytes, 'hmac'),
        ]) {
          expectStatus(run, 'invalidArgument');
        }
      }
    });

    it('are invalidArgument where numbers are due', () => {
      const gcm = core.generateKey('aesGcm');
      const backing = core.generateKey('backing');
      const out = Buffer.alloc(200);
      for (const value of NO_NUMBERS) {
        const wrong = value as number;
        expectStatus(() => core.encryptInto(gcm, bytes, undefined, out, wrong), 'invalidArgument');
        expectStatus(() => core.decryptMessage(backing, wrong, out, bytes), 'invalidArgument');
        expectStatus(() => core.generateKey('hmac', wrong), 'invalidArgument');
        expectStatus(() => core.deriveBytes(backing, bytes, bytes, wrong), 'invalidArgument');
        expectStatus(() => core.randomBytes(wrong), 'invalidArgument');
      }
    });

    it('are invalidArgument where a key, a type or an algorithm is due', () => {
      const forged = { type: 'aesGcm', destroy: () => undefined };
      for (const key of [undefined, null, 5, {}, forged, Object.create(core.generateKey('aesGcm'))]) {
        expectStatus(() => core.encrypt(key as KeyHandle, bytes), 'invalidArgument');
      }
      for (const name of ['SHA-1', 'toString', '__proto__', '', 1]) {
        expectStatus(() => core.digest(name as 'SHA-256', bytes), 'invalidArgument');
        expectStatus(() => core.generateKey(name as 'hmac'), 'invalidArgument');
      }
    });
  }),
  suite('byte arguments', (core) => {
    it('may be Buffers, Uint8Arrays and views at any offset', () => {
      const key = core.generateKey('aesGcm');
      const memory = new ArrayBuffer(64);
      const view = new Uint8Array(memory, 13, 8);
      view.set(bytes);
      const out = new Uint8Array(memory, 22, 40);
      expect(core.encryptInto(key, view, undefined, out, 2)).toBe(36);
      expect(core.decrypt(key, new Uint8Array(memory, 24, 36))).toEqual(bytes);
    });

    it('may be detached, and then are empty', () => {
      const key = core.generateKey('aesGcm');
      const detached = new Uint8Array(16);
      structuredClone(detached, { transfer: [detached.buffer] });
      expect(core.decrypt(key, core.encrypt(key, detached)).length).toBe(0);
      expectStatus(() => core.encryptInto(key, bytes, undefined, detached), 'bufferTooSmall');
    });

    it('may lie in shared memory', () => {
      const key = core.generateKey('aesGcm');
      const shared = new Uint8Array(new SharedArrayBuffer(64));
      shared.set(bytes);
      expect(core.encryptInto(key, shared.subarray(0, 8), undefined, shared, 8)).toBe(36);
      expect(core.decrypt(key, shared.subarray(8, 44))).toEqual(bytes);
    });
  }),
] as const;
