import { describe, expect, it } from 'vitest';
import { measureToken } from '../../src/hsm/benchmark/measure-token.ts';
import type { Pkcs11Reason } from '../../src/pkcs11/codes.ts';
import { Pkcs11Error, type Pkcs11Token } from '../../src/pkcs11/token.ts';

const PLAN = { inFlight: [1, 3], milliseconds: 1 };

/** A token that counts its keys, and refuses calls of one name, from the n-th on. */
function countingToken(refused = '', reason: Pkcs11Reason = 'notOffered', from = 1) {
  const keys = new Set<string>();
  let calls = 0;
  const token = new Proxy({} as Pkcs11Token, {
    get: (_target, name) => async (argument: unknown) => {
      await Promise.resolve();
      if (name === refused && ++calls >= from) throw new Pkcs11Error(reason, 0, 'no');
      if (name === 'generateSecretKey' || name === 'generateKeyPair') {
        const plan = argument as { id: Buffer; isSession?: boolean };
        if (plan.isSession !== true) throw new Error('the key would stay');
        keys.add(plan.id.toString('hex'));
      }
      if (name === 'destroyKey' && !keys.delete((argument as Buffer).toString('hex'))) {
        throw new Pkcs11Error('keyNotFound', 0, 'no');
      }
      return Buffer.alloc(32);
    },
  });
  return { token, keys };
}

describe('measureToken', () => {
  it('measures with keys of the session and destroys them', async () => {
    const { token, keys } = countingToken();
    const rows = await measureToken(token, PLAN);
    expect(rows.every((row) => 'opsPerSecond' in row && row.opsPerSecond > 0)).toBe(true);
    expect(rows.filter(({ operation }) => operation.startsWith('ECDSA'))).toHaveLength(2);
    expect(keys.size).toBe(0);
  });

  it('says what a token does not offer, and goes on', async () => {
    const { token, keys } = countingToken('generateMac');
    const rows = await measureToken(token, PLAN);
    expect(rows.filter((row) => 'reason' in row)).toEqual([{ operation: 'HMAC-SHA-256, 32 B', reason: 'notOffered' }]);
    expect(rows.at(-1)).toHaveProperty('opsPerSecond');
    expect(keys.size).toBe(0);
  });

  it.each(['unavailable', 'timedOut'] as const)('ends when the token is %s, and destroys its keys', async (reason) => {
    const { token, keys } = countingToken('decryptGcm', reason);
    await expect(measureToken(token, PLAN)).rejects.toMatchObject({ reason });
    expect(keys.size).toBe(0);
  });

  it('ends when a call fails amid a measurement', async () => {
    const { token, keys } = countingToken('sign', 'module', 20);
    await expect(measureToken(token, PLAN)).rejects.toMatchObject({ reason: 'module' });
    expect(keys.size).toBe(0);
  });
});
