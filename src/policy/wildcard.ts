/** Stands for `*` in a {@link Pattern}: any run of characters, also none. */
export const STAR = -1;
/** Stands for `?` in a {@link Pattern}: one character. */
export const ANY = -2;

/** UTF-16 code units, {@link STAR} and {@link ANY}: a star that is meant literally is a code unit like any other. */
export type Pattern = readonly number[];

/** Reads no wildcards. */
export function literalPattern(text: string): Pattern {
  const pattern: number[] = [];
  for (let index = 0; index < text.length; index++) {
    pattern.push(text.charCodeAt(index));
  }
  return pattern;
}

const STAR_UNIT = '*'.charCodeAt(0);
const ANY_UNIT = '?'.charCodeAt(0);

/** Reads `*` and `?` as wildcards. */
export function wildcardPattern(text: string): Pattern {
  return literalPattern(text).map((unit) => (unit === STAR_UNIT ? STAR : unit === ANY_UNIT ? ANY : unit));
}

/**
 * Matches `text` from `start` to before `end`, without backtracking beyond the last star: in time proportional to the
 * product of both lengths at most.
 */
export function matchesWildcard(pattern: Pattern, text: string, start = 0, end = text.length): boolean {
  let patternIndex = 0;
  let textIndex = start;
  let starIndex = -1;
  let resumeAt = start;
  while (textIndex < end) {
    const symbol = pattern[patternIndex];
    if (symbol === STAR) {
      starIndex = patternIndex++;
      // Nothing can fail behind a star at the end.
      if (patternIndex === pattern.length) {
        return true;
      }
      resumeAt = textIndex;
    } else if (symbol === ANY || symbol === text.charCodeAt(textIndex)) {
      patternIndex++;
      textIndex++;
    } else if (starIndex >= 0) {
      patternIndex = starIndex + 1;
      textIndex = ++resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[patternIndex] === STAR) {
    patternIndex++;
  }
  return patternIndex === pattern.length;
}
