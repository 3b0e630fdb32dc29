/** What failures of tokens are to those who use keys in them. */
import { KmsServiceError } from '../base/errors.ts';
import type { ConnectionErrorCode } from '../keys/key-store.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import { Pkcs11Error } from '../pkcs11/token.ts';
import type { Pkcs11Reason } from '../pkcs11/codes.ts';

// PKCS#11 2.40, section 6: return values that say which way a PIN was refused.
const CKR_PIN_LOCKED = 0xa4;
const CKR_USER_PIN_NOT_INITIALIZED = 0x102;
const CKR_USER_TYPE_INVALID = 0x103;

/** Failures that another member would answer with as well: the request is what is wrong, not the HSM. */
const OF_THE_REQUEST: ReadonlySet<Pkcs11Reason> = new Set([
  'invalidArgument',
  'authenticationFailed',
  'tooLong',
  'notOffered',
  'keyExists',
  'notProtected',
]);

export function isTokenFailure(error: unknown): error is Pkcs11Error {
  return error instanceof Pkcs11Error;
}

export function isFailureOf(error: unknown, reason: Pkcs11Reason): error is Pkcs11Error {
  return error instanceof Pkcs11Error && error.reason === reason;
}

/** Whether another member may well do what this one did not. */
export function mayAnotherDo(error: unknown): error is Pkcs11Error {
  return error instanceof Pkcs11Error && !OF_THE_REQUEST.has(error.reason);
}

/**
 * What AWS KMS says of a store that cannot be connected for this reason.
 *
 * @source KMS API Reference, CustomKeyStoresListEntry, ConnectionErrorCode
 */
export function connectionErrorOf({ reason, rv }: Pkcs11Error): ConnectionErrorCode {
  if (reason === 'pinRefused') {
    return PIN_REFUSALS.get(rv) ?? 'INVALID_CREDENTIALS';
  }
  return CONNECTION_ERRORS.get(reason) ?? 'INTERNAL_ERROR';
}

const PIN_REFUSALS: ReadonlyMap<number, ConnectionErrorCode> = new Map([
  [CKR_PIN_LOCKED, 'USER_LOCKED_OUT'],
  [CKR_USER_PIN_NOT_INITIALIZED, 'USER_NOT_FOUND'],
  [CKR_USER_TYPE_INVALID, 'USER_NOT_FOUND'],
]);

const CONNECTION_ERRORS: ReadonlyMap<Pkcs11Reason, ConnectionErrorCode> = new Map([
  ['noToken', 'CLUSTER_NOT_FOUND'],
  ['module', 'NETWORK_ERRORS'],
  ['timedOut', 'NETWORK_ERRORS'],
  ['unavailable', 'NETWORK_ERRORS'],
  ['helperEnded', 'NETWORK_ERRORS'],
]);

/** What could not be used. The API has another error for a key than for a store. */
export interface FailedSubject {
  /** For sentences: "… is unavailable". */
  readonly name: string;
  readonly outage: 'KMSInvalidStateException' | 'CustomKeyStoreInvalidStateException';
}

/** Of operations that use a key. */
export function keySubject({ arn }: Pick<KmsKey, 'arn'>): FailedSubject {
  return { name: arn, outage: 'KMSInvalidStateException' };
}

/** Of CreateKey and GenerateRandom. */
export function storeSubject(storeId: string): FailedSubject {
  return { name: `Custom key store ${storeId}`, outage: 'CustomKeyStoreInvalidStateException' };
}

/** The answer when nothing is wrong with the request, and it cannot be served until something is mended. */
export function outageOf({ name, outage }: FailedSubject, reason: string, cause?: unknown): KmsServiceError {
  return new KmsServiceError(outage, `${name} is unavailable: ${reason}`, cause);
}

/** Reasons why a key cannot be used until something is mended, as they are told after "is unavailable: ". */
const OUTAGES: ReadonlyMap<Pkcs11Reason, string> = new Map([
  ...(['unavailable', 'closed', 'pinRefused', 'noToken', 'noModule', 'module', 'helperEnded'] as const).map(
    (reason) => [reason, 'the HSMs of the custom key store cannot be used at present.'] as const,
  ),
  ['keyNotFound', 'its key material is not in the HSMs of the custom key store.'],
]);

/**
 * The answer to a request that the HSMs did not serve.
 *
 * @source KMS API Reference, errors of CreateKey, GenerateRandom and the cryptographic operations
 */
export function serviceErrorOf(error: Pkcs11Error, subject: FailedSubject): KmsServiceError {
  const { reason } = error;
  const outage = OUTAGES.get(reason);
  if (outage !== undefined) {
    return outageOf(subject, outage, error);
  }
  if (reason === 'queueFull') {
    const text = 'The HSMs of the custom key store are busy. Try again later.';
    return new KmsServiceError('ThrottlingException', text, error);
  }
  return reason === 'timedOut'
    ? new KmsServiceError('DependencyTimeoutException', 'The HSMs of the custom key store timed out.', error)
    : new KmsServiceError('KMSInternalException', 'The HSMs of the custom key store failed.', error);
}
