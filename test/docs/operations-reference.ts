import { readFileSync } from 'node:fs';
import type { Member, Schema } from '../../src/service/schema.ts';
import { OPERATIONS } from '../../src/service/registry.ts';

interface Described {
  readonly name: string;
  readonly input: { readonly members: Readonly<Record<string, Member<unknown, boolean>>> } & Schema<unknown>;
  readonly errors: readonly string[];
  readonly allowsCrossAccount: boolean;
}

const byName = (left: string, right: string): number => (left.toLowerCase() < right.toLowerCase() ? -1 : 1);

/** First sentence of the docstring in front of the operation's declaration. */
function summaryOf(name: string): string {
  const file = name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
  const source = readFileSync(new URL(`../../src/service/operations/${file}.ts`, import.meta.url), 'utf8');
  const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export const \w+ = defineOperation/.exec(source)?.[1] ?? '';
  const text = comment.replaceAll(/\s*\n\s*\*\s?/g, ' ').replace(/@source.*/, '');
  return text.trim();
}

function memberRow(name: string, member: Member<unknown, boolean>): string {
  const shape = member.schema.describe.replaceAll('|', '\\|');
  return `| \`${name}\` | ${member.isRequired ? 'yes' : ''} | ${shape} |`;
}

function section(operation: Described): string {
  const members = Object.entries(operation.input.members).map(([name, member]) => memberRow(name, member));
  return [
    `## ${operation.name}`,
    '',
    summaryOf(operation.name),
    '',
    ...(members.length === 0
      ? ['No request members.']
      : ['| member | required | shape |', '|---|---|---|', ...members]),
    '',
    `Callers of other accounts: ${operation.allowsCrossAccount ? 'refused in this version; at AWS, with permission on both sides' : 'refused'}.`,
    '',
    `Errors: ${[...operation.errors].sort(byName).join(', ')}.`,
    '',
  ].join('\n');
}

/** The reference of all operations, as Markdown, out of their declarations. */
export function renderOperationsReference(): string {
  const operations: readonly Described[] = Object.values(OPERATIONS);
  const sorted = [...operations].sort((left, right) => (left.name < right.name ? -1 : 1));
  return [
    '# Operations',
    '',
    `Generated from the declarations in \`src/service/operations\`; \`script/test test/docs -u\` writes it anew. ${String(sorted.length)} operations of the`,
    'KMS API are there. Every operation also answers the common errors: AccessDeniedException, SerializationException,',
    'ValidationException, and those of the signature check.',
    '',
    ...sorted.map(section),
  ].join('\n');
}
