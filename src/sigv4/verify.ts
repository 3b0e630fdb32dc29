import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { CryptoCore, KeyHandle } from '../core/crypto-core.ts';
import { type CredentialScope, MAX_ACCESS_KEY_ID_LENGTH } from './authorization-header.ts';
import {
  canonicalHeaders,
  canonicalQuery,
  canonicalRequest,
  canonicalUri,
  MAX_PATH_LENGTH,
  MAX_QUERY_LENGTH,
  stringToSign,
} from './canonical-request.ts';
import { isLowerCaseHex, isMethod } from './characters.ts';
import { type Claim, readClaim } from './claim.ts';
import { failure, MESSAGES, type SigV4Failure } from './errors.ts';
import { type HeaderIndex, indexHeaders, type RawHeaders, singleHeader } from './request-headers.ts';
import type { SigningKeys } from './signing-key.ts';

/** A request as it came over the wire, one octet per character. */
export interface SignedRequest {
  readonly method: string;
  /** Raw path of the request line, `/` for KMS; at most {@link MAX_PATH_LENGTH} characters. */
  readonly path: string;
  /** Raw query without its `?`, empty for KMS; at most {@link MAX_QUERY_LENGTH} characters. */
  readonly query: string;
  readonly headers: RawHeaders;
  /** The whole body; read during the call and never kept. */
  readonly body: Uint8Array;
}

/** An access key, as the store of identities knows it. */
export interface Credential<Identity> {
  readonly accessKeyId: string;
  /** `hmac` key whose bytes are `"AWS4" + secret access key`; belongs to the store. */
  readonly secret: KeyHandle;
  /** SHA-256 of the session token, 32 bytes; undefined for a long-term key, which must come without a token. */
  readonly sessionTokenDigest?: Uint8Array | undefined;
  /** Milliseconds since 1970 from when on a session is refused. */
  readonly expiresAtMs?: number | undefined;
  readonly isActive: boolean;
  /** Who the key stands for; handed through. */
  readonly identity: Identity;
}

export interface VerifyOptions<Identity> {
  /** Now, in milliseconds since 1970. */
  readonly nowMs: number;
  /** The service in the scope, `kms`. */
  readonly service: string;
  /** Regions that this listener answers for. */
  readonly regions: ReadonlySet<string>;
  readonly core: CryptoCore;
  /** Finds a credential by its exact access key id. A rejection or an exception goes through to the caller. */
  readonly credentials: (accessKeyId: string) => MaybePromise<Credential<Identity> | undefined>;
  readonly signingKeys: SigningKeys;
}

/** A request that was signed with `credential`, for `region`. */
export interface VerifiedRequest<Identity> {
  readonly ok: true;
  readonly credential: Credential<Identity>;
  readonly region: string;
  /** Milliseconds since 1970, a multiple of 1000. */
  readonly signedAtMs: number;
  /** The names whose headers were signed: lower case, sorted. Every other header is anybody's word. */
  readonly signedHeaders: readonly string[];
}

export type VerifyResult<Identity> = VerifiedRequest<Identity> | SigV4Failure;

/** A request that only lacks the verdict on its credential. */
interface Prepared {
  readonly ok: true;
  readonly scope: CredentialScope;
  readonly signedAtMs: number;
  readonly signedHeaders: readonly string[];
  readonly sessionToken: string | undefined;
  readonly stringToSign: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * Verifies the SigV4 signature of a request, in the header form. The presigned query form is refused as
 * `MissingAuthenticationTokenException`: no SDK makes it for KMS, and a URL that is a credential ends up in logs.
 *
 * The answer is a promise only when the lookup of the credential answers with one. Steps, each with its own refusal:
 * size, presence, shape, date, clock, signed headers, scope, body hash; then access key, signature, session token,
 * expiry. Up to the lookup nothing depends on a secret. An access key that is unknown and one that is inactive are
 * refused with the same text after the same work here, and a wrong signature takes that work too; how long the lookup
 * takes is the caller's affair.
 *
 * A signature can be replayed within {@link CLOCK_WINDOW_MS}; SigV4 has no nonce.
 *
 * @throws RangeError when `nowMs` is not finite
 * @throws CoreError `destroyedKey` or `wrongKeyType` when the credential's secret is not usable
 * @source AWS IAM User Guide, "AWS Signature Version 4 for API requests"
 */
export function verifyRequest<Identity>(
  request: SignedRequest,
  options: VerifyOptions<Identity>,
): MaybePromise<VerifyResult<Identity>> {
  // NaN would pass every comparison with the clock.
  if (!Number.isFinite(options.nowMs)) {
    throw new RangeError('nowMs must be finite');
  }
  const prepared = prepare(request, options);
  if (!prepared.ok) {
    return prepared;
  }
  const { accessKeyId } = prepared.scope;
  const found = isAccessKeyId(accessKeyId) ? options.credentials(accessKeyId) : undefined;
  return chain(found, (credential) => judge(prepared, credential, options));
}

/** Everything that needs no credential. */
function prepare(request: SignedRequest, options: VerifyOptions<unknown>): Prepared | SigV4Failure {
  const index = indexHeaders(request.headers);
  if (index === undefined || request.path.length > MAX_PATH_LENGTH || request.query.length > MAX_QUERY_LENGTH) {
    return failure('InvalidSignatureException', MESSAGES.tooLarge);
  }
  if (index.repeated !== undefined) {
    return failure('InvalidSignatureException', `The request has more than one '${index.repeated}' header.`);
  }
  const header = singleHeader(index, 'authorization');
  if (header === undefined || header === '') {
    return failure('MissingAuthenticationTokenException', MESSAGES.missingToken);
  }
  const claim = readClaim(header, index, options);
  return claim.ok ? bindRequest(claim, request, index, options.core) : claim;
}

/** Computes what the signature of `claim` must be a MAC of. */
function bindRequest(
  claim: Claim,
  request: SignedRequest,
  index: HeaderIndex,
  core: CryptoCore,
): Prepared | SigV4Failure {
  const query = canonicalQuery(request.query);
  if (query?.isPresigned === true) {
    return failure('InvalidSignatureException', MESSAGES.headerAndQuery);
  }
  const uri = canonicalUri(request.path);
  const headers = canonicalHeaders(claim.signedHeaders, index);
  const isWellFormed = isMethod(request.method) && isLowerCaseHex(claim.signature, 64);
  if (query === undefined || uri === undefined || headers === undefined || !isWellFormed) {
    return failure('InvalidSignatureException', MESSAGES.mismatch);
  }

  const payloadHash = core.digest('SHA-256', request.body).toString('hex');
  // Also what refuses UNSIGNED-PAYLOAD and STREAMING-…: KMS has no body whose hash is not known.
  const statedHash = singleHeader(index, 'x-amz-content-sha256');
  if (statedHash !== undefined && statedHash !== payloadHash) {
    return failure('InvalidSignatureException', MESSAGES.bodyHash);
  }
  const canonical = canonicalRequest({
    method: request.method,
    uri,
    query: query.text,
    headers,
    signedHeaders: claim.signedHeadersText,
    payloadHash,
  });
  const requestHash = core.digest('SHA-256', Buffer.from(canonical, 'latin1')).toString('hex');
  const toSign = stringToSign(claim.signedAt.timestamp, claim.scope.scope, requestHash);
  return {
    ok: true,
    scope: claim.scope,
    signedAtMs: claim.signedAt.epochMs,
    signedHeaders: claim.signedHeaders,
    sessionToken: singleHeader(index, 'x-amz-security-token'),
    stringToSign: Buffer.from(toSign, 'latin1'),
    signature: Buffer.from(claim.signature, 'hex'),
  };
}

/** The verdict, once the lookup has answered. */
function judge<Identity>(
  prepared: Prepared,
  found: Credential<Identity> | undefined,
  options: VerifyOptions<Identity>,
): VerifyResult<Identity> {
  const { scope } = prepared;
  // A store whose comparison folds case or trims would otherwise let one id pass for another.
  const credential = found?.isActive === true && found.accessKeyId === scope.accessKeyId ? found : undefined;
  const isSigned = options.signingKeys.verify({
    scope,
    secret: credential?.secret,
    stringToSign: prepared.stringToSign,
    signature: prepared.signature,
  });
  if (credential === undefined) {
    return failure('UnrecognizedClientException', MESSAGES.invalidToken);
  }
  if (!isSigned) {
    return failure('InvalidSignatureException', MESSAGES.mismatch);
  }
  if (!hasItsToken(credential, prepared.sessionToken, options.core)) {
    return failure('UnrecognizedClientException', MESSAGES.invalidToken);
  }
  if (credential.expiresAtMs !== undefined && !(options.nowMs < credential.expiresAtMs)) {
    return failure('ExpiredTokenException', MESSAGES.expiredToken);
  }
  const { signedAtMs, signedHeaders } = prepared;
  return { ok: true, credential, region: scope.region, signedAtMs, signedHeaders };
}

/** True when a session came with its token and a long-term key without one. */
function hasItsToken(credential: Credential<unknown>, token: string | undefined, core: CryptoCore): boolean {
  const expected = credential.sessionTokenDigest;
  // An ASIA key whose record has no token is broken: it must not become a long-term key.
  if (expected === undefined) {
    return token === undefined && !credential.accessKeyId.startsWith('ASIA');
  }
  if (token === undefined) {
    return false;
  }
  return equalDigests(core.digest('SHA-256', Buffer.from(token, 'latin1')), expected);
}

/** Compares in a time that does not depend on where the digests differ. */
function equalDigests(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length || a.length === 0) {
    return false;
  }
  let difference = 0;
  for (let index = 0; index < a.length; index += 1) {
    difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  }
  return difference === 0;
}

/** True for 1 to {@link MAX_ACCESS_KEY_ID_LENGTH} visible ASCII characters: what the lookup may be asked for. */
function isAccessKeyId(text: string): boolean {
  if (text.length === 0 || text.length > MAX_ACCESS_KEY_ID_LENGTH) {
    return false;
  }
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code <= 0x20 || code >= 0x7f) {
      return false;
    }
  }
  return true;
}
