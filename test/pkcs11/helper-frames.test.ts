/** Frames between a process and its helper: whole again however they were cut, and refused when they are nonsense. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, frameBytes, FrameReader, MAX_FRAME_BYTES, type Frame } from '../../src/pkcs11/helper/frames.ts';
import { MESSAGES, readReply, readSubmit, replyFrame, submitFrame } from '../../src/pkcs11/helper/messages.ts';
import type { PortReply } from '../../src/pkcs11/token-port.ts';
import { SEED } from '../support/seed.ts';

const STATE = { circuit: 'closed', sessions: 1, active: 0, queued: 0, logins: 1 } as const;

const word = fc.nat(0xffff_ffff);
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const frames = fc.array(fc.record({ numbers: fc.array(word, { maxLength: 20 }), parts: fc.array(bytes) }), {
  maxLength: 8,
});

function copyOf({ numbers, parts }: Frame): Frame {
  return { numbers, parts: parts.map((part) => Buffer.from(part)) };
}

function through(frame: Frame): Frame {
  let received: Frame | undefined;
  new FrameReader((whole) => {
    received = copyOf(whole);
  }).push(encodeFrame(frame));
  return received!;
}

describe('frames', () => {
  it('are whole again however they were cut', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }), (sent, cuts) => {
        const stream = Buffer.concat(sent.map(encodeFrame));
        expect(stream).toHaveLength(sent.reduce((sum, frame) => sum + frameBytes(frame), 0));
        const received: Frame[] = [];
        const reader = new FrameReader((frame) => received.push(copyOf(frame)));
        const chunks: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const end = at + cuts[turn % cuts.length]!;
          const chunk = Buffer.from(stream.subarray(at, end));
          chunks.push(chunk);
          reader.push(chunk);
          at = end;
        }
        expect(received).toEqual(sent);
        // Nothing stays in what was read.
        for (const chunk of chunks) expect(chunk.every((byte) => byte === 0)).toBe(true);
      }),
      { seed: SEED },
    );
  });

  it('that are nonsense are refused, and nothing else happens', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 60 }), (noise) => {
        const body = Buffer.from(noise);
        const length = Buffer.alloc(4);
        length.writeUInt32LE(body.length);
        try {
          new FrameReader((frame) => {
            expect(frame.numbers.length + frame.parts.length).toBeLessThanOrEqual(body.length);
          }).push(Buffer.concat([length, body]));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { seed: SEED },
    );
  });

  it('that claim to be too long are refused before they are waited for', () => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(MAX_FRAME_BYTES + 1);
    expect(() => new FrameReader(() => undefined).push(length)).toThrow(RangeError);
  });
});

describe('messages', () => {
  it.each([
    ['no items', undefined],
    ['one item', Buffer.from('item')],
    ['one of many', [Buffer.from('item')]],
    ['many items', [Buffer.from('a'), Buffer.alloc(0)]],
  ])('of requests with %s', (_, items) => {
    const submission = ['encryptGcm', Buffer.from('id'), [1, -1], Buffer.from('aad'), items] as const;
    const { request, submission: read } = readSubmit(through(submitFrame(7, [...submission])!));
    expect(request).toBe(7);
    expect(read).toEqual(['encryptGcm', Buffer.from('id'), [1, 0xffff_ffff, 0, 0], Buffer.from('aad'), items]);
  });

  const failure = Uint32Array.of(5, 0x40, 0x1087);
  const replies: readonly (readonly [string, PortReply])[] = [
    ['a failure', failure],
    ['one output', Buffer.from('output')],
    ['no outputs', []],
    ['outputs with failures in their places', [Buffer.from('a'), failure, Buffer.alloc(0), failure]],
  ];
  it.each(replies)('of replies: %s', (_, reply) => {
    expect(readReply(through(replyFrame(9, STATE, reply)))).toEqual({ request: 9, reply });
  });

  it.each([
    ['a request for nothing', () => readSubmit({ numbers: [MESSAGES.submit, 1, 99], parts: [] })],
    ['a reply of no shape', () => readReply({ numbers: [MESSAGES.reply, 1, 0, 0, 0, 0, 0, 9], parts: [] })],
    [
      'a failure of no item',
      () => readReply({ numbers: [MESSAGES.reply, 1, 0, 0, 0, 0, 0, 2, 3, 1, 0, 0], parts: [] }),
    ],
  ])('that are nonsense are refused: %s', (_, read) => {
    expect(read).toThrow(RangeError);
  });
});
