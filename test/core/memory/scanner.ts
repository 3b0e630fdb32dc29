/** Looks for secrets in memory: in whatever part, place and byte order they lie. */

/** Bytes that must not be found, and what they are. */
export interface Canary {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** So many bytes in a row of a secret count as found: half of an AES-256 key, all of an AES-128 key. */
const RUN_BYTES = 16;
/** Every run of 16 bytes holds a piece of 8 that begins at a multiple of 8. */
const PIECE_BYTES = 8;

interface Piece {
  readonly name: string;
  readonly whole: Buffer;
  readonly offset: number;
}

/** The orders in which libcrypto keeps numbers, and loads the words of SHA-256 and SHA-512. */
function ordersOf(bytes: Uint8Array): Buffer[] {
  const forward = Buffer.from(bytes);
  const orders = [forward, Buffer.from(forward).reverse()];
  if (bytes.length % 8 === 0) orders.push(Buffer.from(forward).swap32(), Buffer.from(forward).swap64());
  return orders;
}

/** Counts the places where secrets of a set are found. */
export class Scanner {
  readonly #byFirstWord = new Map<number, Piece[]>();
  // One bit for the first two bytes of every piece: nearly all of memory ends here.
  readonly #isCandidate = new Uint8Array(2 ** 16);

  constructor(canaries: readonly Canary[]) {
    for (const { name, bytes } of canaries) {
      if (bytes.length < RUN_BYTES) throw new Error(`${name} is too short to be looked for`);
      for (const whole of ordersOf(bytes)) {
        for (let offset = 0; offset + PIECE_BYTES <= whole.length; offset += PIECE_BYTES) {
          const word = whole.readInt32LE(offset);
          const others = this.#byFirstWord.get(word) ?? [];
          this.#byFirstWord.set(word, [...others, { name, whole, offset }]);
          this.#isCandidate[word & 0xffff] = 1;
        }
      }
    }
  }

  /** Adds to `found` how often each canary was seen in `memory`. */
  scan(memory: Buffer, found: Map<string, number>): void {
    const last = memory.length - PIECE_BYTES;
    const isCandidate = this.#isCandidate;
    for (let at = 0; at <= last; at++) {
      if (isCandidate[memory[at]! | (memory[at + 1]! << 8)] === 0) continue;
      for (const piece of this.#byFirstWord.get(memory.readInt32LE(at)) ?? []) {
        if (runLength(memory, at, piece) >= RUN_BYTES) found.set(piece.name, (found.get(piece.name) ?? 0) + 1);
      }
    }
  }
}

/** How many bytes of the secret lie in a row around `at`, where `piece` may begin. */
function runLength(memory: Buffer, at: number, { whole, offset }: Piece): number {
  let begin = 0;
  while (begin < Math.min(offset, at) && memory[at - begin - 1] === whole[offset - begin - 1]) begin++;
  let end = 0;
  while (offset + end < whole.length && memory[at + end] === whole[offset + end]) end++;
  return end < PIECE_BYTES ? 0 : begin + end;
}
