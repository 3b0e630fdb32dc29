/** The files of this checkout, as the checks of this folder see them. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Root of the checkout, with a slash at the end. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** One text file: `path` is relative to the root, with forward slashes. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** One finding: `line` counts from 1. Printed as `path:line: rule`. */
export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
}

/** Made by tools or by use, and never committed. */
const SKIPPED = new Set(['node_modules', '.git', 'build', 'dist', 'prebuilds', 'coverage', 'data']);

/** Sorted paths of all files under `folder` (relative to the root, `''` for all of it); none when it does not exist. */
export function listFiles(folder: string): string[] {
  const found: string[] = [];
  const visit = (path: string): void => {
    for (const entry of readdirSync(ROOT + path, { withFileTypes: true })) {
      const child = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!SKIPPED.has(entry.name)) visit(child);
      } else if (entry.isFile()) {
        found.push(child);
      }
    }
  };
  try {
    visit(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return found.sort();
}

/** The files under `folder` whose path matches, with their text. */
export function readFiles(folder: string, matching: RegExp): TextFile[] {
  return listFiles(folder)
    .filter((path) => matching.test(path))
    .map((path) => ({ path, text: readFileSync(ROOT + path, 'utf8') }));
}

/** Number of the line, from 1, in which the character at `index` stands. */
export function lineOf(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** What a failing test prints. */
export function describeViolations(violations: readonly Violation[]): string[] {
  return violations.map(({ path, line, rule }) => `${path}:${line}: ${rule}`);
}
