/** What an HSM, its library or a setting of it refuses. The text is for operators and never holds a PIN. */
export class HsmError extends Error {
  override readonly name = 'HsmError';
}

/** Codes of PKCS#11 3.0 to 3.2 that pkcs11js, which knows 2.40, has no names for. */
const NEWER_CODES: ReadonlyMap<number, string> = new Map([
  [0x1b, 'CKR_ACTION_PROHIBITED'],
  [0x140, 'CKR_CURVE_NOT_SUPPORTED'],
  [0x201, 'CKR_TOKEN_RESOURCE_EXCEEDED'],
  [0x202, 'CKR_OPERATION_CANCEL_FAILED'],
  [0x203, 'CKR_KEY_EXHAUSTED'],
  [0x204, 'CKR_PENDING'],
  [0x206, 'CKR_SEED_RANDOM_REQUIRED'],
  [0x207, 'CKR_OPERATION_NOT_VALIDATED'],
  [0x208, 'CKR_TOKEN_NOT_INITIALIZED'],
  [0x209, 'CKR_PARAMETER_SET_NOT_SUPPORTED'],
]);

/**
 * The name of the return value that a PKCS#11 function ended with, `CKR_…`; of a vendor's own one with its number.
 * Undefined for an error that is none of PKCS#11.
 */
export function returnValueOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // What graphene passes on as it is has the number in the text; pkcs11js itself takes the two apart.
  const [, name, number] = /^(CKR_\w+)(?::(\d+))?(?:\n|$)/.exec(error.message) ?? [];
  const code = Number(number ?? (error as { readonly code?: unknown }).code);
  return name === 'CKR_VENDOR_DEFINED' ? (NEWER_CODES.get(code) ?? `${name} (0x${code.toString(16)})`) : name;
}

/**
 * Runs calls of a module.
 *
 * @param doing what an operator knows these calls as, for the text of the error
 * @param hints what to do about return values that have one likely cause
 * @throws HsmError for a return value other than CKR_OK
 */
export function explaining<T>(doing: string, run: () => T, hints: Readonly<Record<string, string>> = {}): T {
  try {
    return run();
  } catch (cause) {
    const name = returnValueOf(cause);
    if (name === undefined) {
      throw cause;
    }
    const hint = hints[name];
    throw new HsmError(`${doing}: the module answered ${name}${hint === undefined ? '' : ` (${hint})`}`, { cause });
  }
}
