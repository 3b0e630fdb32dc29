/** The numbers of tokens are the same on both sides, and errors name them as the standard does. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { BIND_CODES, OPERATION_CODES, PROFILE_CODES, REASON_CODES } from '../../src/pkcs11/codes.ts';
import { errorOf } from '../../src/pkcs11/failure.ts';
import { mechanismName, NO_MECHANISM, returnValueName } from '../../src/pkcs11/names.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const headers = path.dirname(createRequire(import.meta.url).resolve('pkcs11js/package.json'));
const standard = readFileSync(path.join(headers, 'includes/pkcs11/pkcs11t.h'), 'utf8');

/** The members `kName = number` of an enum in C++. */
function membersOf(enumeration: string, header: string): Record<string, number> {
  const text = readFileSync(path.join(ROOT, 'native/pkcs11', header), 'utf8');
  const [, body] = new RegExp(`enum class (?:\\[\\[nodiscard\\]\\] )?${enumeration}[^{]*\\{([^}]*)\\}`).exec(text)!;
  return Object.fromEntries([...body!.matchAll(/k(\w+) = (\d+)/g)].map(([, name, number]) => [name!, Number(number)]));
}

const lowerCased = (members: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(members).map(([name, number]) => [name.toLowerCase(), number]));

describe('numbers of tokens', () => {
  it.each([
    ['Reason', 'failure.h', { none: 0, ...REASON_CODES }],
    ['Operation', 'request.h', OPERATION_CODES],
    ['ProfileCode', 'profile.h', PROFILE_CODES],
    ['Bind', 'module.h', BIND_CODES],
  ] as const)('of %s are the same in C++ and TypeScript', (enumeration, header, codes) => {
    expect(lowerCased(membersOf(enumeration, header))).toEqual(lowerCased(codes));
  });
});

describe('names', () => {
  it.each([
    ['CKR_', returnValueName],
    ['CKM_', mechanismName],
  ] as const)('of %s are those of the standard', (prefix, nameOf) => {
    const defined = [...standard.matchAll(new RegExp(`#define (${prefix}\\w+)\\s+(0x[0-9A-F]+)UL`, 'g'))];
    const names = new Map(defined.map(([, name, value]) => [name, Number(value)]));
    const ours = Array.from({ length: 0x2200 }, (_, value) => nameOf(value) ?? '')
      .map((text) => /^(\w+) \(0x([0-9a-f]+)\)$/.exec(text))
      .filter((match) => match !== null);
    expect(ours.length).toBeGreaterThan(15);
    for (const [, name, value] of ours) {
      // Those of PKCS#11 3.0 and 3.2 are not in the headers of 2.40.
      if (/EDDSA|EDWARDS|KWP|ML_DSA/.test(name!)) continue;
      expect({ name, value: Number(`0x${value!}`) }).toEqual({ name, value: names.get(name) });
    }
  });

  it('of a vendor are told as numbers', () => {
    expect(returnValueName(0x8000_6b77)).toBe('CKR_0x80006b77');
    expect(mechanismName(NO_MECHANISM)).toBeUndefined();
  });

  it('are in the text of an error', () => {
    const error = errorOf(Uint32Array.of(REASON_CODES.module, 0x30, 0x1087), '/lib/hsm.so', 'encryptGcm');
    expect(error).toMatchObject({ reason: 'module', rv: 0x30 });
    expect(error.message).toBe(
      'PKCS#11 module /lib/hsm.so, encryptGcm: the module refused (CKM_AES_GCM (0x1087), CKR_DEVICE_ERROR (0x30))',
    );
  });
});
