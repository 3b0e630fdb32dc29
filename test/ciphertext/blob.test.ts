import { createDecipheriv, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOB_HEADER_BYTES, encodeBlobHeader, parseBlobHeader } from '../../src/ciphertext/blob-header.ts';
import { encodeEncryptionContext } from '../../src/ciphertext/encryption-context.ts';
import { loadCore, MESSAGE_OVERHEAD_BYTES } from '../../src/core/index.ts';

interface GoldenCase {
  readonly keyId: string;
  readonly materialId: string;
  readonly backingKey: string;
  readonly encryptionContext: Readonly<Record<string, string>>;
  readonly plaintext: string;
  readonly blob: string;
}

const golden = JSON.parse(readFileSync(new URL('../golden/ciphertext-blob-v1.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly GoldenCase[];
};

const core = loadCore();

/** docs/reference/ciphertext.md, followed to the letter with other code than the core's. */
function decryptBySpecification(backingKey: Buffer, blob: Buffer, context: Uint8Array): Buffer {
  const header = blob.subarray(0, 50);
  const nonce = blob.subarray(50, 66);
  const commitment = blob.subarray(66, 98);
  const ciphertext = blob.subarray(98, blob.length - 16);
  const tag = blob.subarray(blob.length - 16);
  const block = (counter: number): Buffer =>
    createHmac('sha256', backingKey)
      .update(Buffer.from([0, 0, 0, counter]))
      .update('keywright/message/v1')
      .update(Buffer.from([0]))
      .update(nonce)
      .update(Buffer.from([0, 0, 2, 0]))
      .digest();
  expect(block(2)).toEqual(commitment);
  const cipher = createDecipheriv('aes-256-gcm', block(1), Buffer.alloc(12));
  cipher.setAAD(Buffer.concat([header, context]));
  cipher.setAuthTag(tag);
  return Buffer.concat([cipher.update(ciphertext), cipher.final()]);
}

describe('ciphertext blob v1', () => {
  it.each(golden.cases.map((each, index) => [index, each] as const))(
    'the golden blob %i opens, by the core and by the written specification',
    (_index, { keyId, materialId, backingKey, encryptionContext, plaintext, blob }) => {
      const bytes = Buffer.from(blob, 'base64');
      const context = encodeEncryptionContext(encryptionContext) ?? new Uint8Array(0);
      expect(parseBlobHeader(bytes, MESSAGE_OVERHEAD_BYTES)).toEqual({ keyId, materialId });
      expect(encodeBlobHeader({ keyId, materialId })).toEqual(bytes.subarray(0, BLOB_HEADER_BYTES));
      const material = Buffer.from(backingKey, 'hex');
      const opened = core.decryptMessage(core.importKey('backing', material), BLOB_HEADER_BYTES, bytes, context);
      expect(opened.toString('hex')).toBe(plaintext);
      expect(decryptBySpecification(material, bytes, context).toString('hex')).toBe(plaintext);
    },
  );

  it('a header is parsed to what it was made from', () => {
    const hex = (bytes: number): fc.Arbitrary<string> =>
      fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value) => Buffer.from(value).toString('hex'));
    const keyId = fc.oneof(
      hex(16).map((digits) => `mrk-${digits}`),
      fc.uuid(),
    );
    fc.assert(
      fc.property(keyId, hex(32), (id, materialId) => {
        const blob = Buffer.concat([encodeBlobHeader({ keyId: id, materialId }), Buffer.alloc(MESSAGE_OVERHEAD_BYTES)]);
        expect(parseBlobHeader(blob, MESSAGE_OVERHEAD_BYTES)).toEqual({ keyId: id, materialId });
      }),
    );
  });

  it('bytes that are no blob are never parsed to more than undefined or a well-formed header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 7000 }), (bytes) => {
        const header = parseBlobHeader(bytes, MESSAGE_OVERHEAD_BYTES);
        if (header !== undefined) {
          expect(bytes.length).toBeLessThanOrEqual(6144);
          expect(encodeBlobHeader(header)).toEqual(Buffer.from(bytes.subarray(0, BLOB_HEADER_BYTES)));
        }
      }),
    );
  });

  it.each([
    ['another version', 0, 2],
    ['another kind of key id', 1, 2],
  ])('%s is not parsed', (_what, offset, value) => {
    const blob = Buffer.alloc(BLOB_HEADER_BYTES + MESSAGE_OVERHEAD_BYTES);
    blob[0] = 1;
    expect(parseBlobHeader(blob, MESSAGE_OVERHEAD_BYTES)).toBeDefined();
    blob[offset] = value;
    expect(parseBlobHeader(blob, MESSAGE_OVERHEAD_BYTES)).toBeUndefined();
  });
});

describe('encryption context', () => {
  const context = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }));

  it('different contexts never have the same encoding, and the order of entries does not matter', () => {
    fc.assert(
      fc.property(context, context, (left, right) => {
        const sorted = (entries: object): string => JSON.stringify(Object.entries(entries).sort());
        const [one, other] = [encodeEncryptionContext(left), encodeEncryptionContext(right)];
        expect(Buffer.compare(one ?? Buffer.from('?'), other ?? Buffer.from('?')) === 0).toBe(
          sorted(left) === sorted(right),
        );
        const reversed = Object.fromEntries(Object.entries(left).reverse());
        expect(encodeEncryptionContext(reversed)).toEqual(one);
      }),
    );
  });

  it('absent and empty are the same', () => {
    expect(encodeEncryptionContext({})).toEqual(encodeEncryptionContext(undefined));
  });

  it('entries are sorted by UTF-8 bytes, which is not the order of UTF-16 units', () => {
    // U+FFFF sorts behind U+1F600 in UTF-16 and before it in UTF-8.
    const encoded = Buffer.from(encodeEncryptionContext({ '\u{1F600}': '', '\uFFFF': '' }) ?? []);
    expect(encoded.indexOf(Buffer.from('\uFFFF'))).toBeLessThan(encoded.indexOf(Buffer.from('\u{1F600}')));
  });

  it('a lone surrogate is refused, because UTF-8 could not tell it from another', () => {
    expect(encodeEncryptionContext({ a: '\uD800' })).toBeUndefined();
    expect(encodeEncryptionContext({ '\uDC00': 'a' })).toBeUndefined();
  });
});
