/** The memory that carries requests to the threads of a token, and replies back, against a token that is none. */
import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { OPERATION_CODES, REASON_CODES, type HsmOperation } from '../../src/pkcs11/codes.ts';
import { failureOf } from '../../src/pkcs11/failure.ts';
import { NativeMail } from '../../src/pkcs11/native-mail.ts';
import type { FailureNumbers, PortReply } from '../../src/pkcs11/token-port.ts';

const HEAD_WORDS = 9;
const NOTHING = new Uint8Array(0);
const NO_OUTPUT = 0xffff_ffff;

interface Received {
  readonly ticket: number;
  readonly operation: number;
  readonly numbers: readonly number[];
  readonly keyId: string;
  readonly common: string;
  readonly items: readonly string[];
}

/** Reads requests as `native/pkcs11/wire.h` says. */
function read(memory: Uint8Array): Received[] {
  const bytes = Buffer.from(memory.buffer, memory.byteOffset, memory.byteLength);
  const requests: Received[] = [];
  for (let at = 0; at < bytes.length;) {
    const word = (index: number): number => bytes.readUInt32LE(at + 4 * index);
    const [ticket, operation, count] = [word(0), word(1), word(8)];
    const lengths = [word(6), word(7), ...Array.from({ length: count }, (_, index) => word(HEAD_WORDS + index))];
    let from = at + 4 * (HEAD_WORDS + count);
    const [keyId = '', common = '', ...items] = lengths.map((length) => {
      const part = bytes.toString('latin1', from, from + length);
      from += length;
      return part;
    });
    requests.push({ ticket, operation, numbers: [2, 3, 4, 5].map(word), keyId, common, items });
    at = Math.ceil(from / 4) * 4;
  }
  return requests;
}

/** A reply with these outputs, or failures in their places. */
function record(ticket: number, outputs: readonly (Uint8Array | FailureNumbers)[]): Buffer {
  const isFailure = (output: Uint8Array | FailureNumbers): boolean => output instanceof Uint32Array;
  const words = [ticket, 0, outputs.length, ...outputs.map((out) => (isFailure(out) ? NO_OUTPUT : out.length))];
  const parts = outputs.map((output) => {
    const part = Buffer.alloc(Math.ceil(output.byteLength / 4) * 4);
    part.set(new Uint8Array(output.buffer, output.byteOffset, output.byteLength));
    return part;
  });
  const head = Buffer.from(Uint32Array.of(0, ...words).buffer);
  const whole = Buffer.concat([head, ...parts]);
  whole.writeUInt32LE(whole.length);
  return whole;
}

function failureRecord(ticket: number, failure: FailureNumbers): Buffer {
  return Buffer.from(Uint32Array.of(20, ticket, ...failure).buffer);
}

describe('mail to native code', () => {
  let calls: Received[][];
  let memories: Uint8Array[];
  let refusal: FailureNumbers | undefined;
  let mail: NativeMail;
  const inbox = new ArrayBuffer(64 * 1024);

  beforeEach(() => {
    calls = [];
    memories = [];
    refusal = undefined;
    mail = new NativeMail((requests) => {
      memories.push(requests);
      calls.push(read(requests));
      return refusal;
    });
  });

  function post(operation: HsmOperation, item?: Uint8Array | readonly Uint8Array[]): Promise<PortReply> {
    return new Promise((resolve) => {
      mail.post(operation, Buffer.from('key'), [7], Buffer.from('aad'), item, resolve);
    });
  }

  /** Gives replies as native code does, which then wipes them. */
  function answer(...records: readonly Buffer[]): void {
    const whole = Buffer.concat(records);
    const memory = whole.length > inbox.byteLength ? new ArrayBuffer(whole.length) : inbox;
    new Uint8Array(memory).set(whole);
    mail.receive(memory, whole.length);
    new Uint8Array(memory).fill(0);
  }

  it('carries the requests of one turn in one call, in order, as they were when they were made', async () => {
    const item = Buffer.from('first');
    void post('encryptGcm', item);
    item.fill('x');
    void post('encryptGcm', [Buffer.from('second'), NOTHING, Buffer.from('third')]);
    void post('findKeys');
    expect(calls).toEqual([]);
    await setImmediate();
    const common = { numbers: [7, 0, 0, 0], keyId: 'key', common: 'aad' };
    const encrypt = { ...common, operation: OPERATION_CODES.encryptGcm };
    expect(calls).toEqual([
      [
        { ...encrypt, ticket: 0, items: ['first'] },
        { ...encrypt, ticket: 1, items: ['second', '', 'third'] },
        { ...common, operation: OPERATION_CODES.findKeys, ticket: 2, items: [] },
      ],
    ]);
  });

  it('is sent at once when asked to, and nothing is sent twice', async () => {
    void post('encryptGcm', NOTHING);
    mail.flush();
    mail.flush();
    await setImmediate();
    expect(calls.map((call) => call.length)).toEqual([1]);
    void post('encryptGcm', NOTHING);
    await setImmediate();
    expect(calls.map((call) => call.length)).toEqual([1, 1]);
  });

  it('leaves nothing of what it carried in memory, neither small nor large', async () => {
    void post('encryptGcm', Buffer.from('secret'));
    void post('encryptGcm', Buffer.alloc(1_000_000, 'secret'));
    await setImmediate();
    expect(calls.map((call) => call.length)).toEqual([1, 1]);
    expect(calls[1]?.[0]?.items[0]).toHaveLength(1_000_000);
    expect(memories.every((memory) => new Uint8Array(memory.buffer).every((byte) => byte === 0))).toBe(true);
  });

  it('keeps the order of requests around one that is larger than the memory that is kept', async () => {
    for (const length of [40_000, 40_000, 100_000, 10, 65_000]) void post('encryptGcm', Buffer.alloc(length));
    await setImmediate();
    expect(calls.flat().map(({ items }) => items[0]?.length)).toEqual([40_000, 40_000, 100_000, 10, 65_000]);
    expect(calls.flat().map(({ ticket }) => ticket)).toEqual([0, 1, 2, 3, 4]);
  });

  it('settles in the order of the replies, each with its own', async () => {
    const order: number[] = [];
    const replies = [0, 1, 2, 3].map((index) => post('encryptGcm', NOTHING).finally(() => order.push(index)));
    mail.flush();
    const tooLong = failureOf('tooLong');
    answer(record(2, [Buffer.from('two')]), failureRecord(0, tooLong), record(3, [tooLong, Buffer.from('b')]));
    answer(record(1, []));
    expect(await Promise.all(replies)).toEqual([tooLong, [], Buffer.from('two'), [tooLong, Buffer.from('b')]]);
    expect(order).toEqual([2, 0, 3, 1]);
  });

  it('takes a reply that has memory of its own', async () => {
    const reply = post('encryptGcm', NOTHING);
    const other = post('encryptGcm', NOTHING);
    mail.flush();
    answer(record(0, [Buffer.alloc(100_000, 7)]));
    answer(record(1, [Buffer.of(8)]));
    expect(Buffer.alloc(100_000, 7).equals((await reply) as Buffer)).toBe(true);
    expect(await other).toEqual(Buffer.of(8));
  });

  it('gives tickets again only after the reply', async () => {
    const first = post('encryptGcm', NOTHING);
    void post('encryptGcm', NOTHING);
    mail.flush();
    answer(record(0, [Buffer.of(1)]));
    await first;
    const third = post('encryptGcm', NOTHING);
    void post('encryptGcm', NOTHING);
    mail.flush();
    expect(calls.map((call) => call.map(({ ticket }) => ticket))).toEqual([
      [0, 1],
      [0, 2],
    ]);
    answer(record(0, [Buffer.of(3)]));
    expect(await third).toEqual(Buffer.of(3));
  });

  it('puts a secret into memory of its own, and keeps little memory for a small result', async () => {
    const operations = ['decryptGcm', 'rsaDecrypt', 'agree', 'generateRandom'] as const;
    const secrets = [...operations, ...operations].map((operation) => post(operation, NOTHING));
    const sealed = post('encryptGcm', NOTHING);
    mail.flush();
    answer(...Array.from({ length: 9 }, (_, ticket) => record(ticket, [Buffer.alloc(200, ticket)])));
    const buffers = (await Promise.all([...secrets, sealed])) as Buffer[];
    expect(new Set(buffers.map(({ buffer }) => buffer)).size).toBe(9);
    for (const secret of buffers.slice(0, 8)) expect(secret.buffer.byteLength).toBe(200);
    expect(buffers[8]?.buffer.byteLength).toBeLessThanOrEqual(Buffer.poolSize);
  });

  it('answers what is no request, and sends the others', async () => {
    const wrong = 'text' as unknown as Uint8Array;
    const replies = [
      post('encryptGcm', wrong),
      post('encryptGcm', [NOTHING, wrong]),
      post('encryptGcm', new Uint16Array(1) as unknown as Uint8Array),
      post('encryptGcm', null as unknown as Uint8Array),
    ];
    for (const reply of replies) expect(await reply).toEqual(failureOf('invalidArgument'));
    void post('encryptGcm', NOTHING);
    await setImmediate();
    expect(calls.map((call) => call.length)).toEqual([1]);
  });

  it('settles all that a token did not take, each with numbers of its own', async () => {
    refusal = failureOf('closed');
    const replies = [post('encryptGcm', NOTHING), post('sign', NOTHING)];
    const [first, second] = await Promise.all(replies);
    expect([first, second]).toEqual([refusal, refusal]);
    (first as Uint32Array).fill(0);
    expect((second as Uint32Array)[0]).toBe(REASON_CODES.closed);
  });
});
