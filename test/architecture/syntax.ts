/** TypeScript syntax trees for the checks: parsed, never type-checked, so that a check costs milliseconds. */
import ts from 'typescript';
import { type TextFile } from './tree.ts';

export function parse(file: TextFile): ts.SourceFile {
  return ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
}

/** Calls `visit` for every node below and including `node`, parents first. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

export function lineAt(source: ts.SourceFile, position: number): number {
  return source.getLineAndCharacterOfPosition(position).line + 1;
}

/** One module that a file names, however it does so. */
export interface ModuleReference {
  readonly specifier: string;
  readonly isTypeOnly: boolean;
  /** The values that `import { a, b }` names; undefined when the whole module comes in. */
  readonly names: readonly string[] | undefined;
  readonly line: number;
}

/** All modules named in a file: import, export from, import(), import types, import = require(), require(). */
export function moduleReferences(file: TextFile): ModuleReference[] {
  const source = parse(file);
  const found: ModuleReference[] = [];
  walk(source, (node) => {
    const named = namedModule(node);
    if (named !== undefined && ts.isStringLiteralLike(named.specifier)) {
      found.push({
        specifier: named.specifier.text,
        isTypeOnly: named.isTypeOnly,
        names: ts.isImportDeclaration(node) ? importedValues(node.importClause) : undefined,
        line: lineAt(source, node.getStart(source)),
      });
    }
  });
  return found;
}

function namedModule(node: ts.Node): { specifier: ts.Node; isTypeOnly: boolean } | undefined {
  if (ts.isImportDeclaration(node)) {
    return { specifier: node.moduleSpecifier, isTypeOnly: isTypeOnlyImport(node.importClause) };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return { specifier: node.moduleSpecifier, isTypeOnly: node.isTypeOnly };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return { specifier: node.argument.literal, isTypeOnly: true };
  }
  if (ts.isExternalModuleReference(node)) {
    return { specifier: node.expression, isTypeOnly: false };
  }
  if (ts.isCallExpression(node) && node.arguments[0] !== undefined) {
    const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require';
    const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword;
    if (isRequire || isImport) return { specifier: node.arguments[0], isTypeOnly: false };
  }
  return undefined;
}

/** `import type …`, or `import { type A, type B }` with nothing else. */
function isTypeOnlyImport(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const bindings = clause.namedBindings;
  if (clause.name !== undefined || bindings === undefined || !ts.isNamedImports(bindings)) return false;
  return bindings.elements.length > 0 && bindings.elements.every((element) => element.isTypeOnly);
}

function importedValues(clause: ts.ImportClause | undefined): readonly string[] | undefined {
  const bindings = clause?.namedBindings;
  if (clause?.name !== undefined || bindings === undefined || !ts.isNamedImports(bindings)) return undefined;
  const values = bindings.elements.filter((element) => !element.isTypeOnly);
  return values.map((element) => (element.propertyName ?? element.name).text);
}

/** `a.b.c` or `a['b'].c` as `a.b.c`, without a leading `globalThis.`; undefined for anything more dynamic. */
export function dottedName(node: ts.Node): string | undefined {
  if (ts.isIdentifier(node)) return node.text;
  let owner: string | undefined;
  let member: string | undefined;
  if (ts.isPropertyAccessExpression(node)) {
    owner = dottedName(node.expression);
    member = node.name.text;
  } else if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)) {
    owner = dottedName(node.expression);
    member = node.argumentExpression.text;
  }
  if (owner === undefined || member === undefined) return undefined;
  return owner === 'globalThis' ? member : `${owner}.${member}`;
}
