import type { ErrorName } from '../base/errors.ts';
import type { CryptoCore } from '../core/crypto-core.ts';
import type { Authorization, AuthorizationFault } from './authorization-header.ts';

/** Why a request was refused; the names are those of the wire. */
export type SigV4ErrorName = Extract<
  ErrorName,
  | 'MissingAuthenticationTokenException'
  | 'IncompleteSignatureException'
  | 'InvalidSignatureException'
  | 'UnrecognizedClientException'
  | 'ExpiredTokenException'
>;

/**
 * A refusal. `message` is safe to send and to log: of what the client wrote it repeats a date, an algorithm or the name
 * of a header, at most {@link MAX_ECHO_LENGTH} printable characters of it; the rest appears only as a hash.
 */
export interface SigV4Error {
  readonly name: SigV4ErrorName;
  readonly message: string;
}

/** A step that failed; every step of the verification answers with this or with its own result. */
export interface SigV4Failure {
  readonly ok: false;
  readonly error: SigV4Error;
}

/** Most characters of the request that a message repeats. */
export const MAX_ECHO_LENGTH = 64;

/** The texts that do not depend on the request. */
export const MESSAGES = {
  missingToken: 'Missing Authentication Token',
  mismatch:
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key ' +
    'and signing method. Consult the service documentation for details.',
  hostNotSigned: "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
  hostAndAuthorityDiffer: "'Host' and ':authority' must be the same.",
  headerAndQuery: "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
  signedHeaders: "'SignedHeaders' must be lower-case, sorted, without repetition and present in the request.",
  bodyHash: "The provided 'x-amz-content-sha256' header does not match what was computed.",
  tooLarge: 'The request line or the headers are too large to verify.',
  authorizationTooLarge: 'Authorization header is too large.',
  invalidToken: 'The security token included in the request is invalid.',
  expiredToken: 'The security token included in the request is expired',
} as const;

/** Makes a refusal. */
export function failure(name: SigV4ErrorName, message: string): SigV4Failure {
  return { ok: false, error: { name, message } };
}

/** What a message may repeat of the request: printable ASCII, at most {@link MAX_ECHO_LENGTH} characters. */
export function echo(text: string): string {
  let shown = '';
  const end = Math.min(text.length, MAX_ECHO_LENGTH);
  for (let index = 0; index < end; index += 1) {
    const code = text.charCodeAt(index);
    shown += code >= 0x20 && code < 0x7f ? text.charAt(index) : '?';
  }
  return text.length > MAX_ECHO_LENGTH ? `${shown}...` : shown;
}

const HASHED = '(Hashed with SHA-256 and encoded with Base64)';

/** Names the parameters that an `Authorization` header lacks, `Date` among them. */
export function missingMessage(
  authorization: Authorization,
  date: string | undefined,
  header: string,
  core: CryptoCore,
): string {
  const { credential, signature, signedHeaders } = authorization;
  let message = '';
  if (credential === undefined) {
    message += "Authorization header requires 'Credential' parameter. ";
  }
  if (signature === undefined) {
    message += "Authorization header requires 'Signature' parameter. ";
  }
  if (signedHeaders === undefined) {
    message += "Authorization header requires 'SignedHeaders' parameter. ";
  }
  if (date === undefined) {
    message += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
  }
  return `${message}${HASHED} Authorization=${hashForMessage(header, core)}`;
}

/** Says why an `Authorization` header could not be taken apart. */
export function malformedMessage(fault: AuthorizationFault, header: string, core: CryptoCore): string {
  switch (fault) {
    case 'tooLarge':
      return MESSAGES.authorizationTooLarge;
    case 'missingEqualSign': {
      const hashed = `(hashed with SHA-256 and encoded with Base64): '${hashForMessage(header, core)}'`;
      return `Invalid key=value pair (missing equal-sign) in Authorization header ${hashed}.`;
    }
    case 'unknownParameter':
    case 'repeatedParameter': {
      const problem = fault === 'unknownParameter' ? 'an unknown' : 'a repeated';
      return `Authorization header has ${problem} parameter. ${HASHED} Authorization=${hashForMessage(header, core)}`;
    }
  }
}

/**
 * What stands for client text that may hold a secret: a bearer token meant for another service, or a secret access key
 * typed where its id belongs. AWS answers with the same hash.
 */
function hashForMessage(text: string, core: CryptoCore): string {
  return core.digest('SHA-256', Buffer.from(text, 'utf8')).toString('base64');
}

/** Says that `Credential` has not five parts. */
export function unscopedMessage(credential: string, core: CryptoCore): string {
  const text = 'Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term';
  return `${text}, ${HASHED} got '${hashForMessage(credential, core)}'`;
}
