import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { AEAD_OVERHEAD_BYTES } from '../../../src/core/crypto-core.ts';
import { expectStatus, flipBit, holds, octets, pack, sampleBytes, suite, unpack, type Suite } from './support.ts';

/** AES-GCM by node:crypto, in the layout of the core: nonce ‖ ciphertext ‖ tag. */
const nodeGcm = {
  encrypt(key: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Buffer {
    const nonce = randomBytes(12);
    const cipher = createCipheriv(`aes-${key.length === 16 ? 128 : 256}-gcm`, key, nonce).setAAD(aad);
    return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  },
  decrypt(key: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Buffer {
    const decipher = createDecipheriv(`aes-${key.length === 16 ? 128 : 256}-gcm`, key, sealed.subarray(0, 12)).setAAD(
      aad,
    );
    decipher.setAuthTag(sealed.subarray(-16));
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
  },
};

type GcmType = 'aesGcm' | 'aes128Gcm';

const manyBlocks = (type: GcmType, keyBytes: number): Suite =>
  suite(`encrypt and decrypt many blocks with ${type}`, (core) => {
    it('agrees with node:crypto on many blocks, and in the middle of one', () => {
      const key = core.importKey(type, sampleBytes(keyBytes));
      holds(
        fc.property(fc.nat(10_000), fc.nat(4_000), (length, aadLength) => {
          const plaintext = core.randomBytes(length);
          const aad = core.randomBytes(aadLength);
          const bytes = sampleBytes(keyBytes);
          expect(nodeGcm.decrypt(bytes, core.encrypt(key, plaintext, aad), aad).equals(plaintext)).toBe(true);
          expect(core.decrypt(key, nodeGcm.encrypt(bytes, plaintext, aad), aad).equals(plaintext)).toBe(true);
        }),
      );
    });
  });

const single = (type: GcmType, keyBytes: number): Suite =>
  suite(`encrypt and decrypt with ${type}`, (core) => {
    it('gives back what was encrypted', () => {
      const key = core.generateKey(type);
      holds(
        fc.property(octets(300), octets(100), (plaintext, aad) => {
          const sealed = core.encrypt(key, plaintext, aad);
          expect(sealed.length).toBe(plaintext.length + AEAD_OVERHEAD_BYTES);
          expect(core.decrypt(key, sealed, aad)).toEqual(Buffer.from(plaintext));
        }),
      );
    });

    it('agrees with node:crypto in both directions', () => {
      holds(
        fc.property(octets(keyBytes, keyBytes), octets(300), octets(100), (bytes, plaintext, aad) => {
          const key = core.importKey(type, bytes);
          expect(nodeGcm.decrypt(bytes, core.encrypt(key, plaintext, aad), aad)).toEqual(Buffer.from(plaintext));
          expect(core.decrypt(key, nodeGcm.encrypt(bytes, plaintext, aad), aad)).toEqual(Buffer.from(plaintext));
          key.destroy();
        }),
      );
    });

    it('takes no AAD and empty AAD as the same', () => {
      const key = core.generateKey(type);
      expect(core.decrypt(key, core.encrypt(key, sampleBytes(5)), Buffer.alloc(0))).toEqual(sampleBytes(5));
      expect(core.decrypt(key, core.encrypt(key, sampleBytes(5), new Uint8Array(0)))).toEqual(sampleBytes(5));
    });

    it('gives another ciphertext every time', () => {
      const key = core.generateKey(type);
      const sealed = Array.from({ length: 2000 }, () => core.encrypt(key, sampleBytes(1)).toString('hex'));
      expect(new Set(sealed).size).toBe(2000);
    });

    it('carries a megabyte', () => {
      const key = core.generateKey(type);
      const plaintext = core.randomBytes(2 ** 20);
      expect(core.decrypt(key, core.encrypt(key, plaintext)).equals(plaintext)).toBe(true);
    });

    it('decrypt rejects a blob that changed in any bit, and releases nothing', () => {
      const key = core.generateKey(type);
      const aad = sampleBytes(9);
      const sealed = core.encrypt(key, sampleBytes(20), aad);
      for (let bit = 0; bit < sealed.length * 8; bit++) {
        const out = Buffer.alloc(20, 0xaa);
        expectStatus(() => core.decryptInto(key, flipBit(sealed, bit), aad, out), 'authenticationFailed');
        expect(out).toEqual(Buffer.alloc(20));
      }
    });

    it('decrypt rejects another AAD, another key and every truncation', () => {
      const key = core.generateKey(type);
      const aad = sampleBytes(9);
      const sealed = core.encrypt(key, sampleBytes(20), aad);
      expectStatus(() => core.decrypt(key, sealed), 'authenticationFailed');
      expectStatus(() => core.decrypt(key, sealed, flipBit(aad, 3)), 'authenticationFailed');
      expectStatus(() => core.decrypt(core.generateKey(type), sealed, aad), 'authenticationFailed');
      for (let length = 0; length < sealed.length; length++) {
        expectStatus(() => core.decrypt(key, sealed.subarray(0, length), aad), 'authenticationFailed');
      }
    });
  });

const into = (type: GcmType): Suite =>
  suite(`encryptInto and decryptInto with ${type}`, (core) => {
    it('write at the offset, return the length, and leave the rest alone', () => {
      const key = core.generateKey(type);
      const out = Buffer.alloc(100, 0xaa);
      expect(core.encryptInto(key, sampleBytes(20), undefined, out, 30)).toBe(48);
      expect(out.subarray(0, 30)).toEqual(Buffer.alloc(30, 0xaa));
      expect(out.subarray(78)).toEqual(Buffer.alloc(22, 0xaa));
      const opened = Buffer.alloc(60, 0xaa);
      expect(core.decryptInto(key, out.subarray(30, 78), undefined, opened, 10)).toBe(20);
      expect(opened).toEqual(Buffer.concat([Buffer.alloc(10, 0xaa), sampleBytes(20), Buffer.alloc(30, 0xaa)]));
    });

    it('fill an output to its last byte', () => {
      const key = core.generateKey(type);
      const out = Buffer.alloc(48);
      expect(core.encryptInto(key, sampleBytes(20), undefined, out)).toBe(48);
      expect(core.decryptInto(key, out, undefined, Buffer.alloc(20))).toBe(20);
      expect(core.encryptInto(key, new Uint8Array(0), undefined, out, 20)).toBe(28);
    });

    it('refuse an output that is too small, and write nothing', () => {
      const key = core.generateKey(type);
      const out = Buffer.alloc(48, 0xaa);
      const sealed = core.encrypt(key, sampleBytes(20));
      for (const offset of [1, 47, 48, 49, 2 ** 31, 2 ** 32 - 29]) {
        expectStatus(() => core.encryptInto(key, sampleBytes(20), undefined, out, offset), 'bufferTooSmall');
        expectStatus(() => core.decryptInto(key, sealed, undefined, out, offset + 28), 'bufferTooSmall');
      }
      expect(out).toEqual(Buffer.alloc(48, 0xaa));
    });

    it('refuse an output that overlaps an input', () => {
      const key = core.generateKey(type);
      const memory = Buffer.alloc(200);
      expectStatus(() => core.encryptInto(key, memory.subarray(0, 20), undefined, memory), 'invalidArgument');
      expectStatus(() => core.encryptInto(key, memory.subarray(47, 67), undefined, memory), 'invalidArgument');
      expectStatus(() => core.encryptInto(key, sampleBytes(20), memory.subarray(40, 50), memory), 'invalidArgument');
      expect(core.encryptInto(key, memory.subarray(48, 68), memory.subarray(90), memory)).toBe(48);
      expectStatus(
        () => core.decryptInto(key, memory.subarray(0, 48), memory.subarray(90), memory, 30),
        'invalidArgument',
      );
    });
  });

const batches = (type: GcmType): Suite =>
  suite(`batches with ${type}`, (core) => {
    it('give back what was encrypted, item by item', () => {
      const key = core.generateKey(type);
      holds(
        fc.property(fc.array(octets(60), { maxLength: 20 }), octets(40), (items, aad) => {
          const packed = pack(items);
          const out = Buffer.alloc(packed.data.length + items.length * AEAD_OVERHEAD_BYTES + 3);
          const sealed = core.encryptBatchInto(key, packed, aad, out);
          for (const [index, item] of unpack(sealed).entries()) {
            expect(core.decrypt(key, item, aad)).toEqual(Buffer.from(items[index]!));
          }
          const opened = core.decryptBatchInto(key, sealed, aad, Buffer.alloc(packed.data.length));
          expect(unpack(opened).map((item) => Buffer.from(item))).toEqual(items.map((item) => Buffer.from(item)));
        }),
      );
    });

    it('fail as a whole when one item fails, and release nothing', () => {
      const key = core.generateKey(type);
      const packed = pack([sampleBytes(10), sampleBytes(20), sampleBytes(30)]);
      const sealed = core.encryptBatchInto(key, packed, undefined, Buffer.alloc(60 + 3 * AEAD_OVERHEAD_BYTES));
      sealed.data[50]! ^= 1;
      const out = Buffer.alloc(60, 0xaa);
      expectStatus(() => core.decryptBatchInto(key, sealed, undefined, out), 'authenticationFailed');
      expect(out).toEqual(Buffer.alloc(60));
      expectStatus(() => core.decryptBatchInto(key, pack([sampleBytes(27)]), undefined, out), 'authenticationFailed');
    });

    it('refuse ends that are not in order or lie outside of the data', () => {
      const key = core.generateKey(type);
      const data = sampleBytes(40);
      const out = Buffer.alloc(500);
      for (const ends of [[20, 10], [41], [10, 2 ** 32 - 1]]) {
        const items = { data, ends: Uint32Array.from(ends) };
        expectStatus(() => core.encryptBatchInto(key, items, undefined, out), 'invalidArgument');
        expectStatus(() => core.decryptBatchInto(key, items, undefined, out), 'invalidArgument');
      }
    });

    it('refuse an output that is too small or overlaps', () => {
      const key = core.generateKey(type);
      const items = pack([sampleBytes(10), sampleBytes(10)]);
      const out = Buffer.alloc(75, 0xaa);
      expectStatus(() => core.encryptBatchInto(key, items, undefined, out), 'bufferTooSmall');
      expect(out).toEqual(Buffer.alloc(75, 0xaa));
      const memory = new Uint8Array(200);
      const inside = { data: memory.subarray(100), ends: Uint32Array.of(10) };
      expectStatus(() => core.encryptBatchInto(key, inside, undefined, memory.subarray(90)), 'invalidArgument');
      const ends = new Uint32Array(memory.buffer, 0, 1);
      ends[0] = 10;
      expectStatus(
        () => core.encryptBatchInto(key, { data: sampleBytes(10), ends }, undefined, memory),
        'invalidArgument',
      );
    });
  });

export const aeadConformance = [
  ...[single('aesGcm', 32), manyBlocks('aesGcm', 32), into('aesGcm'), batches('aesGcm')],
  ...[single('aes128Gcm', 16), manyBlocks('aes128Gcm', 16), into('aes128Gcm'), batches('aes128Gcm')],
];
