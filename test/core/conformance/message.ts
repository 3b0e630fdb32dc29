import { createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { MESSAGE_OVERHEAD_BYTES } from '../../../src/core/crypto-core.ts';
import { expectStatus, flipBit, holds, octets, pack, sampleBytes, suite, unpack } from './support.ts';

/** SP 800-108r1 §4.1 in counter mode with HMAC-SHA-256, from its text. */
export function counterModeKdf(key: Uint8Array, label: Uint8Array, context: Uint8Array, length: number): Buffer {
  const uint32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, index) =>
    createHmac('sha256', key)
      .update(Buffer.concat([uint32(index + 1), label, Buffer.alloc(1), context, uint32(length * 8)]))
      .digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

/** Opens the body (nonce ‖ commitment ‖ ciphertext ‖ tag) of a blob with node:crypto alone. */
export function openWithNode(key: Uint8Array, label: string, body: Uint8Array, aad: Uint8Array): Buffer {
  const secrets = counterModeKdf(key, Buffer.from(label), body.subarray(0, 16), 64);
  if (!timingSafeEqual(secrets.subarray(32), body.subarray(16, 48))) throw new Error('commitment');
  const decipher = createDecipheriv('aes-256-gcm', secrets.subarray(0, 32), Buffer.alloc(12)).setAAD(aad);
  decipher.setAuthTag(body.subarray(-16));
  return Buffer.concat([decipher.update(body.subarray(48, -16)), decipher.final()]);
}

const header = sampleBytes(13, 1);
const context = sampleBytes(21, 2);
const blobLength = (plaintextLength: number): number => header.length + plaintextLength + MESSAGE_OVERHEAD_BYTES;

export const messageConformance = [
  suite('encryptMessage and decryptMessage', (core) => {
    it('give back what was encrypted', () => {
      const key = core.generateKey('backing');
      holds(
        fc.property(octets(60), octets(60), octets(300), (anyHeader, anyContext, plaintext) => {
          const blob = core.encryptMessage(key, anyHeader, anyContext, plaintext);
          expect(blob.length).toBe(anyHeader.length + plaintext.length + MESSAGE_OVERHEAD_BYTES);
          expect(blob.subarray(0, anyHeader.length)).toEqual(Buffer.from(anyHeader));
          expect(core.decryptMessage(key, anyHeader.length, blob, anyContext)).toEqual(Buffer.from(plaintext));
        }),
      );
    });

    it('are the documented construction, as node:crypto computes it', () => {
      holds(
        fc.property(octets(32, 32), octets(100), (bytes, plaintext) => {
          const key = core.importKey('backing', bytes);
          const blob = core.encryptMessage(key, header, context, plaintext);
          const aad = Buffer.concat([header, context]);
          const body = blob.subarray(header.length);
          expect(openWithNode(bytes, 'keywright/message/v1', body, aad)).toEqual(Buffer.from(plaintext));
          key.destroy();
        }),
      );
    });

    it('use another message key every time', () => {
      const key = core.generateKey('backing');
      const blobs = Array.from({ length: 2000 }, () => core.encryptMessage(key, header, context, sampleBytes(4)));
      expect(new Set(blobs.map((blob) => blob.toString('hex', 13, 29))).size).toBe(2000);
      expect(new Set(blobs.map((blob) => blob.toString('hex', 29, 61))).size).toBe(2000);
    });

    it('decrypt rejects a blob that changed in any bit, and releases nothing', () => {
      const key = core.generateKey('backing');
      const blob = core.encryptMessage(key, header, context, sampleBytes(20));
      for (let bit = 0; bit < blob.length * 8; bit++) {
        const out = Buffer.alloc(20, 0xaa);
        expectStatus(
          () => core.decryptMessageInto(key, header.length, flipBit(blob, bit), context, out),
          'authenticationFailed',
        );
        expect(out).toEqual(Buffer.alloc(20));
      }
    });

    it('decrypt rejects another context, key or header length, and every truncation', () => {
      const key = core.generateKey('backing');
      const blob = core.encryptMessage(key, header, context, sampleBytes(20));
      const open = (length: number, bytes: Uint8Array, bound: Uint8Array, by = key): (() => unknown) => {
        return () => core.decryptMessage(by, length, bytes, bound);
      };
      expectStatus(open(13, blob, context.subarray(1)), 'authenticationFailed');
      expectStatus(open(13, blob, new Uint8Array(0)), 'authenticationFailed');
      expectStatus(open(13, blob, context, core.generateKey('backing')), 'authenticationFailed');
      for (const length of [0, 12, 14, 33, 34, 4096]) expectStatus(open(length, blob, context), 'authenticationFailed');
      for (let length = 0; length < blob.length; length++) {
        expectStatus(open(13, blob.subarray(0, length), context), 'authenticationFailed');
      }
    });

    it('write at the offset and refuse outputs that are too small or overlap', () => {
      const key = core.generateKey('backing');
      const out = Buffer.alloc(200, 0xaa);
      const length = blobLength(20);
      expect(core.encryptMessageInto(key, header, context, sampleBytes(20), out, 50)).toBe(length);
      expect(out.subarray(0, 50)).toEqual(Buffer.alloc(50, 0xaa));
      expect(out.subarray(50 + length)).toEqual(Buffer.alloc(150 - length, 0xaa));
      const opened = Buffer.alloc(30, 0xaa);
      const blob = out.subarray(50, 50 + length);
      expect(core.decryptMessageInto(key, 13, blob, context, opened, 5)).toBe(20);
      expect(opened.subarray(5, 25)).toEqual(sampleBytes(20));

      expectStatus(() => core.encryptMessageInto(key, header, context, sampleBytes(20), out, 104), 'bufferTooSmall');
      expectStatus(() => core.decryptMessageInto(key, 13, blob, context, opened, 11), 'bufferTooSmall');
      for (const [h, c, p] of [
        [out, context, header],
        [header, out, header],
        [header, context, out],
      ] as const) {
        expectStatus(() => core.encryptMessageInto(key, h.subarray(0, 5), c, p.subarray(0, 5), out), 'invalidArgument');
      }
      expectStatus(() => core.decryptMessageInto(key, 13, blob, context, out, 60), 'invalidArgument');
    });
  }),
  suite('batches of messages', (core) => {
    it('give back what was encrypted, item by item', () => {
      const key = core.generateKey('backing');
      holds(
        fc.property(fc.array(octets(60), { maxLength: 20 }), (items) => {
          const packed = pack(items);
          const out = Buffer.alloc(packed.data.length + items.length * blobLength(0));
          const blobs = core.encryptMessageBatchInto(key, header, context, packed, out);
          for (const [index, blob] of unpack(blobs).entries()) {
            expect(core.decryptMessage(key, 13, blob, context)).toEqual(Buffer.from(items[index]!));
          }
          const opened = core.decryptMessageBatchInto(key, 13, context, blobs, Buffer.alloc(packed.data.length));
          expect(unpack(opened).map((item) => Buffer.from(item))).toEqual(items.map((item) => Buffer.from(item)));
        }),
      );
    });

    it('fail as a whole when one item fails, and release nothing', () => {
      const key = core.generateKey('backing');
      const packed = pack([sampleBytes(10), sampleBytes(20)]);
      const out = Buffer.alloc(30 + 2 * blobLength(0));
      const blobs = core.encryptMessageBatchInto(key, header, context, packed, out);
      out[out.length - 1]! ^= 1;
      const opened = Buffer.alloc(30, 0xaa);
      expectStatus(() => core.decryptMessageBatchInto(key, 13, context, blobs, opened), 'authenticationFailed');
      expect(opened).toEqual(Buffer.alloc(30));
    });
  }),
  suite('data keys', (core) => {
    it('are in the blob that comes with them', () => {
      const key = core.generateKey('backing');
      for (const length of [1, 16, 32, 64, 1024]) {
        const { plaintext, blob } = core.generateDataKey(key, header, context, length);
        expect(plaintext.length).toBe(length);
        expect(core.decryptMessage(key, 13, blob, context)).toEqual(plaintext);
        const hidden = core.generateDataKeyWithoutPlaintext(key, header, context, length);
        expect(core.decryptMessage(key, 13, hidden, context).length).toBe(length);
      }
    });

    it('differ from call to call', () => {
      const key = core.generateKey('backing');
      const keys = Array.from({ length: 500 }, () => core.generateDataKey(key, header, context, 32).plaintext);
      expect(new Set(keys.map((bytes) => bytes.toString('hex'))).size).toBe(500);
    });

    it('never lie in memory that other Buffers share', () => {
      const { plaintext } = core.generateDataKey(core.generateKey('backing'), header, context, 32);
      expect(plaintext.buffer.byteLength).toBe(32);
    });

    it('come in batches', () => {
      const key = core.generateKey('backing');
      const plaintexts = Buffer.alloc(10 * 32 + 5, 0xaa);
      const blobs = Buffer.alloc(10 * blobLength(32) + 5, 0xaa);
      core.generateDataKeyBatchInto(key, header, context, 32, 10, plaintexts, blobs);
      const seen = new Set<string>();
      for (let index = 0; index < 10; index++) {
        const blob = blobs.subarray(index * blobLength(32), (index + 1) * blobLength(32));
        const plaintext = plaintexts.subarray(index * 32, (index + 1) * 32);
        expect(core.decryptMessage(key, 13, blob, context)).toEqual(plaintext);
        seen.add(plaintext.toString('hex'));
      }
      expect(seen.size).toBe(10);
      expect(plaintexts.subarray(320)).toEqual(Buffer.alloc(5, 0xaa));
      expect(blobs.subarray(-5)).toEqual(Buffer.alloc(5, 0xaa));
    });

    it('have 1 to 1024 bytes', () => {
      const key = core.generateKey('backing');
      for (const length of [0, 1025, -1, 1.5, Number.NaN]) {
        expectStatus(() => core.generateDataKey(key, header, context, length), 'invalidArgument');
        expectStatus(() => core.generateDataKeyWithoutPlaintext(key, header, context, length), 'invalidArgument');
      }
      const room = Buffer.alloc(1000);
      const batch = (length: number, count: number): (() => void) => {
        return () => core.generateDataKeyBatchInto(key, header, context, length, count, Buffer.alloc(99), room);
      };
      expectStatus(batch(32, 0), 'invalidArgument');
      expectStatus(batch(32, 4), 'bufferTooSmall');
      expectStatus(batch(1, 50), 'bufferTooSmall');
      expectStatus(batch(32, 2 ** 32 - 1), 'bufferTooSmall');
    });
  }),
] as const;
