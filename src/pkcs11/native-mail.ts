/**
 * Requests to the threads of a token, and replies from them, in memory that is shared with native code, laid out as in
 * `native/pkcs11/wire.h`. The requests of one turn of JavaScript cross together, and so do replies that are ready
 * together: a crossing costs more than the work on either side.
 */
import { isUint8Array } from 'node:util/types';
import { allocate, allocateSecret } from '../core/native-support.ts';
import { OPERATION_CODES, type HsmOperation } from './codes.ts';
import { failureOf } from './failure.ts';
import type { FailureNumbers, PortReply } from './token-port.ts';

/** Gives requests to a token: nothing, and there will be a reply to each; or why to none of them. */
export type SendRequests = (requests: Uint8Array) => FailureNumbers | undefined;

/** Memory that is kept for requests, and for replies. What is larger gets its own. */
const KEPT_BYTES = 64 * 1024;
const MAX_REQUEST_BYTES = 0x7fff_ffff;
const WORD_BYTES = 4;
/** Ticket, operation, four numbers, lengths of key id and common, number of items. */
const HEAD_WORDS = 9;
/** In the place of a length. */
const NO_OUTPUT = 0xffff_ffff;
const FAILURE_WORDS = 3;
const REQUEST_NUMBERS = 4;
const NO_ITEMS: readonly Uint8Array[] = [];

/** What does not tell a secret, and may lie in memory beside results for others. */
const PUBLIC_OUTPUTS: ReadonlySet<HsmOperation> = new Set([
  'generateKeyPair',
  'findKeys',
  'exportPublicKey',
  'wrapKey',
  'encryptGcm',
  'generateMac',
  'sign',
  'rsaEncrypt',
]);

const RESOLVED = Promise.resolve();

/** What is done with a reply: it must not throw. */
type Settle = (reply: PortReply) => void;

interface Pending {
  readonly settle: Settle;
  readonly isSecret: boolean;
}

interface Memory {
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
}

export class NativeMail {
  readonly #send: SendRequests;
  readonly #kept = memoryOf(new ArrayBuffer(KEPT_BYTES));
  #outbox = this.#kept;
  #usedBytes = 0;
  #inbox: Memory | undefined;
  /** By ticket; and the tickets that are free. */
  readonly #pending: (Pending | undefined)[] = [];
  readonly #free: number[] = [];
  /** Tickets of what is in the outbox. */
  #collected: number[] = [];

  constructor(send: SendRequests) {
    this.#send = send;
  }

  /**
   * Sends a request, whose bytes are copied before this returns, with the others of this turn.
   *
   * @param settle gets the reply; when the request cannot be sent, at once
   */
  post(
    operation: HsmOperation,
    keyId: Uint8Array,
    numbers: readonly number[],
    common: Uint8Array,
    items: Uint8Array | readonly Uint8Array[] | undefined,
    settle: Settle,
  ): void {
    const all = items === undefined ? NO_ITEMS : isUint8Array(items) ? [items] : items;
    if (!isUint8Array(keyId) || !isUint8Array(common) || !Array.isArray(all) || !all.every(isUint8Array)) {
      settle(failureOf('invalidArgument'));
      return;
    }
    let sizeBytes = (HEAD_WORDS + all.length) * WORD_BYTES + keyId.length + common.length;
    for (const item of all) sizeBytes += item.length;
    if (!this.#makeRoom(wholeWords(sizeBytes))) {
      settle(failureOf('outOfMemory'));
      return;
    }
    if (this.#usedBytes === 0) void RESOLVED.then(this.flush);
    const ticket = this.expect(settle, !PUBLIC_OUTPUTS.has(operation));
    this.#collected.push(ticket);
    this.#write([ticket, OPERATION_CODES[operation]], numbers, keyId, common, all);
  }

  /** The ticket of a request that is sent in another way. */
  expect(settle: Settle, isSecret: boolean): number {
    const ticket = this.#free.pop() ?? this.#pending.length;
    this.#pending[ticket] = { settle, isSecret };
    return ticket;
  }

  /** Settles a request whose ticket was not taken. */
  settle(ticket: number, reply: PortReply): void {
    const pending = this.#pending[ticket];
    if (pending === undefined) return;
    this.#pending[ticket] = undefined;
    this.#free.push(ticket);
    pending.settle(reply);
  }

  /** Sends what was collected, now. */
  readonly flush = (): void => {
    if (this.#usedBytes === 0) return;
    const { bytes } = this.#outbox;
    const failure = this.#send(bytes.subarray(0, this.#usedBytes));
    bytes.fill(0, 0, this.#usedBytes);
    this.#outbox = this.#kept;
    this.#usedBytes = 0;
    const tickets = this.#collected;
    this.#collected = [];
    if (failure === undefined) return;
    for (const ticket of tickets) this.settle(ticket, failure.slice());
  };

  /** For the native side: replies to be read now, because they are wiped then. */
  readonly receive = (memory: ArrayBuffer, usedBytes: number): void => {
    const inbox = this.#inbox?.bytes.buffer === memory ? this.#inbox : memoryOf(memory);
    if (memory.byteLength <= KEPT_BYTES) this.#inbox = inbox;
    const { words } = inbox;
    for (let at = 0; at < usedBytes / WORD_BYTES; at += (words[at] ?? 0) / WORD_BYTES) {
      const ticket = words[at + 1] ?? 0;
      this.settle(ticket, replyAt(inbox, at + 2, this.#pending[ticket]?.isSecret ?? true));
    }
  };

  #makeRoom(sizeBytes: number): boolean {
    if (sizeBytes <= this.#outbox.bytes.length - this.#usedBytes) return true;
    this.flush();
    if (sizeBytes <= KEPT_BYTES) return true;
    if (sizeBytes > MAX_REQUEST_BYTES) return false;
    try {
      this.#outbox = memoryOf(new ArrayBuffer(sizeBytes));
    } catch {
      return false;
    }
    return true;
  }

  #write(
    [ticket, operation]: readonly [number, number],
    numbers: readonly number[],
    keyId: Uint8Array,
    common: Uint8Array,
    items: readonly Uint8Array[],
  ): void {
    const { words, bytes } = this.#outbox;
    let word = this.#usedBytes / WORD_BYTES;
    words[word++] = ticket;
    words[word++] = operation;
    for (let i = 0; i < REQUEST_NUMBERS; i++) words[word++] = numbers[i] ?? 0;
    words[word++] = keyId.length;
    words[word++] = common.length;
    words[word++] = items.length;
    for (const item of items) words[word++] = item.length;
    let at = word * WORD_BYTES;
    bytes.set(keyId, at);
    at += keyId.length;
    bytes.set(common, at);
    at += common.length;
    for (const item of items) {
      bytes.set(item, at);
      at += item.length;
    }
    this.#usedBytes = wholeWords(at);
  }
}

function memoryOf(memory: ArrayBuffer): Memory {
  return { words: new Uint32Array(memory), bytes: new Uint8Array(memory) };
}

function wholeWords(sizeBytes: number): number {
  return Math.ceil(sizeBytes / WORD_BYTES) * WORD_BYTES;
}

/** The reply whose reason is the word at `at`. */
function replyAt(memory: Memory, at: number, isSecret: boolean): PortReply {
  const { words } = memory;
  if (words[at] !== 0) return words.slice(at, at + FAILURE_WORDS);
  const count = words[at + 1] ?? 0;
  const lengths = at + 2;
  let byte = (lengths + count) * WORD_BYTES;
  const outputs: (Buffer | FailureNumbers)[] = [];
  for (let i = 0; i < count; i++) {
    const length = words[lengths + i] ?? 0;
    if (length === NO_OUTPUT) {
      outputs.push(words.slice(byte / WORD_BYTES, byte / WORD_BYTES + FAILURE_WORDS));
      byte += FAILURE_WORDS * WORD_BYTES;
    } else {
      outputs.push(outputOf(memory.bytes.subarray(byte, byte + length), isSecret));
      byte += wholeWords(length);
    }
  }
  const [first] = outputs;
  return count === 1 && Buffer.isBuffer(first) ? first : outputs;
}

function outputOf(bytes: Uint8Array, isSecret: boolean): Buffer {
  const output = isSecret ? allocateSecret(bytes.length) : allocate(bytes.length);
  output.set(bytes);
  return output;
}
