/** Checks of the C++ sources. They read text, not a syntax tree, after comments and literals are blanked out. */
import { lineOf, type TextFile, type Violation } from './tree.ts';

/**
 * The same text with comments, string and character literals replaced by blanks; offsets and lines stay. The path of an
 * `#include "…"` is kept.
 */
export function blankCpp(text: string): string {
  const token = new RegExp(
    [
      /^[ \t]*#[ \t]*include[^\n]*/,
      /\/\/[^\n]*/,
      /\/\*[\s\S]*?\*\//,
      /R"([^(\s]*)\([\s\S]*?\)\1"/,
      /"(?:\\.|[^"\\\n])*"/,
      // Not the separator in 1'000.
      /(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'/,
    ]
      .map(({ source }) => source)
      .join('|'),
    'gm',
  );
  return text.replace(token, (found) => (/^[ \t]*#/.test(found) ? found : found.replace(/[^\n]/g, ' ')));
}

/** What the folders of native may not include: the order of the design is core, then pkcs11, then the bindings. */
const FORBIDDEN_INCLUDES: readonly { folder: string; include: RegExp; reason: string }[] = [
  {
    folder: 'native/core/',
    include: /(^|\/)((node|node_api|js_native_api|napi|napi-inl|v8|uv)\.h|emscripten\b)/,
    reason: 'the core knows no host',
  },
  { folder: 'native/core/', include: /pkcs11/i, reason: 'the core knows no HSM' },
  { folder: 'native/core/', include: /(^|\/)(napi|wasm)\//, reason: 'the core knows no binding' },
  {
    folder: 'native/pkcs11/',
    include: /(^|\/)(node_api\.h|js_native_api\.h|napi\.h|v8\.h|napi\/|wasm\/)/,
    reason: 'PKCS#11 knows no binding',
  },
  {
    folder: 'native/vector/',
    include: /^(?!vector\/)[^/]+\/|openssl/,
    reason: 'vector computes with bytes alone',
  },
  {
    folder: 'native/wasm/',
    include: /(^|\/)(node_api\.h|napi\.h|v8\.h|napi\/)|pkcs11/i,
    reason: 'the WASM binding stands on the core alone',
  },
];

/** Includes that point against the order of the native folders. */
export function checkIncludes(files: readonly TextFile[]): Violation[] {
  return files.flatMap((file) => {
    const rules = FORBIDDEN_INCLUDES.filter(({ folder }) => file.path.startsWith(folder));
    return [...blankCpp(file.text).matchAll(/^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]/gm)].flatMap((match) =>
      rules
        .filter(({ include }) => include.test(match[1] ?? ''))
        .map(({ reason }) => ({
          path: file.path,
          line: lineOf(file.text, match.index),
          rule: `includes ${match[1]}: ${reason}`,
        })),
    );
  });
}

/** Functions of OpenSSL that free an object. OPENSSL_free and CRYPTO_free, which free bytes, are not among them. */
const FREES = /\b(?!OPENSSL_|CRYPTO_)[A-Z][A-Z0-9]*(?:_[A-Za-z0-9]+)*_(?:free|free_all|pop_free|clear_free|vfree)\b/g;

/** Owning pointers have one home: nothing but ossl_ptr.h names the function that frees an OpenSSL object. */
export function checkFrees(files: readonly TextFile[]): Violation[] {
  return files
    .filter(({ path }) => path.startsWith('native/') && !/^native\/core\/(.*\/)?ossl_ptr\.h$/.test(path))
    .flatMap((file) =>
      [...blankCpp(file.text).matchAll(FREES)].map((match) => ({
        path: file.path,
        line: lineOf(file.text, match.index),
        rule: `names ${match[0]}: use an owning pointer of ossl_ptr.h`,
      })),
    );
}

/** Calls that are wrong here, with what to use instead. */
const BANNED_CALLS: readonly { call: RegExp; instead: string }[] = [
  { call: /\bmemcmp\s*\(/g, instead: 'CRYPTO_memcmp for secrets, std::equal for the rest' },
  { call: /\b(?:strcpy|strcat|strncpy)\s*\(/g, instead: 'std::string or std::copy' },
  { call: /\bv?sprintf\s*\(/g, instead: 'std::snprintf or std::to_string' },
];

export function checkBannedCalls(files: readonly TextFile[]): Violation[] {
  return files.flatMap((file) => {
    const code = blankCpp(file.text);
    return BANNED_CALLS.flatMap(({ call, instead }) =>
      [...code.matchAll(call)].map((match) => ({
        path: file.path,
        line: lineOf(file.text, match.index),
        rule: `calls ${match[0]}: use ${instead}`,
      })),
    );
  });
}

/** Functions longer than `maximumLines`, from the first line of their head to the closing brace. */
export function checkCppFunctions(files: readonly TextFile[], maximumLines: number): Violation[] {
  return files.flatMap((file) =>
    cppFunctions(file.text)
      .filter(({ first, last }) => last - first + 1 > maximumLines)
      .map(({ first, last }) => ({
        path: file.path,
        line: first,
        rule: `function of ${last - first + 1} lines, more than ${maximumLines}`,
      })),
  );
}

/** First and last lines of the outermost functions. A lambda belongs to the function around it. */
export function cppFunctions(text: string): { first: number; last: number }[] {
  const code = blankCpp(text).replace(/^[ \t]*#(?:[^\n]*\\\n)*[^\n]*/gm, (found) => found.replace(/[^\n]/g, ' '));
  const found: { first: number; last: number }[] = [];
  let depth = 0;
  let headStart = 0;
  let functionStart = -1;
  let functionDepth = 0;
  for (let index = 0; index < code.length; index++) {
    const character = code[index];
    if (character === '{') {
      if (functionStart === -1 && isFunctionHead(code.slice(headStart, index))) {
        functionStart = headStart + code.slice(headStart).search(/\S/);
        functionDepth = depth;
      }
      depth++;
    } else if (character === '}') {
      depth--;
      if (functionStart !== -1 && depth === functionDepth) {
        found.push({ first: lineOf(code, functionStart), last: lineOf(code, index) });
        functionStart = -1;
      }
    }
    if (character === '{' || character === '}' || character === ';') headStart = index + 1;
  }
  return found;
}

/** What stands between the last statement and a `{`: a function has a parameter list, a table or a type has none. */
function isFunctionHead(head: string): boolean {
  if (!head.includes('(')) return false;
  let flat = head.replace(/\boperator\s*[^\s\w(]+/g, 'operator');
  for (let before = ''; before !== flat;) {
    before = flat;
    flat = flat.replace(/\([^()]*\)|\[[^[\]]*\]|<[^<>]*>/g, ' ');
  }
  return !/\b(?:namespace|class|struct|enum|union)\b|=/.test(flat);
}
