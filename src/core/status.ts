/**
 * Numeric results of the native core. The numbers are part of the binding: `native/core/status.h` has the same ones,
 * and a test compares the two files.
 */
export const CORE_STATUS = {
  /** Not a failure. */
  ok: 0,
  /** A value that the function does not take: out of bounds, overlapping, of no known name. */
  invalidArgument: 1,
  /** An output region has too few bytes; nothing was written. */
  bufferTooSmall: 2,
  /** The key is of a type that the function does not take, or public where a private one is needed. */
  wrongKeyType: 3,
  /** The key was destroyed, or the handle names no key of this core. */
  destroyedKey: 4,
  /** What was to be decrypted or unwrapped does not fit key and data, for whatever reason. */
  authenticationFailed: 5,
  /** The random generator gave nothing. */
  randomFailed: 6,
  /** The secure heap is full. */
  outOfSecureMemory: 7,
  /** OpenSSL failed for a reason that the caller cannot mend, or the number is unknown. */
  libcryptoFailed: 8,
  /** Key material that is no key of the type asked for. */
  invalidKey: 9,
  /** A digest or µ of another length than the algorithm has. */
  invalidLength: 10,
} as const;

/** Names of the results of {@link CORE_STATUS}. */
export type CoreStatusName = keyof typeof CORE_STATUS;

/** A failure in the native core, told by `status` (stable) and never by its text. */
export class CoreError extends Error {
  override readonly name = 'CoreError';
  /** Which failure it is. */
  readonly status: CoreStatusName;

  /** An error of that status; its text repeats the name and nothing else. */
  constructor(status: CoreStatusName) {
    super(`crypto core: ${status}`);
    this.status = status;
  }

  /** Turns the number that a binding returned into the error to throw. */
  static fromCode(code: number): CoreError {
    const found = Object.entries(CORE_STATUS).find(([, value]) => value === code);
    return new CoreError((found?.[0] ?? 'libcryptoFailed') as CoreStatusName);
  }
}
