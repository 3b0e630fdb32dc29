/**
 * What goes wrong between the service and an external key store proxy, and what AWS KMS answers to it: one row each.
 * The message of the proxy itself goes to the log and never to the caller.
 *
 * @source AWS, "External Key Store Proxy API Specification", Error codes; KMS Developer Guide, "Troubleshooting
 *   external key stores", connection errors
 */
import { KmsServiceError, type ErrorName } from '../base/errors.ts';
import type { ConnectionErrorCode } from '../keys/key-store.ts';
import type { XksErrorName } from './proxy-api.ts';

/**
 * - the errors of a proxy, by name;
 * - `unreachable`: no TCP connection, or one that broke; `tls`: no TLS connection that can be trusted;
 * - `timeout`: no answer in time; `malformed`: one that is not as specified;
 * - `unusableKey`: metadata of a key that no KMS key can be made with;
 * - `foreignCiphertext`: an external key opened what the material of the KMS key does not;
 * - `unavailable`: no external key manager works behind the proxy.
 */
export type FailureKind =
  XksErrorName | 'unreachable' | 'tls' | 'timeout' | 'malformed' | 'unusableKey' | 'foreignCiphertext' | 'unavailable';

interface FailureRow {
  readonly text: string;
  /** Of CreateKey. */
  readonly createKey: ErrorName;
  /** Of CreateCustomKeyStore and UpdateCustomKeyStore. */
  readonly configuration: ErrorName;
  readonly connection: ConnectionErrorCode;
}

const RETRY = 'If you see this error repeatedly, report it to your external key store proxy administrator.';

/** A proxy that speaks, but not as specified. */
const MISUNDERSTOOD: FailureRow = {
  text: `AWS KMS cannot interpret the response from the external key store proxy. ${RETRY}`,
  createKey: 'CustomKeyStoreInvalidStateException',
  configuration: 'XksProxyInvalidResponseException',
  connection: 'XKS_PROXY_INVALID_RESPONSE',
};

/** A proxy that does not serve the request now. */
const UNREACHABLE: FailureRow = {
  text:
    'AWS KMS cannot communicate with the external key store proxy. This might be a transient network issue. If you ' +
    'see this error repeatedly, verify that your external key store proxy is active and is connected to the network, ' +
    'and that its endpoint URI is correct in your external key store.',
  createKey: 'CustomKeyStoreInvalidStateException',
  configuration: 'XksProxyUriUnreachableException',
  connection: 'XKS_PROXY_NOT_REACHABLE',
};

/** An external key that cannot be used, whichever way that shows. */
const UNUSABLE_KEY: FailureRow = {
  ...MISUNDERSTOOD,
  text:
    'The external key associated with this KMS key in an external key store is not enabled in the external key ' +
    'manager. Enable the external key in the external key manager and retry the request.',
  createKey: 'XksKeyInvalidConfigurationException',
};

const FAILURES: Readonly<Record<FailureKind, FailureRow>> = {
  ValidationException: MISUNDERSTOOD,
  malformed: MISUNDERSTOOD,
  InvalidStateException: UNUSABLE_KEY,
  unusableKey: {
    ...UNUSABLE_KEY,
    text:
      'The external key is not usable for a KMS key: it must be an enabled AES-256 key that is for encryption and ' +
      'decryption.',
  },
  InvalidKeyUsageException: {
    ...UNUSABLE_KEY,
    text:
      'The external key associated with this KMS key in an external key store does not support the requested ' +
      'operation. Enable the operation on the key in your external key manager, and try the request again.',
  },
  InvalidCiphertextException: {
    ...MISUNDERSTOOD,
    text:
      'The external key store proxy rejected the request because the specified ciphertext or encryption context is ' +
      'corrupted, missing, or otherwise invalid.',
  },
  foreignCiphertext: {
    ...MISUNDERSTOOD,
    text:
      'The ciphertext that the external key store proxy submitted for decryption, or the encryption context, is ' +
      'corrupted, missing, or otherwise invalid.',
  },
  AuthenticationFailedException: {
    text:
      'The external key store proxy rejected the request because it could not authenticate AWS KMS. Verify the XKS ' +
      'proxy authentication credentials for your external key store and update if necessary.',
    createKey: 'CustomKeyStoreInvalidStateException',
    configuration: 'XksProxyIncorrectAuthenticationCredentialException',
    connection: 'INVALID_CREDENTIALS',
  },
  AccessDeniedException: {
    text:
      'The external key store proxy denied access to the operation. Verify that the user and the external key are ' +
      'both authorized for this operation, and try the request again.',
    createKey: 'KMSInvalidStateException',
    configuration: 'XksProxyInvalidResponseException',
    connection: 'XKS_PROXY_ACCESS_DENIED',
  },
  KeyNotFoundException: {
    ...MISUNDERSTOOD,
    text:
      'The external key associated with this KMS key in an external key store was not found in its external key ' +
      'manager. If the external key ID associated with this KMS key is incorrect, create a new KMS key with the ' +
      'correct external key ID.',
    createKey: 'XksKeyNotFoundException',
  },
  InvalidUriPathException: {
    text:
      'The external key store proxy rejected the request because of an invalid URI path. Verify the URI path for ' +
      'your external key store and update if necessary.',
    createKey: 'CustomKeyStoreInvalidStateException',
    configuration: 'XksProxyInvalidConfigurationException',
    connection: 'XKS_PROXY_INVALID_CONFIGURATION',
  },
  UnsupportedOperationException: {
    ...MISUNDERSTOOD,
    text:
      'The external key store proxy rejected the request because it does not support the requested operation. ' + RETRY,
    // The specification names an exception that the KMS API does not have; this one is about the same thing.
    createKey: 'XksKeyInvalidConfigurationException',
  },
  DependencyTimeoutException: {
    ...UNREACHABLE,
    text:
      'The external key store proxy did not respond to the request in the time allotted. Retry the request. ' + RETRY,
    connection: 'XKS_PROXY_TIMED_OUT',
  },
  ThrottlingException: {
    ...UNREACHABLE,
    text:
      'The external key store proxy rejected the request due to a very high request rate. Reduce the frequency of ' +
      'your calls using KMS keys in this external key store.',
  },
  InternalException: {
    ...MISUNDERSTOOD,
    text:
      'The external key store proxy rejected the request because it cannot communicate with the external key ' +
      'manager. Verify that the external key store proxy configuration is correct and that the external key manager ' +
      'is available.',
  },
  unreachable: UNREACHABLE,
  unavailable: UNREACHABLE,
  tls: {
    ...UNREACHABLE,
    text:
      'AWS KMS cannot establish a TLS connection to the external key store proxy. Verify the TLS configuration, ' +
      'including its certificate.',
    connection: 'XKS_PROXY_INVALID_TLS_CONFIGURATION',
  },
  timeout: {
    ...UNREACHABLE,
    text:
      'AWS KMS rejected the request because the external key store proxy did not respond in time. Retry the ' +
      `request. ${RETRY}`,
    connection: 'XKS_PROXY_TIMED_OUT',
  },
};

/** A call of a proxy that led to nothing. Its message is for the log. */
export class XksFailure extends Error {
  override readonly name = 'XksFailure';
  readonly kind: FailureKind;

  constructor(kind: FailureKind, detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}

/** Which operation the call was for. */
export type FailedOperation = 'createKey' | 'configuration' | 'cryptographic';

/** What the caller of the KMS API is told. */
export function toServiceError(failure: XksFailure, operation: FailedOperation): KmsServiceError {
  const row = FAILURES[failure.kind];
  const name = operation === 'cryptographic' ? 'KMSInvalidStateException' : row[operation];
  return new KmsServiceError(name, row.text, failure);
}

/** What a store that could not be connected says of the reason. */
export function toConnectionErrorCode({ kind }: XksFailure): ConnectionErrorCode {
  return FAILURES[kind].connection;
}
