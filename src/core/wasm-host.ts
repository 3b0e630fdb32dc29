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
  validate(bytes: Uint8Array): boolean;
}

/** A module with one function, `i32.const 0, i8x16.splat`: valid where there is SIMD. */
const SIMD_PROBE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x08, 0x01, 0x06, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x0b],
);

/** @throws Error when this runtime has no WebAssembly, or one without the SIMD that AES and GHASH are written with. */
export function wasmHost(): WasmHost {
  const { WebAssembly: host } = globalThis as { WebAssembly?: WasmHost };
  if (host === undefined) throw new Error('keywright: this runtime has no WebAssembly');
  if (!host.validate(SIMD_PROBE)) {
    throw new Error(
      'keywright: the WebAssembly core needs SIMD, which this runtime does not have ' +
        '(Chrome has it from 91, Firefox from 89, Safari from 16.4, Node.js from 16.4).',
    );
  }
  return host;
}
