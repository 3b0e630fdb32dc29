import { describe, expect, it } from 'vitest';
import { checkLayers, checkPurity } from './layers.ts';
import { checkFrees, checkIncludes } from './native.ts';
import { moduleReferences } from './syntax.ts';
import { describeViolations, readFiles } from './tree.ts';

const sources = readFiles('src', /\.ts$/);
const native = readFiles('native', /\.(cc|h)$/);
const rules = (found: ReturnType<typeof checkLayers>): string[] => found.map(({ rule }) => rule);

describe('this checkout', () => {
  it('has sources to look at', () => {
    expect(sources.length).toBeGreaterThan(0);
    expect(native.length).toBeGreaterThan(0);
  });

  it('imports only from the same folder or a lower layer', () => {
    expect(describeViolations(checkLayers(sources))).toEqual([]);
  });

  it('keeps keys, policy, ciphertext, attestation and sigv4 free of I/O, time, randomness and configuration', () => {
    expect(describeViolations(checkPurity(sources))).toEqual([]);
  });

  it('compiles policies in one place, which decisions do not know', () => {
    const usersOf = (specifier: RegExp, value?: string): readonly string[] =>
      sources
        .filter((file) =>
          moduleReferences(file).some(
            ({ specifier: found, isTypeOnly, names }) =>
              specifier.test(found) && !isTypeOnly && (value === undefined || names?.includes(value) !== false),
          ),
        )
        .map(({ path }) => path);
    expect(usersOf(/\/compile\.ts$/, 'compilePolicy')).toEqual(['src/policy/policy.ts']);
    const deciders = ['src/policy/decide.ts', 'src/iam/policy-access.ts', 'src/service/authorize.ts'];
    expect(sources.map(({ path }) => path)).toEqual(expect.arrayContaining(deciders));
    expect(usersOf(/\/policy\.ts$/).filter((path) => deciders.includes(path))).toEqual([]);
  });

  it('includes only downwards in native', () => {
    expect(describeViolations(checkIncludes(native))).toEqual([]);
  });

  it('frees OpenSSL objects in one file only', () => {
    expect(describeViolations(checkFrees(native))).toEqual([]);
  });
});

describe('checkLayers', () => {
  const check = (path: string, text: string): string[] => rules(checkLayers([{ path, text }]));

  it.each([
    ["import { a } from '../engine/engine.ts';", 'imports up a layer: src/engine'],
    ["import type { A } from '../service/ports.ts';", 'imports up a layer: src/service'],
    ["export { a } from '../engine/parse.ts';", 'imports up a layer: src/engine'],
    ["const a = await import('../store/sqlite.ts');", 'imports up a layer: src/store'],
    ["type A = import('../cli/main.ts').A;", 'imports up a layer: src/cli'],
    ["import a = require('../server/http.ts');", 'imports up a layer: src/server'],
    ["import '../index.ts';", 'imports up a layer: ../index.ts'],
    ["import { a } from '../nowhere/a.ts';", 'imports up a layer: src/nowhere'],
    ["import { a } from '../../test/a.ts';", 'imports a file outside src: ../../test/a.ts'],
    ["import { a } from 'keywright/core';", 'imports its own package by name: keywright/core'],
    ["import { a } from '/src/base/a.ts';", 'imports an absolute path: /src/base/a.ts'],
  ])('finds %s in src/keys', (text, rule) => {
    expect(check('src/keys/a.ts', text)).toEqual([rule]);
  });

  it('finds a folder without a layer', () => {
    expect(check('src/misc/a.ts', '')).toEqual(['src/misc has no layer: add it to LAYERS']);
  });

  it('reports the line of the import', () => {
    const text = "import { b } from '../base/b.ts';\n// comment\nimport {\n  c,\n} from '../cli/c.ts';\n";
    expect(describeViolations(checkLayers([{ path: 'src/keys/a.ts', text }]))).toEqual([
      'src/keys/a.ts:3: imports up a layer: src/cli',
    ]);
  });

  it('accepts the own folder, lower layers, packages and what only looks like an import', () => {
    const text = `
      import { a } from './other.ts';
      import { b } from './deeper/one.ts';
      import { c } from '../base/errors.ts';
      import { d } from '../core/status.ts';
      import { e } from 'better-sqlite3';
      const text = "import { f } from '../cli/main.ts'"; // import { g } from '../cli/main.ts'
    `;
    expect(check('src/keys/a.ts', text)).toEqual([]);
    expect(check('src/index.ts', "export { a } from './cli/main.ts';")).toEqual([]);
  });
});

describe('checkPurity', () => {
  const check = (text: string, path = 'src/policy/a.ts'): string[] => rules(checkPurity([{ path, text }]));

  it.each([
    ["import { readFileSync } from 'node:fs';", 'a pure layer imports node:fs'],
    ["import { readFileSync } from 'fs';", 'a pure layer imports fs'],
    ["export * from 'node:crypto';", 'a pure layer imports node:crypto'],
    ["import * as crypto from 'node:crypto';", 'a pure layer imports node:crypto'],
    ["import { verify, randomBytes } from 'node:crypto';", 'a pure layer imports node:crypto'],
    ["import { randomBytes as verify } from 'node:crypto';", 'a pure layer imports node:crypto'],
    ["import 'node:crypto';", 'a pure layer imports node:crypto'],
    ['const now = Date.now();', 'a pure layer uses Date.now'],
    ["const now = Date['now']();", 'a pure layer uses Date.now'],
    ['const clock = Date.now;', 'a pure layer uses Date.now'],
    ['const now = new Date();', 'a pure layer uses new Date()'],
    ['const now = new Date;', 'a pure layer uses new Date()'],
    ['const now = Date();', 'a pure layer uses Date()'],
    ['const now = performance.now();', 'a pure layer uses performance.now'],
    ['const r = Math.random();', 'a pure layer uses Math.random'],
    ['const { random } = Math;', 'a pure layer uses Math.random'],
    ['const id = crypto.randomUUID();', 'a pure layer uses crypto.randomUUID'],
    ['const id = globalThis.crypto.getRandomValues(bytes);', 'a pure layer uses crypto.getRandomValues'],
    ['const { env } = process;', 'a pure layer uses process.env'],
  ])('finds %s', (text, rule) => {
    expect(check(text)).toContain(rule);
  });

  it('finds process.env', () => {
    expect(check("const region = process.env['REGION'];")).toContain('a pure layer uses process.env');
  });

  it('accepts functions of node:crypto that only compute', () => {
    expect(check("import { verify, X509Certificate, type KeyObject } from 'node:crypto';")).toEqual([]);
  });

  it('accepts types of node modules, dates made of values, and other layers', () => {
    expect(check("import type { KeyObject } from 'node:crypto';")).toEqual([]);
    expect(check("import { type KeyObject, type Hash } from 'node:crypto';")).toEqual([]);
    expect(check('const at = new Date(clock.now()); const day = Date.UTC(2026, 1, 1);')).toEqual([]);
    expect(check('const now = Date.now();', 'src/store/a.ts')).toEqual([]);
  });
});

describe('checkIncludes', () => {
  const check = (path: string, text: string): string[] => rules(checkIncludes([{ path, text }]));

  it.each([
    ['native/core/aead.cc', '#include <node_api.h>', 'includes node_api.h: the core knows no host'],
    ['native/core/aead.cc', '  #  include "napi.h"', 'includes napi.h: the core knows no host'],
    ['native/core/aead.h', '#include "pkcs11.h"', 'includes pkcs11.h: the core knows no HSM'],
    ['native/core/aead.h', '#include "../pkcs11/pool.h"', 'includes ../pkcs11/pool.h: the core knows no HSM'],
    ['native/core/aead.h', '#include "napi/args.h"', 'includes napi/args.h: the core knows no binding'],
    ['native/pkcs11/pool.cc', '#include <napi.h>', 'includes napi.h: PKCS#11 knows no binding'],
    ['native/wasm/core.cc', '#include "pkcs11/pool.h"', expect.stringContaining('stands on the core alone')],
  ])('finds in %s: %s', (path, text, rule) => {
    expect(check(path, text)).toEqual([rule]);
  });

  it('accepts includes downwards and what is only a comment', () => {
    expect(check('native/core/aead.cc', '#include <openssl/evp.h>\n// #include <napi.h>\n#include "core/x.h"')).toEqual(
      [],
    );
    expect(check('native/napi/aead.cc', '#include <napi.h>\n#include "core/aead.h"')).toEqual([]);
  });
});

describe('checkFrees', () => {
  it('finds the free function of an OpenSSL type outside ossl_ptr.h', () => {
    const text = 'int f() {\n  EVP_CIPHER_CTX_free(ctx);\n  sk_X509_pop_free(a, X509_free);\n}\n';
    expect(describeViolations(checkFrees([{ path: 'native/core/aead.cc', text }]))).toEqual([
      'native/core/aead.cc:2: names EVP_CIPHER_CTX_free: use an owning pointer of ossl_ptr.h',
      'native/core/aead.cc:3: names X509_free: use an owning pointer of ossl_ptr.h',
    ]);
  });

  it('accepts ossl_ptr.h itself, functions that free bytes, comments and texts', () => {
    const text = 'using P = Ptr<EVP_PKEY_free>;';
    expect(checkFrees([{ path: 'native/core/ossl_ptr.h', text }])).toEqual([]);
    const bytes = 'OPENSSL_secure_clear_free(p, n); // not EVP_PKEY_free\nlog("BN_free");';
    expect(checkFrees([{ path: 'native/core/secure_buffer.cc', text: bytes }])).toEqual([]);
  });
});
