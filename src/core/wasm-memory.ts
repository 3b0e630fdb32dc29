import type { WasmExports } from './wasm-module.ts';

const SCRATCH_BYTES = 32_768;
/** Most that one call may need; its addresses then fit comfortably into 32 bits. */
const MAX_REGION_BYTES = 2 ** 30;
/** Below this, a loop is faster than making a view for TypedArray.set. */
const SHORT_BYTES = 64;

/**
 * The linear memory of an instance, and the part of it that one call at a time keeps its arguments in: a scratch region
 * for most calls, memory of their own for the others. All of it is zero between calls.
 */
export class WasmMemory {
  readonly #exports: WasmExports;
  readonly #scratch: number;
  #bytes: Uint8Array;
  #words: Uint32Array;

  /** @throws Error when there is no memory for the scratch region. */
  constructor(exports: WasmExports) {
    this.#exports = exports;
    this.#scratch = exports.kw_allocate(SCRATCH_BYTES) >>> 0;
    if (this.#scratch === 0) throw new Error('keywright: the WebAssembly core has no memory');
    this.#bytes = new Uint8Array(exports.memory.buffer);
    this.#words = new Uint32Array(exports.memory.buffer);
    this.#bytes.fill(0, this.#scratch, this.#scratch + SCRATCH_BYTES);
  }

  /** Address of `size` bytes, aligned to 8, for one call; 0 when there are none to be had. */
  acquire(size: number): number {
    if (size <= SCRATCH_BYTES) return this.#scratch;
    if (size > MAX_REGION_BYTES) return 0;
    const address = this.#exports.kw_allocate(size) >>> 0;
    this.refresh();
    return address;
  }

  /** Wipes what {@link acquire} gave, and frees it. */
  release(address: number, size: number): void {
    this.refresh();
    this.#bytes.fill(0, address, address + size);
    if (address !== this.#scratch) this.#exports.kw_free(address, size);
  }

  /** Call after the module ran: memory that has grown is another ArrayBuffer. */
  refresh(): void {
    const { buffer } = this.#exports.memory;
    if (this.#bytes.buffer === buffer) return;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer);
  }

  writeSlot(address: number, first: number, second: number): void {
    this.#words[address >>> 2] = first;
    this.#words[(address >>> 2) + 1] = second;
  }

  copyIn(from: Uint8Array, address: number): void {
    if (from.length > SHORT_BYTES) this.#bytes.set(from, address);
    else for (let index = 0; index < from.length; index++) this.#bytes[address + index] = from[index] ?? 0;
  }

  /** Copies the first `length` bytes at `address` into `to`. */
  copyOut(address: number, to: Uint8Array, length: number): void {
    if (length > SHORT_BYTES) to.set(this.#bytes.subarray(address, address + length));
    else for (let index = 0; index < length; index++) to[index] = this.#bytes[address + index] ?? 0;
  }

  /** The ASCII text at `address`, up to its zero byte. */
  textAt(address: number): string {
    const end = this.#bytes.indexOf(0, address);
    return String.fromCharCode(...this.#bytes.subarray(address, end));
  }
}
