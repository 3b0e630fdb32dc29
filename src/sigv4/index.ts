export {
  ALGORITHM,
  MAX_ACCESS_KEY_ID_LENGTH,
  MAX_AUTHORIZATION_LENGTH,
  MAX_SIGNED_HEADERS,
  parseAuthorization,
  parseCredential,
  parseSignedHeaders,
} from './authorization-header.ts';
export type {
  Authorization,
  AuthorizationFault,
  CredentialScope,
  ParsedAuthorization,
} from './authorization-header.ts';
export {
  canonicalHeaders,
  canonicalQuery,
  canonicalRequest,
  canonicalUri,
  MAX_PATH_LENGTH,
  MAX_QUERY_LENGTH,
  stringToSign,
} from './canonical-request.ts';
export type { CanonicalParts, CanonicalQuery } from './canonical-request.ts';
export { CLOCK_WINDOW_MS, formatAmzDate, parseAmzDate, parseHttpDate } from './clock-window.ts';
export type { SigningTime } from './clock-window.ts';
export type { SigV4Error, SigV4ErrorName, SigV4Failure } from './errors.ts';
export { splitUrl, toSignedRequest } from './incoming.ts';
export { indexHeaders, MAX_HEADERS, MAX_HEADERS_LENGTH } from './request-headers.ts';
export type { HeaderIndex, RawHeaders } from './request-headers.ts';
export { signRequest } from './sign.ts';
export type { RequestToSign, SignatureHeaders, Signer } from './sign.ts';
export { DEFAULT_SIGNING_KEYS, deriveSigningKey, SigningKeys } from './signing-key.ts';
export type { SignatureToVerify, SigningKeyScope } from './signing-key.ts';
export { verifyRequest } from './verify.ts';
export type { Credential, SignedRequest, VerifiedRequest, VerifyOptions, VerifyResult } from './verify.ts';
