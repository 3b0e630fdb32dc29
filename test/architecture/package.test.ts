import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkEntries, checkPackedFiles, checkRegistryHosts, type Manifest } from './package.ts';
import { describeViolations, ROOT } from './tree.ts';

const read = (path: string): string => readFileSync(ROOT + path, 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;

describe('this checkout', () => {
  it('packs only what an installation needs', () => {
    const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [packed] = JSON.parse(output) as [{ files: { path: string }[] }];
    expect(packed.files.length).toBeGreaterThan(0);
    const paths = packed.files.map(({ path }) => path);
    expect(describeViolations(checkPackedFiles(paths))).toEqual([]);
    // The licences of what is compiled into the addon and the WebAssembly module ask for it.
    expect(paths).toEqual(expect.arrayContaining(['LICENSE', 'NOTICE']));
  });

  it.each(['package.json', 'package-lock.json', '.npmrc'])('names no registry in %s', (path) => {
    expect(describeViolations(checkRegistryHosts(path, read(path)))).toEqual([]);
  });

  it('exports only what the build makes', (context) => {
    context.skip(!existsSync(`${ROOT}dist`), 'dist/ is not built: run script/setup');
    // What lies in prebuilds/ comes into the package only; script/package-test uses it from there.
    const isThere = (target: string): boolean => target.startsWith('./prebuilds/') || existsSync(ROOT + target);
    expect(describeViolations(checkEntries(manifest, isThere))).toEqual([]);
  });
});

describe('checkPackedFiles', () => {
  it.each([
    'test/a.test.ts',
    'data/keywright.db',
    '.env',
    'src/index.ts',
    'script/test',
    'native/core/a.log',
    'dist/.npmrc',
  ])('finds %s', (path) => {
    expect(checkPackedFiles([path])).toHaveLength(1);
  });

  it('accepts what belongs into the package', () => {
    const paths = [
      'package.json',
      'dist/index.js',
      'native/core/aead.cc',
      'script/addon',
      'prebuilds/linux-x64/a.node',
    ];
    expect(checkPackedFiles(paths)).toEqual([]);
  });
});

describe('checkRegistryHosts', () => {
  it.each([
    '"resolved": "https://example.com/a/-/a-1.0.0.tgz",',
    '"publishConfig": { "registry": "x" }',
    'registry=https://example.com/',
    '@scope:registry=https://example.com/',
    '"a": "https://example.com/a.tgz"',
  ])('finds %s', (line) => {
    expect(checkRegistryHosts('package.json', `{\n${line}\n}`)).toHaveLength(1);
  });

  it('accepts versions and integrity', () => {
    expect(checkRegistryHosts('package.json', '"a": "1.0.0",\n"integrity": "sha512-x",\nfund=false')).toEqual([]);
  });
});

describe('checkEntries', () => {
  it('finds targets that are missing', () => {
    const sample: Manifest = {
      bin: { a: './dist/a.js' },
      exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' }, './b': './dist/b.js' },
    };
    expect(checkEntries(sample, (path) => path === './dist/index.js').map(({ rule }) => rule)).toEqual([
      'names ./dist/a.js, which does not exist',
      'names ./dist/index.d.ts, which does not exist',
      'names ./dist/b.js, which does not exist',
    ]);
    expect(checkEntries(sample, () => true)).toEqual([]);
  });
});
