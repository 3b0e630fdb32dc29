/**
 * The AWS Query protocol: requests as an HTML form, answers as XML.
 *
 * @source Smithy 2.0, "AWS query protocol"
 */

/** A value of an answer; absent members stay away. */
export type QueryValue = string | number | boolean | Date | QueryStructure | undefined;
export interface QueryStructure {
  readonly [member: string]: QueryValue;
}

/** A request as an object: `Tags.member.1.Key=a` is the member Key of the first element of the list Tags. */
export interface QueryRequest {
  readonly action: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** More would be no request of a client, but an attempt to keep us busy. */
const MAX_PARAMETERS = 1_000;
const LIST_INDEX = /^[1-9]\d{0,2}$/;

/** Lists and structures under construction: a node has either a value or children. */
type Node = Map<string, Node | string>;

/** @returns undefined for a form that is none of this protocol */
export function parseQuery(body: string): QueryRequest | undefined {
  const root: Node = new Map();
  const form = new URLSearchParams(body);
  if (form.size > MAX_PARAMETERS) {
    return undefined;
  }
  for (const [name, value] of form) {
    if (!insert(root, name.split('.'), value)) {
      return undefined;
    }
  }
  const action = root.get('Action');
  root.delete('Action');
  root.delete('Version');
  return typeof action === 'string' ? { action, parameters: toObject(root) } : undefined;
}

/** False when the name contradicts another one, or is deeper than any request goes. */
function insert(root: Node, path: readonly string[], value: string): boolean {
  if (path.length > 8) {
    return false;
  }
  let node = root;
  for (const step of path.slice(0, -1)) {
    const next = node.get(step) ?? new Map<string, Node | string>();
    if (typeof next === 'string') {
      return false;
    }
    node.set(step, next);
    node = next;
  }
  const last = path.at(-1) ?? '';
  if (node.get(last) instanceof Map) {
    return false;
  }
  node.set(last, value);
  return true;
}

function toObject(node: Node): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...node].map(([name, child]) => [name, toValue(child)]));
}

function toValue(child: Node | string): unknown {
  if (typeof child === 'string') {
    return child;
  }
  const members = child.get('member');
  if (child.size === 1 && members instanceof Map && [...members.keys()].every((key) => LIST_INDEX.test(key))) {
    return [...members].sort(([left], [right]) => Number(left) - Number(right)).map(([, value]) => toValue(value));
  }
  return toObject(child);
}

/** The answer `<Action>Response` with its result and the id of the request. */
export function encodeQueryAnswer(
  namespace: string,
  action: string,
  result: QueryStructure | undefined,
  requestId: string,
): string {
  const metadata = element('ResponseMetadata', element('RequestId', escape(requestId)));
  const content = result === undefined ? '' : element(`${action}Result`, encodeMembers(result));
  return `<${action}Response xmlns="${namespace}">${content}${metadata}</${action}Response>`;
}

/** An error; `Sender` means that the request was at fault. */
export function encodeQueryError(
  namespace: string,
  error: { readonly code: string; readonly text: string; readonly fault: 'Sender' | 'Receiver' },
  requestId: string,
): string {
  const content =
    element('Type', error.fault) + element('Code', escape(error.code)) + element('Message', escape(error.text));
  const body = element('Error', content) + element('RequestId', escape(requestId));
  return `<ErrorResponse xmlns="${namespace}">${body}</ErrorResponse>`;
}

function encodeMembers(structure: QueryStructure): string {
  return Object.entries(structure)
    .map(([name, value]) => (value === undefined ? '' : element(name, encodeValue(value))))
    .join('');
}

function encodeValue(value: Exclude<QueryValue, undefined>): string {
  if (value instanceof Date) {
    return value.toISOString().replace('.000Z', 'Z');
  }
  return typeof value === 'object' ? encodeMembers(value) : escape(String(value));
}

function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Characters that XML 1.0 cannot carry are left out. */
function escape(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '')
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '');
}
