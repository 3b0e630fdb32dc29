/** How the addon is built, linked and found; and that the numbers of the binding are the same on both sides. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import {
  BATCH_CODES,
  DIGEST_BYTES,
  DIGEST_CODES,
  KEY_TYPE_CODES,
  MESSAGE_TYPE_CODES,
  PUBLIC_ENCRYPTION_CODES,
  SIGNATURE_CODES,
  WRAPPING_CODES,
} from '../../src/core/codes.ts';
import { CORE_STATUS } from '../../src/core/index.ts';
import { findAddon } from '../../src/core/load-addon.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const BUILD_TREE = path.join(ROOT, 'build/cmake');
const temporary = mkdtempSync(path.join(tmpdir(), 'keywright-build-test-'));
afterAll(() => rmSync(temporary, { recursive: true }));

const source = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

/** The members `kName = number` of an enum in C++, under their TypeScript names. */
function membersOf(enumeration: string, text: string): Record<string, number> {
  const [, body] = new RegExp(`enum class (?:\\[\\[nodiscard\\]\\] )?${enumeration}[^{]*\\{([^}]*)\\}`).exec(text)!;
  const members = [...body!.matchAll(/k(\w)(\w+) = (\d+)/g)];
  return Object.fromEntries(members.map(([, first, rest, number]) => [first!.toLowerCase() + rest!, Number(number)]));
}

describe('numbers of the binding', () => {
  it('of statuses are the same in C++ and TypeScript', () => {
    expect(membersOf('Status', source('native/core/status.h'))).toEqual(CORE_STATUS);
  });

  it('of key types are the same in C++ and TypeScript', () => {
    expect(membersOf('KeyType', source('native/core/key_type.h'))).toEqual(KEY_TYPE_CODES);
  });

  it.each([
    ['SignatureAlgorithm', 'signature', SIGNATURE_CODES],
    ['MessageType', 'signature', MESSAGE_TYPE_CODES],
    ['BatchOperation', 'batch', BATCH_CODES],
    ['WrappingAlgorithm', 'import_key', WRAPPING_CODES],
    ['EncryptionAlgorithm', 'public_encryption', { ...PUBLIC_ENCRYPTION_CODES, RSAES_PKCS1: 4 }],
  ] as const)('of %s are the same in C++ and TypeScript', (name, header, codes) => {
    // RSASSA_PSS_SHA_256 here is rsassaPssSha256 there.
    const plain = Object.entries(codes).map(([key, value]) => [key.replaceAll('_', '').toLowerCase(), value]);
    const members = Object.entries(membersOf(name, source(`native/core/${header}.h`)));
    expect(members.map(([key, value]) => [key.toLowerCase(), value])).toEqual(plain);
  });

  it('of digests are the same in C++ and TypeScript', () => {
    const text = source('native/core/digest_algorithm.h');
    const names = Object.keys(DIGEST_CODES).map((name) => [name.toLowerCase().replace('-', ''), name] as const);
    const inTypeScript = Object.fromEntries(names.map(([name, key]) => [name, Reflect.get(DIGEST_CODES, key)]));
    expect(membersOf('DigestAlgorithm', text)).toEqual(inTypeScript);
    expect(/kSizes = \{([^}]*)\}/.exec(text)![1]).toBe(Object.values(DIGEST_BYTES).join(', '));
  });
});

describe('linking', () => {
  it('exports the entry points of Node-API and nothing else', () => {
    const symbols = execFileSync('nm', ['-D', '--defined-only', findAddon()], { encoding: 'utf8' });
    const names = symbols.trim().split('\n');
    expect(names.map((line) => line.split(' ').at(-1)).sort()).toEqual([
      'napi_register_module_v1',
      'node_api_module_get_api_version_v1',
    ]);
  });

  // Needs the objects of a build on this machine, which a prebuilt addon comes without.
  it.skipIf(!existsSync(path.join(BUILD_TREE, 'CMakeCache.txt')))(
    'refuses to load when libcrypto was linked so that Node replaces it',
    () => {
      execFileSync('cmake', ['--build', BUILD_TREE, '--target', 'keywright_mislinked'], { stdio: 'pipe' });
      const addon = path.join(BUILD_TREE, 'Release/keywright_mislinked.node');
      const { status, stderr } = spawnSync(process.execPath, ['-e', `require(${JSON.stringify(addon)})`], {
        encoding: 'utf8',
      });
      expect(status).toBe(1);
      expect(stderr).toContain('its calls to libcrypto reach another copy than its own');
    },
    120_000,
  );
});

describe('finding the addon', () => {
  const bin = createRequire(import.meta.url).resolve('node-gyp-build/bin.js');

  /** A package folder whose node-gyp leaves a mark when it is asked to compile. */
  function packageFolder(name: string, hasPrebuild: boolean): { folder: string; env: NodeJS.ProcessEnv; mark: string } {
    const folder = path.join(temporary, name);
    const mark = path.join(folder, 'compiled');
    mkdirSync(path.join(folder, 'bin'), { recursive: true });
    writeFileSync(path.join(folder, 'package.json'), '{ "name": "keywright" }');
    writeFileSync(path.join(folder, 'bin/node-gyp'), `#!/bin/sh\ntouch '${mark}'\n`, { mode: 0o755 });
    if (hasPrebuild) {
      const prebuilds = path.join(folder, 'prebuilds', `${process.platform}-${process.arch}`);
      mkdirSync(prebuilds, { recursive: true });
      copyFileSync(findAddon(), path.join(prebuilds, 'keywright.node'));
    }
    const tools = [path.join(folder, 'bin'), path.join(ROOT, 'node_modules/.bin')];
    const env = { ...process.env, PATH: [...tools, process.env['PATH']].join(path.delimiter) };
    return { folder, env, mark };
  }

  it('takes a prebuilt addon instead of compiling', () => {
    const { folder, env, mark } = packageFolder('with-prebuild', true);
    expect(spawnSync(process.execPath, [bin], { cwd: folder, env }).status).toBe(0);
    expect(existsSync(mark)).toBe(false);
  });

  it('compiles where there is no prebuilt addon', () => {
    const { folder, env, mark } = packageFolder('without-prebuild', false);
    expect(spawnSync(process.execPath, [bin], { cwd: folder, env }).status).toBe(0);
    expect(existsSync(mark)).toBe(true);
  });

  it('names the command to run when there is none', async () => {
    const { folder } = packageFolder('without-addon', false);
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
    mkdirSync(path.join(folder, 'dist/core'), { recursive: true });
    const module = path.join(folder, 'dist/core/load-addon.mjs');
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
    writeFileSync(module, ts.transpileModule(source('src/core/load-addon.ts'), { compilerOptions }).outputText);
    const { loadAddon } = (await import(module)) as { loadAddon: () => unknown };
    expect(loadAddon).toThrow(/^keywright: no native addon for .* Run `script\/addon` there to build it/);
  });
});
