/** The reference of all errors, as Markdown, out of the catalogue and the lists of the operations. */
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { ERROR_CATALOGUE, type ErrorName } from '../../src/base/errors.ts';
import { OPERATIONS } from '../../src/service/registry.ts';

interface Listed {
  readonly name: string;
  readonly errors: readonly string[];
}

const operations: readonly Listed[] = Object.values(OPERATIONS);

interface Group {
  readonly title: string;
  readonly names: readonly ErrorName[];
}

/** The groups of the catalogue: the comment in front of the first error of each, and the errors up to the next. */
function groupsOfCatalogue(): Group[] {
  const text = readFileSync(new URL('../../src/base/errors.ts', import.meta.url), 'utf8');
  const source = ts.createSourceFile('errors.ts', text, ts.ScriptTarget.Latest, true);
  const groups: { title: string; names: ErrorName[] }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node) && Object.hasOwn(ERROR_CATALOGUE, node.name.getText())) {
      const [comment] = ts.getLeadingCommentRanges(text, node.pos) ?? [];
      if (comment !== undefined) groups.push({ title: text.slice(comment.pos + 2, comment.end).trim(), names: [] });
      groups.at(-1)?.names.push(node.name.getText() as ErrorName);
      return;
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return groups;
}

/** Errors that an operation lists and the catalogue does not have, as `Operation: Error`. */
export function listUnknownErrors(catalogue: object = ERROR_CATALOGUE): string[] {
  return operations.flatMap(({ name, errors }) =>
    errors.filter((error) => !Object.hasOwn(catalogue, error)).map((error) => `${name}: ${error}`),
  );
}

/** Errors of the catalogue that no group of the page has. */
export function listUngroupedErrors(): string[] {
  const grouped = new Set<string>(groupsOfCatalogue().flatMap(({ names }) => names));
  return Object.keys(ERROR_CATALOGUE).filter((name) => !grouped.has(name));
}

function operationsThatList(error: ErrorName): string {
  const names = operations.filter(({ errors }) => errors.includes(error)).map(({ name }) => name);
  if (names.length === operations.length) return 'all';
  return [...names]
    .sort()
    .map((name) => `[${name}](operations.md#${name.toLowerCase()})`)
    .join(', ');
}

function row(name: ErrorName): string {
  const { httpStatus, fault, isRetryable } = ERROR_CATALOGUE[name];
  const retryable = isRetryable ? 'yes' : 'no';
  return `| \`${name}\` | ${String(httpStatus)} | ${fault} | ${retryable} | ${operationsThatList(name)} |`;
}

/** The page, as Markdown. */
export function renderErrorsReference(): string {
  return [
    '# Errors',
    '',
    'Generated from the catalogue in `src/base/errors.ts` and the lists of the operations; `script/test test/docs -u` writes',
    'it anew. On the wire `__type` is the name; in process it is the name of a `KmsServiceError`. `retryable` tells whether',
    'the same request may succeed later without a change. The last column names the operations that list the error as their',
    'own; it is empty for errors that do not depend on the operation, and for those that no operation answers yet.',
    '[ADR 0004](../adr/0004-error-model.md) has the reasons.',
    '',
    ...groupsOfCatalogue().flatMap(({ title, names }) => [
      `## ${title}`,
      '',
      '| name | status | fault | retryable | listed by |',
      '|---|---|---|---|---|',
      ...[...names].sort().map(row),
      '',
    ]),
  ]
    .join('\n')
    .replace(/\n+$/, '\n');
}
