/** The reference of the cryptographic core, as Markdown, out of the docstrings of its public interface. */
import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** The files of the interface, in the order of the page. */
const FAMILIES: readonly (readonly [file: string, title: string])[] = [
  ['index', 'Loading'],
  ['crypto-core', 'Symmetric keys, messages, digests'],
  ['key-handle', 'Keys'],
  ['asymmetric', 'Key pairs'],
  ['key-transport', 'Imported material, data key pairs, envelopes'],
  ['async', 'Long operations'],
  ['status', 'Failures'],
  ['wasm', 'WebAssembly'],
];

/** A docstring, taken apart. */
interface Doc {
  readonly summary: string;
  readonly tags: readonly { readonly name: string; readonly text: string }[];
}

/** A row of a table: a property of an interface, or a named number. */
interface Row {
  readonly name: string;
  readonly type: string;
  readonly doc: Doc;
}

/** What has a signature of its own: a declaration, or a method of one. */
interface Entry {
  readonly name: string;
  readonly signature: string;
  readonly doc: Doc;
  /** The comment that heads a group of members, in front of its first one. */
  readonly group: string;
  readonly rows: readonly Row[];
  readonly methods: readonly Entry[];
}

interface Family {
  readonly file: string;
  readonly title: string;
  readonly introduction: string;
  readonly entries: readonly Entry[];
}

function parse(file: string): ts.SourceFile {
  const text = readFileSync(new URL(`../../src/core/${file}.ts`, import.meta.url), 'utf8');
  return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
}

/** The text of a `/** … *\/` comment without its frame; lists keep their lines, paragraphs become one line. */
function unframe(comment: string): string {
  const lines = comment
    .replace(/^\/\*\*\s?|\s*\*\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, '').trimEnd());
  return lines
    .join('\n')
    .replaceAll(/\{@link ([^}]+)\}/g, '`$1`')
    .replaceAll(/\n(?![\n@-])[ \t]*/g, (_, at: number, whole: string) => (whole.charAt(at - 1) === '\n' ? '\n' : ' '))
    .replaceAll(/(?<!\n)\n- /g, '\n\n- ')
    .replaceAll(/(?<=\n- [^\n]*)\n\n(?=- )/g, '\n')
    .trim();
}

function docOf(node: ts.Node): Doc {
  const comment = ts
    .getJSDocCommentsAndTags(node)
    .filter((each) => ts.isJSDoc(each))
    .at(-1);
  const [summary = '', ...rest] = unframe(comment?.getText() ?? '').split(/(?<=^|\s)@(?=throws|source|param|returns)/);
  const tags = rest.map((tag) => {
    const [name = ''] = tag.split(/\s/, 1);
    return { name, text: tag.slice(name.length).trim() };
  });
  return { summary: summary.trim(), tags };
}

/** The comment of `//` lines that stands in front of a member. */
function groupOf(member: ts.Node): string {
  const source = member.getSourceFile().text;
  const comments = ts.getLeadingCommentRanges(source, member.pos) ?? [];
  return comments
    .filter(({ kind }) => kind === ts.SyntaxKind.SingleLineCommentTrivia)
    .map(({ pos, end }) => source.slice(pos + 2, end).trim())
    .join(' ');
}

function dedent(text: string): string {
  return text.replaceAll('\n  ', '\n').replace(/;$/, '');
}

function memberEntry(member: ts.Node, name: string, signature: string): Entry {
  return { name, signature: dedent(signature), doc: docOf(member), group: groupOf(member), rows: [], methods: [] };
}

/** The properties below a type, those of nested objects with their path. */
function rowsOf(members: readonly ts.TypeElement[], prefix = ''): Row[] {
  return members.flatMap((member) => {
    if (!ts.isPropertySignature(member) || member.type === undefined) return [];
    const name = prefix + member.name.getText();
    const nested = ts.isTypeLiteralNode(member.type) ? member.type.members : undefined;
    const optional = member.questionToken === undefined ? '' : ', optional';
    const type = (nested === undefined ? member.type.getText() : 'object') + optional;
    return [{ name, type, doc: docOf(member) }, ...rowsOf([...(nested ?? [])], `${name}.`)];
  });
}

function interfaceEntry(declaration: ts.InterfaceDeclaration): Entry {
  const methods = declaration.members.filter((member) => ts.isMethodSignature(member));
  const heritage = (declaration.heritageClauses ?? []).map((clause) => ` ${clause.getText()}`).join('');
  return {
    ...memberEntry(declaration, declaration.name.text, `interface ${declaration.name.text}${heritage}`),
    rows: rowsOf([...declaration.members]),
    methods: methods.map((method) => memberEntry(method, method.name.getText(), method.getText())),
  };
}

function withoutBody(node: ts.Node, body: ts.Node | undefined): string {
  const start = node.getStart();
  const text = node.getSourceFile().text.slice(start, body?.getStart() ?? node.end);
  return text.replace(/^export /, '').trim();
}

/** The public members of a class; what overrides a member of its base needs no words of its own. */
function classEntry(declaration: ts.ClassDeclaration): Entry {
  const name = declaration.name?.text ?? '';
  const heritage = (declaration.heritageClauses ?? []).map((clause) => ` ${clause.getText()}`).join('');
  const own = declaration.members.filter(
    (member) => (ts.getCombinedModifierFlags(member) & (ts.ModifierFlags.Private | ts.ModifierFlags.Override)) === 0,
  );
  const methods = own.filter((member) => ts.isMethodDeclaration(member) || ts.isConstructorDeclaration(member));
  const rows = own.filter((member) => ts.isPropertyDeclaration(member));
  return {
    ...memberEntry(declaration, name, `class ${name}${heritage}`),
    rows: rows.map((row) => ({ name: row.name.getText(), type: row.type?.getText() ?? '', doc: docOf(row) })),
    methods: methods.map((method) =>
      memberEntry(method, method.name?.getText() ?? 'constructor', withoutBody(method, method.body)),
    ),
  };
}

function constantEntries(statement: ts.VariableStatement): Entry[] {
  return statement.declarationList.declarations.map((declaration) => {
    const { initializer } = declaration;
    const table = initializer !== undefined && ts.isAsExpression(initializer) ? initializer.expression : undefined;
    const members = table !== undefined && ts.isObjectLiteralExpression(table) ? [...table.properties] : [];
    const isPlain = initializer !== undefined && ts.isNumericLiteral(initializer);
    const type = declaration.type === undefined ? '' : `: ${declaration.type.getText()}`;
    const signature = `const ${declaration.name.getText()}${type}${isPlain ? ` = ${initializer.text}` : ''}`;
    return {
      ...memberEntry(statement, declaration.name.getText(), signature),
      rows: members.filter(ts.isPropertyAssignment).map((member) => ({
        name: member.name.getText(),
        type: member.initializer.getText(),
        doc: docOf(member),
      })),
    };
  });
}

/** What a statement that is exported declares. */
function entriesOf(statement: ts.Statement): Entry[] {
  if (ts.isInterfaceDeclaration(statement)) return [interfaceEntry(statement)];
  if (ts.isClassDeclaration(statement)) return [classEntry(statement)];
  if (ts.isVariableStatement(statement)) return constantEntries(statement);
  if (ts.isFunctionDeclaration(statement)) {
    return [memberEntry(statement, statement.name?.text ?? '', withoutBody(statement, statement.body))];
  }
  if (ts.isTypeAliasDeclaration(statement)) {
    return [{ ...memberEntry(statement, statement.name.text, ''), signature: withoutBody(statement, undefined) }];
  }
  return [];
}

function isExported(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  return modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
}

/** What `export { name } from` hands on, out of files that have no section of their own. */
function handedOn(statement: ts.Statement): Entry[] {
  if (!ts.isExportDeclaration(statement) || statement.exportClause === undefined) return [];
  const from = statement.moduleSpecifier?.getText().replace(/^'\.\/|\.ts'$/g, '') ?? '';
  if (!ts.isNamedExports(statement.exportClause) || FAMILIES.some(([file]) => file === from)) return [];
  const names = statement.exportClause.elements.map((element) => element.name.text);
  const declared = parse(from).statements.filter(isExported).flatMap(entriesOf);
  return declared.filter(({ name }) => names.includes(name));
}

/** Everything that the page describes. */
export function readCoreInterface(): readonly Family[] {
  return FAMILIES.map(([file, title]) => {
    const source = parse(file);
    const [first] = source.statements;
    const opening = /^\/\*\*[\s\S]*?\*\//.exec(source.text)?.[0] ?? '';
    return {
      file,
      title,
      introduction: first !== undefined && ts.isImportDeclaration(first) ? unframe(opening) : '',
      entries: source.statements.flatMap((each) => (isExported(each) ? entriesOf(each) : handedOn(each))),
    };
  });
}

/** Names of what is exported without a sentence that says what it is. */
export function listUndocumented(): string[] {
  return readCoreInterface().flatMap(({ file, entries }) =>
    entries.flatMap((entry) =>
      [entry, ...entry.methods, ...entry.rows].flatMap(({ name, doc }) =>
        doc.summary === '' ? [`${file}.ts: ${name === entry.name ? name : `${entry.name}.${name}`}`] : [],
      ),
    ),
  );
}

const TAG_TITLES: Readonly<Record<string, string>> = { throws: 'Throws', source: 'Source', returns: 'Returns' };

function tagLines({ tags }: Doc): string[] {
  return tags.flatMap(({ name, text }) => [`- **${TAG_TITLES[name] ?? name}**: ${text}`]);
}

function table(rows: readonly Row[], second: string): string[] {
  const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
  const lines = rows.map(({ name, type, doc }) => {
    const words = [doc.summary, ...doc.tags.map((tag) => `${TAG_TITLES[tag.name] ?? tag.name}: ${tag.text}`)];
    return `| \`${name}\` | \`${cell(type)}\` | ${cell(words.join(' ').trim())} |`;
  });
  return rows.length === 0 ? [] : [`| name | ${second} | meaning |`, '|---|---|---|', ...lines, ''];
}

function section(entry: Entry, level: number): string[] {
  const tags = tagLines(entry.doc);
  const second = entry.signature.startsWith('const') ? 'value' : 'type';
  return [
    ...(entry.group === '' ? [] : [`> ${entry.group}`, '']),
    `${'#'.repeat(level)} \`${entry.name}\``,
    '',
    '```ts',
    entry.signature,
    '```',
    '',
    entry.doc.summary,
    '',
    ...(tags.length === 0 ? [] : [...tags, '']),
    ...table(entry.rows, second),
    ...entry.methods.flatMap((method) => section(method, level + 1)),
  ];
}

/** The page, as Markdown. */
export function renderCoreReference(): string {
  const families = readCoreInterface();
  return [
    '# The cryptographic core',
    '',
    'Generated from the docstrings in `src/core`; `script/test test/docs -u` writes it anew. This is what',
    '`import … from "keywright/core"` gives. Failures are of `CoreError`; what is promised about time stands in',
    '[side-channels.md](../concepts/side-channels.md).',
    '',
    ...families.flatMap(({ file, title, introduction, entries }) => [
      `## ${title}`,
      '',
      `\`src/core/${file}.ts\`${introduction === '' ? '' : `: ${introduction}`}`,
      '',
      ...entries.flatMap((entry) => section(entry, 3)),
    ]),
  ]
    .join('\n')
    .replace(/\n+$/, '\n');
}
