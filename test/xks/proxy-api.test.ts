/** The encodings that both ends of the proxy API share, and the ones of our blobs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadCore } from '../../src/core/index.ts';
import { encodeExternalBlob, externalAdditionalData, parseExternalBlob } from '../../src/xks/external-blob.ts';
import { integrityValue, managerAdditionalData } from '../../src/xks/proxy-api.ts';
import { SEED } from '../support/seed.ts';

const core = loadCore();

describe('the proxy API', () => {
  it('has the integrity value of the example in the specification, Appendix C', () => {
    const bytes = (text: string): Buffer => Buffer.from(text, 'base64');
    const value = integrityValue(core, Buffer.from('project=nile,department=marketing'), {
      metadata: bytes('a2V5X3ZlcnNpb249MQ=='),
      iv: bytes('HMrlRw85cAJUd5Ax'),
      ciphertext: bytes('ghxkK1txeDNn3q8Y'),
      tag: bytes('vBxN2ncH1oEkR8WVXpmyYQ=='),
    });
    expect(value.toString('base64')).toBe('qHA/ImC9h5HsLRXqCyPmWgYx7tzyoTplzILbP0fPXsc=');
  });

  it('puts the lengths in front of additional data and metadata', () => {
    expect(managerAdditionalData(Buffer.from('abc'), Buffer.from('z')).toString('hex')).toBe('0003616263017a');
    expect(managerAdditionalData(Buffer.alloc(0), Buffer.alloc(0)).toString('hex')).toBe('000000');
    expect(managerAdditionalData(Buffer.alloc(0x1234), Buffer.alloc(0)).readUInt16BE()).toBe(0x1234);
  });
});

describe('blobs of keys in external key stores', () => {
  const bytes = (min: number, max: number): fc.Arbitrary<Uint8Array> =>
    fc.uint8Array({ minLength: min, maxLength: max });
  const sealed = fc.record({
    iv: fc.oneof(bytes(12, 12), bytes(16, 16)),
    metadata: bytes(0, 20),
    tag: bytes(16, 16),
    ciphertext: bytes(1, 200),
  });

  it('are read as they were written', () => {
    fc.assert(
      fc.property(bytes(0, 60), sealed, (header, parts) => {
        const parsed = parseExternalBlob(header.length, encodeExternalBlob(header, parts));
        expect(parsed).toEqual(
          Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, Buffer.from(part)])),
        );
      }),
      { seed: SEED },
    );
  });

  it('that nothing can have written are refused, and never read beyond their end', () => {
    fc.assert(
      fc.property(bytes(0, 80), fc.nat(60), (blob, headerLength) => {
        const parsed = parseExternalBlob(headerLength, blob);
        const size = parsed === undefined ? 0 : Buffer.concat(Object.values(parsed)).length + headerLength + 2;
        expect([0, blob.length]).toContain(size);
      }),
      { seed: SEED },
    );
    const blob = (ivLength: number, metadataLength: number, rest: number): Buffer =>
      Buffer.concat([Buffer.of(ivLength, metadataLength), Buffer.alloc(rest)]);
    expect(parseExternalBlob(0, blob(12, 0, 12 + 16 + 1))).toBeDefined();
    expect(parseExternalBlob(0, blob(12, 0, 12 + 16))).toBeUndefined();
    expect(parseExternalBlob(0, blob(13, 0, 100))).toBeUndefined();
    expect(parseExternalBlob(0, blob(12, 21, 100))).toBeUndefined();
    expect(parseExternalBlob(0, Buffer.alloc(0))).toBeUndefined();
  });

  it('bind header and context by a digest that any proxy takes', () => {
    const digest = (header: string, context: string): string =>
      externalAdditionalData(core, Buffer.from(header), Buffer.from(context)).toString('hex');
    expect(digest('h', 'context')).toHaveLength(64);
    expect(digest('h', 'context')).not.toBe(digest('H', 'context'));
    expect(digest('h', 'context')).not.toBe(digest('h', 'Context'));
    // As docs/reference/ciphertext.md has it.
    const bytes = Buffer.from('keywright/xks-additional-data/v1\0hcontext');
    expect(digest('h', 'context')).toBe(core.digest('SHA-256', bytes).toString('hex'));
  });
});
