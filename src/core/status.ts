/**
 * Numeric results of the native core. The numbers are part of the binding: `native/core/status.h` has the same ones,
 * and a test compares the two files.
 */
export const CORE_STATUS = {
  ok: 0,
  invalidArgument: 1,
  bufferTooSmall: 2,
  wrongKeyType: 3,
  destroyedKey: 4,
  authenticationFailed: 5,
  randomFailed: 6,
  outOfSecureMemory: 7,
  libcryptoFailed: 8,
  invalidKey: 9,
  invalidLength: 10,
} as const;

export type CoreStatusName = keyof typeof CORE_STATUS;

/** A failure in the native core, told by `status` (stable) and never by its text. */
export class CoreError extends Error {
  override readonly name = 'CoreError';
  readonly status: CoreStatusName;

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
