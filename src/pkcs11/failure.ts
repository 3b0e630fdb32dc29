/** Makes {@link Pkcs11Error}s of the numbers that a token answers. */
import { REASON_CODES, type Pkcs11Reason } from './codes.ts';
import { mechanismName, NO_MECHANISM, returnValueName } from './names.ts';
import type { FailureNumbers } from './token-port.ts';
import { Pkcs11Error } from './token.ts';

const REASONS = new Map<number, Pkcs11Reason>(
  Object.entries(REASON_CODES).map(([reason, code]) => [code, reason as Pkcs11Reason]),
);

const TEXTS: Readonly<Record<Pkcs11Reason, string>> = {
  module: 'the module refused',
  invalidArgument: 'the arguments make no sense to a token',
  keyNotFound: 'no key has this id',
  notOffered: 'the token does not offer this mechanism',
  authenticationFailed: 'the data is not what the key made',
  tooLong: 'the data is longer than the token takes',
  notProtected: 'the token made a key that could be read, which was destroyed',
  queueFull: 'too many requests wait for the token',
  timedOut: 'the token did not answer in time',
  unavailable: 'the token cannot be reached',
  closed: 'the token was closed',
  noModule: 'the module cannot be loaded',
  noToken: 'no token, or more than one, has this label, or no slot has this id',
  pinRefused: 'the token refused the PIN, which is not tried again',
  outOfMemory: 'there is not enough memory',
  keyExists: 'a key has this id already',
  helperEnded: 'the helper process ended before it answered; what it was asked may have been done',
};

/** A failure in which neither the module nor a mechanism has a part. */
export function failureOf(reason: Pkcs11Reason): FailureNumbers {
  return Uint32Array.of(REASON_CODES[reason], 0, NO_MECHANISM);
}

export function reasonOf(code: number): Pkcs11Reason {
  return REASONS.get(code) ?? 'module';
}

/** The error of a failure, with a text that names the module, the operation, the mechanism and the return value. */
export function errorOf(failure: FailureNumbers, modulePath: string, operation: string): Pkcs11Error {
  const [code = 0, rv = 0, mechanism = NO_MECHANISM] = failure;
  const reason = reasonOf(code);
  const details = [mechanismName(mechanism), rv === 0 ? undefined : returnValueName(rv)].filter(
    (detail) => detail !== undefined,
  );
  const suffix = details.length === 0 ? '' : ` (${details.join(', ')})`;
  return new Pkcs11Error(reason, rv, `PKCS#11 module ${modulePath}, ${operation}: ${TEXTS[reason]}${suffix}`);
}

/** Of arguments that do not get as far as a token. */
export function invalidArgument(text: string): Pkcs11Error {
  return new Pkcs11Error('invalidArgument', 0, `PKCS#11: ${text}`);
}
