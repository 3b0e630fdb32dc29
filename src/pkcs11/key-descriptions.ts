import type { HsmKeyDescription } from './token.ts';

const CLASSES = new Map<number, HsmKeyDescription['objectClass']>([
  [2, 'public'],
  [3, 'private'],
  [4, 'secret'],
]);

const HEAD_BYTES = 11;

/** The records of `findKeys`, which `native/pkcs11/perform.h` describes. */
export function decodeKeyDescriptions(records: readonly Buffer[]): readonly HsmKeyDescription[] {
  return records.map((record) => {
    const objectClass = CLASSES.get(record.readUInt32BE(0));
    if (objectClass === undefined) throw new Error('keywright: a record of a key in a token has an unknown class');
    const bits = record.readUInt8(8);
    const idEnd = HEAD_BYTES + record.readUInt16BE(9);
    return {
      id: record.subarray(HEAD_BYTES, idEnd),
      label: record.toString('utf8', idEnd),
      objectClass,
      keyType: record.readUInt32BE(4),
      isToken: (bits & 1) !== 0,
      isSensitive: (bits & 2) !== 0,
      isExtractable: (bits & 4) !== 0,
    };
  });
}
