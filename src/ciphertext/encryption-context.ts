export type EncryptionContext = Readonly<Record<string, string>>;

const EMPTY = new Uint8Array(0);

/**
 * Encodes an encryption context injectively: the number of entries, then each name and value with its length in front,
 * all lengths as 32-bit big-endian, entries sorted by the UTF-8 bytes of their names. No two different contexts have
 * the same encoding; absent and empty are the same context. docs/reference/ciphertext.md specifies it byte by byte.
 *
 * @returns undefined when a name or value is not well-formed Unicode (UTF-8 could not tell such strings apart)
 */
export function encodeEncryptionContext(context: EncryptionContext | undefined): Uint8Array | undefined {
  if (context === undefined) {
    return EMPTY;
  }
  const names = Object.keys(context);
  if (names.length === 0) {
    return EMPTY;
  }
  const entries: (readonly [name: Buffer, value: Buffer])[] = [];
  let length = 4;
  for (const name of names) {
    const value = context[name] ?? '';
    if (!name.isWellFormed() || !value.isWellFormed()) {
      return undefined;
    }
    const entry = [Buffer.from(name, 'utf8'), Buffer.from(value, 'utf8')] as const;
    entries.push(entry);
    length += 8 + entry[0].length + entry[1].length;
  }
  entries.sort((left, right) => Buffer.compare(left[0], right[0]));
  const out = Buffer.allocUnsafe(length);
  let offset = out.writeUInt32BE(entries.length, 0);
  for (const field of entries.flat()) {
    offset = out.writeUInt32BE(field.length, offset);
    offset += field.copy(out, offset);
  }
  return out;
}
