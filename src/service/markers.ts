import { KmsServiceError } from '../base/errors.ts';

/** Markers of list operations: opaque to callers, the id of the last item on the page inside. */
const PREFIX = 'v1.';

export function encodeMarker(lastId: string): string {
  return PREFIX + Buffer.from(lastId, 'utf8').toString('base64url');
}

/** @throws KmsServiceError InvalidMarkerException for a text that {@link encodeMarker} did not make */
export function decodeMarker(marker: string | undefined): string | undefined {
  if (marker === undefined) {
    return undefined;
  }
  const id = Buffer.from(marker.slice(PREFIX.length), 'base64url').toString('utf8');
  if (encodeMarker(id) !== marker || id === '') {
    throw new KmsServiceError('InvalidMarkerException', 'Invalid marker.');
  }
  return id;
}

/** The end of every list response. `NextMarker` is there only when the list goes on. */
export function pageEnd(isTruncated: boolean, lastId: string | undefined): { Truncated: boolean; NextMarker?: string } {
  return isTruncated && lastId !== undefined
    ? { Truncated: true, NextMarker: encodeMarker(lastId) }
    : { Truncated: false };
}
