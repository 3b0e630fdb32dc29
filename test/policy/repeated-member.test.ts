import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parsePolicyDocument } from '../../src/policy/policy-document.ts';
import { findRepeatedMember } from '../../src/policy/repeated-member.ts';

const wrap = (statement: string): string => `{"Statement":[{"Action":"*","Resource":"*",${statement}}]}`;
const parse = (text: string): boolean => parsePolicyDocument(text, 'identity').ok;

it('a policy with an element twice in one object is refused: readers would see what does not count', () => {
  expect(parse(wrap('"Effect":"Allow"'))).toBe(true);
  expect(parse(wrap('"Effect":"Deny","Effect":"Allow"'))).toBe(false);
  expect(parse(wrap('"Effect":"Deny","\\u0045ffect":"Allow"'))).toBe(false);
  const condition = '{"aws:SourceIp":"192.0.2.0/24"},"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}';
  expect(parse(wrap(`"Effect":"Allow","Condition":{"IpAddress":${condition}}`))).toBe(false);
});

it('a condition key without the prefix of a vendor is refused', () => {
  for (const key of ['constructor', '__proto__', 'SourceIp']) {
    expect(parse(wrap(`"Effect":"Allow","Condition":{"ForAnyValue:StringEquals":{"${key}":"x"}}`)), key).toBe(false);
  }
});

it('only names count, each in its own object: neither values, nor what strings look like', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      // A text that a serialiser made from one value has no repeated names.
      expect(findRepeatedMember(JSON.stringify(JSON.parse(text)))).toBeUndefined();
    }),
  );
  for (const text of ['{"a":"a","b":{"a":1}}', '[{"a":1},{"a":2}]', '{"a":"\\",\\"a\\":","b":["a","a"]}', '"a:"']) {
    expect(findRepeatedMember(text), text).toBeUndefined();
  }
  expect(findRepeatedMember('{"a":[{"b":1}],"a":2}')).toBe('a');
  expect(findRepeatedMember('[{"x":{"b\\"":1,"b\\"":2}}]')).toBe('b"');
});
