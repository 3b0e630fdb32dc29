/** The frames between a process and its helper: what their numbers and parts mean. */
import { OPERATION_CODES, REASON_CODES, type HsmOperation } from '../codes.ts';
import { errorOf, reasonOf } from '../failure.ts';
import type { PortReply, TokenPort } from '../token-port.ts';
import { Pkcs11Error, type Pkcs11TokenInfo, type Pkcs11TokenOptions, type Pkcs11TokenState } from '../token.ts';
import type { Frame } from './frames.ts';

/** The first number of a frame. */
export const MESSAGES = {
  /** To the helper, first and once: parts are the options without the PIN (JSON), and the PIN. */
  open: 1,
  /** To the helper: number of the request, operation, four numbers, shape; parts are key id, common bytes, items. */
  submit: 2,
  /** To the helper: ends the sessions, then the helper. */
  close: 3,
  /** From the helper: state; the part is what the token says of itself (JSON). */
  opened: 4,
  /** From the helper, which then ends: reason and return value; the part is the text. */
  refused: 5,
  /** From the helper: number of the request, state, shape, then numbers of failures; parts are outputs. */
  reply: 6,
  /** From the helper, while the circuit is open: state. */
  state: 7,
} as const;

/** Numbers that a state has in a frame. */
const STATE_NUMBERS = 5;
const REQUEST_NUMBERS = 4;
const FAILURE_NUMBERS = 3;

/** A failure or no item; one item; or a list. */
const SHAPES = { none: 0, one: 1, many: 2 } as const;

type Options = Omit<Pkcs11TokenOptions, 'pin'>;
type Submission = Parameters<TokenPort['submit']>;

const OPERATIONS = new Map<number, HsmOperation>(
  Object.entries(OPERATION_CODES).map(([operation, code]) => [code, operation as HsmOperation]),
);

/** `Array.isArray`, which does not tell TypeScript that a read-only array is one. */
export function isList<T>(value: Uint8Array | Uint32Array | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

export function openFrame({ pin, ...options }: Pkcs11TokenOptions): Frame {
  return { numbers: [MESSAGES.open], parts: [Buffer.from(JSON.stringify(options)), pin] };
}

/** @returns options whose PIN is the caller's to overwrite */
export function readOpen({ parts: [json = new Uint8Array(0), pin = new Uint8Array(0)] }: Frame): Pkcs11TokenOptions {
  return { ...(JSON.parse(text(json)) as Options), pin: Buffer.from(pin) };
}

/** Undefined for arguments that are no bytes. */
export function submitFrame(request: number, submission: Submission): Frame | undefined {
  const [operation, keyId, numbers, common, items] = submission;
  const shape = items === undefined ? SHAPES.none : isList(items) ? SHAPES.many : SHAPES.one;
  const parts = [keyId, common, ...(items === undefined ? [] : isList(items) ? items : [items])];
  if (!parts.every((part) => part instanceof Uint8Array)) return undefined;
  const four = Array.from({ length: REQUEST_NUMBERS }, (_, index) => (numbers[index] ?? 0) >>> 0);
  return { numbers: [MESSAGES.submit, request, OPERATION_CODES[operation], ...four, shape], parts };
}

/** @throws RangeError for what is no request */
export function readSubmit(frame: Frame): { readonly request: number; readonly submission: Submission } {
  const [, request = 0, code = 0, ...rest] = frame.numbers;
  const [keyId, common, ...items] = frame.parts;
  const operation = OPERATIONS.get(code);
  if (operation === undefined || keyId === undefined || common === undefined) throw new RangeError('no request');
  const shape = rest[REQUEST_NUMBERS];
  const given = shape === SHAPES.many ? items : shape === SHAPES.one ? items[0] : undefined;
  return { request, submission: [operation, keyId, rest.slice(0, REQUEST_NUMBERS), common, given] };
}

export function openedFrame(info: Pkcs11TokenInfo, state: Pkcs11TokenState): Frame {
  return { numbers: [MESSAGES.opened, ...numbersOf(state)], parts: [Buffer.from(JSON.stringify(info))] };
}

export function readOpened({ parts: [json = new Uint8Array(0)] }: Frame): Pkcs11TokenInfo {
  return JSON.parse(text(json)) as Pkcs11TokenInfo;
}

export function refusedFrame(error: unknown): Frame {
  const { reason, rv, message } = error instanceof Pkcs11Error ? error : new Pkcs11Error('noModule', 0, String(error));
  return { numbers: [MESSAGES.refused, REASON_CODES[reason], rv], parts: [Buffer.from(message)] };
}

export function readRefused(
  { numbers: [, code = 0, rv = 0], parts: [message] }: Frame,
  modulePath: string,
): Pkcs11Error {
  if (message === undefined) return errorOf(Uint32Array.of(code, rv), modulePath, 'open');
  return new Pkcs11Error(reasonOf(code), rv, text(message));
}

export function replyFrame(request: number, state: Pkcs11TokenState, reply: PortReply): Frame {
  const head = [MESSAGES.reply, request, ...numbersOf(state)];
  if (reply instanceof Uint32Array) return { numbers: [...head, SHAPES.none, ...reply], parts: [] };
  if (Buffer.isBuffer(reply)) return { numbers: [...head, SHAPES.one], parts: [reply] };
  // A failure stands as three numbers after the place that it has among the outputs.
  const failures = reply.flatMap((item, place) => (item instanceof Uint32Array ? [place, ...item] : []));
  return {
    numbers: [...head, SHAPES.many, ...failures],
    parts: reply.map((item) => (item instanceof Uint32Array ? Buffer.alloc(0) : item)),
  };
}

/** Copies the outputs. @throws RangeError for what is no reply */
export function readReply(frame: Frame): { readonly request: number; readonly reply: PortReply } {
  const [, request = 0] = frame.numbers;
  const [shape, ...failures] = frame.numbers.slice(2 + STATE_NUMBERS);
  if (shape === SHAPES.none && failures.length === FAILURE_NUMBERS) {
    return { request, reply: Uint32Array.from(failures) };
  }
  const outputs: (Buffer | Uint32Array)[] = frame.parts.map(copyOf);
  const [output] = outputs;
  if (shape === SHAPES.one && Buffer.isBuffer(output)) return { request, reply: output };
  if (shape !== SHAPES.many) throw new RangeError('no reply');
  for (let at = 0; at < failures.length; at += 1 + FAILURE_NUMBERS) {
    const [place = 0, ...failure] = failures.slice(at, at + 1 + FAILURE_NUMBERS);
    if (place >= outputs.length) throw new RangeError('a failure of no item');
    outputs[place] = Uint32Array.from(failure);
  }
  return { request, reply: outputs };
}

export function stateFrame(state: Pkcs11TokenState): Frame {
  return { numbers: [MESSAGES.state, ...numbersOf(state)], parts: [] };
}

/** The state in a frame of the helper. */
export function readState({ numbers: [message, ...rest] }: Frame): Pkcs11TokenState {
  const [isOpen, sessions = 0, active = 0, queued = 0, logins = 0] = message === MESSAGES.reply ? rest.slice(1) : rest;
  return { circuit: isOpen === 0 ? 'closed' : 'open', sessions, active, queued, logins };
}

function numbersOf({ circuit, sessions, active, queued, logins }: Pkcs11TokenState): number[] {
  return [circuit === 'closed' ? 0 : 1, sessions, active, queued, logins];
}

/** Not out of the pool of Buffer, where secrets would lie among other things. */
function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
