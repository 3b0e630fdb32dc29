/**
 * Texts in policies: plain, with wildcards, with policy variables.
 *
 * @source IAM User Guide, "IAM policy elements: Variables and tags"
 */
import type { ConditionValues } from './condition-values.ts';
import { literalPattern, matchesWildcard, STAR, wildcardPattern, type Pattern } from './wildcard.ts';

/**
 * Whether a text of the request matches a text of the policy. A variable that the request has no value for, and that
 * has no default, makes a text that nothing equals.
 */
export type TextMatcher = (candidate: string, values: ConditionValues) => boolean;

interface Variable {
  readonly key: string;
  readonly fallback: string | undefined;
}

/** Characters that may be wildcards, variables, and what is meant literally in any case. */
type Part = FixedPart | Variable;
type FixedPart = string | { readonly literal: string };

/** The bound keeps reading linear; names and defaults of variables are far shorter. */
const VARIABLE = /\$\{([^}]{0,512})\}/g;

function parseParts(text: string, hasVariables: boolean): readonly Part[] {
  if (!hasVariables) {
    return [text];
  }
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(VARIABLE)) {
    parts.push(text.slice(end, match.index));
    const [whole, name = ''] = match;
    end = match.index + whole.length;
    if (name === '*' || name === '?' || name === '$') {
      parts.push({ literal: name });
    } else {
      parts.push(parseVariable(name));
    }
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== '');
}

/** `key`, or `key, 'default'`. */
function parseVariable(text: string): Variable {
  const [name = '', ...rest] = text.split(',');
  const fallback = rest.join(',').trim();
  const isQuoted = fallback.length >= 2 && fallback.startsWith("'") && fallback.endsWith("'");
  return { key: name.trim().toLowerCase(), fallback: isQuoted ? fallback.slice(1, -1) : undefined };
}

/** A variable takes the value of a single-valued key; a list cannot stand inside a text. */
function valueOf({ key, fallback }: Variable, values: ConditionValues): string | undefined {
  const value = values.get(key);
  return typeof value === 'string' ? value : fallback;
}

/** What a text becomes in one request; undefined when a variable has no value. */
type Resolve<Result> = (values: ConditionValues) => Result | undefined;

/** Joins parts, at once when no variable is among them. */
function resolver<Result>(
  parts: readonly Part[],
  join: (texts: readonly FixedPart[]) => Result,
): { readonly fixed: Result } | { readonly resolve: Resolve<Result> } {
  const isFixed = (part: Part): part is FixedPart => typeof part === 'string' || 'literal' in part;
  if (parts.every(isFixed)) {
    return { fixed: join(parts) };
  }
  const resolve: Resolve<Result> = (values) => {
    const texts: FixedPart[] = [];
    for (const part of parts) {
      if (isFixed(part)) {
        texts.push(part);
        continue;
      }
      const literal = valueOf(part, values);
      if (literal === undefined) {
        return undefined;
      }
      texts.push({ literal });
    }
    return join(texts);
  };
  return { resolve };
}

/** Matches the same text, wildcards taken literally; `fold` is applied to both sides. */
export function exactMatcher(
  text: string,
  hasVariables: boolean,
  fold: (text: string) => string = (same) => same,
): TextMatcher {
  const join = (texts: readonly FixedPart[]): string =>
    fold(texts.map((part) => (typeof part === 'string' ? part : part.literal)).join(''));
  const resolved = resolver(parseParts(text, hasVariables), join);
  if ('fixed' in resolved) {
    return (candidate) => fold(candidate) === resolved.fixed;
  }
  return (candidate, values) => fold(candidate) === resolved.resolve(values);
}

function joinPattern(texts: readonly FixedPart[]): Pattern {
  return texts.flatMap((part) => (typeof part === 'string' ? wildcardPattern(part) : literalPattern(part.literal)));
}

/** Matches a text with `*` and `?` as wildcards, except in what variables stand for. */
export function patternMatcher(text: string, hasVariables: boolean): TextMatcher {
  const resolved = resolver(parseParts(text, hasVariables), joinPattern);
  if ('fixed' in resolved) {
    return (candidate) => matchesWildcard(resolved.fixed, candidate);
  }
  return (candidate, values) => {
    const pattern = resolved.resolve(values);
    return pattern !== undefined && matchesWildcard(pattern, candidate);
  };
}

const COLON = ':'.charCodeAt(0);
/** `arn`, partition, service, Region, account, and the resource, which may have colons of its own. */
export const ARN_SEGMENTS = 6;

/**
 * Matches an ARN segment by segment: a wildcard never reaches over a colon, except in the last segment. What is no ARN
 * matches nothing.
 *
 * @source IAM User Guide, "IAM JSON policy elements: Condition operators", on ARNs
 */
export function arnMatcher(text: string, hasVariables: boolean): TextMatcher {
  return segmentMatcher(text, hasVariables, (segments) => (segments.length === ARN_SEGMENTS ? segments : undefined));
}

/**
 * Matches the resource of a request like {@link arnMatcher}, and takes a pattern that ends with a star before its last
 * segment, such as `*` and `arn:aws:kms:*`, for everything that begins so.
 *
 * @source IAM User Guide, "IAM JSON policy elements: Resource"
 */
export function resourceMatcher(text: string, hasVariables: boolean): TextMatcher {
  if (text === '*') {
    return () => true;
  }
  return segmentMatcher(text, hasVariables, (segments) => {
    const missing = ARN_SEGMENTS - segments.length;
    const isOpen = segments.at(-1)?.at(-1) === STAR;
    return missing === 0 || isOpen ? [...segments, ...Array<Pattern>(missing).fill([STAR])] : undefined;
  });
}

function segmentMatcher(
  text: string,
  hasVariables: boolean,
  complete: (segments: readonly Pattern[]) => readonly Pattern[] | undefined,
): TextMatcher {
  const resolved = resolver(parseParts(text, hasVariables), (texts) => complete(splitArn(joinPattern(texts))));
  if ('fixed' in resolved) {
    const { fixed } = resolved;
    return (candidate) => fixed !== undefined && matchesArn(fixed, candidate);
  }
  return (candidate, values) => {
    const segments = resolved.resolve(values);
    return segments !== undefined && matchesArn(segments, candidate);
  };
}

/** At most {@link ARN_SEGMENTS} segments. */
function splitArn(pattern: Pattern): readonly Pattern[] {
  const segments: Pattern[] = [];
  let start = 0;
  let end = pattern.indexOf(COLON);
  while (end >= 0 && segments.length < ARN_SEGMENTS - 1) {
    segments.push(pattern.slice(start, end));
    start = end + 1;
    end = pattern.indexOf(COLON, start);
  }
  return [...segments, pattern.slice(start)];
}

function matchesArn(segments: readonly Pattern[], arn: string): boolean {
  const last = segments.length - 1;
  let start = 0;
  for (let index = 0; index < last; index++) {
    const end = arn.indexOf(':', start);
    if (end < 0 || !matchesWildcard(segments[index] ?? [], arn, start, end)) {
      return false;
    }
    start = end + 1;
  }
  return matchesWildcard(segments[last] ?? [], arn, start);
}
