import type { CryptoCore, KeyHandle } from '../core/crypto-core.ts';
import { ALGORITHM } from './authorization-header.ts';
import { canonicalHeaders, canonicalRequest, canonicalUri, stringToSign } from './canonical-request.ts';
import { formatAmzDate } from './clock-window.ts';
import { indexHeaders } from './request-headers.ts';
import { deriveSigningKey } from './signing-key.ts';

/** A request without query, as it will go over the wire. */
export interface RequestToSign {
  readonly method: string;
  /** Begins with `/`; of characters that need no encoding. */
  readonly path: string;
  /** Value of the `Host` header. */
  readonly host: string;
  readonly body: Uint8Array;
}

/** Whose signature it shall be, and for whom. */
export interface Signer {
  readonly accessKeyId: string;
  /** `hmac` key whose bytes are `"AWS4" + secret access key`. */
  readonly secret: KeyHandle;
  readonly region: string;
  readonly service: string;
}

/** The headers that make a request a signed one, `host` among them. */
export interface SignatureHeaders {
  readonly host: string;
  readonly 'x-amz-date': string;
  readonly authorization: string;
}

const SIGNED_HEADERS = 'host;x-amz-date';

/**
 * Signs a request in the header form, over `host` and `x-amz-date`.
 *
 * @param nowMs milliseconds since 1970
 * @throws RangeError when path or host cannot stand in a request
 * @throws CoreError `destroyedKey` or `wrongKeyType` when the secret is not usable
 * @source AWS IAM User Guide, "Create a signed AWS API request"
 */
export function signRequest(
  core: CryptoCore,
  { method, path, host, body }: RequestToSign,
  { accessKeyId, secret, region, service }: Signer,
  nowMs: number,
): SignatureHeaders {
  const timestamp = formatAmzDate(nowMs);
  const date = timestamp.slice(0, 8);
  const index = indexHeaders([
    ['host', host],
    ['x-amz-date', timestamp],
  ]);
  const uri = canonicalUri(path);
  const headers = index === undefined ? undefined : canonicalHeaders(SIGNED_HEADERS.split(';'), index);
  if (uri === undefined || headers === undefined) {
    throw new RangeError('the path or host cannot be signed');
  }
  const payloadHash = core.digest('SHA-256', body).toString('hex');
  const canonical = canonicalRequest({ method, uri, query: '', headers, signedHeaders: SIGNED_HEADERS, payloadHash });
  const requestHash = core.digest('SHA-256', Buffer.from(canonical, 'latin1')).toString('hex');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const key = deriveSigningKey(core, secret, { date, region, service });
  try {
    const toSign = Buffer.from(stringToSign(timestamp, scope, requestHash), 'latin1');
    const signature = core.hmac(key, 'SHA-256', toSign).toString('hex');
    const credential = `${accessKeyId}/${scope}`;
    return {
      host,
      'x-amz-date': timestamp,
      authorization: `${ALGORITHM} Credential=${credential}, SignedHeaders=${SIGNED_HEADERS}, Signature=${signature}`,
    };
  } finally {
    key.destroy();
  }
}
