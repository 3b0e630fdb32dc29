/** Who may import whom: the layers of the design, as a table and a check. */
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import ts from 'typescript';
import { dottedName, lineAt, moduleReferences, parse, walk } from './syntax.ts';
import { type TextFile, type Violation } from './tree.ts';

/** Folders of src from the lowest layer up. An import points to its own folder or to a lower layer. */
const LAYERS: readonly (readonly string[])[] = [
  ['core'],
  ['base'],
  ['pkcs11'],
  ['policy', 'ciphertext', 'attestation', 'sigv4'],
  ['keys'],
  ['service'],
  ['store', 'materials', 'hsm', 'xks', 'regions', 'audit', 'metrics', 'iam', 'quotas'],
  ['engine'],
  ['server', 'client', 'envelope', 'seed'],
  ['cli'],
];

/** Files directly in src only put the public interface together; they stand above all folders. */
const TOP = LAYERS.length;

/** Layers that get clock, randomness and configuration from their callers and do no I/O. */
const PURE_FOLDERS: readonly string[] = LAYERS.slice(3, 5).flat();

/** What pure layers may take from modules of node: functions that compute from their arguments alone. */
const PURE_IMPORTS: ReadonlyMap<string, readonly string[]> = new Map([
  ['node:crypto', ['X509Certificate', 'createPublicKey', 'verify']],
]);

/** Ambient sources of time, randomness and configuration. */
const IMPURE = /^(Date\.now|Math\.random|performance\.now|process(\..*)?|crypto\.(random.*|getRandomValues))$/;

function folderOf(path: string): string {
  const [root, folder, ...rest] = path.split('/');
  return root === 'src' && folder !== undefined && rest.length > 0 ? folder : '';
}

function rankOf(folder: string): number {
  return folder === '' ? TOP : LAYERS.findIndex((layer) => layer.includes(folder));
}

/** Imports between the folders of src that point up, or across to a sibling of the same layer. */
export function checkLayers(files: readonly TextFile[]): Violation[] {
  const found: Violation[] = [];
  for (const file of files) {
    const folder = folderOf(file.path);
    if (rankOf(folder) === -1) {
      found.push({ path: file.path, line: 1, rule: `src/${folder} has no layer: add it to LAYERS` });
      continue;
    }
    for (const { specifier, line } of moduleReferences(file)) {
      const rule = judgeImport(file.path, folder, specifier);
      if (rule !== undefined) found.push({ path: file.path, line, rule });
    }
  }
  return found;
}

function judgeImport(path: string, folder: string, specifier: string): string | undefined {
  if (/^keywright(\/|$)/.test(specifier)) return `imports its own package by name: ${specifier}`;
  if (specifier.startsWith('/')) return `imports an absolute path: ${specifier}`;
  if (!specifier.startsWith('.')) return undefined;
  const target = posix.join(posix.dirname(path), specifier);
  if (!target.startsWith('src/')) return `imports a file outside src: ${specifier}`;
  const targetFolder = folderOf(target);
  const rank = rankOf(folder);
  const targetRank = rankOf(targetFolder);
  if (targetFolder === folder || (targetRank !== -1 && targetRank < rank)) return undefined;
  const direction = targetRank === rank ? 'across to a sibling' : 'up a layer';
  return `imports ${direction}: ${targetFolder === '' ? specifier : `src/${targetFolder}`}`;
}

/** I/O modules and ambient time, randomness or configuration in the pure layers. */
export function checkPurity(files: readonly TextFile[]): Violation[] {
  const found: Violation[] = [];
  for (const file of files) {
    if (!PURE_FOLDERS.includes(folderOf(file.path))) continue;
    for (const { specifier, isTypeOnly, names, line } of moduleReferences(file)) {
      const isPure = names?.every((name) => PURE_IMPORTS.get(specifier)?.includes(name)) ?? false;
      if (isBuiltin(specifier) && !isTypeOnly && !isPure) {
        found.push({ path: file.path, line, rule: `a pure layer imports ${specifier}` });
      }
    }
    const source = parse(file);
    walk(source, (node) => {
      const use = impureUse(node);
      if (use !== undefined) {
        const line = lineAt(source, node.getStart(source));
        found.push({ path: file.path, line, rule: `a pure layer uses ${use}` });
      }
    });
  }
  return found;
}

function impureUse(node: ts.Node): string | undefined {
  if (ts.isNewExpression(node) && dottedName(node.expression) === 'Date') {
    return (node.arguments ?? []).length === 0 ? 'new Date()' : undefined;
  }
  if (ts.isCallExpression(node) && dottedName(node.expression) === 'Date') return 'Date()';
  // `const { env } = process` takes the same things apart.
  if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name) && node.initializer !== undefined) {
    const owner = dottedName(node.initializer);
    const taken = node.name.elements.map((element) => `${owner}.${(element.propertyName ?? element.name).getText()}`);
    return taken.find((name) => IMPURE.test(name));
  }
  if (!ts.isPropertyAccessExpression(node) && !ts.isElementAccessExpression(node)) return undefined;
  const name = dottedName(node);
  return name !== undefined && IMPURE.test(name) ? name : undefined;
}
