/** DER (X.690) as far as a certificate needs it: values one after another, with single-byte tags. */
import { demand } from './attestation-error.ts';

export const DER_TAGS = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  sequence: 0x30,
} as const;

const PROBLEM = 'has a certificate that is not valid DER';

/** Reads the values that stand in `bytes`. Every method throws AttestationError where the bytes are no DER. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** Content of the next value, which must have this tag. */
  next(tag: number): Uint8Array {
    const content = this.nextIf(tag);
    demand(content !== undefined, PROBLEM);
    return content;
  }

  /** Content of the next value if it has this tag; otherwise the value stays where it is. */
  nextIf(tag: number): Uint8Array | undefined {
    if (this.#bytes[this.#offset] !== tag) {
      return undefined;
    }
    const { start, end } = this.#extent();
    demand(end <= this.#bytes.length, PROBLEM);
    this.#offset = end;
    return this.#bytes.subarray(start, end);
  }

  /** A value inside of which is read further. */
  enter(tag: number): DerReader {
    return new DerReader(this.next(tag));
  }

  #extent(): { readonly start: number; readonly end: number } {
    const first = this.#bytes[this.#offset + 1];
    const start = this.#offset + 2;
    demand(first !== undefined, PROBLEM);
    if (first < 0x80) {
      return { start, end: start + first };
    }
    const count = first & 0x7f;
    demand(count >= 1 && count <= 2, PROBLEM);
    const length = this.#bytes.subarray(start, start + count).reduce((sum, byte) => sum * 256 + byte, 0);
    return { start: start + count, end: start + count + length };
  }
}
