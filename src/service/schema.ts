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

  add(shown: string, path: string, constraint: string): void {
    this.#texts.push(`Value ${shown}at '${path}' failed to satisfy constraint: Member must ${constraint}`);
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

export interface Schema<T> {
  /** For the reference documentation. */
  readonly describe: string;
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
  readonly members: Members;
}

interface Lengths {
  readonly min?: number;
  readonly max?: number;
}

/** The kind of a JSON value, in the words of AWS's serialisation errors. */
function kindOf(value: unknown): string {
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

function checkLength(length: number, { min, max }: Lengths, shown: string, path: string, violations: Violations): void {
  if (min !== undefined && length < min) {
    violations.add(shown, path, `have length greater than or equal to ${String(min)}`);
  } else if (max !== undefined && length > max) {
    violations.add(shown, path, `have length less than or equal to ${String(max)}`);
  }
}

/**
 * `pattern` is the text that AWS shows; it is matched against the whole value. Lengths count UTF-16 units. A violation
 * shows the value, unless it is `secret`.
 */
export function string(options: Lengths & { pattern?: string; secret?: boolean } = {}): Schema<string> {
  const matcher = options.pattern === undefined ? undefined : new RegExp(`^(?:${options.pattern})$`, 'u');
  return {
    describe: `string${describeLengths(options)}${describePattern(options.pattern)}`,
    parse(value, path, violations) {
      if (typeof value !== 'string') {
        throw wrongType(value, 'a String');
      }
      const shown = options.secret === true ? '' : `'${value}' `;
      checkLength(value.length, options, shown, path, violations);
      if (matcher !== undefined && !matcher.test(value)) {
        violations.add(shown, path, `satisfy regular expression pattern: ${options.pattern ?? ''}`);
      }
      return value;
    },
  };
}

/** A string that may also be empty, which takes a value away. */
export function orEmpty(schema: Schema<string>): Schema<string> {
  return {
    describe: `${schema.describe}, or empty`,
    parse: (value, path, violations) => (value === '' ? '' : schema.parse(value, path, violations)),
  };
}

export function enumeration<const T extends string>(values: readonly T[]): Schema<T> {
  const known: ReadonlySet<string> = new Set(values);
  return {
    describe: `one of ${values.join(', ')}`,
    parse(value, path, violations) {
      if (typeof value !== 'string') {
        throw wrongType(value, 'a String');
      }
      if (!known.has(value)) {
        violations.add(`'${value}' `, path, `satisfy enum value set: [${values.join(', ')}]`);
      }
      return value as T;
    },
  };
}

export function integer({ min, max }: Lengths): Schema<number> {
  return {
    describe: `integer${min === undefined ? '' : ` ${String(min)}–${String(max)}`}`,
    parse(value, path, violations) {
      if (typeof value !== 'number' || !Number.isFinite(value)) {
        throw wrongType(value, 'an Integer');
      }
      const whole = Math.trunc(value);
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
    describe: 'boolean',
    parse(value) {
      if (typeof value !== 'boolean') {
        throw wrongType(value, 'a Boolean');
      }
      return value;
    },
  };
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Bytes; base64 with padding in JSON. A violation shows no bytes: `secret` blobs show nothing, others an empty buffer.
 */
export function blob(options: Lengths & { secret?: boolean }): Schema<Uint8Array> {
  const shown = options.secret === true ? '' : "'java.nio.HeapByteBuffer[pos=0 lim=0 cap=0]' ";
  return {
    describe: `bytes${describeLengths(options)}`,
    parse(value, path, violations) {
      const bytes = violations.form === 'json' ? decodeBase64(value) : value;
      if (!(bytes instanceof Uint8Array)) {
        throw wrongType(value, 'a Blob');
      }
      checkLength(bytes.length, options, shown, path, violations);
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

export function list<T>(item: Schema<T>, lengths: Lengths = {}): Schema<readonly T[]> {
  return {
    describe: `list${describeLengths(lengths)} of ${item.describe}`,
    parse(value, path, violations) {
      if (!Array.isArray(value)) {
        throw typeof value === 'object'
          ? wrongType(value, '')
          : new KmsServiceError('SerializationException', 'Expected list or null');
      }
      const items: readonly unknown[] = value;
      checkLength(items.length, lengths, `'[${items.map(String).join(', ')}]' `, path, violations);
      return items.map((each, index) => item.parse(each, `${path}.${String(index + 1)}.member`, violations));
    },
  };
}

/** Map from strings to strings, such as the encryption context. */
export function stringMap(): Schema<Readonly<Record<string, string>>> {
  return {
    describe: 'map of string to string',
    parse(value) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw new KmsServiceError('SerializationException', 'Expected map or null');
      }
      for (const each of Object.values(value)) {
        if (typeof each !== 'string') {
          throw wrongType(each, 'a String');
        }
      }
      return value as Readonly<Record<string, string>>;
    },
  };
}

/** Members that the structure does not know are ignored, and a null member counts as absent, as AWS does. */
export function structure<M extends Members>(members: M): StructureSchema<Structure<M>> {
  const entries = Object.entries(members).map(([name, member]) => ({ name, member, key: lowerFirst(name) }));
  return {
    describe: 'structure',
    members,
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
          violations.add('null ', memberPath, 'not be null');
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

function describeLengths({ min, max }: Lengths): string {
  return min === undefined && max === undefined ? '' : ` of ${String(min ?? 0)}–${String(max ?? '∞')}`;
}

function describePattern(pattern: string | undefined): string {
  return pattern === undefined ? '' : `, pattern \`${pattern}\``;
}
