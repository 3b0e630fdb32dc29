/** What the implementations over a native binding share. */
import { CoreError } from './status.ts';

export const NO_BYTES = new Uint8Array(0);
export const MAX_DATA_BYTES = 0x7fff_0000;

/** Gives back what is not negative; throws the {@link CoreError} of a negative number. */
export function check(code: number): number {
  if (code < 0) throw CoreError.fromCode(-code);
  return code;
}

export function codeOf<Name extends string>(codes: Readonly<Record<Name, number>>, name: Name): number {
  if (!Object.hasOwn(codes, name)) throw new CoreError('invalidArgument');
  return codes[name];
}

export function requireWithin(value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) throw new CoreError('invalidArgument');
  return value;
}

/** Length for the allocation of an output; the binding checks what `bytes` is. */
export function lengthOf(bytes: { readonly length: number } | undefined): number {
  const length: unknown = bytes?.length;
  if (typeof length !== 'number' || !(length >= 0 && length <= MAX_DATA_BYTES)) throw new CoreError('invalidArgument');
  return length;
}

// Node.js has Buffers. Elsewhere the results are what a Buffer extends; wasm.ts says so in their type.
const { Buffer: host } = globalThis as { Buffer?: BufferConstructor };
const plain = (length: number): Buffer => new Uint8Array(length) as Buffer;

/** Memory for a result that is not secret. */
export const allocate: (length: number) => Buffer = host === undefined ? plain : (length) => host.allocUnsafe(length);

/** Memory of its own: a slice of the pool would let `.buffer` of a neighbour reach the secret. */
export const allocateSecret: (length: number) => Buffer =
  host === undefined ? plain : (length) => host.allocUnsafeSlow(length);
