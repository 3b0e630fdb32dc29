/** What leaves the house: the packed files, the manifests, the public entries. */
import { type Violation } from './tree.ts';

/** The parts of package.json that the checks read. */
export interface Manifest {
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>> | string>>;
}

/** Top-level entries that a package may hold; a folder ends with a slash. */
const PACKED_TOP_LEVEL = new Set([
  'CHANGELOG.md',
  'LICENSE',
  'NOTICE',
  'README.md',
  'SECURITY.md',
  'binding.gyp',
  'dist/',
  'native/',
  'package.json',
  'prebuilds/',
  'script/',
]);

/** What an installation needs to compile the addon, and nothing for development. */
const PACKED_SCRIPTS = new Set(['script/addon', 'script/lib.sh', 'script/openssl']);

/** Packed files that nobody expects in the package. */
export function checkPackedFiles(paths: readonly string[]): Violation[] {
  return paths
    .filter((path) => {
      const slash = path.indexOf('/');
      if (!PACKED_TOP_LEVEL.has(path.slice(0, slash + 1 || undefined))) return true;
      if (path.startsWith('script/')) return !PACKED_SCRIPTS.has(path);
      return /(^|\/)(\.env|\.npmrc|\.git)|\.(local|log|pem|sqlite|db|tgz)$/.test(path);
    })
    .map((path) => ({ path, line: 1, rule: 'packed, but not expected in the package' }));
}

/** Registry hosts in npm's files: they belong to the machine that installs, not to the project. */
export function checkRegistryHosts(path: string, text: string): Violation[] {
  const named = /"resolved"\s*:\s*"(?:https?|git)|"registry"\s*:|(^|:)registry\s*=|https?:\/\/[^"\s/]*registry|\.tgz"/;
  return text
    .split('\n')
    .flatMap((line, index) => (named.test(line) ? [{ path, line: index + 1, rule: 'names a registry host' }] : []));
}

/** Targets of `exports` and `bin` for which `exists` says no. */
export function checkEntries(manifest: Manifest, exists: (path: string) => boolean): Violation[] {
  const targets = [
    ...Object.values(manifest.bin ?? {}),
    ...Object.values(manifest.exports ?? {}).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry),
    ),
  ];
  return targets
    .filter((target) => !exists(target))
    .map((target) => ({ path: 'package.json', line: 1, rule: `names ${target}, which does not exist` }));
}
