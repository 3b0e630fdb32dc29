import { readFileSync } from 'node:fs';
import { KEY_STATES, stateRefusal, type StateRule } from '../../src/keys/key-state.ts';
import { GRANT_OPERATIONS } from '../../src/policy/grant.ts';
import { CONDITION_KEYS, ON_KEY } from '../../src/service/condition-keys.ts';
import { OPERATIONS, type OperationName } from '../../src/service/registry.ts';
import type { MemberShape, Shape } from '../../src/service/schema.ts';
import { declaredDemands, OPERATION_NAMES } from '../support/declared-demands.ts';
import { COMMON_DIFFERENCES, DIFFERENCES } from './operation-differences.ts';
import { readOutputs, type OutputMember } from './operation-outputs.ts';

const byName = (left: string, right: string): number => (left.toLowerCase() < right.toLowerCase() ? -1 : 1);

/** First paragraph of the docstring in front of the operation's declaration. */
function summaryOf(name: string): string {
  const file = name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
  const source = readFileSync(new URL(`../../src/service/operations/${file}.ts`, import.meta.url), 'utf8');
  const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export const \w+ = defineOperation/.exec(source)?.[1] ?? '';
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\*\s?/, '').trim());
  return lines
    .join(' ')
    .replace(/@source.*/, '')
    .trim();
}

const code = (text: string): string => `\`${text}\``;

function lengthsOf({ min, max }: { readonly min?: number | undefined; readonly max?: number | undefined }): string {
  return min === undefined && max === undefined ? '' : ` of ${String(min ?? 0)}–${String(max ?? '∞')}`;
}

function shapeText(shape: Shape): string {
  switch (shape.kind) {
    case 'string':
      return `string${lengthsOf(shape)}${shape.pattern === undefined ? '' : `, pattern ${code(shape.pattern)}`}`;
    case 'enumeration':
      return `one of ${shape.values.map(code).join(', ')}`;
    case 'integer':
      return `integer${lengthsOf(shape)}`;
    case 'boolean':
      return 'boolean';
    case 'timestamp':
      return 'timestamp';
    case 'blob':
      return `bytes${lengthsOf(shape)}`;
    case 'list':
      return `list${lengthsOf(shape)}: ${shapeText(shape.item)}`;
    case 'map':
      return `map of string to string, ${String(shape.maxCharacters)} characters at most`;
    case 'structure':
      return 'structure';
  }
}

/** A row for a member, and one for each member of the structure inside it. */
function memberRows(path: string, { shape, isRequired }: MemberShape): string[] {
  const inner = shape.kind === 'list' ? shape.item : shape;
  const prefix = shape.kind === 'list' ? `${path}[].` : `${path}.`;
  const nested = inner.kind === 'structure' ? Object.entries(inner.members) : [];
  return [
    `| ${code(path)} | ${isRequired ? 'yes' : ''} | ${shapeText(shape).replaceAll('|', '\\|')} |`,
    ...nested.flatMap(([name, member]) => memberRows(prefix + name, member)),
  ];
}

function requestTable(name: OperationName): string[] {
  const members = Object.entries<MemberShape>(OPERATIONS[name].input.shape.members);
  return members.length === 0
    ? ['No request members.']
    : [
        '| request | required | shape |',
        '|---|---|---|',
        ...members.flatMap(([path, member]) => memberRows(path, member)),
      ];
}

function responseTable(members: readonly OutputMember[]): string[] {
  return members.length === 0
    ? ['The response is empty.']
    : [
        '| response | always | shape |',
        '|---|---|---|',
        ...members.map((member) => `| ${code(member.name)} | ${member.isAlwaysThere ? 'yes' : ''} | ${member.shape} |`),
      ];
}

function statesOf(rule: StateRule): string {
  const states = KEY_STATES.filter((state) => stateRefusal(rule, state) === undefined);
  return states.length === KEY_STATES.length ? 'every state' : states.map(code).join(', ');
}

/** Which keys the operation is about: how they may be named, what they must be for, and in which states they work. */
function keyLines(name: OperationName): string[] {
  return declaredDemands(name).map(({ member, forms, usage, rule = 'any' }) => {
    const isNamed = member in OPERATIONS[name].input.shape.members;
    const form = forms === 'any' ? 'key id, key ARN, alias name or alias ARN' : 'key id or key ARN';
    return [
      `- Key ${isNamed ? `${code(member)}: ${form}` : 'of the alias'}`,
      ...(usage === undefined ? [] : [`usage ${code(usage)}`]),
      `works in ${statesOf(rule)}.`,
    ].join('; ');
  });
}

/** The names under which a grant can allow the operation. */
function grantOperationsOf(name: OperationName): string[] {
  return GRANT_OPERATIONS.filter((operation) => operation.replace(/^ReEncrypt(From|To)$/, 'ReEncrypt') === name);
}

function conditionKeysOf(name: OperationName): string {
  const all = CONDITION_KEYS[name];
  const isOnKey = ON_KEY.every((key) => all.includes(key));
  const own = all.filter((key) => !isOnKey || !ON_KEY.includes(key)).map(code);
  const listed = [...(isOnKey ? ['those of the key'] : []), ...own.sort(byName)];
  return listed.length === 0 ? 'none' : listed.join(', ');
}

function section(name: OperationName, outputs: ReadonlyMap<string, readonly OutputMember[]>): string {
  const { allowsCrossAccount, errors } = OPERATIONS[name];
  const grantable = grantOperationsOf(name);
  const differences = DIFFERENCES[name] ?? [];
  return [
    `## ${name}`,
    '',
    summaryOf(name),
    '',
    ...requestTable(name),
    '',
    ...responseTable(outputs.get(name) ?? []),
    '',
    ...keyLines(name),
    `- Callers of other accounts: ${allowsCrossAccount ? 'refused in this version; at AWS, with permission on both sides' : 'refused'}.`,
    `- Grants: ${grantable.length === 0 ? 'not by a grant' : `as ${grantable.map(code).join(' and ')}`}.`,
    `- Condition keys: ${conditionKeysOf(name)}.`,
    `- Errors: ${[...new Set<string>(errors)].sort(byName).join(', ')}.`,
    ...differences.map((difference) => `- Differs from AWS: ${difference}`),
    '',
  ].join('\n');
}

/** The reference of all operations, as Markdown, out of their declarations. */
export function renderOperationsReference(): string {
  const outputs = readOutputs();
  const sorted = [...OPERATION_NAMES].sort();
  return [
    '# Operations',
    '',
    `Generated from the declarations in \`src/service/operations\`; \`script/test test/docs -u\` writes it anew. ${String(sorted.length)} operations of the`,
    'KMS API are there. Every operation also answers the common errors: AccessDeniedException, SerializationException,',
    'ValidationException, and those of the signature check. Lengths of bytes are those before base64, lengths of strings',
    'count UTF-16 units. A member of a response that is not always there stays away; none is ever null.',
    '',
    `Condition keys of the key, which come with every operation on one: ${[...ON_KEY].sort(byName).map(code).join(', ')}.`,
    '',
    '## What differs from AWS',
    '',
    ...COMMON_DIFFERENCES.map((difference) => `- ${difference}`),
    '',
    'What differs in one operation stands with it.',
    '',
    ...sorted.map((name) => section(name, outputs)),
  ].join('\n');
}
