import { describe, expect, it } from 'vitest';
import { checkBannedCalls, checkCppFunctions, cppFunctions } from './native.ts';
import {
  checkAny,
  checkDefaultExports,
  checkFileLength,
  checkFocusedTests,
  checkFunctionLength,
  checkLineLength,
  checkMathRandom,
  checkTaskMarkers,
} from './tidy.ts';
import { describeViolations, readFiles, type TextFile } from './tree.ts';

const MAXIMUM_FILE_LINES = 600;
const MAXIMUM_FUNCTION_LINES = 70;
const MAXIMUM_COLUMNS = { ts: 120, cpp: 100 };

const typescript = readFiles('', /\.ts$/);
const source = typescript.filter(({ path }) => path.startsWith('src/'));
const tests = typescript.filter(({ path }) => path.startsWith('test/'));
const cpp = ['native', 'test/pkcs11-shim'].flatMap((folder) => readFiles(folder, /\.(cc|h)$/));
const prose = readFiles('', /\.(md|sh|js|json|yml|txt)$|^script\/|^\.ci\//).filter(
  ({ path }) => path !== 'package-lock.json' && !/^test\/(vectors|golden)\//.test(path),
);

const file = (text: string, path = 'src/base/a.ts'): TextFile[] => [{ path, text }];

describe('this checkout', () => {
  it('keeps lines, files and functions short', () => {
    expect(
      describeViolations([
        ...checkLineLength(typescript, MAXIMUM_COLUMNS.ts),
        ...checkLineLength(cpp, MAXIMUM_COLUMNS.cpp),
        ...checkFileLength([...typescript, ...cpp], MAXIMUM_FILE_LINES),
        ...checkFunctionLength(typescript, MAXIMUM_FUNCTION_LINES),
        ...checkCppFunctions(cpp, MAXIMUM_FUNCTION_LINES),
      ]),
    ).toEqual([]);
  });

  it('leaves no task for later', () => {
    expect(describeViolations(checkTaskMarkers([...typescript, ...cpp, ...prose]))).toEqual([]);
  });

  it('uses no any, no default export and no Math.random', () => {
    expect(
      describeViolations([...checkAny(typescript), ...checkDefaultExports(source), ...checkMathRandom(source)]),
    ).toEqual([]);
  });

  it('runs every test', () => {
    expect(describeViolations(checkFocusedTests(tests))).toEqual([]);
  });

  it('calls no banned function in native', () => {
    expect(describeViolations(checkBannedCalls(cpp))).toEqual([]);
  });
});

describe('sizes', () => {
  it('finds a long line, counted in characters', () => {
    expect(describeViolations(checkLineLength(file(`ok\n${'é'.repeat(11)}`), 10))).toEqual([
      'src/base/a.ts:2: line of 11 columns, more than 10',
    ]);
    expect(checkLineLength(file('é'.repeat(10)), 10)).toEqual([]);
  });

  it('finds a long file', () => {
    expect(checkFileLength(file('a\n'.repeat(4)), 3)).toHaveLength(1);
    expect(checkFileLength(file('a\n'.repeat(3)), 3)).toEqual([]);
  });

  const body = (lines: number): string => '\n  work();'.repeat(lines - 2) + '\n';

  it.each([
    'function f() {%}',
    'const f = () => {%};',
    'class A { f() {%} }',
    'const o = { get f() {%} };',
    'it("x", () => {%});',
  ])('finds a long function: %s', (form) => {
    expect(checkFunctionLength(file(form.replace('%', body(6))), 5)).toHaveLength(1);
    expect(checkFunctionLength(file(form.replace('%', body(5))), 5)).toEqual([]);
  });

  it('takes the callback of describe for a chapter', () => {
    for (const form of ["describe('x', () => {%});", "describe.each(rows)('x', () => {%});"]) {
      expect(checkFunctionLength(file(form.replace('%', body(6))), 5)).toEqual([]);
    }
  });

  it.each([
    'Result<int> F(std::span<const uint8_t> in, int n = 3) {%}',
    'namespace a {\nclass B {\n public:\n  explicit B(int n) : n_(n) {%}\n};\n}',
    'template <class T>\nvoid F(T value) noexcept {%}',
    'extern "C" int F(void) {%}',
    'B& operator=(B&& other) noexcept {%}',
    'void F() {\n  auto g = [&](int n) { return n; };\n  if (x) {\n    y();\n  }%}',
  ])('finds a long C++ function: %s', (form) => {
    expect(checkCppFunctions(file(form.replace('%', body(40)), 'native/core/a.cc'), 39)).toHaveLength(1);
    expect(checkCppFunctions(file(form.replace('%', body(20)), 'native/core/a.cc'), 39)).toEqual([]);
  });

  it('does not take types, namespaces, tables or texts for C++ functions', () => {
    const text = `
      namespace a {
      struct Row { int n; };
      enum class Kind { kOne };
      constexpr Row kRows[] = {
        {1}, {2},
      };
      // void F() {
      const char* kText = "void F() {";
      #define G(x) do { (x); } while (0)
      int Real() { return 1'000; }
      }`;
    expect(cppFunctions(text)).toHaveLength(1);
  });
});

describe('banned constructs', () => {
  it.each(['TO' + 'DO: later', 'FIX' + 'ME', 'X' + 'XX'])('finds a task marker: %s', (marker) => {
    expect(checkTaskMarkers(file(`// ${marker}`))).toHaveLength(1);
  });

  it('finds no task marker in a template of mktemp', () => {
    expect(checkTaskMarkers(file('mktemp name.XXXXXX'))).toEqual([]);
  });

  it.each(['let a: any;', 'function f(a: any[]) {}', 'const a = b as any;', 'type A = Map<string, any>;'])(
    'finds any: %s',
    (text) => {
      expect(checkAny(file(text))).toHaveLength(1);
    },
  );

  it('finds no any in a name, a text or a comment', () => {
    expect(checkAny(file("const any = 'any'; // any"))).toEqual([]);
  });

  it.each([
    'export default 1;',
    'export default function f() {}',
    'export default class {}',
    'const a = 1; export { a as default };',
    "export { default } from './a.ts';",
  ])('finds a default export: %s', (text) => {
    expect(checkDefaultExports(file(text))).not.toEqual([]);
  });

  it('accepts default where it is no export', () => {
    const text = "import a from 'a'; switch (a) { default: break; } const b = { default: 1 };";
    expect(checkDefaultExports(file(text))).toEqual([]);
  });

  it.each(['Math.random()', "Math['random']()", 'globalThis.Math.random()'])('finds %s', (text) => {
    expect(checkMathRandom(file(text))).toHaveLength(1);
  });

  it.each(["it.only('a', f);", "describe.only('a', f);", "test.concurrent.only('a', f);", "it.only.each([])('a', f);"])(
    'finds a focused test: %s',
    (text) => {
      expect(checkFocusedTests(file(text, 'test/a.test.ts'))).toHaveLength(1);
    },
  );

  it('finds no focused test in another only', () => {
    expect(checkFocusedTests(file('options.only = true;', 'test/a.test.ts'))).toEqual([]);
  });

  it.each(['memcmp(a, b, n)', 'std::memcmp (a, b, n)', 'strcpy(a, b)', 'sprintf(a, b)', 'vsprintf(a, b, c)'])(
    'finds a banned call in native: %s',
    (text) => {
      expect(checkBannedCalls(file(text, 'native/core/a.cc'))).toHaveLength(1);
    },
  );

  it('accepts CRYPTO_memcmp, snprintf and comments', () => {
    const text = 'CRYPTO_memcmp(a, b, n); std::snprintf(a, n, b); // not memcmp(a, b, n)';
    expect(checkBannedCalls(file(text, 'native/core/a.cc'))).toEqual([]);
  });
});
