import { isLowerCaseHeaderName, trimBlanks } from './characters.ts';

/** The only algorithm that KMS accepts. */
export const ALGORITHM = 'AWS4-HMAC-SHA256';

/** Most characters of an `Authorization` header; real ones have about 300. */
export const MAX_AUTHORIZATION_LENGTH = 4096;

/** Most names in `SignedHeaders`. */
export const MAX_SIGNED_HEADERS = 64;

/** Most characters of an access key id (AWS IAM API, `accessKeyIdType`). */
export const MAX_ACCESS_KEY_ID_LENGTH = 128;

/** The `Authorization` header taken apart, but not judged; a parameter that is absent or empty is undefined. */
export interface Authorization {
  /** The scheme: everything before the first blank. */
  readonly algorithm: string;
  /** `<access key id>/<yyyymmdd>/<region>/<service>/aws4_request`. */
  readonly credential: string | undefined;
  /** Names joined by `;`. */
  readonly signedHeaders: string | undefined;
  /** 64 lower-case hexadecimal digits, when well formed. */
  readonly signature: string | undefined;
}

/** Why {@link parseAuthorization} gave up. */
export type AuthorizationFault = 'tooLarge' | 'missingEqualSign' | 'unknownParameter' | 'repeatedParameter';

export type ParsedAuthorization =
  | { readonly ok: true; readonly authorization: Authorization }
  | { readonly ok: false; readonly fault: AuthorizationFault };

/** The parts of `Credential`. */
export interface CredentialScope {
  readonly accessKeyId: string;
  /** `yyyymmdd` when well formed. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  /** `aws4_request` when well formed. */
  readonly terminator: string;
  /** The last four parts as they were written: the scope line of the string to sign. */
  readonly scope: string;
}

/**
 * Takes an `Authorization` header apart: a scheme, a blank, then `Credential`, `SignedHeaders` and `Signature` in any
 * order, separated by commas with or without blanks. A parameter that is unknown or repeated is a fault, because two
 * readers of such a header could see different things. Linear in the header, which is at most
 * {@link MAX_AUTHORIZATION_LENGTH} characters.
 * @source AWS IAM User Guide, "Create a signed AWS API request", step 6 (Add the signature to the request)
 */
export function parseAuthorization(header: string): ParsedAuthorization {
  if (header.length > MAX_AUTHORIZATION_LENGTH) {
    return { ok: false, fault: 'tooLarge' };
  }
  const text = trimBlanks(header);
  const blank = text.indexOf(' ');
  const algorithm = blank === -1 ? text : text.slice(0, blank);
  let credential: string | undefined;
  let signedHeaders: string | undefined;
  let signature: string | undefined;
  let start = blank === -1 ? text.length : blank + 1;
  while (start < text.length) {
    const comma = text.indexOf(',', start);
    const end = comma === -1 ? text.length : comma;
    const parameter = trimBlanks(text.slice(start, end));
    start = end + 1;
    const equalSign = parameter.indexOf('=');
    if (equalSign === -1) {
      return { ok: false, fault: 'missingEqualSign' };
    }
    const name = parameter.slice(0, equalSign);
    const value = parameter.slice(equalSign + 1);
    switch (name) {
      case 'Credential':
        if (credential !== undefined) {
          return { ok: false, fault: 'repeatedParameter' };
        }
        credential = value;
        break;
      case 'SignedHeaders':
        if (signedHeaders !== undefined) {
          return { ok: false, fault: 'repeatedParameter' };
        }
        signedHeaders = value;
        break;
      case 'Signature':
        if (signature !== undefined) {
          return { ok: false, fault: 'repeatedParameter' };
        }
        signature = value;
        break;
      default:
        // A foreign scheme is better answered with what is missing than with what is not known.
        if (algorithm.startsWith('AWS4-')) {
          return { ok: false, fault: 'unknownParameter' };
        }
    }
  }
  return {
    ok: true,
    authorization: {
      algorithm,
      credential: credential || undefined,
      signedHeaders: signedHeaders || undefined,
      signature: signature || undefined,
    },
  };
}

/** Splits `Credential` into its parts; undefined unless there are exactly five. */
export function parseCredential(credential: string): CredentialScope | undefined {
  // Five parts have four slashes; the limit keeps a header full of slashes from making a long list.
  const parts = credential.split('/', 6);
  const [accessKeyId, date, region, service, terminator] = parts;
  if (parts.length !== 5 || accessKeyId === undefined || date === undefined) {
    return undefined;
  }
  if (region === undefined || service === undefined || terminator === undefined) {
    return undefined;
  }
  return { accessKeyId, date, region, service, terminator, scope: credential.slice(accessKeyId.length + 1) };
}

/**
 * Splits `SignedHeaders`. Undefined unless every name is a lower-case header name, they are sorted by code, no name
 * comes twice, and there are at most {@link MAX_SIGNED_HEADERS}.
 */
export function parseSignedHeaders(signedHeaders: string): readonly string[] | undefined {
  const names = signedHeaders.split(';', MAX_SIGNED_HEADERS + 1);
  if (names.length > MAX_SIGNED_HEADERS) {
    return undefined;
  }
  let previous = '';
  for (const name of names) {
    if (name <= previous || !isLowerCaseHeaderName(name)) {
      return undefined;
    }
    previous = name;
  }
  return names;
}
