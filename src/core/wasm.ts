/**
 * The cryptographic core as WebAssembly, for runtimes without Node.js: nothing here imports a module of Node. The same
 * C++ sources as the native addon, the same interface and the same results. What it cannot do is told in
 * docs/adr/0010-webassembly.md: its memory is not locked, and less of it is hardened against side channels.
 */
import type { CryptoCore, KeyHandle } from './crypto-core.ts';
import { NativeCore } from './native-core.ts';
import { startWasmBinding, type WasmOptions } from './wasm-binding.ts';
import { wasmHost, type CompiledModule } from './wasm-host.ts';

export * from './crypto-core.ts';
export * from './status.ts';
export type { WasmOptions } from './wasm-binding.ts';

/** What `Result` is where there are no Buffers. */
type Plain<Result> = Result extends Buffer
  ? Uint8Array
  : Result extends Promise<infer Value>
    ? Promise<Plain<Value>>
    : Result extends object
      ? { readonly [Name in keyof Result]: Plain<Result[Name]> }
      : Result;

/** {@link CryptoCore} with results that are Uint8Arrays; in Node.js they still are Buffers. */
export type PlainCore = {
  readonly [Name in keyof CryptoCore]: CryptoCore[Name] extends (...values: infer Values) => KeyHandle
    ? (...values: Values) => KeyHandle
    : CryptoCore[Name] extends (...values: infer Values) => Promise<KeyHandle>
      ? (...values: Values) => Promise<KeyHandle>
      : CryptoCore[Name] extends (...values: infer Values) => infer Result
        ? (...values: Values) => Plain<Result>
        : never;
};

/** The module: compiled, as bytes, or as the answer to a fetch for it (which may still be under way). */
export type WasmSource = CompiledModule | Uint8Array | ArrayBuffer | Response | PromiseLike<Response>;

/**
 * Starts a core of its own at every call; key handles belong to the core that made them. For many cores, or
 * for worker threads, compile the module once and pass it on.
 *
 * @throws Error when `source` is no module, or not the one of this version, and when the runtime has no
 *   crypto.getRandomValues or no SIMD.
 */
export async function loadWasmCore(source: WasmSource, options: WasmOptions = {}): Promise<PlainCore> {
  return new NativeCore(startWasmBinding(await compile(await source), options));
}

async function compile(source: unknown): Promise<CompiledModule> {
  if (source instanceof Response) {
    if (!source.ok) throw new Error(`keywright: the WebAssembly core could not be fetched: HTTP ${source.status}`);
    // Not compileStreaming: it refuses servers that do not know the content type of .wasm.
    return wasmHost().compile(await source.arrayBuffer());
  }
  const isBytes = source instanceof ArrayBuffer || source instanceof Uint8Array;
  return isBytes ? wasmHost().compile(source) : (source as CompiledModule);
}
