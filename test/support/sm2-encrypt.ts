/** SM2 public key encryption (GB/T 32918.4 with SM3) out of its definition, for tests that must not trust ours. */
import { createHash, randomBytes } from 'node:crypto';

/** The curve of GB/T 32918.5: y² = x³ - 3x + b over p, with a generator of prime order. */
const P = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn;
const GENERATOR: Point = {
  x: 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
  y: 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
};
const FIELD_BYTES = 32;

interface Point {
  readonly x: bigint;
  readonly y: bigint;
}

const mod = (value: bigint): bigint => ((value % P) + P) % P;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = mod(base), rest = exponent; rest > 0n; rest >>= 1n, square = mod(square * square)) {
    if ((rest & 1n) === 1n) {
      result = mod(result * square);
    }
  }
  return result;
}

/** Of two points that are not each other's negative; undefined is the point at infinity. */
function add(left: Point | undefined, right: Point): Point {
  if (left === undefined) {
    return right;
  }
  const isDouble = left.x === right.x;
  const slope = isDouble
    ? (3n * left.x * left.x - 3n) * power(2n * left.y, P - 2n)
    : (right.y - left.y) * power(right.x - left.x, P - 2n);
  const x = mod(slope * slope - left.x - right.x);
  return { x, y: mod(slope * (left.x - x) - left.y) };
}

function multiply(scalar: bigint, point: Point): Point {
  let result: Point | undefined;
  for (let addend = point, rest = scalar; rest > 0n; rest >>= 1n, addend = add(addend, addend)) {
    if ((rest & 1n) === 1n) {
      result = add(result, addend);
    }
  }
  if (result === undefined) {
    throw new Error('the scalar is zero');
  }
  return result;
}

const toBytes = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(2 * FIELD_BYTES, '0'), 'hex');
const toNumber = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
const sm3 = (...parts: readonly Uint8Array[]): Buffer => createHash('sm3').update(Buffer.concat(parts)).digest();

function keyStream(seed: Uint8Array, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let counter = 1; blocks.length * 32 < length; counter++) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(counter);
    blocks.push(sm3(seed, number));
  }
  return Buffer.concat(blocks).subarray(0, length);
}

function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const prefix = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...prefix), content]);
}

/** A positive INTEGER, in its shortest form. */
function derInteger(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return der(0x02, (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.of(0), bytes]));
}

/** The DER structure of GM/T 0009: x and y of the ephemeral key, the hash, the masked plaintext. */
export function sm2Encrypt(spki: Uint8Array, plaintext: Uint8Array): Buffer {
  // A SubjectPublicKeyInfo ends with the two coordinates.
  const point = spki.slice(-2 * FIELD_BYTES);
  const recipient = { x: toNumber(point.subarray(0, FIELD_BYTES)), y: toNumber(point.subarray(FIELD_BYTES)) };
  // 248 bits: always below the order of the curve.
  const ephemeral = toNumber(randomBytes(FIELD_BYTES - 1)) + 1n;
  const sent = multiply(ephemeral, GENERATOR);
  const shared = multiply(ephemeral, recipient);
  const [x, y] = [toBytes(shared.x), toBytes(shared.y)];
  const stream = keyStream(Buffer.concat([x, y]), plaintext.length);
  const masked = Buffer.from(plaintext.map((byte, index) => byte ^ (stream[index] ?? 0)));
  const hash = sm3(x, plaintext, y);
  return der(0x30, Buffer.concat([derInteger(sent.x), derInteger(sent.y), der(0x04, hash), der(0x04, masked)]));
}
