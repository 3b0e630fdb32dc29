/**
 * What a process and its helper send each other: frames of numbers and bytes. All integers have 32 bits, little-endian:
 *
 *     length of what follows ‖ how many numbers ‖ the numbers ‖ (length ‖ bytes) of each part
 */
import type { Socket } from 'node:net';

export interface Frame {
  /** Unsigned, 32 bits. */
  readonly numbers: readonly number[];
  /** Of a frame that was received: overwritten when its receiver returns. */
  readonly parts: readonly Uint8Array[];
}

/** Longer frames are not sent, and one that claims to be longer is nonsense. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;

const WORD = 4;

/** The length of a frame on the way, in bytes. */
export function frameBytes({ numbers, parts }: Frame): number {
  return parts.reduce((sum, part) => sum + WORD + part.length, WORD * (2 + numbers.length));
}

export function encodeFrame(frame: Frame): Buffer {
  const length = frameBytes(frame);
  const bytes = Buffer.allocUnsafeSlow(length);
  let at = bytes.writeUInt32LE(length - WORD, 0);
  at = bytes.writeUInt32LE(frame.numbers.length, at);
  for (const number of frame.numbers) at = bytes.writeUInt32LE(number, at);
  for (const part of frame.parts) {
    at = bytes.writeUInt32LE(part.length, at);
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** @param body a frame without its length @throws RangeError for what is no frame */
function decodeFrame(body: Buffer): Frame {
  const count = body.readUInt32LE(0);
  if (count > body.length / WORD) throw new RangeError('a frame is too short for its numbers');
  const numbers = Array.from({ length: count }, (_, index) => body.readUInt32LE(WORD * (1 + index)));
  const parts: Buffer[] = [];
  for (let at = WORD * (1 + count); at < body.length;) {
    const end = at + WORD + body.readUInt32LE(at);
    if (end > body.length) throw new RangeError('a frame is too short for its parts');
    parts.push(body.subarray(at + WORD, end));
    at = end;
  }
  return { numbers, parts };
}

/** Puts frames together again, however they were cut on the way. */
export class FrameReader {
  readonly #receive: (frame: Frame) => void;
  #chunks: Buffer[] = [];
  #held = 0;
  /** Bytes to be held before the next frame can be whole. */
  #needed = WORD;

  constructor(receive: (frame: Frame) => void) {
    this.#receive = receive;
  }

  /** Takes the chunk over, and overwrites it. @throws RangeError for what is no frame; what the receiver throws */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#needed) return;
    const bytes = join(this.#chunks);
    let at = 0;
    let needed = WORD;
    for (;;) {
      const left = bytes.length - at;
      needed = left < WORD ? WORD : WORD + bytes.readUInt32LE(at);
      if (needed - WORD > MAX_FRAME_BYTES) throw new RangeError('a frame is too long');
      if (left < needed) break;
      this.#receive(decodeFrame(bytes.subarray(at + WORD, at + needed)));
      at += needed;
    }
    const rest = Buffer.from(bytes.subarray(at));
    bytes.fill(0);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#held = rest.length;
    this.#needed = needed;
  }
}

function join(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return first;
  const joined = Buffer.concat(chunks);
  for (const chunk of chunks) chunk.fill(0);
  return joined;
}

/** Frames over a socket. Those that are sent in one turn of the loop go in one write; what was sent is overwritten. */
export class FrameChannel {
  readonly #socket: Socket;
  #isCorked = false;

  /** @param end is told once that nothing can be sent or received any more, and why if it was not meant */
  constructor(socket: Socket, receive: (frame: Frame) => void, end: (error?: Error) => void) {
    this.#socket = socket;
    const reader = new FrameReader(receive);
    let failure: Error | undefined;
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => {
      end(failure);
    });
  }

  send(frame: Frame): void {
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        this.#socket.uncork();
      });
    }
    const bytes = encodeFrame(frame);
    this.#socket.write(bytes, () => {
      bytes.fill(0);
    });
  }
}
