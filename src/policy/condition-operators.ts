/**
 * The comparisons that conditions are made of.
 *
 * @source IAM User Guide, "IAM JSON policy elements: Condition operators"
 */
import type { ConditionValue, ConditionValues } from './condition-values.ts';
import { containsRange, parseIpRange } from './ip-address.ts';
import { arnMatcher, exactMatcher, patternMatcher, type TextMatcher } from './template.ts';

interface ConditionOperator {
  /** A negated operator holds when no value of the policy matches, and when the request lacks the key. */
  readonly isNegated: boolean;
  readonly compile: Compile;
}

/** Makes the comparison with one value of the policy. */
type Compile = (value: string, hasVariables: boolean) => TextMatcher;

/** Compares both sides as `parse` understands them; what it does not understand matches nothing. */
function comparison<Value>(
  parse: (text: string) => Value | undefined,
  compare: (candidate: Value, value: Value) => boolean,
): Compile {
  return (text) => {
    const value = parse(text);
    return (candidate) => {
      const given = parse(candidate);
      return given !== undefined && value !== undefined && compare(given, value);
    };
  };
}

function parseNumber(text: string): number | undefined {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

const ISO_DATE = /^\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?)?)?$/;
const EPOCH_SECONDS = /^\d+(?:\.\d+)?$/;

/** Milliseconds since 1970. A year alone would be a number of seconds, as AWS takes it. @source W3C NOTE-datetime */
function parseDate(text: string): number | undefined {
  if (EPOCH_SECONDS.test(text)) {
    return Number(text) * 1000;
  }
  const parsed = ISO_DATE.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(parsed) ? undefined : parsed;
}

function parseBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  return lower === 'true' ? true : lower === 'false' ? false : undefined;
}

const lowerCase = (text: string): string => text.toLowerCase();
const equalsIgnoringCase: Compile = (value, hasVariables) => exactMatcher(value, hasVariables, lowerCase);
const equals: Compile = (value, hasVariables) => exactMatcher(value, hasVariables);
const inRange: Compile = comparison(parseIpRange, (address, range) => containsRange(range, address));

function ordered(prefix: string, parse: (text: string) => number | undefined): [string, ConditionOperator][] {
  const same = comparison(parse, (candidate, value) => candidate === value);
  return [
    [`${prefix}equals`, { isNegated: false, compile: same }],
    [`${prefix}notequals`, { isNegated: true, compile: same }],
    [`${prefix}lessthan`, { isNegated: false, compile: comparison(parse, (left, right) => left < right) }],
    [`${prefix}lessthanequals`, { isNegated: false, compile: comparison(parse, (left, right) => left <= right) }],
    [`${prefix}greaterthan`, { isNegated: false, compile: comparison(parse, (left, right) => left > right) }],
    [`${prefix}greaterthanequals`, { isNegated: false, compile: comparison(parse, (left, right) => left >= right) }],
  ];
}

/** By name in lower case, without the set operator and `IfExists`. `Null` is none of them: it compares nothing. */
const OPERATORS: ReadonlyMap<string, ConditionOperator> = new Map<string, ConditionOperator>([
  ['stringequals', { isNegated: false, compile: equals }],
  ['stringnotequals', { isNegated: true, compile: equals }],
  ['stringequalsignorecase', { isNegated: false, compile: equalsIgnoringCase }],
  ['stringnotequalsignorecase', { isNegated: true, compile: equalsIgnoringCase }],
  ['stringlike', { isNegated: false, compile: patternMatcher }],
  ['stringnotlike', { isNegated: true, compile: patternMatcher }],
  ...ordered('numeric', parseNumber),
  ...ordered('date', parseDate),
  ['bool', { isNegated: false, compile: comparison(parseBoolean, (candidate, value) => candidate === value) }],
  // Both sides are base64 of the same bytes exactly when the texts are the same.
  ['binaryequals', { isNegated: false, compile: (value) => exactMatcher(value, false) }],
  ['ipaddress', { isNegated: false, compile: inRange }],
  ['notipaddress', { isNegated: true, compile: inRange }],
  ['arnequals', { isNegated: false, compile: arnMatcher }],
  ['arnlike', { isNegated: false, compile: arnMatcher }],
  ['arnnotequals', { isNegated: true, compile: arnMatcher }],
  ['arnnotlike', { isNegated: true, compile: arnMatcher }],
]);

/** The left side of a condition, such as `ForAnyValue:StringLikeIfExists`, taken apart. */
export interface OperatorName {
  /** In lower case. */
  readonly base: string;
  readonly set: 'forallvalues' | 'foranyvalue' | undefined;
  readonly ifExists: boolean;
}

const NULL_OPERATOR = 'null';
const OPERATOR_NAME = /^(?:(forallvalues|foranyvalue):)?([a-z]+?)(ifexists)?$/;

/** @returns undefined for what is no operator; letter case does not matter */
export function parseOperatorName(name: string): OperatorName | undefined {
  const match = OPERATOR_NAME.exec(name.toLowerCase());
  const [, set, base = '', ifExists] = match ?? [];
  if (base === NULL_OPERATOR) {
    return set === undefined && ifExists === undefined ? { base, set: undefined, ifExists: false } : undefined;
  }
  return OPERATORS.has(base) ? { base, set: set as OperatorName['set'], ifExists: ifExists !== undefined } : undefined;
}

/** One line of a Condition element: an operator, a key and the values to compare with. */
export interface ConditionClause {
  readonly operator: OperatorName;
  /** In lower case. */
  readonly key: string;
  readonly values: readonly string[];
}

/** Whether a condition holds for a request. */
export type ConditionTest = (values: ConditionValues) => boolean;

/**
 * Compiles one line. A single-valued comparison with a multi-valued key never holds: it needs a set operator.
 *
 * @source IAM User Guide, "Single-valued vs. multivalued context keys", "Set operators for multivalued context keys"
 */
export function compileClause({ operator, key, values }: ConditionClause, hasVariables: boolean): ConditionTest {
  if (operator.base === NULL_OPERATOR) {
    const wanted = values.map(parseBoolean);
    return (request) => wanted.includes(isAbsent(request.get(key)));
  }
  const { isNegated, compile } = OPERATORS.get(operator.base) ?? { isNegated: false, compile: () => () => false };
  const matchers = values.map((value) => compile(value, hasVariables));
  const holds = (candidate: string, request: ConditionValues): boolean =>
    matchers.some((matches) => matches(candidate, request)) !== isNegated;
  switch (operator.set) {
    case 'forallvalues':
      return (request) => asList(request.get(key)).every((candidate) => holds(candidate, request));
    case 'foranyvalue':
      return (request) => asList(request.get(key)).some((candidate) => holds(candidate, request));
    case undefined: {
      const whenAbsent = isNegated || operator.ifExists;
      return (request) => {
        const candidate = request.get(key);
        return typeof candidate === 'string' ? holds(candidate, request) : isAbsent(candidate) && whenAbsent;
      };
    }
  }
}

function isAbsent(value: ConditionValue | undefined): boolean {
  return value === undefined || (value.length === 0 && typeof value !== 'string');
}

function asList(value: ConditionValue | undefined): readonly string[] {
  return typeof value === 'string' ? [value] : (value ?? []);
}
