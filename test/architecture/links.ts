/** Relative links between the Markdown pages. */
import { posix } from 'node:path';
import { lineOf, type TextFile, type Violation } from './tree.ts';

interface Link {
  readonly target: string;
  readonly line: number;
}

/** The same text with fenced blocks and code spans replaced by blanks; offsets and lines stay. */
function blankCode(text: string): string {
  return text
    .replace(/^( *)(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\1 *\2[^\n]*$/gm, (block) => block.replace(/[^\n]/g, ' '))
    .replace(/(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)/g, (span) => ' '.repeat(span.length));
}

/** Inline links and images, reference definitions, and href/src of embedded HTML. */
function linksOf(text: string): Link[] {
  const code = blankCode(text);
  const forms = [
    /\]\(\s*<?([^()\s<>]+(?:\([^()\s]*\))?)>?(?:\s+["'(][^\n]*?["')])?\s*\)/g,
    /^ {0,3}\[[^\]\n]+\]:\s*<?([^\s<>]+)>?/gm,
    /\b(?:href|src)="([^"]+)"/g,
  ];
  return forms.flatMap((form) =>
    [...code.matchAll(form)].map((match) => ({ target: match[1] ?? '', line: lineOf(text, match.index) })),
  );
}

/** What a renderer makes of the headings: lower case, punctuation dropped, spaces to hyphens, `-1` for twins. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  const fencesBlanked = text.replace(/^( *)(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\1 *\2[^\n]*$/gm, '');
  for (const match of fencesBlanked.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const plain = (match[1] ?? '').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
    let anchor = slug;
    for (let twin = 1; anchors.has(anchor); twin++) anchor = `${slug}-${twin}`;
    anchors.add(anchor);
  }
  for (const match of fencesBlanked.matchAll(/\b(?:id|name)="([^"]+)"/g)) anchors.add(match[1] ?? '');
  return anchors;
}

/** Links to files that do not exist, and fragments that name no heading. `paths`: all files of the checkout. */
export function checkLinks(pages: readonly TextFile[], paths: readonly string[]): Violation[] {
  const files = new Set(paths);
  const folders = new Set(['.']);
  for (const path of paths) {
    for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) folders.add(folder);
  }
  const anchors = new Map(pages.map(({ path, text }) => [path, anchorsOf(text)]));
  return pages.flatMap(({ path, text }) =>
    linksOf(text).flatMap(({ target, line }): Violation[] => {
      if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(target)) return [];
      const [relative = '', fragment] = target.split('#', 2);
      const absolute = relative === '' ? path : posix.join(posix.dirname(path), decodeURIComponent(relative));
      const resolved = absolute.length > 1 ? absolute.replace(/\/$/, '') : absolute;
      if (!files.has(resolved) && !folders.has(resolved)) return [{ path, line, rule: `dead link: ${target}` }];
      const known = anchors.get(resolved);
      if (fragment === undefined || fragment === '' || known === undefined || known.has(fragment)) return [];
      return [{ path, line, rule: `dead anchor: ${target}` }];
    }),
  );
}

/** Decision records that the index docs/adr/README.md does not link. */
export function checkAdrIndex(pages: readonly TextFile[]): Violation[] {
  const index = pages.find(({ path }) => path === 'docs/adr/README.md');
  const linked = new Set(linksOf(index?.text ?? '').map(({ target }) => posix.join('docs/adr', target)));
  return pages
    .filter(({ path }) => /^docs\/adr\/(?!README\.md$)[^/]+\.md$/.test(path) && !linked.has(path))
    .map(({ path }) => ({ path, line: 1, rule: 'not linked from docs/adr/README.md' }));
}
