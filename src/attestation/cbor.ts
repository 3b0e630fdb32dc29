/** CBOR (RFC 8949) as far as attestation documents use it, with limits for bytes that anybody may have sent. */
import { decode, encode, Tag, type DecodeOptions } from 'cbor2';
import { AttestationError } from './attestation-error.ts';

/** Documents nest three deep; cbor2 counts some levels twice. */
const MAX_DEPTH = 8;

/**
 * Indefinite lengths are let through: the Nitro hypervisor writes its map so. Tags are handed on and not interpreted,
 * so that no tag turns bytes into something else than bytes.
 */
const OPTIONS: DecodeOptions = {
  maxDepth: MAX_DEPTH,
  ignoreGlobalTags: true,
  preferMap: true,
  createObject: toMap,
  rejectFloats: true,
  rejectSimple: true,
  rejectUndefined: true,
};

export { Tag };

/**
 * Decodes exactly one data item. Maps become `Map`s, byte strings `Uint8Array`s that share memory with the input.
 *
 * @throws AttestationError for whatever is no such item: trailing bytes, a map with the same key twice or with keys
 *   that are neither integers nor texts, too deep nesting, floats, undefined
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, OPTIONS);
  } catch (error) {
    throw new AttestationError('is not well-formed CBOR', { cause: error });
  }
}

/** Encodes an array of texts and byte strings, with the shortest heads. */
export function encodeCbor(items: readonly (string | Uint8Array)[]): Uint8Array {
  return encode(items.map((item) => (typeof item === 'string' ? item : withoutBuffer(item))));
}

/** cbor2 knows `Uint8Array` by its constructor, and writes a `Buffer` as a map. */
function withoutBuffer(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Finds keys twice by value, not by encoding: a longer head does not make another key of it. */
function toMap(entries: readonly (readonly unknown[])[]): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  for (const [key, value] of entries) {
    if ((typeof key !== 'string' && typeof key !== 'number') || map.has(key)) {
      throw new AttestationError('has a map with a wrong or repeated key');
    }
    map.set(key, value);
  }
  return map;
}
