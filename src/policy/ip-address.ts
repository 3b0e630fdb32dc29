/** A range of IP addresses, or one address as a range of its own. */
export interface IpRange {
  /** 2 words of 16 bits for IPv4, 8 for IPv6, most significant first. */
  readonly words: readonly number[];
  readonly prefixBits: number;
}

const WORD_BITS = 16;
const ZERO = '0'.charCodeAt(0);
const DOT = '.'.charCodeAt(0) - ZERO;
const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0xffff];

/**
 * Reads an IPv4 or IPv6 address, with or without a prefix length. IPv4 addresses written as IPv6 (`::ffff:192.0.2.1`)
 * become IPv4.
 *
 * @source RFC 4291, section 2.2; RFC 4632, section 3.1
 * @returns undefined for anything else
 */
export function parseIpRange(text: string): IpRange | undefined {
  const slash = text.indexOf('/');
  const words = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (words === undefined) {
    return undefined;
  }
  const totalBits = words.length * WORD_BITS;
  const prefixBits = slash < 0 ? totalBits : parsePrefix(text.slice(slash + 1));
  if (prefixBits > totalBits) {
    return undefined;
  }
  const mappedBits = MAPPED_PREFIX.length * WORD_BITS;
  const isMapped =
    words.length > MAPPED_PREFIX.length &&
    prefixBits >= mappedBits &&
    MAPPED_PREFIX.every((word, index) => word === words[index]);
  return isMapped
    ? { words: words.slice(MAPPED_PREFIX.length), prefixBits: prefixBits - mappedBits }
    : { words, prefixBits };
}

function parsePrefix(text: string): number {
  return /^\d{1,3}$/.test(text) ? Number(text) : Infinity;
}

/** Whether every address of `inner` is in `outer`. */
export function containsRange(outer: IpRange, inner: IpRange): boolean {
  if (outer.words.length !== inner.words.length || inner.prefixBits < outer.prefixBits) {
    return false;
  }
  let bits = outer.prefixBits;
  for (let index = 0; bits > 0; index++, bits -= WORD_BITS) {
    const ignoredBits = Math.max(0, WORD_BITS - bits);
    if ((outer.words[index] ?? 0) >> ignoredBits !== (inner.words[index] ?? 0) >> ignoredBits) {
      return false;
    }
  }
  return true;
}

function parseAddress(text: string): readonly number[] | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** Four numbers up to 255, without leading zeros. Read by hand: every condition on an address parses one. */
function parseIpv4(text: string): readonly number[] | undefined {
  const octets: number[] = [];
  let octet: number | undefined;
  for (let index = 0; index <= text.length; index++) {
    const digit = text.charCodeAt(index) - ZERO;
    if (index === text.length || digit === DOT) {
      if (octet === undefined) {
        return undefined;
      }
      octets.push(octet);
      octet = undefined;
    } else if (digit >= 0 && digit <= 9 && octet !== 0) {
      octet = (octet ?? 0) * 10 + digit;
    } else {
      return undefined;
    }
  }
  const [a = 0, b = 0, c = 0, d = 0] = octets;
  return octets.length === 4 && Math.max(a, b, c, d) <= 255 ? [a * 256 + b, c * 256 + d] : undefined;
}

function parseIpv6(text: string): readonly number[] | undefined {
  const [head = '', tail, ...rest] = text.split('::');
  const left = parseWords(head);
  const right = parseWords(tail ?? '');
  if (rest.length > 0 || left === undefined || right === undefined) {
    return undefined;
  }
  const missing = 8 - left.length - right.length;
  if (tail === undefined) {
    return missing === 0 ? left : undefined;
  }
  return missing > 0 ? [...left, ...Array<number>(missing).fill(0), ...right] : undefined;
}

/** Words between colons; the last ones may be written as an IPv4 address. */
function parseWords(text: string): readonly number[] | undefined {
  const words: number[] = [];
  const parts = text === '' ? [] : text.split(':');
  for (const [index, part] of parts.entries()) {
    const ipv4 = index === parts.length - 1 && part.includes('.') ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) {
      words.push(...ipv4);
    } else if (/^[\da-f]{1,4}$/i.test(part)) {
      words.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return words;
}
