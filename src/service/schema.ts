/**
 * Declared shapes of requests. One declaration serves for parsing, for the text that AWS answers to a violation
 * (`1 validation error detected: Value … at … failed to satisfy constraint: …`) and for the reference documentation.
 *
 * Two kinds of trouble are told apart as AWS does: a member of the wrong JSON type is a SerializationException and ends
 * the parse; a member that breaks a constraint is collected, so that one answer names every violation.
 */
import { KmsServiceError } from '../base/errors.ts';

/**
 * Where a request comes from: `json` carries blobs as base64 and timestamps as numbers, `native` as bytes and dates.
 */
export type RequestForm = 'json' | 'native';

/** Collects violations during one parse. */
export class Violations {
  readonly form: RequestForm;
  readonly #texts: string[] = [];

  constructor(form: RequestForm) {
    this.form = form;
  }

  get count(): number {
    return this.#texts.length;
  }

  add(shown: string, path: string, constraint: string, subject = 'Member'): void {
    this.#texts.push(`Value ${shown}at '${path}' failed to satisfy constraint: ${subject} must ${constraint}`);
  }

  addAll(others: Violations): void {
    this.#texts.push(...others.#texts);
  }

  /** @throws KmsServiceError ValidationException that names every violation, if there is one */
  throwIfAny(): void {
    const count = this.#texts.length;
    if (count > 0) {
      const noun = count === 1 ? 'error' : 'errors';
      throw new KmsServiceError(
        'ValidationException',
        `${String(count)} validation ${noun} detected: ${this.#texts.join('; ')}`,
      );
    }
  }
}

/** What a schema declares, as data: for the reference documentation, and for tests that derive requests from it. */
export type Shape =
  | ({
      readonly kind: 'string';
      readonly pattern?: string | undefined;
      /** True for a value that no text shows. */
      readonly isSecret?: boolean;
      /** True when the empty string stands for no value, whatever the limits say. */
      readonly mayBeEmpty?: boolean;
    } & Lengths)
  | { readonly kind: 'enumeration'; readonly values: readonly string[] }
  | ({ readonly kind: 'integer' } & Lengths)
  | { readonly kind: 'boolean' }
  | { readonly kind: 'timestamp' }
  | ({ readonly kind: 'blob'; readonly isSecret: boolean } & Lengths)
  | ({ readonly kind: 'list'; readonly item: Shape } & Lengths)
  | { readonly kind: 'map'; readonly maxCharacters: number }
  | { readonly kind: 'structure'; readonly members: Readonly<Record<string, MemberShape>> };

export interface MemberShape {
  readonly shape: Shape;
  readonly isRequired: boolean;
}

export interface Schema<T> {
  readonly shape: Shape;
  parse(value: unknown, path: string, violations: Violations): T;
}

export interface Member<T, Required extends boolean> {
  readonly schema: Schema<T>;
  readonly isRequired: Required;
}

export function required<T>(schema: Schema<T>): Member<T, true> {
  return { schema, isRequired: true };
}

export function optional<T>(schema: Schema<T>): Member<T, false> {
  return { schema, isRequired: false };
}

type Members = Readonly<Record<string, Member<unknown, boolean>>>;

export type Structure<M extends Members> = {
  readonly [K in keyof M as M[K]['isRequired'] extends true ? K : never]: M[K] extends Member<infer T, true>
    ? T
    : never;
} & {
  readonly [K in keyof M as M[K]['isRequired'] extends true ? never : K]?:
    (M[K] extends Member<infer T, boolean> ? T : never) | undefined;
};

export interface StructureSchema<T> extends Schema<T> {
  readonly shape: Extract<Shape, { kind: 'structure' }>;
}

/** Limits, both inclusive: of the length of a string, blob (bytes) or list (items), or of the value of an integer. */
interface Lengths {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** The kind of a JSON value, in the words of AWS's serialisation errors. */
function kindOf(value: unknown): string {
  if (value === null) {
    return 'NULL_VALUE';
  }
  if (typeof value === 'boolean') {
    return value ? 'TRUE_VALUE' : 'FALSE_VALUE';
  }
  return typeof value === 'string' ? 'STRING_VALUE' : 'NUMBER_VALUE';
}

function wrongType(value: unknown, wanted: string): KmsServiceError {
  return typeof value === 'object' && value !== null
    ? new KmsServiceError('SerializationException', 'Start of structure or map found where not expected.')
    : new KmsServiceError('SerializationException', `${kindOf(value)} can not be converted to ${wanted}`);
}

const MUST_NOT_BE_NULL = 'not be null';
const mustBeNoShorter = (min: number): string => `have length greater than or equal to ${String(min)}`;
const mustBeNoLonger = (max: number): string => `have length less than or equal to ${String(max)}`;
const mustMatch = (pattern: string): string => `satisfy regular expression pattern: ${pattern}`;
const mustBeOneOf = (values: readonly string[]): string => `satisfy enum value set: [${values.join(', ')}]`;

function checkLength(length: number, { min, max }: Lengths, shown: string, path: string, violations: Violations): void {
  if (min !== undefined && length < min) {
    violations.add(shown, path, mustBeNoShorter(min));
  } else if (max !== undefined && length > max) {
    violations.add(shown, path, mustBeNoLonger(max));
  }
}

/**
 * `pattern` is the text of the service model, which AWS shows; it is matched against the whole value, also where it has
 * no anchors. Lengths count UTF-16 units. A violation shows the value, unless it is `secret`.
 */
export function string(options: Lengths & { pattern?: string; secret?: boolean } = {}): Schema<string> {
  const { pattern, secret: isSecret = false, ...lengths } = options;
  const matcher = pattern === undefined ? undefined : new RegExp(`^(?:${pattern})$`, 'u');
  return {
    shape: { kind: 'string', ...lengths, pattern, isSecret },
    parse(value, path, violations) {
      if (typeof value !== 'string') {
        throw wrongType(value, 'a String');
      }
      const shown = isSecret ? '' : `'${value}' `;
      checkLength(value.length, lengths, shown, path, violations);
      if (matcher !== undefined && !matcher.test(value)) {
        violations.add(shown, path, mustMatch(pattern ?? ''));
      }
      return value;
    },
  };
}

/** A string that may also be empty, which takes a value away. */
export function orEmpty(schema: Schema<string>): Schema<string> {
  return {
    shape: schema.shape.kind === 'string' ? { ...schema.shape, mayBeEmpty: true } : schema.shape,
    parse: (value, path, violations) => (value === '' ? '' : schema.parse(value, path, violations)),
  };
}

export function enumeration<const T extends string>(values: readonly T[]): Schema<T> {
  const known: ReadonlySet<string> = new Set(values);
  return {
    shape: { kind: 'enumeration', values },
    parse(value, path, violations) {
      if (typeof value !== 'string') {
        throw wrongType(value, 'a String');
      }
      if (!known.has(value)) {
        violations.add(`'${value}' `, path, mustBeOneOf(values));
      }
      return value as T;
    },
  };
}

export function integer({ min, max }: Lengths): Schema<number> {
  return {
    shape: { kind: 'integer', min, max },
    parse(value, path, violations) {
      if (typeof value !== 'number') {
        throw wrongType(value, 'an Integer');
      }
      const whole = Math.trunc(value);
      if (!(Math.abs(whole) < 2 ** 31)) {
        throw new KmsServiceError('SerializationException', 'NUMBER_VALUE is out of the range of an Integer');
      }
      if (min !== undefined && whole < min) {
        violations.add(`'${String(whole)}' `, path, `have value greater than or equal to ${String(min)}`);
      } else if (max !== undefined && whole > max) {
        violations.add(`'${String(whole)}' `, path, `have value less than or equal to ${String(max)}`);
      }
      return whole;
    },
  };
}

export function boolean(): Schema<boolean> {
  return {
    shape: { kind: 'boolean' },
    parse(value) {
      if (typeof value !== 'boolean') {
        throw wrongType(value, 'a Boolean');
      }
      return value;
    },
  };
}

/** A point in time; seconds since 1970 in JSON, perhaps with a fraction. */
export function timestamp(): Schema<Date> {
  return {
    shape: { kind: 'timestamp' },
    parse(value, _path, violations) {
      const date = violations.form === 'json' && typeof value === 'number' ? new Date(value * 1000) : value;
      if (!(date instanceof Date) || Number.isNaN(date.getTime())) {
        throw wrongType(value, 'a Timestamp');
      }
      return date;
    },
  };
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Bytes; base64 with padding in JSON. A violation shows no bytes: `secret` blobs show nothing, others their length in
 * the way in which Java prints a buffer.
 */
export function blob({ secret: isSecret = false, ...lengths }: Lengths & { secret?: boolean }): Schema<Uint8Array> {
  return {
    shape: { kind: 'blob', isSecret, ...lengths },
    parse(value, path, violations) {
      const bytes = violations.form === 'json' ? decodeBase64(value) : value;
      if (!(bytes instanceof Uint8Array)) {
        throw wrongType(value, 'a Blob');
      }
      const length = String(bytes.length);
      const shown = isSecret ? '' : `'java.nio.HeapByteBuffer[pos=0 lim=${length} cap=${length}]' `;
      checkLength(bytes.length, lengths, shown, path, violations);
      return bytes;
    },
  };
}

function decodeBase64(value: unknown): Uint8Array {
  if (typeof value !== 'string') {
    throw wrongType(value, 'a Blob');
  }
  if (value.length % 4 !== 0 || !BASE64.test(value)) {
    throw new KmsServiceError('SerializationException', 'The input is not valid base64.');
  }
  return Buffer.from(value, 'base64');
}

/**
 * A violation inside a list of structures has a path of its own. For a list of anything else AWS shows the whole list,
 * once, with all that it demands of its items.
 */
export function list<T>(item: Schema<T>, lengths: Lengths = {}): Schema<readonly T[]> {
  return {
    shape: { kind: 'list', item: item.shape, ...lengths },
    parse(value, path, violations) {
      if (!Array.isArray(value)) {
        throw typeof value === 'object'
          ? wrongType(value, '')
          : new KmsServiceError('SerializationException', 'Expected list or null');
      }
      const items: readonly unknown[] = value;
      const isFlat = item.shape.kind !== 'structure';
      const shown = isFlat ? `'[${items.map(String).join(', ')}]' ` : '';
      checkLength(items.length, lengths, shown, path, violations);
      const ofItems = new Violations(violations.form);
      const parsed = items.map((each, index) => {
        const itemPath = `${path}.${String(index + 1)}.member`;
        if (each === null) {
          ofItems.add('null ', itemPath, MUST_NOT_BE_NULL);
          return each as T;
        }
        return item.parse(each, itemPath, isFlat ? ofItems : violations);
      });
      if (isFlat && ofItems.count > 0) {
        const nullRule = items.includes(null) ? [MUST_NOT_BE_NULL] : [];
        const rules = [...constraintsOf(item.shape), ...nullRule].map((rule) => `Member must ${rule}`);
        violations.add(shown, path, `satisfy constraint: [${rules.join(', ')}]`);
      } else {
        violations.addAll(ofItems);
      }
      return parsed;
    },
  };
}

/** Everything that a shape demands, in the order in which AWS names it. */
function constraintsOf(shape: Shape): readonly string[] {
  if (shape.kind === 'enumeration') {
    return [mustBeOneOf(shape.values)];
  }
  if (shape.kind !== 'string') {
    return [];
  }
  const { min, max, pattern } = shape;
  return [
    ...(max === undefined ? [] : [mustBeNoLonger(max)]),
    ...(min === undefined ? [] : [mustBeNoShorter(min)]),
    ...(pattern === undefined ? [] : [mustMatch(pattern)]),
  ];
}

/**
 * Map from strings to strings, such as the encryption context.
 *
 * @param maxCharacters of all keys and values together: policies compare them with patterns
 */
export function stringMap(maxCharacters: number): Schema<Readonly<Record<string, string>>> {
  return {
    shape: { kind: 'map', maxCharacters },
    parse(value, path, violations) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw new KmsServiceError('SerializationException', 'Expected map or null');
      }
      const entries: readonly (readonly [string, unknown])[] = Object.entries(value);
      for (const [, each] of entries) {
        if (typeof each !== 'string' && each !== null) {
          throw wrongType(each, 'a String');
        }
      }
      if (entries.some(([, each]) => each === null)) {
        const shown = entries.map(([key, each]) => `${key}=${String(each)}`).join(', ');
        violations.add(`'{${shown}}' `, path, `satisfy constraint: [Member must ${MUST_NOT_BE_NULL}]`, 'Map value');
      }
      const characters = entries.reduce((sum, [key, each]) => sum + key.length + String(each).length, 0);
      if (characters > maxCharacters) {
        violations.add('', path, `have at most ${String(maxCharacters)} characters in its keys and values`, 'Map');
      }
      return value as Readonly<Record<string, string>>;
    },
  };
}

/** Members that the structure does not know are ignored, and a null member counts as absent, as AWS does. */
export function structure<M extends Members>(members: M): StructureSchema<Structure<M>> {
  const entries = Object.entries(members).map(([name, member]) => ({ name, member, key: lowerFirst(name) }));
  const shapes = entries.map(({ name, member: { schema, isRequired } }): [string, MemberShape] => [
    name,
    { shape: schema.shape, isRequired },
  ]);
  return {
    shape: { kind: 'structure', members: Object.fromEntries(shapes) },
    parse(value, path, violations) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw new KmsServiceError('SerializationException', 'Expected structure or null');
      }
      const source = value as Readonly<Record<string, unknown>>;
      const result: Record<string, unknown> = {};
      for (const { name, member, key } of entries) {
        const given = Object.hasOwn(source, name) ? source[name] : undefined;
        const memberPath = path === '' ? key : `${path}.${key}`;
        if (given !== undefined && given !== null) {
          result[name] = member.schema.parse(given, memberPath, violations);
        } else if (member.isRequired) {
          violations.add('null ', memberPath, MUST_NOT_BE_NULL);
        }
      }
      return result as Structure<M>;
    },
  };
}

/** @throws KmsServiceError SerializationException or ValidationException */
export function parseRequest<T>(schema: Schema<T>, value: unknown, form: RequestForm): T {
  const violations = new Violations(form);
  const parsed = schema.parse(value, '', violations);
  violations.throwIfAny();
  return parsed;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
