// Loops over character codes instead of regular expressions: they are linear whatever the input, and the common case
// (nothing to change) answers with the same string.

const SPACE = 0x20;
const TAB = 0x09;
const DELETE = 0x7f;
const HEX = '0123456789ABCDEF';

/** 1 where RFC 3986 §2.3 calls the byte unreserved: `A-Z a-z 0-9 - . _ ~`. */
const UNRESERVED = tableOf('-._~');
/** 1 where RFC 9110 §5.6.2 allows the byte in a token, and it is not an upper-case letter. */
const LOWER_TOKEN = tableOf("!#$%&'*+-.^_`|~");
for (let code = 0x41; code <= 0x5a; code += 1) LOWER_TOKEN[code] = 0;

function tableOf(punctuation: string): Uint8Array {
  const table = new Uint8Array(256);
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  for (const char of letters + punctuation) {
    table[char.charCodeAt(0)] = 1;
  }
  return table;
}

/** True for a header name in lower case (RFC 9110 §5.6.2 token without capitals), or for `:authority`. */
export function isLowerCaseHeaderName(name: string): boolean {
  if (name.length === 0) {
    return false;
  }
  for (let index = 0; index < name.length; index += 1) {
    if (LOWER_TOKEN[name.charCodeAt(index)] !== 1) {
      return name === ':authority';
    }
  }
  return true;
}

/** True for 1 to 32 capitals, which all methods of HTTP are. */
export function isMethod(method: string): boolean {
  if (method.length === 0 || method.length > 32) {
    return false;
  }
  for (let index = 0; index < method.length; index += 1) {
    const code = method.charCodeAt(index);
    if (code < 0x41 || code > 0x5a) {
      return false;
    }
  }
  return true;
}

/** True for exactly `length` characters out of `0-9 a-f`. */
export function isLowerCaseHex(text: string, length: number): boolean {
  if (text.length !== length) {
    return false;
  }
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index);
    const isDigit = code >= 0x30 && code <= 0x39;
    const isLetter = code >= 0x61 && code <= 0x66;
    if (!isDigit && !isLetter) {
      return false;
    }
  }
  return true;
}

/** Without spaces and tabs at both ends (RFC 9110 §5.6.3 OWS). */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) {
    start += 1;
  }
  while (end > start && isBlank(text.charCodeAt(end - 1))) {
    end -= 1;
  }
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/**
 * A header value as it is signed: blanks at the ends removed, every inner run of blanks made one space, in quoted
 * strings too. Undefined when a character is no octet or is a control character: no HTTP parser delivers those, and a
 * line feed would let one header pass for two in the canonical request.
 */
export function canonicalHeaderValue(value: string): string | undefined {
  let isCanonical = true;
  let previous = SPACE;
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (code > 0xff || code === DELETE || (code < SPACE && code !== TAB)) {
      return undefined;
    }
    if (code === TAB || (code === SPACE && previous === SPACE)) {
      isCanonical = false;
    }
    previous = code;
  }
  if (value.length === 0 || (isCanonical && previous !== SPACE)) {
    return value;
  }
  return collapseBlanks(value);
}

function collapseBlanks(value: string): string {
  let out = '';
  let start = 0;
  while (start < value.length) {
    while (start < value.length && isBlank(value.charCodeAt(start))) {
      start += 1;
    }
    let end = start;
    while (end < value.length && !isBlank(value.charCodeAt(end))) {
      end += 1;
    }
    if (end > start) {
      out += out === '' ? value.slice(start, end) : ` ${value.slice(start, end)}`;
    }
    start = end;
  }
  return out;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/**
 * Percent-encodes every octet that is not unreserved, with capital hexadecimal digits; `/` stays when `keepSlash`.
 * Undefined when a character is no octet.
 */
export function percentEncode(octets: string, keepSlash: boolean): string | undefined {
  let out = '';
  let copied = 0;
  for (let index = 0; index < octets.length; index += 1) {
    const code = octets.charCodeAt(index);
    if (code > 0xff) {
      return undefined;
    }
    if (UNRESERVED[code] === 1 || (keepSlash && code === 0x2f)) {
      continue;
    }
    out += `${octets.slice(copied, index)}%${HEX.charAt(code >> 4)}${HEX.charAt(code & 15)}`;
    copied = index + 1;
  }
  return copied === 0 ? octets : out + octets.slice(copied);
}

/** Undoes percent-encoding, one character per octet; `+` is itself. Undefined when `%` lacks its two digits. */
export function percentDecode(text: string): string | undefined {
  let at = text.indexOf('%');
  if (at === -1) {
    return text;
  }
  let out = '';
  let copied = 0;
  while (at !== -1) {
    const high = hexDigit(text.charCodeAt(at + 1));
    const low = hexDigit(text.charCodeAt(at + 2));
    if (high === -1 || low === -1) {
      return undefined;
    }
    out += text.slice(copied, at) + String.fromCharCode(high * 16 + low);
    copied = at + 3;
    at = text.indexOf('%', copied);
  }
  return out + text.slice(copied);
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) {
    return code - 0x30;
  }
  if (code >= 0x41 && code <= 0x46) {
    return code - 0x37;
  }
  if (code >= 0x61 && code <= 0x66) {
    return code - 0x57;
  }
  return -1;
}
