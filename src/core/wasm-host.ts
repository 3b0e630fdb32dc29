/**
 * As much of the WebAssembly interface as is used here. TypeScript has its types in the library for browsers only,
 * which would declare hundreds of names that Node.js does not have.
 */

/** A WebAssembly.Module, which has no members. */
export type CompiledModule = object;

export interface LinearMemory {
  /** Another object after the memory has grown. */
  readonly buffer: ArrayBuffer;
}

export type ModuleImports = Readonly<Record<string, Readonly<Record<string, (...values: never[]) => unknown>>>>;

interface WasmHost {
  readonly Module: new (bytes: Uint8Array | ArrayBuffer) => CompiledModule;
  readonly Instance: new (
    module: CompiledModule,
    imports: ModuleImports,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  compile(bytes: Uint8Array | ArrayBuffer): Promise<CompiledModule>;
}

/** @throws Error when this runtime has no WebAssembly. */
export function wasmHost(): WasmHost {
  const { WebAssembly: host } = globalThis as { WebAssembly?: WasmHost };
  if (host === undefined) throw new Error('keywright: this runtime has no WebAssembly');
  return host;
}
