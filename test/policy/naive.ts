/** The meaning of policies, written down as plainly as can be: no compiling, no order of evaluation, no speed. */
import type { PolicyJson, RandomRequest, StatementJson } from './random-policies.ts';
import { ROLE, ROOT, SESSION } from './support.ts';

type Context = RandomRequest['context'];

/** What a policy says about a request: `deny`, `allow` or `none`. */
export function interpret(policy: PolicyJson, request: RandomRequest): string {
  const applying = policy.Statement.filter((statement) => isAbout(statement, policy.Version, request));
  const has = (effect: string): boolean => applying.some(({ Effect }) => Effect === effect);
  return has('Deny') ? 'deny' : has('Allow') ? 'allow' : 'none';
}

const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [String(value)]);
const escape = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);

function isAbout(statement: StatementJson, version: string, request: RandomRequest): boolean {
  const { Action, NotAction, Resource, NotResource, Condition } = statement;
  const isAction = (patterns: unknown): boolean =>
    list(patterns).some((pattern) => wild(pattern.toLowerCase()).test(request.action.toLowerCase()));
  const isResource = (patterns: unknown): boolean =>
    list(patterns).some((pattern) => {
      const whole = expand(pattern, version, request.context, wildSource);
      if (whole === undefined || pattern === '*') return whole !== undefined;
      const missing = 6 - pattern.replaceAll(/\$\{.*?\}/g, '').split(':').length;
      const isOpen = missing > 0 && pattern.endsWith('*');
      return (missing <= 0 || isOpen) && arn(whole + ':.*'.repeat(isOpen ? missing : 0)).test(request.resource);
    });
  return (
    isPrincipal(statement, request.principal) &&
    (NotAction === undefined ? isAction(Action) : !isAction(NotAction)) &&
    (NotResource === undefined ? isResource(Resource) : !isResource(NotResource)) &&
    Object.entries((Condition ?? {}) as Record<string, Record<string, unknown>>).every(([operator, keys]) =>
      Object.entries(keys).every(([key, values]) => holds(operator, key, list(values), version, request.context)),
    )
  );
}

function isPrincipal({ Effect, Principal, NotPrincipal }: StatementJson, caller: string): boolean {
  if (Principal === undefined && NotPrincipal === undefined) return true;
  const element = (Principal ?? NotPrincipal) as string | Record<string, unknown>;
  const names = typeof element === 'string' ? [element] : Object.values(element).flatMap(list);
  const account = caller.split(':')[4] ?? '';
  const named = names.map((name) => (name === ROOT.replace(/\d{12}/, account) ? account : name));
  const identities = [account, caller === SESSION ? ROLE : '', caller === ROOT ? '' : caller].filter(Boolean);
  const isListed = (identity: string): boolean => named.includes(identity) || named.includes('*');
  if (Principal !== undefined) return identities.some(isListed);
  return Effect === 'Allow' ? !identities.some(isListed) : !identities.every(isListed);
}

/** A text with its variables replaced, and the rest through `other`; undefined when a variable has no value. */
function expand(text: string, version: string, context: Context, other: (text: string) => string): string | undefined {
  if (version !== '2012-10-17') return other(text);
  const parts = text.split(/(\$\{.*?\})/).map((part) => {
    if (!part.startsWith('${')) return other(part);
    const [key = '', fallback] = part.slice(2, -1).split(', ');
    if (['*', '?', '$'].includes(key)) return escape(key);
    const value = context[key.toLowerCase()];
    const used = typeof value === 'string' ? value : fallback?.slice(1, -1);
    return used === undefined ? undefined : escape(used);
  });
  return parts.includes(undefined) ? undefined : parts.join('');
}

const wildSource = (text: string): string => escape(text).replaceAll('\\*', '.*').replaceAll('\\?', '.');
const wild = (text: string): RegExp => new RegExp(`^${wildSource(text)}$`);

/** Up to the fifth colon, a wildcard does not match colons. */
function arn(source: string): RegExp {
  const segments = source.split(':');
  const head = segments.slice(0, 5).map((segment) => segment.replaceAll('\\.', '\0').replaceAll('.', '[^:]'));
  return new RegExp(`^${[...head, segments.slice(5).join(':')].join(':').replaceAll('\0', '\\.')}$`);
}

function holds(operator: string, key: string, policy: readonly string[], version: string, context: Context): boolean {
  const [, set, base = '', ifExists] = /^(For\w+:)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
  const given = context[key.toLowerCase()];
  if (base === 'Null') return policy.includes(String(given === undefined));
  const isNegated = base.includes('Not');
  const compare = (candidate: string): boolean =>
    policy.some((value) => equals(base.replace('Not', ''), value, candidate, version, context)) !== isNegated;
  if (set === 'ForAllValues:') return given === undefined || list(given).every(compare);
  if (set === 'ForAnyValue:') return given !== undefined && list(given).some(compare);
  if (given === undefined) return isNegated || ifExists !== undefined;
  return typeof given === 'string' && compare(given);
}

function equals(base: string, value: string, candidate: string, version: string, context: Context): boolean {
  const exact = expand(value, version, context, escape);
  const pattern = expand(value, version, context, wildSource);
  const flags = base === 'StringEqualsIgnoreCase' ? 'i' : '';
  switch (base) {
    case 'StringEquals':
    case 'StringEqualsIgnoreCase':
      return exact !== undefined && new RegExp(`^${exact}$`, flags).test(candidate);
    case 'StringLike':
      return pattern !== undefined && new RegExp(`^${pattern}$`).test(candidate);
    case 'ArnEquals':
    case 'ArnLike':
      return pattern !== undefined && pattern.split(':').length >= 6 && arn(pattern).test(candidate);
    case 'Bool':
      return /^(true|false)$/i.test(value) && value.toLowerCase() === candidate.toLowerCase();
    case 'IpAddress':
      return isInNetwork(candidate, value);
    default:
      return isOrdered(base, number(base, candidate), number(base, value));
  }
}

function number(base: string, text: string): number {
  if (/^[+-]?[\d.]+(e\d+)?$/.test(text) && !(base.startsWith('Date') && /[e-]/.test(text))) {
    return base.startsWith('Date') ? Number(text) * 1000 : Number(text);
  }
  return base.startsWith('Date') && /^\d{4}-/.test(text) ? Date.parse(text) : NaN;
}

function isOrdered(base: string, candidate: number, value: number): boolean {
  if (base.endsWith('LessThan')) return candidate < value;
  if (base.endsWith('LessThanEquals')) return candidate <= value;
  if (base.endsWith('GreaterThan')) return candidate > value;
  return base.endsWith('GreaterThanEquals') ? candidate >= value : candidate === value;
}

/** As strings of bits. */
function isInNetwork(address: string, network: string): boolean {
  const [base = '', prefix] = network.split('/');
  const bits = addressBits(base);
  const wanted = bits.slice(0, prefix === undefined ? bits.length : Number(prefix));
  return bits !== '' && addressBits(address).length === bits.length && addressBits(address).startsWith(wanted);
}

function addressBits(text: string): string {
  if (/^\d+(\.\d+){3}$/.test(text)) {
    return text
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
  }
  if (!/^[\da-f:]+:[\da-f:]*$/i.test(text)) return '';
  const [head = '', tail = ''] = text.split('::');
  const words = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const zeros = Array<string>(8 - words(head).length - words(tail).length).fill('0');
  const all = [...words(head), ...zeros, ...words(tail)];
  return all.map((word) => Number.parseInt(word, 16).toString(2).padStart(16, '0')).join('');
}
