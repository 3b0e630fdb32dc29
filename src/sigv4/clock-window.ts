/** How far the clock of a signer may be off, either way. */
export const CLOCK_WINDOW_MS = 300_000;

/** When a request was signed. */
export interface SigningTime {
  /** Milliseconds since 1970-01-01T00:00:00Z, a multiple of 1000. */
  readonly epochMs: number;
  /** `yyyymmddThhmmssZ`. */
  readonly timestamp: string;
}

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/**
 * Reads an `X-Amz-Date`: `yyyymmddThhmmssZ`, 16 characters, a moment that exists from 1970 on. Undefined for anything
 * else: other ISO 8601 forms, 24:00:00, leap seconds.
 * @source AWS IAM User Guide, "Elements of an AWS API request signature"
 */
export function parseAmzDate(text: string): SigningTime | undefined {
  if (text.length !== 16 || text.charAt(8) !== 'T' || text.charAt(15) !== 'Z') {
    return undefined;
  }
  const epochMs = epochOf(
    digits(text, 0, 4),
    digits(text, 4, 6),
    digits(text, 6, 8),
    digits(text, 9, 11),
    digits(text, 11, 13),
    digits(text, 13, 15),
  );
  return epochMs === undefined ? undefined : { epochMs, timestamp: text };
}

/**
 * Reads a `Date` header: an IMF-fixdate such as `Sun, 06 Nov 1994 08:49:37 GMT`, whose weekday must be right, or the
 * form of {@link parseAmzDate}. The two obsolete forms of RFC 9110 are refused; no signer sends them.
 * @source RFC 9110 §5.6.7 (formerly RFC 7231 §7.1.1.1)
 */
export function parseHttpDate(text: string): SigningTime | undefined {
  if (text.length !== 29) {
    return parseAmzDate(text);
  }
  const hasShape =
    text.slice(3, 5) === ', ' &&
    text.charAt(7) === ' ' &&
    text.charAt(11) === ' ' &&
    text.charAt(16) === ' ' &&
    text.charAt(19) === ':' &&
    text.charAt(22) === ':' &&
    text.slice(25) === ' GMT';
  if (!hasShape) {
    return undefined;
  }
  const epochMs = epochOf(
    digits(text, 12, 16),
    MONTHS.indexOf(text.slice(8, 11)) + 1,
    digits(text, 5, 7),
    digits(text, 17, 19),
    digits(text, 20, 22),
    digits(text, 23, 25),
  );
  if (epochMs === undefined || WEEKDAYS[new Date(epochMs).getUTCDay()] !== text.slice(0, 3)) {
    return undefined;
  }
  return { epochMs, timestamp: formatAmzDate(epochMs) };
}

/** `yyyymmddThhmmssZ` of a moment in milliseconds since 1970, rounded down to the second. */
export function formatAmzDate(epochMs: number): string {
  const iso = new Date(epochMs).toISOString();
  return `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`;
}

/**
 * Undefined when `signedAt` is at most {@link CLOCK_WINDOW_MS} from `nowMs` (milliseconds since 1970), both ends
 * included; otherwise the text that says by how much. Compares whole seconds, as the text shows them.
 */
export function clockFault(signedAt: SigningTime, nowMs: number): string | undefined {
  const now = Math.floor(nowMs / 1000) * 1000;
  const earliest = now - CLOCK_WINDOW_MS;
  const latest = now + CLOCK_WINDOW_MS;
  const { epochMs, timestamp } = signedAt;
  if (epochMs >= earliest && epochMs <= latest) {
    return undefined;
  }
  if (epochMs < earliest) {
    const limit = formatAmzDate(earliest);
    return `Signature expired: ${timestamp} is now earlier than ${limit} (${formatAmzDate(now)} - 5 min.)`;
  }
  const limit = formatAmzDate(latest);
  return `Signature not yet current: ${timestamp} is still later than ${limit} (${formatAmzDate(now)} + 5 min.)`;
}

/** The number that `text[from .. to)` writes in decimal digits, or NaN. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let index = from; index < to; index += 1) {
    const digit = text.charCodeAt(index) - 0x30;
    if (!(digit >= 0 && digit <= 9)) {
      return Number.NaN;
    }
    value = value * 10 + digit;
  }
  return value;
}

/** Every comparison is written so that NaN fails it. */
function epochOf(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  const days = DAYS_IN_MONTH[month - 1];
  if (days === undefined || !(year >= 1970)) {
    return undefined;
  }
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const lastDay = month === 2 && isLeapYear ? 29 : days;
  const isReal = day >= 1 && day <= lastDay && hour <= 23 && minute <= 59 && second <= 59;
  return isReal ? Date.UTC(year, month - 1, day, hour, minute, second) : undefined;
}
