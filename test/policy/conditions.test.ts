import { describe, expect, it } from 'vitest';
import type { ConditionValue } from '../../src/policy/condition-values.ts';
import { holds } from './support.ts';

type Row = readonly [operator: string, policy: unknown, request: ConditionValue | undefined, expected: boolean];

const KEY = 'kms:Any';
const ARN = 'arn:aws:iam::111122223333:role/team/ops';

const STRINGS: readonly Row[] = [
  ['StringEquals', 'a', 'a', true],
  ['StringEquals', 'a', 'A', false],
  ['StringEquals', ['b', 'a'], 'a', true],
  ['StringEquals', 'a*', 'ab', false],
  ['StringEquals', 'a*', 'a*', true],
  ['StringEquals', [], 'a', false],
  ['StringEquals', '', '', true],
  ['StringNotEquals', 'a', 'b', true],
  ['StringNotEquals', 'a', 'a', false],
  ['StringNotEquals', ['a', 'b'], 'b', false],
  ['StringNotEquals', [], 'a', true],
  ['StringEqualsIgnoreCase', 'aB', 'Ab', true],
  ['StringEqualsIgnoreCase', 'aB', 'Abc', false],
  ['StringNotEqualsIgnoreCase', 'aB', 'Ab', false],
  ['StringNotEqualsIgnoreCase', 'aB', 'x', true],
  ['StringLike', 'a*c?', 'abbcd', true],
  ['StringLike', 'a*c?', 'abbc', false],
  ['StringLike', 'A*', 'abc', false],
  ['StringLike', '*', '', true],
  ['StringNotLike', 'a*', 'abc', false],
  ['StringNotLike', 'a*', 'b', true],
];

const NUMBERS: readonly Row[] = [
  ['NumericEquals', '90', '90.0', true],
  ['NumericEquals', 90, '90', true],
  ['NumericEquals', '90', '91', false],
  ['NumericEquals', '90', 'ninety', false],
  ['NumericNotEquals', '90', '91', true],
  ['NumericNotEquals', '90', '90', false],
  ['NumericLessThan', '7', '6.5', true],
  ['NumericLessThan', '7', '7', false],
  ['NumericLessThan', '10', '9', true],
  ['NumericLessThanEquals', '7', '7', true],
  ['NumericLessThanEquals', '7', '8', false],
  ['NumericGreaterThan', '7', '8', true],
  ['NumericGreaterThan', '-7', '-8', false],
  ['NumericGreaterThanEquals', '7', '7', true],
  ['NumericGreaterThanEquals', '7e1', '69', false],
];

const DATES: readonly Row[] = [
  ['DateEquals', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00+01:00', true],
  ['DateEquals', '2026-01-01', '2026-01-01T00:00:00.000Z', true],
  ['DateEquals', '1767225600', '2026-01-01T00:00:00Z', true],
  ['DateEquals', 'yesterday', '2026-01-01T00:00:00Z', false],
  ['DateNotEquals', '2026-01-01', '2026-01-02', true],
  ['DateNotEquals', '2026-01-01', '2026-01-01', false],
  ['DateLessThan', '2026-01-02', '2026-01-01T23:59:59Z', true],
  ['DateLessThan', '2026-01-02', '2026-01-02', false],
  ['DateLessThanEquals', '2026-01-02', '2026-01-02', true],
  ['DateGreaterThan', '2026-01-02T00:00Z', '2026-01-02T00:00:01Z', true],
  ['DateGreaterThan', 1767312000, '1767312000', false],
  ['DateGreaterThanEquals', 1767312000, '1767312000', true],
];

const ADDRESSES: readonly Row[] = [
  ['IpAddress', '203.0.113.0/24', '203.0.113.9', true],
  ['IpAddress', '203.0.113.0/24', '203.0.114.9', false],
  ['IpAddress', '203.0.113.9', '203.0.113.9', true],
  ['IpAddress', '203.0.113.8/31', '203.0.113.10', false],
  ['IpAddress', '0.0.0.0/0', '255.255.255.255', true],
  ['IpAddress', '0.0.0.0/0', '2001:db8::1', false],
  ['IpAddress', '2001:db8::/33', '2001:db8:7fff::1', true],
  ['IpAddress', '2001:db8::/33', '2001:db8:8000::1', false],
  ['IpAddress', '2001:DB8:0:0::1', '2001:db8::0:1', true],
  ['IpAddress', '::/0', '203.0.113.9', false],
  ['IpAddress', '203.0.113.0/24', '::ffff:203.0.113.9', true],
  ['IpAddress', '::ffff:203.0.113.0/120', '203.0.113.9', true],
  ['IpAddress', '203.0.113.0/33', '203.0.113.0', false],
  ['IpAddress', '203.0.113.0/24', '203.0.113.256', false],
  ['IpAddress', '203.0.113', '203.0.113.0', false],
  ['IpAddress', '1::2::3', '1::2:3', false],
  ['NotIpAddress', '203.0.113.0/24', '203.0.113.9', false],
  ['NotIpAddress', '203.0.113.0/24', '198.51.100.1', true],
  ['NotIpAddress', ['203.0.113.0/24', '2001:db8::/32'], '2001:db8::9', false],
  ['NotIpAddress', '203.0.113.9', '2001:db8::9', true],
];

const ARNS: readonly Row[] = [
  ['ArnEquals', ARN, ARN, true],
  ['ArnEquals', 'arn:aws:iam::*:role/*', ARN, true],
  ['ArnLike', 'arn:aws:iam::1111?2223333:role/*/ops', ARN, true],
  ['ArnLike', 'arn:*:role/team/ops', ARN, false],
  ['ArnLike', 'arn:aws:*:111122223333:role/team/ops', ARN, false],
  ['ArnLike', '*', ARN, false],
  ['ArnLike', 'arn:aws:sns:us-east-1:111122223333:*', 'arn:aws:sns:us-east-1:111122223333:a:b', true],
  ['ArnLike', 'arn:aws:iam::111122223333:role/*', 'no arn', false],
  ['ArnNotEquals', ARN, ARN, false],
  ['ArnNotEquals', ARN, 'arn:aws:iam::111122223333:role/other', true],
  ['ArnNotLike', 'arn:aws:iam::*:role/*', ARN, false],
  ['ArnNotLike', 'arn:aws:iam::*:user/*', ARN, true],
];

const OTHERS: readonly Row[] = [
  ['Bool', 'true', 'true', true],
  ['Bool', true, 'TRUE', true],
  ['Bool', 'false', 'true', false],
  ['Bool', 'yes', 'yes', false],
  ['BinaryEquals', 'aGVsbG8=', 'aGVsbG8=', true],
  ['BinaryEquals', 'aGVsbG8=', 'aGVsbG9=', false],
  ['Null', 'true', undefined, true],
  ['Null', true, 'a', false],
  ['Null', 'false', 'a', true],
  ['Null', 'false', ['a'], true],
  ['Null', 'true', [], true],
  ['Null', ['true', 'false'], 'a', true],
  ['stringequals', 'a', 'a', true],
];

const POSITIVE = [
  'StringEquals StringEqualsIgnoreCase StringLike',
  'NumericEquals NumericLessThan NumericLessThanEquals NumericGreaterThan NumericGreaterThanEquals',
  'DateEquals DateLessThan DateLessThanEquals DateGreaterThan DateGreaterThanEquals',
  'Bool BinaryEquals IpAddress ArnEquals ArnLike',
].flatMap((names) => names.split(' '));
const NEGATED = [
  'StringNotEquals StringNotEqualsIgnoreCase StringNotLike NumericNotEquals DateNotEquals',
  'NotIpAddress ArnNotEquals ArnNotLike',
].flatMap((names) => names.split(' '));

const MISSING: readonly Row[] = [
  ...POSITIVE.flatMap((name): Row[] => [
    [name, '1', undefined, false],
    [`${name}IfExists`, '1', undefined, true],
  ]),
  ...NEGATED.flatMap((name): Row[] => [
    [name, '1', undefined, true],
    [`${name}IfExists`, '1', undefined, true],
  ]),
  ...[...POSITIVE, ...NEGATED].flatMap((name): Row[] => [
    [`ForAllValues:${name}`, '1', undefined, true],
    [`ForAnyValue:${name}`, '1', undefined, false],
    [`ForAnyValue:${name}IfExists`, '1', undefined, false],
    // A comparison with one value says nothing about a list.
    [name, '1', ['1'], false],
    [`${name}IfExists`, '1', ['1'], false],
  ]),
];

const SETS: readonly Row[] = [
  ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'b', 'a'], true],
  ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'c'], false],
  ['ForAllValues:StringEquals', 'a', [], true],
  ['ForAllValues:StringLike', 'a*', ['ab', 'ac'], true],
  ['ForAllValues:StringNotEquals', 'a', ['b', 'c'], true],
  ['ForAllValues:StringNotEquals', 'a', ['b', 'a'], false],
  ['ForAllValues:StringEquals', 'a', 'a', true],
  ['ForAnyValue:StringEquals', ['a', 'b'], ['c', 'b'], true],
  ['ForAnyValue:StringEquals', ['a', 'b'], ['c'], false],
  ['ForAnyValue:StringEquals', 'a', [], false],
  ['ForAnyValue:StringNotEquals', 'a', ['a', 'b'], true],
  ['ForAnyValue:StringNotEquals', 'a', ['a'], false],
  ['ForAnyValue:NumericLessThan', '5', ['7', '3'], true],
  ['foranyvalue:stringlike', 'a*', 'ab', true],
];

describe('condition operators', () => {
  it.each([...STRINGS, ...NUMBERS, ...DATES, ...ADDRESSES, ...ARNS, ...OTHERS, ...SETS, ...MISSING])(
    '%s %j with %j: %s',
    (operator, policy, request, expected) => {
      const given = request === undefined ? {} : { [KEY]: request };
      expect(holds({ [operator]: { [KEY]: policy } }, given)).toBe(expected);
    },
  );

  it('all keys of all operators have to hold', () => {
    const condition = { StringEquals: { 'aws:a': '1', 'aws:b': '2' }, Bool: { 'aws:c': 'true' } };
    expect(holds(condition, { 'aws:a': '1', 'aws:b': '2', 'aws:c': 'true' })).toBe(true);
    expect(holds(condition, { 'aws:a': '1', 'aws:b': '3', 'aws:c': 'true' })).toBe(false);
    expect(holds(condition, { 'aws:a': '1', 'aws:b': '2', 'aws:c': 'false' })).toBe(false);
  });

  it('the letter case of a condition key does not matter, also in the part after the prefix', () => {
    const condition = { StringEquals: { 'KMS:encryptionContext:APPName': 'x' } };
    expect(holds(condition, { 'kms:EncryptionContext:AppName': 'x' })).toBe(true);
  });
});

describe('policy variables', () => {
  const given = { 'aws:username': 'bob', 'aws:PrincipalTag/Team': 'a*', 'aws:TagKeys': ['bob'] };
  const NAME = 'aws:username';

  it.each([
    ['stand for the value', { StringEquals: { [NAME]: '${aws:UserName}' } }, true],
    ['stand inside a text', { StringLike: { [NAME]: '?${aws:username}' } }, false],
    ['bring no wildcards with them', { StringLike: { 'kms:x': '${aws:PrincipalTag/team}' } }, false],
    ['that a list would stand for have no value', { StringEquals: { [NAME]: '${aws:TagKeys}' } }, false],
    ['without a value match nothing', { StringLike: { [NAME]: '*${aws:nothing}*' } }, false],
    ['without a value are unlike everything', { StringNotLike: { [NAME]: '*${aws:nothing}*' } }, true],
    ['may have a default', { StringEquals: { [NAME]: "${aws:nothing, 'bob'}" } }, true],
    ['may have a default with a comma', { StringEquals: { 'kms:list': "${ aws:nothing ,'a, b' }" } }, true],
    ['prefer the value to the default', { StringEquals: { [NAME]: "${aws:PrincipalTag/team, 'bob'}" } }, false],
    ['work in comparisons without case', { StringEqualsIgnoreCase: { [NAME]: '${aws:username}' } }, true],
    ['stand in ARNs', { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/${aws:username}' } }, true],
    ['are plain text in numbers', { NumericEquals: { 'aws:number': '${aws:number}' } }, false],
  ])('%s', (_what, condition, expected) => {
    const more = {
      'kms:x': 'abc',
      'kms:list': 'a, b',
      'aws:number': '7',
      'aws:PrincipalArn': 'arn:aws:iam::111122223333:user/bob',
    };
    expect(holds(condition, { ...given, ...more })).toBe(expected);
  });

  it('${*}, ${?} and ${$} are the characters themselves', () => {
    expect(holds({ StringLike: { 'kms:x': 'a${*}${?}${$}b*' } }, { 'kms:x': 'a*?$bc' })).toBe(true);
    expect(holds({ StringLike: { 'kms:x': 'a${*}' } }, { 'kms:x': 'abc' })).toBe(false);
    expect(holds({ StringEquals: { 'kms:x': '${*}' } }, { 'kms:x': '*' })).toBe(true);
  });

  it('are plain text before version 2012-10-17', () => {
    const condition = { StringEquals: { 'kms:x': '${aws:username}' } };
    expect(holds(condition, { 'kms:x': 'bob', ...given }, '2008-10-17')).toBe(false);
    expect(holds(condition, { 'kms:x': '${aws:username}', ...given }, '2008-10-17')).toBe(true);
  });

  it('an unclosed one is plain text', () => {
    expect(holds({ StringEquals: { 'kms:x': '${aws:username' } }, { 'kms:x': '${aws:username' })).toBe(true);
  });

  it('unclosed ones by the thousand do not take long to read', () => {
    expect(holds({ StringEquals: { 'kms:x': '${'.repeat(100_000) } }, { 'kms:x': 'x' })).toBe(false);
  });
});
