import type { IncomingMessage } from 'node:http';
import type { RawHeaders } from './request-headers.ts';
import type { SignedRequest } from './verify.ts';

/** A request as Node received it, for the verification of its signature. */
export function toSignedRequest(
  request: Pick<IncomingMessage, 'method' | 'url' | 'rawHeaders'>,
  body: Uint8Array,
): SignedRequest {
  return { method: request.method ?? '', ...splitUrl(request), headers: pairs(request.rawHeaders), body };
}

/** The two parts of the request target, as they came. */
export function splitUrl({ url = '/' }: Pick<IncomingMessage, 'url'>): {
  readonly path: string;
  readonly query: string;
} {
  const at = url.indexOf('?');
  return at < 0 ? { path: url, query: '' } : { path: url.slice(0, at), query: url.slice(at + 1) };
}

function pairs(rawHeaders: readonly string[]): RawHeaders {
  const result: (readonly [string, string])[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    result.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '']);
  }
  return result;
}
