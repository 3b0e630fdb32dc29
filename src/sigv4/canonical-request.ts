import { ALGORITHM } from './authorization-header.ts';
import { canonicalHeaderValue, percentDecode, percentEncode } from './characters.ts';
import type { HeaderIndex } from './request-headers.ts';

/** Most characters of a path. */
export const MAX_PATH_LENGTH = 2048;

/** Most characters of a query string. */
export const MAX_QUERY_LENGTH = 8192;

/** The query of a request, sorted and encoded, and whether it tries to carry a signature of its own. */
export interface CanonicalQuery {
  readonly text: string;
  /** True when `X-Amz-Algorithm` or `X-Amz-Signature` is among the names. */
  readonly isPresigned: boolean;
}

/** What {@link canonicalRequest} joins; each part is canonical already. */
export interface CanonicalParts {
  readonly method: string;
  readonly uri: string;
  readonly query: string;
  /** One line per signed header, each with its line feed. */
  readonly headers: string;
  readonly signedHeaders: string;
  /** SHA-256 of the body, 64 lower-case hexadecimal digits. */
  readonly payloadHash: string;
}

/**
 * The path as it is signed: `.`, `..` and empty segments resolved, then encoded once more over the encoding on the
 * wire, which is the rule for every service but S3. `path` is what the request line carries, one octet per character.
 * Undefined when it does not start with `/` or a character is no octet.
 * @source AWS IAM User Guide, "Create a signed AWS API request", step 1, CanonicalUri
 */
export function canonicalUri(path: string): string | undefined {
  if (path === '/' || path === '') {
    return '/';
  }
  if (!path.startsWith('/')) {
    return undefined;
  }
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') {
      segments.pop();
    } else if (segment !== '' && segment !== '.') {
      segments.push(segment);
    }
  }
  if (segments.length === 0) {
    return '/';
  }
  return percentEncode(`/${segments.join('/')}${path.endsWith('/') ? '/' : ''}`, true);
}

/**
 * The query as it is signed: names and values decoded and encoded again in one way, sorted by name and then by value,
 * each with its `=`. `query` is what follows the `?` on the wire. Octets are never read as UTF-8, so an invalid
 * sequence stays what it was. Undefined when a `%` is not followed by two hexadecimal digits or a character is no
 * octet.
 * @source AWS IAM User Guide, "Create a signed AWS API request", step 1, CanonicalQueryString
 */
export function canonicalQuery(query: string): CanonicalQuery | undefined {
  if (query === '') {
    return { text: '', isPresigned: false };
  }
  const pairs: Array<readonly [name: string, value: string]> = [];
  let isPresigned = false;
  for (const part of query.split('&')) {
    if (part === '') {
      continue;
    }
    const equalSign = part.indexOf('=');
    const name = recode(equalSign === -1 ? part : part.slice(0, equalSign));
    const value = equalSign === -1 ? '' : recode(part.slice(equalSign + 1));
    if (name === undefined || value === undefined) {
      return undefined;
    }
    isPresigned ||= name === 'X-Amz-Algorithm' || name === 'X-Amz-Signature';
    pairs.push([name, value]);
  }
  // Not by the joined text: '=' sorts after '-' and the digits, so `a=` would come after `a-=`.
  pairs.sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
  return { text: pairs.map(([name, value]) => `${name}=${value}`).join('&'), isPresigned };
}

/**
 * The header lines as they are signed: `name:value` and a line feed for each of `names`, in their order. Several values
 * of one name are joined by `,`. `host` stands for `:authority` when HTTP/2 carried only that. Undefined when a name is
 * absent or a value has characters that no HTTP parser delivers.
 * @source AWS IAM User Guide, "Create a signed AWS API request", step 1, CanonicalHeaders
 */
export function canonicalHeaders(names: readonly string[], index: HeaderIndex): string | undefined {
  let lines = '';
  for (const name of names) {
    const found = index.values.get(name) ?? (name === 'host' ? index.values.get(':authority') : undefined);
    const value = found === undefined ? undefined : canonicalValues(found);
    if (value === undefined) {
      return undefined;
    }
    lines += `${name}:${value}\n`;
  }
  return lines;
}

/** Joins the parts of the canonical request; the result has one octet per character. */
export function canonicalRequest(parts: CanonicalParts): string {
  const { method, uri, query, headers, signedHeaders, payloadHash } = parts;
  return `${method}\n${uri}\n${query}\n${headers}\n${signedHeaders}\n${payloadHash}`;
}

/**
 * What the signature is a MAC of. `timestamp` is `yyyymmddThhmmssZ`, `scope` is `yyyymmdd/region/service/aws4_request`,
 * `requestHash` the SHA-256 of the canonical request in 64 lower-case hexadecimal digits.
 * @source AWS IAM User Guide, "Create a signed AWS API request", step 3
 */
export function stringToSign(timestamp: string, scope: string, requestHash: string): string {
  return `${ALGORITHM}\n${timestamp}\n${scope}\n${requestHash}`;
}

function canonicalValues(values: string | readonly string[]): string | undefined {
  if (typeof values === 'string') {
    return canonicalHeaderValue(values);
  }
  const canonical: string[] = [];
  for (const raw of values) {
    const value = canonicalHeaderValue(raw);
    if (value === undefined) {
      return undefined;
    }
    canonical.push(value);
  }
  return canonical.join(',');
}

function recode(text: string): string | undefined {
  const octets = percentDecode(text);
  return octets === undefined ? undefined : percentEncode(octets, false);
}

function compare(a: string, b: string): number {
  if (a === b) {
    return 0;
  }
  return a < b ? -1 : 1;
}
