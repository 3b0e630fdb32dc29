/** Sizes and banned constructs that no formatter or compiler looks after. */
import ts from 'typescript';
import { dottedName, lineAt, parse, walk } from './syntax.ts';
import { lineOf, type TextFile, type Violation } from './tree.ts';

/** A quotation of this many columns is a text to be told from others by the letter: it may make its line long. */
const QUOTATION = /(['"`]).{60,}\1/;

export function checkLineLength(files: readonly TextFile[], maximumColumns: number): Violation[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((content, index) => {
      if (path.startsWith('test/') && QUOTATION.test(content)) return [];
      const columns = Array.from(content).length;
      const rule = `line of ${columns} columns, more than ${maximumColumns}`;
      return columns > maximumColumns ? [{ path, line: index + 1, rule }] : [];
    }),
  );
}

export function checkFileLength(files: readonly TextFile[], maximumLines: number): Violation[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.replace(/\n$/, '').split('\n').length;
    return lines > maximumLines ? [{ path, line: maximumLines + 1, rule: `file of ${lines} lines` }] : [];
  });
}

/** Notes to do something later. Spelled in parts, or this file would be a finding. */
const TASK_MARKERS = new RegExp(`\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`, 'g');

export function checkTaskMarkers(files: readonly TextFile[]): Violation[] {
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(TASK_MARKERS)].map((match) => ({
      path,
      line: lineOf(text, match.index),
      rule: `task marker ${match[0]}: do it, or open an issue`,
    })),
  );
}

/** Runs one check per syntax node; `judge` answers with the broken rule. */
function checkNodes(
  files: readonly TextFile[],
  judge: (node: ts.Node, source: ts.SourceFile) => string | undefined,
): Violation[] {
  return files.flatMap((file) => {
    const source = parse(file);
    const found: Violation[] = [];
    walk(source, (node) => {
      const rule = judge(node, source);
      if (rule !== undefined) found.push({ path: file.path, line: lineAt(source, node.getStart(source)), rule });
    });
    return found;
  });
}

/** Functions longer than `maximumLines`. The callback of `describe` (or `describeKms`) is a chapter, not a function. */
export function checkFunctionLength(files: readonly TextFile[], maximumLines: number): Violation[] {
  return checkNodes(files, (node, source) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined || isChapter(node)) return undefined;
    const lines = lineAt(source, node.end) - lineAt(source, node.getStart(source)) + 1;
    return lines > maximumLines ? `function of ${lines} lines, more than ${maximumLines}` : undefined;
  });
}

function isChapter(node: ts.Node): boolean {
  let callee: ts.Node | undefined = ts.isCallExpression(node.parent) ? node.parent.expression : undefined;
  while (callee !== undefined && !ts.isIdentifier(callee)) {
    callee = ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee) ? callee.expression : undefined;
  }
  return callee !== undefined && (callee.text.startsWith('describe') || callee.text === 'suite');
}

export function checkAny(files: readonly TextFile[]): Violation[] {
  return checkNodes(files, (node) =>
    node.kind === ts.SyntaxKind.AnyKeyword ? 'the type any: use unknown' : undefined,
  );
}

export function checkDefaultExports(files: readonly TextFile[]): Violation[] {
  return checkNodes(files, (node) => {
    const isDefault =
      ts.isExportAssignment(node) ||
      node.kind === ts.SyntaxKind.DefaultKeyword ||
      (ts.isExportSpecifier(node) && node.name.text === 'default');
    // `default:` of a switch is a clause, not a keyword node.
    return isDefault ? 'default export: export by name' : undefined;
  });
}

export function checkMathRandom(files: readonly TextFile[]): Violation[] {
  return checkNodes(files, (node) => {
    if (!ts.isPropertyAccessExpression(node) && !ts.isElementAccessExpression(node)) return undefined;
    return dottedName(node) === 'Math.random' ? 'Math.random: use the randomness of the core' : undefined;
  });
}

/** `it.only` and its like: they would silently leave out every other test of the file. */
export function checkFocusedTests(files: readonly TextFile[]): Violation[] {
  return checkNodes(files, (node) => {
    if (!ts.isPropertyAccessExpression(node) || node.name.text !== 'only') return undefined;
    return /^(describe|suite|it|test)(\.|$)/.test(dottedName(node.expression) ?? '') ? 'focused test' : undefined;
  });
}
