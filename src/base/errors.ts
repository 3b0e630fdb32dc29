/**
 * The errors of the KMS API, one row each. Names and texts are AWS's; on the wire every client error is HTTP 400 and
 * every server error 500, whatever the service model's traits say.
 */
interface ErrorRow {
  readonly httpStatus: number;
  readonly fault: 'client' | 'server';
  readonly isRetryable: boolean;
}

const CLIENT: ErrorRow = { httpStatus: 400, fault: 'client', isRetryable: false };
const SERVER: ErrorRow = { httpStatus: 500, fault: 'server', isRetryable: true };

export const ERROR_CATALOGUE = {
  // Modelled by the service
  AlreadyExistsException: CLIENT,
  CloudHsmClusterInUseException: CLIENT,
  CloudHsmClusterInvalidConfigurationException: CLIENT,
  CloudHsmClusterNotActiveException: CLIENT,
  CloudHsmClusterNotFoundException: CLIENT,
  CloudHsmClusterNotRelatedException: CLIENT,
  ConflictException: CLIENT,
  CustomKeyStoreHasCMKsException: CLIENT,
  CustomKeyStoreInvalidStateException: CLIENT,
  CustomKeyStoreNameInUseException: CLIENT,
  CustomKeyStoreNotFoundException: CLIENT,
  DependencyTimeoutException: SERVER,
  DisabledException: CLIENT,
  DryRunOperationException: CLIENT,
  ExpiredImportTokenException: CLIENT,
  IncorrectKeyException: CLIENT,
  IncorrectKeyMaterialException: CLIENT,
  IncorrectTrustAnchorException: CLIENT,
  InvalidAliasNameException: CLIENT,
  InvalidArnException: CLIENT,
  InvalidCiphertextException: CLIENT,
  InvalidGrantIdException: CLIENT,
  InvalidGrantTokenException: CLIENT,
  InvalidImportTokenException: CLIENT,
  InvalidKeyUsageException: CLIENT,
  InvalidMarkerException: CLIENT,
  KeyUnavailableException: SERVER,
  KMSInternalException: SERVER,
  KMSInvalidMacException: CLIENT,
  KMSInvalidSignatureException: CLIENT,
  KMSInvalidStateException: CLIENT,
  LimitExceededException: CLIENT,
  MalformedPolicyDocumentException: CLIENT,
  NotFoundException: CLIENT,
  TagException: CLIENT,
  UnsupportedOperationException: CLIENT,
  XksKeyAlreadyInUseException: CLIENT,
  XksKeyInvalidConfigurationException: CLIENT,
  XksKeyNotFoundException: CLIENT,
  XksProxyIncorrectAuthenticationCredentialException: CLIENT,
  XksProxyInvalidConfigurationException: CLIENT,
  XksProxyInvalidResponseException: CLIENT,
  XksProxyUriEndpointInUseException: CLIENT,
  XksProxyUriInUseException: CLIENT,
  XksProxyUriUnreachableException: CLIENT,
  XksProxyVpcEndpointServiceInUseException: CLIENT,
  XksProxyVpcEndpointServiceInvalidConfigurationException: CLIENT,
  XksProxyVpcEndpointServiceNotFoundException: CLIENT,
  // Common to all operations
  AccessDeniedException: CLIENT,
  NotAuthorizedException: CLIENT,
  SerializationException: CLIENT,
  ThrottlingException: { httpStatus: 400, fault: 'client', isRetryable: true },
  UnknownOperationException: CLIENT,
  ValidationException: CLIENT,
  // Of the signature check
  ExpiredTokenException: CLIENT,
  IncompleteSignatureException: CLIENT,
  InvalidSignatureException: CLIENT,
  MissingAuthenticationTokenException: CLIENT,
  UnrecognizedClientException: CLIENT,
  // Of the listener
  RequestEntityTooLargeException: { httpStatus: 413, fault: 'client', isRetryable: false },
} as const satisfies Record<string, ErrorRow>;

export type ErrorName = keyof typeof ERROR_CATALOGUE;

/** An answer of the service that is not a success. Its text carries ids, sizes and states, never secrets. */
export class KmsServiceError extends Error {
  override readonly name: ErrorName;
  readonly httpStatus: number;
  readonly fault: 'client' | 'server';
  readonly isRetryable: boolean;
  /** AWS sends some errors without a message member; then this is undefined. */
  readonly text: string | undefined;

  constructor(name: ErrorName, text?: string, cause?: unknown) {
    super(text ?? name, cause === undefined ? undefined : { cause });
    const row = ERROR_CATALOGUE[name];
    this.name = name;
    this.httpStatus = row.httpStatus;
    this.fault = row.fault;
    this.isRetryable = row.isRetryable;
    this.text = text;
  }
}

/**
 * A state that the program itself must never reach: a bug or a damaged store. Fails the request, is logged with its
 * stack.
 */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}
