/**
 * Encodes a list of texts injectively, for use as AAD or KDF context: each as UTF-8 behind its length in bytes, 32-bit
 * big-endian. The first one names the purpose, so that no two purposes share an encoding.
 */
export function encodeFields(purpose: string, ...fields: readonly string[]): Buffer {
  const parts = [purpose, ...fields].flatMap((field) => {
    const bytes = Buffer.from(field, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat(parts);
}
