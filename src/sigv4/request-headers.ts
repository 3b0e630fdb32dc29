import { trimBlanks } from './characters.ts';

/** Most headers of one request. */
export const MAX_HEADERS = 128;

/** Most characters of all header names and values together. */
export const MAX_HEADERS_LENGTH = 32_768;

/** Name and value as received, in order, one octet per character (Node's `rawHeaders` in pairs). */
export type RawHeaders = ReadonlyArray<readonly [name: string, value: string]>;

/** The headers of a request by lower-case name; several values of one name are a list, in order. */
export interface HeaderIndex {
  readonly values: ReadonlyMap<string, string | readonly string[]>;
  /** How many different names start with `x-amz-`. */
  readonly amzNameCount: number;
  /** The first name out of {@link SINGLE_VALUED} that was given more than once. */
  readonly repeated: string | undefined;
}

/**
 * Headers that decide who asks, for what and when. Two of them are refused: what is signed is the joined value, while
 * the code behind might use the first or the last.
 */
const SINGLE_VALUED: ReadonlySet<string> = new Set([
  'authorization',
  'host',
  ':authority',
  'date',
  'content-type',
  'content-length',
  'x-amz-date',
  'x-amz-target',
  'x-amz-security-token',
  'x-amz-content-sha256',
]);

/**
 * Indexes the headers in one pass. Undefined when there are more than {@link MAX_HEADERS} of them or more than
 * {@link MAX_HEADERS_LENGTH} characters.
 */
export function indexHeaders(headers: RawHeaders): HeaderIndex | undefined {
  if (headers.length > MAX_HEADERS) {
    return undefined;
  }
  const values = new Map<string, string | string[]>();
  let amzNameCount = 0;
  let repeated: string | undefined;
  let length = 0;
  for (const [rawName, value] of headers) {
    length += rawName.length + value.length;
    if (length > MAX_HEADERS_LENGTH) {
      return undefined;
    }
    const name = rawName.toLowerCase();
    const existing = values.get(name);
    if (existing === undefined) {
      values.set(name, value);
      if (name.startsWith('x-amz-')) {
        amzNameCount += 1;
      }
    } else {
      if (SINGLE_VALUED.has(name)) {
        repeated ??= name;
      }
      if (typeof existing === 'string') {
        values.set(name, [existing, value]);
      } else {
        existing.push(value);
      }
    }
  }
  return { values, amzNameCount, repeated };
}

/** The value of a header that is given once, without blanks at its ends; undefined when it is absent or repeated. */
export function singleHeader(index: HeaderIndex, name: string): string | undefined {
  const value = index.values.get(name);
  return typeof value === 'string' ? trimBlanks(value) : undefined;
}
