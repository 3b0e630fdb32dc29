/** That the self test finds what a module does wrong: SoftHSM2 behind functions that lie. */
import { createRequire } from 'node:module';
import type * as pkcs11js from 'pkcs11js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSelfTest, type CheckResult } from '../../src/hsm/provisioning/self-test.ts';
import { createSoftHsm, missingSoftHsm, type SoftHsm } from '../support/softhsm.ts';

type Functions = pkcs11js.PKCS11;
/** The functions that lies are about, in the form that waits for the answer. */
type Waiting = 'C_Encrypt' | 'C_Decrypt' | 'C_Sign' | 'C_Verify' | 'C_WrapKey' | 'C_SignInit' | 'C_GenerateKeyPair';
type Call = (...args: readonly unknown[]) => unknown;

describe.skipIf(missingSoftHsm)(missingSoftHsm ?? 'the self test of a module that lies', () => {
  const exports = createRequire(import.meta.url)('pkcs11js') as { PKCS11: new () => Functions };
  const Honest = exports.PKCS11;
  let softHsm: SoftHsm;
  let pin: string;

  beforeAll(() => {
    softHsm = createSoftHsm();
    ({ pin } = softHsm.addToken('keys'));
    softHsm.useInThisProcess();
  });
  afterAll(() => {
    exports.PKCS11 = Honest;
    softHsm.remove();
  });

  /** Runs the self test with one function of the module replaced; the results by name. */
  function testWith(name: Waiting, lie: (honest: Call) => Call): ReadonlyMap<string, CheckResult> {
    exports.PKCS11 = class extends Honest {
      constructor() {
        super();
        const honest = this[name].bind(this) as Call;
        Object.assign(this, { [name]: lie(honest) });
      }
    };
    const results = runSelfTest({ modulePath: softHsm.module }, { tokenLabel: 'keys' }, pin);
    return new Map(results.map((result) => [result.name, result]));
  }

  /** Turns the first bit of every answer over. */
  const spoil =
    (honest: Call): Call =>
    (...args) => {
      const answer = honest(...args) as Buffer;
      answer.writeUInt8(answer.readUInt8(0) ^ 0x80);
      return answer;
    };

  const refuse = (name: string, code: number) => (): Call => () => {
    throw Object.assign(new Error(name), { code });
  };

  it('finds nothing wrong without a lie', () => {
    const results = [...testWith('C_Sign', (honest) => honest).values()];
    expect(results.filter(({ outcome }) => outcome === 'FAILED')).toEqual([]);
    expect(results.filter(({ outcome }) => outcome === 'ok').length).toBeGreaterThan(15);
  });

  it('finds an encryption that gives something else', () => {
    const results = testWith('C_Encrypt', spoil);
    expect(results.get('AES-256-GCM')).toMatchObject({ outcome: 'FAILED', detail: 'not the known answer' });
    expect(results.get('AES-KW')).toMatchObject({ outcome: 'ok' });
  });

  it('finds a decryption that gives something else', () => {
    const results = testWith('C_Decrypt', spoil);
    expect(results.get('AES-256-GCM')).toMatchObject({ outcome: 'FAILED', detail: 'does not open the known answer' });
    expect(results.get('RSA-OAEP-SHA-1')).toMatchObject({ outcome: 'FAILED' });
  });

  it('finds a decryption that takes what was tampered with', () => {
    const results = testWith('C_Decrypt', (honest) => (...args) => {
      try {
        return honest(...args);
      } catch {
        return args[2];
      }
    });
    expect(results.get('AES-256-GCM')).toMatchObject({ outcome: 'FAILED', detail: 'decrypts what was tampered with' });
  });

  it.each(['HMAC-SHA-256', 'RSA-PSS SHA-256', 'RSA PKCS#1 v1.5 SHA-256', 'ECDSA P-384', 'Ed25519'])(
    'finds a wrong %s',
    (name) => {
      const { outcome, detail } = testWith('C_Sign', spoil).get(name)!;
      expect(outcome).toBe('FAILED');
      expect(detail).toContain('node:crypto');
    },
  );

  it('finds a verification that takes every MAC', () => {
    const results = testWith('C_Verify', (honest) => (...args) => {
      try {
        return honest(...args);
      } catch {
        return true;
      }
    });
    expect(results.get('HMAC-SHA-512')).toMatchObject({ outcome: 'FAILED', detail: 'verifies a wrong MAC' });
  });

  it('finds wrapped keys that others cannot read', () => {
    const { outcome, detail } = testWith('C_WrapKey', spoil).get('AES-KW')!;
    expect(outcome).toBe('FAILED');
    // SoftHSM2 itself refuses what it no longer recognises.
    expect(detail).toMatch(/^CKR_/);
  });

  it('tells a mechanism that is not listed from one that is refused, and from one that does not work', () => {
    const refused = testWith('C_SignInit', refuse('CKR_MECHANISM_PARAM_INVALID', 0x71));
    expect(refused.get('RSA-PSS SHA-256')).toEqual({
      name: 'RSA-PSS SHA-256',
      mechanism: 'CKM_RSA_PKCS_PSS',
      outcome: 'refused',
      detail: 'CKR_MECHANISM_PARAM_INVALID',
    });
    expect(refused.get('ML-DSA-44')).toEqual({
      name: 'ML-DSA-44',
      mechanism: 'CKM_ML_DSA',
      outcome: 'not offered',
    });
    const broken = testWith('C_SignInit', refuse('CKR_DEVICE_ERROR', 0x30));
    expect(broken.get('ECDSA P-256')).toMatchObject({ outcome: 'FAILED', detail: 'CKR_DEVICE_ERROR' });
    const dead = testWith('C_GenerateKeyPair', refuse('CKR_DEVICE_ERROR', 0x30));
    expect(dead.get('ECDSA P-256')).toMatchObject({ outcome: 'FAILED', detail: 'CKR_DEVICE_ERROR' });
    const unwilling = testWith('C_GenerateKeyPair', refuse('CKR_VENDOR_DEFINED', 0x209));
    expect(unwilling.get('ECDSA P-256')).toMatchObject({
      outcome: 'refused',
      detail: 'makes no key for it: CKR_PARAMETER_SET_NOT_SUPPORTED',
    });
  });
});
