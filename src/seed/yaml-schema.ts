/** What the values of a seed file must be: schemas over YAML nodes, which tell the place of what does not fit. */
import { isMap, isScalar, isSeq, type Node } from 'yaml';
import type { Place } from './seed-error.ts';
import type { YamlMapping, YamlText } from './yaml-text.ts';

export interface YamlSchema<T> {
  /** For sentences: "must be …". */
  readonly describe: string;
  /** @throws SeedError, which calls the value `name`, when it does not fit */
  read(node: Node | null, file: YamlText, name: string): T;
}

/** A value with its place, for the errors of later checks. */
export interface Located<T> {
  readonly value: T;
  readonly at: Place;
}

export interface YamlMember<T, Required extends boolean> {
  readonly schema: YamlSchema<T>;
  readonly isRequired: Required;
}

export type YamlMembers = Readonly<Record<string, YamlMember<unknown, boolean>>>;

export type YamlStructure<M extends YamlMembers> = { readonly at: Place } & {
  readonly [K in keyof M as M[K]['isRequired'] extends true ? K : never]: M[K] extends YamlMember<infer T, true>
    ? T
    : never;
} & {
  readonly [K in keyof M as M[K]['isRequired'] extends true ? never : K]?: M[K] extends YamlMember<infer T, boolean>
    ? T
    : never;
};

export interface YamlStructureSchema<T> extends YamlSchema<T> {
  readonly members: YamlMembers;
}

export interface YamlListSchema<T> extends YamlSchema<readonly T[]> {
  readonly item: YamlSchema<T>;
}

export function required<T>(schema: YamlSchema<T>): YamlMember<T, true> {
  return { schema, isRequired: true };
}

export function optional<T>(schema: YamlSchema<T>): YamlMember<T, false> {
  return { schema, isRequired: false };
}

/** A text that `isValid` takes, by default any; numbers and words such as `true` count as the texts that they are. */
export function text(describe = 'a text', isValid: (value: string) => boolean = () => true): YamlSchema<string> {
  return {
    describe,
    read(node, file, name) {
      const value = file.value(node);
      if (!isScalar<string>(value) || !isValid(value.value)) {
        throw file.error(node, `${name} must be ${describe}`);
      }
      return value.value;
    },
  };
}

export function oneOf<const T extends string>(values: readonly T[]): YamlSchema<T> {
  const describe = `one of ${values.join(', ')}`;
  const inner = text(describe, (value) => (values as readonly string[]).includes(value));
  return { describe, read: (node, file, name) => inner.read(node, file, name) as T };
}

/** `true` or `false`, without quotes. */
export const flag: YamlSchema<boolean> = {
  describe: 'true or false',
  read: (node, file, name) => readPlain(node, file, name, /^(?:true|false)$/, 'true or false') === 'true',
};

/** Digits without quotes. */
export const wholeNumber: YamlSchema<number> = {
  describe: 'a whole number',
  read: (node, file, name) => Number(readPlain(node, file, name, /^\d{1,9}$/, 'a whole number')),
};

function readPlain(node: Node | null, file: YamlText, name: string, pattern: RegExp, describe: string): string {
  const value = file.value(node);
  if (!isScalar<string>(value) || value.type !== 'PLAIN' || !pattern.test(value.value)) {
    throw file.error(node, `${name} must be ${describe}`);
  }
  return value.value;
}

export function located<T>(schema: YamlSchema<T>): YamlSchema<Located<T>> {
  return {
    describe: schema.describe,
    read: (node, file, name) => ({ value: schema.read(node, file, name), at: file.place(node) }),
  };
}

export function list<T>(item: YamlSchema<T>): YamlListSchema<T> {
  return {
    describe: `a list, each ${item.describe}`,
    item,
    read(node, file, name) {
      const value = file.value(node);
      if (!isSeq<Node>(value)) {
        throw file.error(node, `${name} must be a list`);
      }
      return value.items.map((each, index) => item.read(each, file, `${name}[${String(index)}]`));
    },
  };
}

const ANY_TEXT = text();

/** Names of the file's own choice, with values of one kind. */
export function mapOf<T>(item: YamlSchema<T>): YamlSchema<ReadonlyMap<string, T>> {
  return {
    describe: `names, each with ${item.describe}`,
    read: (node, file, name) =>
      new Map(membersOf(node, file, name).map((member) => [member.name, item.read(member.value, file, name)])),
  };
}

/** Names and texts of the file's own choice. */
export const textMap = mapOf(ANY_TEXT);

/** A mapping with exactly these members; unknown and repeated ones are errors. */
export function structure<M extends YamlMembers>(members: M): YamlStructureSchema<YamlStructure<M>> {
  return {
    describe: `members ${Object.keys(members).join(', ')}`,
    members,
    read(node, file, name) {
      const result: Record<string, unknown> = { at: file.place(node) };
      for (const given of membersOf(node, file, name)) {
        const member = Object.hasOwn(members, given.name) ? members[given.name] : undefined;
        if (member === undefined) {
          const known = Object.keys(members).join(', ');
          throw file.error(given.key, `${name} has the unknown member ${given.name}; the known ones are ${known}`);
        }
        result[given.name] = member.schema.read(given.value, file, given.name);
      }
      for (const [member, { isRequired }] of Object.entries(members)) {
        if (isRequired && !Object.hasOwn(result, member)) {
          throw file.error(node, `${name} lacks the member ${member}`);
        }
      }
      return result as YamlStructure<M>;
    },
  };
}

/** Any YAML as the value that JSON would have, all scalars being texts; for documents with a grammar of their own. */
export const json: YamlSchema<unknown> = {
  describe: 'a mapping, or a text of JSON',
  read: (node, file, name) => readJson(node, file, name, 0),
};

const MAX_JSON_DEPTH = 32;

function readJson(node: Node | null, file: YamlText, name: string, depth: number): unknown {
  if (depth > MAX_JSON_DEPTH) {
    throw file.error(node, `${name} is nested too deeply`);
  }
  const value = file.value(node);
  if (isScalar<string>(value)) {
    return value.value;
  }
  if (value === undefined) {
    throw file.error(node, `${name} must have a value`);
  }
  if (isMapping(value)) {
    const entries = membersOf(value, file, name).map(
      (member) => [member.name, readJson(member.value, file, member.name, depth + 1)] as const,
    );
    return Object.fromEntries(entries);
  }
  return value.items.map((each) => readJson(each, file, name, depth + 1));
}

interface MappingMember {
  readonly name: string;
  readonly key: Node;
  readonly value: Node | null;
}

function membersOf(node: Node | null, file: YamlText, owner: string): readonly MappingMember[] {
  const mapping = file.value(node);
  if (mapping === undefined || !isMapping(mapping)) {
    throw file.error(node, `${owner} must be a mapping of names to values`);
  }
  const seen = new Set<string>();
  return mapping.items.map(({ key, value }) => {
    const name = file.value(key);
    if (!isScalar<string>(name)) {
      throw file.error(key, `a member of ${owner} must have a text as its name`);
    }
    if (seen.has(name.value)) {
      throw file.error(key, `${owner} has the member ${name.value} twice`);
    }
    seen.add(name.value);
    return { name: name.value, key, value };
  });
}

function isMapping(value: object): value is YamlMapping {
  return isMap(value);
}
