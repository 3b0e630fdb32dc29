/**
 * Shapes of requests: for every member of every operation, values at and beyond its limits, of the wrong type and null,
 * derived from what the operation declares; and on the wire what no SDK sends. The texts expected here are built from
 * the limits alone, in the words that AWS uses.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KmsServiceError } from '../../src/base/errors.ts';
import { type Engine } from '../../src/engine/engine.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { OPERATIONS, type OperationName } from '../../src/service/registry.ts';
import type { MemberShape, Shape } from '../../src/service/schema.ts';
import { OPERATION_NAMES } from '../support/declared-demands.ts';
import { ACCOUNT, openEngine, REGION, type OpenEngine } from '../support/doors.ts';
import {
  base64,
  sample,
  sampleString,
  sampleStructure,
  stringOf,
  type StringShape,
} from '../support/sample-request.ts';
import { openRawDoor, type RawDoor } from '../support/raw-door.ts';

type ListShape = Extract<Shape, { kind: 'list' }>;

/** A value of a member, and what must come of it: these violations, or the end of the parse; none is acceptance. */
interface Case {
  readonly value: unknown;
  readonly outcome: readonly string[] | 'serialization';
}

const violation = (shown: string, path: string, rule: string, subject = 'Member'): string =>
  `Value ${shown}at '${path}' failed to satisfy constraint: ${subject} must ${rule}`;

/** In no pattern of the service model. */
const OUTSIDE = '\u0100';

const accepted = (value: unknown): Case => ({ value, outcome: [] });
const unreadable = (value: unknown): Case => ({ value, outcome: 'serialization' });

function stringCases(shape: StringShape, path: string): Case[] {
  const { min = 0, max, pattern, isSecret = false, mayBeEmpty = false } = shape;
  const matcher = new RegExp(`^(?:${pattern ?? '[^]*'})$`, 'u');
  const judged = (value: string): Case => {
    if (value === '' && mayBeEmpty) {
      return accepted(value);
    }
    const shown = isSecret ? '' : `'${value}' `;
    const isLong = max !== undefined && value.length > max;
    return {
      value,
      outcome: [
        ...(value.length < min ? [violation(shown, path, `have length greater than or equal to ${String(min)}`)] : []),
        ...(isLong ? [violation(shown, path, `have length less than or equal to ${String(max)}`)] : []),
        ...(matcher.test(value)
          ? []
          : [violation(shown, path, `satisfy regular expression pattern: ${pattern ?? ''}`)]),
      ],
    };
  };
  const lengths = [...(min > 0 ? [min - 1] : []), min, ...(max === undefined ? [] : [max, max + 1])];
  return [
    unreadable(7),
    unreadable(true),
    unreadable({}),
    unreadable(['a']),
    judged(sampleString(shape)),
    ...lengths.map((length) => judged(stringOf(length, shape) ?? OUTSIDE.repeat(length))),
    judged(OUTSIDE.repeat(Math.max(1, min))),
  ];
}

function integerCases(
  { min, max }: { readonly min?: number | undefined; readonly max?: number | undefined },
  path: string,
): Case[] {
  const below = (value: number): string[] =>
    min !== undefined && value < min
      ? [violation(`'${String(value)}' `, path, `have value greater than or equal to ${String(min)}`)]
      : [];
  const above = (value: number): string[] =>
    max !== undefined && value > max
      ? [violation(`'${String(value)}' `, path, `have value less than or equal to ${String(max)}`)]
      : [];
  const values = [...(min === undefined ? [] : [min - 1, min]), ...(max === undefined ? [] : [max, max + 1])];
  const largest = 2 ** 31 - 1;
  return [
    ...[unreadable('7'), unreadable(false), unreadable({}), unreadable(2 ** 31), unreadable(-1e300)],
    ...[...values, largest, -largest].map((value) => ({ value, outcome: [...below(value), ...above(value)] })),
    // A fraction is cut off.
    accepted((min ?? 1) + 0.9),
  ];
}

function blobCases({ min = 0, max, isSecret }: Extract<Shape, { kind: 'blob' }>, path: string): Case[] {
  const shown = (length: number): string =>
    isSecret ? '' : `'java.nio.HeapByteBuffer[pos=0 lim=${String(length)} cap=${String(length)}]' `;
  const tooShort = (length: number): Case => ({
    value: base64(length),
    outcome: [violation(shown(length), path, `have length greater than or equal to ${String(min)}`)],
  });
  const tooLong = (length: number): Case => ({
    value: base64(length),
    outcome: [violation(shown(length), path, `have length less than or equal to ${String(max)}`)],
  });
  return [
    ...['*', 'AAA', 'AA-_', 'AAAA\n', '=AAA'].map(unreadable),
    ...[7, {}, [1]].map(unreadable),
    accepted(base64(min)),
    ...(min > 0 ? [tooShort(min - 1)] : []),
    ...(max === undefined ? [] : [accepted(base64(max)), tooLong(max + 1)]),
  ];
}

/** What a list of plain values says of its items, whichever of them is wrong. */
function itemRules(item: Shape): string[] {
  if (item.kind === 'enumeration') {
    return [`Member must satisfy enum value set: [${item.values.join(', ')}]`];
  }
  const { min, max, pattern } = item as StringShape;
  return [
    ...(max === undefined ? [] : [`Member must have length less than or equal to ${String(max)}`]),
    ...(min === undefined ? [] : [`Member must have length greater than or equal to ${String(min)}`]),
    ...(pattern === undefined ? [] : [`Member must satisfy regular expression pattern: ${pattern}`]),
  ];
}

function listCases({ item, min = 0, max }: ListShape, path: string): Case[] {
  const isFlat = item.kind !== 'structure';
  const inItem = casesOf(item, `${path}.1.member`).map(({ value, outcome }): Case => {
    const isWrong = isFlat && outcome !== 'serialization' && outcome.length > 0;
    const whole = violation(`'[${String(value)}]' `, path, `satisfy constraint: [${itemRules(item).join(', ')}]`);
    return { value: [value], outcome: isWrong ? [whole] : outcome };
  });
  const nullRules = [...(isFlat ? itemRules(item) : []), 'Member must not be null'];
  const withNull: Case = {
    value: [null],
    outcome: isFlat
      ? [violation("'[null]' ", path, `satisfy constraint: [${nullRules.join(', ')}]`)]
      : [violation('null ', `${path}.1.member`, 'not be null')],
  };
  const items = (length: number): unknown[] => Array.from({ length }, () => sample(item));
  const tooMany = (length: number): Case => ({
    value: items(length),
    outcome: [violation(`'[${items(length).join(', ')}]' `, path, `have length less than or equal to ${String(max)}`)],
  });
  return [
    ...['a', 7, true, {}].map(unreadable),
    ...inItem,
    withNull,
    accepted(items(min)),
    ...(max === undefined ? [] : [accepted(items(max)), tooMany(max + 1)]),
  ];
}

function structureCases(members: Readonly<Record<string, MemberShape>>, prefix: string): Case[] {
  const base = sampleStructure(members);
  return Object.entries(members).flatMap(([name, member]) =>
    memberCases(member, `${prefix}${name.charAt(0).toLowerCase()}${name.slice(1)}`).map(({ value, outcome }) => ({
      value: { ...base, [name]: value },
      outcome,
    })),
  );
}

/** A member that is null counts as one that is not there. */
function memberCases({ shape, isRequired }: MemberShape, path: string): Case[] {
  const absent = [null, undefined].map((value) => ({
    value,
    outcome: isRequired ? [violation('null ', path, 'not be null')] : [],
  }));
  return [...absent, ...casesOf(shape, path)];
}

function casesOf(shape: Shape, path: string): Case[] {
  switch (shape.kind) {
    case 'string':
      return stringCases(shape, path);
    case 'integer':
      return integerCases(shape, path);
    case 'blob':
      return blobCases(shape, path);
    case 'list':
      return listCases(shape, path);
    case 'structure':
      return [...['a', 7, ['a']].map(unreadable), ...structureCases(shape.members, `${path}.`)];
    case 'enumeration': {
      const rule = `satisfy enum value set: [${shape.values.join(', ')}]`;
      const wrong = ['no such value', '', shape.values[0]?.toLowerCase() ?? ''];
      return [
        ...[7, true, {}].map(unreadable),
        ...shape.values.map(accepted),
        ...wrong.map((value) => ({ value, outcome: [violation(`'${value}' `, path, rule)] })),
      ];
    }
    case 'timestamp':
      return [...['today', true, {}, [1]].map(unreadable), ...[0, 1.5, 1e9].map(accepted)];
    case 'boolean':
      return [...['true', 1, {}].map(unreadable), accepted(true), accepted(false)];
    case 'map': {
      const rule = 'satisfy constraint: [Member must not be null]';
      return [
        ...['a', 7, ['a'], { a: 7 }, { a: {} }].map(unreadable),
        ...[{}, { a: '' }, { '': 'b' }, JSON.parse('{"__proto__":"b"}')].map(accepted),
        { value: { a: 'b', c: null }, outcome: [violation("'{a=b, c=null}' ", path, rule, 'Map value')] },
      ];
    }
  }
}

describe('the shape of a request', () => {
  let open: OpenEngine;
  let engine: Engine;
  const context = { caller: rootOf(ACCOUNT), region: REGION };

  beforeAll(async () => {
    open = await openEngine();
    engine = open.engine;
  });
  afterAll(async () => {
    await engine.close();
    open.remove();
  });

  /** The error that a request is answered with, if any; the body goes through JSON as on the wire. */
  async function errorOf(name: OperationName, body: unknown): Promise<KmsServiceError | undefined> {
    try {
      await engine.dispatch(name, JSON.parse(JSON.stringify(body)), 'json', context);
      return undefined;
    } catch (error) {
      return error as KmsServiceError;
    }
  }

  async function check(name: OperationName, { value, outcome }: Case): Promise<void> {
    const error = await errorOf(name, value);
    const request = JSON.stringify(value).slice(0, 300);
    if (outcome === 'serialization') {
      expect(error?.name, request).toBe('SerializationException');
    } else if (outcome.length === 0) {
      // Whatever else is wrong with it: every member is within its limits.
      expect(error?.name, request).not.toBe('SerializationException');
      expect(error?.name, request).not.toBe('KMSInternalException');
      expect(error?.text?.replace(CIPHERTEXT_MISSING, '') ?? '', request).not.toMatch(/failed to satisfy constraint/);
    } else {
      const count = `${String(outcome.length)} validation ${outcome.length === 1 ? 'error' : 'errors'} detected`;
      expect(error?.name, request).toBe('ValidationException');
      expect(error?.text, request).toBe(`${count}: ${outcome.join('; ')}`);
    }
  }

  /** The ciphertext may only be left out of a dry run that ignores it: the one rule that the shape cannot tell. */
  const CIPHERTEXT_MISSING =
    "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null";

  it.each(OPERATION_NAMES)('of %s is held to its limits, member by member', async (name) => {
    const cases = structureCases(OPERATIONS[name].input.shape.members, '');
    expect(cases.length).toBeGreaterThan(0);
    for (const each of cases) {
      await check(name, each);
    }
  });

  it.each(OPERATION_NAMES)('of %s may have members that nobody knows', async (name) => {
    const body = sampleStructure(OPERATIONS[name].input.shape.members);
    const [plain, more] = [await errorOf(name, body), await errorOf(name, { ...body, Unknown: { a: [1] } })];
    expect([more?.name, more?.text]).toEqual([plain?.name, plain?.text]);
  });
});

describe('on the wire', () => {
  let door: RawDoor;
  let keyId: unknown;

  beforeAll(async () => {
    door = await openRawDoor();
    keyId = ((await door.answer('CreateKey', {}))['KeyMetadata'] as { KeyId: string }).KeyId;
  });
  afterAll(async () => {
    await door.close();
  });

  it('every violation of a request is named at once', async () => {
    const { status, body } = await door.call('CreateKey', {
      Description: 'd'.repeat(8193),
      KeyUsage: 'SING_VERIFY',
      Tags: [{ TagKey: 'fine', TagValue: 'fine' }, { TagKey: '' }],
    });
    expect(status).toBe(400);
    expect(body).toEqual({
      __type: 'ValidationException',
      message:
        '4 validation errors detected: ' +
        [
          violation(`'${'d'.repeat(8193)}' `, 'description', 'have length less than or equal to 8192'),
          violation(
            "'SING_VERIFY' ",
            'keyUsage',
            'satisfy enum value set: [ENCRYPT_DECRYPT, SIGN_VERIFY, GENERATE_VERIFY_MAC, KEY_AGREEMENT, ' +
              'ENCAPSULATE_DECAPSULATE]',
          ),
          violation("'' ", 'tags.2.member.tagKey', 'have length greater than or equal to 1'),
          violation('null ', 'tags.2.member.tagValue', 'not be null'),
        ].join('; '),
    });
  });

  it('a secret is not shown in its violation, and a list is shown whole', async () => {
    const { body } = await door.call('Encrypt', { KeyId: '', Plaintext: '', GrantTokens: ['good', ''] });
    expect(body['message']).toBe(
      '3 validation errors detected: ' +
        [
          violation("'' ", 'keyId', 'have length greater than or equal to 1'),
          violation('', 'plaintext', 'have length greater than or equal to 1'),
          violation(
            "'[good, ]' ",
            'grantTokens',
            'satisfy constraint: [Member must have length less than or equal to 8192, ' +
              'Member must have length greater than or equal to 1]',
          ),
        ].join('; '),
    );
  });

  it('a wrong type comes before every violation', async () => {
    const { body } = await door.call('Encrypt', { KeyId: '', Plaintext: 7 });
    expect(body['__type']).toBe('SerializationException');
  });

  it.each([
    ['a number in the place of a string', '{"KeyId":7}', 'NUMBER_VALUE can not be converted to a String'],
    ['true in the place of a string', '{"KeyId":true}', 'TRUE_VALUE can not be converted to a String'],
    ['a map in the place of a string', '{"KeyId":{}}', 'Start of structure or map found where not expected.'],
    ['a string in the place of the structure', '"KeyId"', 'Expected structure or null'],
    ['a list in the place of the structure', '[]', 'Expected structure or null'],
  ])('%s is a SerializationException', async (_title, body, message) => {
    const answer = await door.call('DescribeKey', body);
    expect(answer.body).toEqual({ __type: 'SerializationException', message });
  });

  it.each(['{', '{"KeyId":"a"', "{'KeyId':'a'}", '{"KeyId":NaN}', 'undefined', '\u0000'])(
    'the body %j is a SerializationException',
    async (body) => {
      expect((await door.call('DescribeKey', body)).body).toEqual({ __type: 'SerializationException' });
    },
  );

  it.each([
    ['32.0', 32],
    ['32.9', 32],
    ['3.2e1', 32],
  ])('the number %s is %i', async (text, expected) => {
    const { Plaintext } = await door.answer('GenerateRandom', `{"NumberOfBytes":${text}}`);
    expect(Buffer.from(Plaintext as string, 'base64')).toHaveLength(expected);
  });

  it.each(['1e400', '2147483648', '-2147483649', '123456789012345678901234567890'])(
    'the number %s is no Integer',
    async (text) => {
      const { body } = await door.call('GenerateRandom', `{"NumberOfBytes":${text}}`);
      expect(body['__type']).toBe('SerializationException');
    },
  );

  it('null is as good as nothing, also as the whole encryption context', async () => {
    const request = `{"KeyId":"${String(keyId)}","Plaintext":"YQ==","EncryptionContext":null,"GrantTokens":null,"DryRun":null}`;
    expect((await door.call('Encrypt', request)).status).toBe(200);
  });

  it('the last of two members with one name counts', async () => {
    const { Plaintext } = await door.answer('GenerateRandom', '{"NumberOfBytes":1,"NumberOfBytes":2}');
    expect(Buffer.from(Plaintext as string, 'base64')).toHaveLength(2);
  });

  it('an empty body is an empty structure', async () => {
    expect((await door.call('ListKeys', '')).status).toBe(200);
  });
});
