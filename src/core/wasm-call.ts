import { CORE_STATUS } from './status.ts';
import type { WasmMemory } from './wasm-memory.ts';
import type { WasmFunction } from './wasm-module.ts';
import type { Signature } from './wasm-signatures.ts';

const SLOT_BYTES = 8;
const ALIGNMENT = 8;
const MAX_UINT32 = 0xffff_ffff;
/** An output at an offset is never longer than all inputs and this. */
const REGION_SLACK_BYTES = 1024;

/** One argument: a number, or a region that is copied to linear memory and, when the module writes it, back. */
interface Argument {
  /** The number, or the length in elements. */
  value: number;
  bytes: Uint8Array | undefined;
  isOutput: boolean;
  /** Where the bytes lie in linear memory, counted from the first slot. */
  address: number;
}

const NO_BYTES = new Uint8Array(0);
const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;

/** Whether `value` is a typed array of that name; one of another realm too. */
export function isTypedArray(value: unknown, name: 'Uint8Array' | 'Uint32Array'): boolean {
  if (!ArrayBuffer.isView(value)) return false;
  if (name === 'Uint8Array' && value instanceof Uint8Array) return true;
  return Reflect.get(typedArray, Symbol.toStringTag, value) === name;
}

function isUint32(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MAX_UINT32 && Number.isInteger(value);
}

const aligned = (size: number): number => (size + ALIGNMENT - 1) & -ALIGNMENT;

const number = (value: number): Argument => ({ value, bytes: undefined, isOutput: false, address: 0 });

function region(value: unknown, isOutput: boolean): Argument | undefined {
  if (!isTypedArray(value, 'Uint8Array')) return undefined;
  const bytes = value as Uint8Array;
  return { value: bytes.length, bytes, isOutput, address: 0 };
}

function ends(value: unknown, isOutput: boolean): Argument | undefined {
  if (!isTypedArray(value, 'Uint32Array')) return undefined;
  const { buffer, byteOffset, byteLength, length } = value as Uint32Array;
  return { value: length, bytes: new Uint8Array(buffer, byteOffset, byteLength), isOutput, address: 0 };
}

/** What can be written at `offset`; only as much of it as the result can need, which spares the copy of the rest. */
function window(value: unknown, offset: unknown, inputBytes: number): Argument | undefined {
  if (!isTypedArray(value, 'Uint8Array') || !isUint32(offset)) return undefined;
  const out = value as Uint8Array;
  if (offset > out.length) return { value: 0, bytes: undefined, isOutput: true, address: 0 };
  const length = Math.min(out.length - offset, inputBytes + REGION_SLACK_BYTES);
  const bytes = offset === 0 && length === out.length ? out : out.subarray(offset, offset + length);
  return { value: length, bytes, isOutput: true, address: 0 };
}

/** The arguments that `values` are by `signature`; undefined when one is of another type. */
function parse(signature: Signature, values: readonly unknown[]): Argument[] | undefined {
  const found: Argument[] = [];
  let inputBytes = 0;
  for (let slot = 0; slot < signature.length; slot++) {
    const value = values[slot];
    let argument: Argument | undefined;
    switch (signature.charAt(slot)) {
      case 'n':
        argument = isUint32(value) ? number(value) : undefined;
        break;
      case 'r':
        // Always the last one: its offset comes after it.
        argument = window(value, values[slot + 1], inputBytes);
        break;
      case 'i':
        argument = region(value, false);
        inputBytes += argument?.value ?? 0;
        break;
      case 'o':
        argument = region(value, true);
        break;
      case 'I':
        argument = ends(value, false);
        break;
      default:
        argument = ends(value, true);
    }
    if (argument === undefined) return undefined;
    found.push(argument);
  }
  return found;
}

/** True when the two share a byte of memory. */
function overlaps(a: Uint8Array, b: Uint8Array): boolean {
  return (
    a.byteOffset < b.byteOffset + b.length &&
    b.byteOffset < a.byteOffset + a.length &&
    a.length > 0 &&
    b.length > 0 &&
    a.buffer === b.buffer
  );
}

/** True when a region that is written shares memory with another one. */
function isEntangled(found: readonly Argument[]): boolean {
  for (const output of found) {
    if (!output.isOutput || output.bytes === undefined) continue;
    for (const other of found) {
      if (other !== output && other.bytes !== undefined && overlaps(output.bytes, other.bytes)) return true;
    }
  }
  return false;
}

/**
 * Gives every region its place, counted from the first slot, and returns how many bytes slots and regions take. Regions
 * that overlap in JavaScript overlap in linear memory in the same way: it is the core that says what may.
 */
function place(found: readonly Argument[]): number {
  let end = found.length * SLOT_BYTES;
  if (isEntangled(found)) return placeTogether(found, end);
  for (const argument of found) {
    if (argument.bytes === undefined) continue;
    argument.address = end;
    end = aligned(end + argument.bytes.length);
  }
  return end;
}

/** As {@link place}, with all regions of one ArrayBuffer at the distances that they have in it. */
function placeTogether(found: readonly Argument[], start: number): number {
  const buffers = new Map<ArrayBufferLike, { first: number; last: number; views: Argument[] }>();
  for (const argument of found) {
    const { buffer, byteOffset, length } = argument.bytes ?? NO_BYTES;
    if (argument.bytes === undefined) continue;
    const group = buffers.get(buffer) ?? { first: byteOffset, last: 0, views: [] };
    group.first = Math.min(group.first, byteOffset);
    group.last = Math.max(group.last, byteOffset + length);
    group.views.push(argument);
    buffers.set(buffer, group);
  }
  let end = start;
  for (const { first, last, views } of buffers.values()) {
    const base = first - (first % ALIGNMENT);
    for (const argument of views) argument.address = end + (argument.bytes?.byteOffset ?? 0) - base;
    end = aligned(end + last - base);
  }
  return end;
}

/**
 * Calls `run` with what `values` are by `signature`. The arguments lie in linear memory for the time of the call only,
 * and are wiped behind it. `run` does not throw.
 */
export function callWasm(
  memory: WasmMemory,
  run: WasmFunction,
  signature: Signature,
  values: readonly unknown[],
): number {
  const found = parse(signature, values);
  if (found === undefined) return -CORE_STATUS.invalidArgument;
  const size = place(found);
  const slots = memory.acquire(size);
  if (slots === 0) return -CORE_STATUS.outOfSecureMemory;
  try {
    let slot = slots;
    for (const { bytes, value, address, isOutput } of found) {
      if (bytes === undefined) {
        // An output without bytes is one whose offset lies outside of it.
        memory.writeSlot(slot, isOutput ? 0 : value, 0);
      } else {
        memory.copyIn(bytes, slots + address);
        memory.writeSlot(slot, slots + address, value);
      }
      slot += SLOT_BYTES;
    }
    const code = run(slots);
    memory.refresh();
    for (const { bytes, address, isOutput } of found) {
      if (isOutput && bytes !== undefined) memory.copyOut(slots + address, bytes, bytes.length);
    }
    return code;
  } finally {
    memory.release(slots, size);
  }
}
