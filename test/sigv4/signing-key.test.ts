import { describe, expect, it } from 'vitest';
import type { CryptoCore, KeyHandle } from '../../src/core/crypto-core.ts';
import { deriveSigningKey, parseCredential, SigningKeys } from '../../src/sigv4/index.ts';
import {
  ACCESS_KEY_ID,
  core,
  credentialOf,
  importSecret,
  MISMATCH,
  NOW_MS,
  SECRET,
  setUp,
  type Setup,
  signed,
} from './fixture.ts';

/** The core, with every call that verification makes counted, and every derived key remembered. */
function watchedCore(): { watched: CryptoCore; calls: string[]; derived: KeyHandle[] } {
  const calls: string[] = [];
  const derived: KeyHandle[] = [];
  const watched = new Proxy(core, {
    get(target, name: keyof CryptoCore) {
      const member = target[name];
      return (...args: unknown[]): unknown => {
        calls.push(name);
        const result: unknown = Reflect.apply(member, target, args);
        if (name === 'deriveHmacKey') derived.push(result as KeyHandle);
        return result;
      };
    },
  });
  return { watched, calls, derived };
}

function isAlive(key: KeyHandle): boolean {
  try {
    core.hmac(key, 'SHA-256', new Uint8Array(1));
    return true;
  } catch {
    return false;
  }
}

function setUpWatched(capacity?: number): Setup & { calls: string[]; derived: KeyHandle[]; keys: SigningKeys } {
  const { watched, calls, derived } = watchedCore();
  const keys = new SigningKeys(watched, capacity);
  return { ...setUp({ signingKeys: keys }, watched), calls, derived, keys };
}

describe('deriveSigningKey', () => {
  // The worked example "Deriving the signing key" of the AWS documentation shows the kSigning of this secret and scope.
  it('derives the key of the published example', () => {
    const key = deriveSigningKey(core, importSecret(SECRET), { date: '20150830', region: 'us-east-1', service: 'iam' });
    const published = core.importKey(
      'hmac',
      Buffer.from('c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9', 'hex'),
    );
    const data = Buffer.from('any');
    expect(core.hmac(key, 'SHA-256', data)).toEqual(core.hmac(published, 'SHA-256', data));
  });

  it('leaves only its result alive', () => {
    const { watched, derived } = watchedCore();
    const scope = { date: '20150830', region: 'us-east-1', service: 'kms' };
    const key = deriveSigningKey(watched, importSecret(SECRET), scope);
    expect(derived.filter(isAlive)).toEqual([key]);
    expect(derived).toHaveLength(4);
  });

  it('leaves nothing alive when a step fails', () => {
    const { watched, derived } = watchedCore();
    let steps = 0;
    const failing: CryptoCore = new Proxy(watched, {
      get(target, name: keyof CryptoCore) {
        if (name === 'deriveHmacKey' && (steps += 1) === 3) throw new Error('out of secure memory');
        return target[name];
      },
    });
    const scope = { date: '20150830', region: 'us-east-1', service: 'kms' };
    expect(() => deriveSigningKey(failing, importSecret(SECRET), scope)).toThrow('out of secure memory');
    expect(derived).toHaveLength(2);
    expect(derived.filter(isAlive)).toEqual([]);
  });
});

describe('SigningKeys', () => {
  it('derives once per access key, day and Region', () => {
    const { verify, calls, keys } = setUpWatched();
    const derivations = (): number => calls.filter((name) => name === 'deriveHmacKey').length;
    for (let round = 0; round < 3; round += 1) expect(verify(signed()).ok).toBe(true);
    expect(derivations()).toBe(4);
    expect(verify(signed({ scope: '20150830/eu-west-1/kms/aws4_request' })).ok).toBe(true);
    expect(derivations()).toBe(8);
    expect(keys.size).toBe(2);
  });

  it('does one digest of the body, one of the request and one verification when the key is there', () => {
    const { verify, calls } = setUpWatched();
    verify(signed());
    calls.length = 0;
    verify(signed());
    expect(calls).toEqual(['digest', 'digest', 'hmacVerify']);
  });

  it('keeps no key that verified nothing', () => {
    const { verify, keys, derived } = setUpWatched();
    for (const changes of [{ secret: 'x' }, { accessKeyId: 'AKIAUNKNOWN' }]) {
      expect(verify(signed(changes)).ok).toBe(false);
    }
    expect(keys.size).toBe(0);
    expect(derived.filter(isAlive)).toEqual([]);
  });

  it('puts the least recently used out and destroys it', () => {
    const { verify, keys, derived } = setUpWatched(2);
    const at = (day: number): boolean => {
      const timestamp = `2015083${day}T123600Z`;
      const headers = [['Host', 'a'] as const, ['X-Amz-Date', timestamp] as const];
      const nowMs = NOW_MS + day * 86_400_000;
      return verify(signed({ headers, timestamp, scope: `2015083${day}/us-east-1/kms/aws4_request` }), { nowMs }).ok;
    };
    const other = (): boolean => verify(signed({ scope: '20150830/eu-west-1/kms/aws4_request' })).ok;
    expect([at(0), at(1), at(0)]).toEqual([true, true, true]);
    const [keyOf0, keyOf1] = [derived[3], derived[7]];
    expect(other()).toBe(true);
    expect(keys.size).toBe(2);
    expect([keyOf0, keyOf1].map((key) => key !== undefined && isAlive(key))).toEqual([true, false]);
    expect(at(1)).toBe(true);
    expect(derived.filter(isAlive)).toHaveLength(2);
  });

  it('follows a secret that changes under the same id', () => {
    const { store, verify, keys, derived } = setUpWatched();
    expect(verify(signed()).ok).toBe(true);
    store.set(ACCESS_KEY_ID, credentialOf(importSecret('rotated')));
    expect(verify(signed())).toMatchObject({ ok: false, error: { message: MISMATCH } });
    expect(derived.filter(isAlive)).toEqual([]);
    expect(verify(signed({ secret: 'rotated' })).ok).toBe(true);
    expect(keys.size).toBe(1);
    expect(derived.filter(isAlive)).toHaveLength(1);
  });

  it('forgets one access key, in all its Regions, and no other', () => {
    const { store, verify, keys, derived } = setUpWatched();
    store.set('AKIAOTHER', credentialOf(importSecret(SECRET), { accessKeyId: 'AKIAOTHER' }));
    verify(signed());
    verify(signed({ scope: '20150830/eu-west-1/kms/aws4_request' }));
    verify(signed({ accessKeyId: 'AKIAOTHER' }));
    expect(keys.size).toBe(3);
    keys.forget(ACCESS_KEY_ID);
    expect(keys.size).toBe(1);
    expect(derived.filter(isAlive)).toHaveLength(1);
  });

  it('destroys all at the end, and verifies nothing afterwards', () => {
    const { verify, keys, derived } = setUpWatched();
    verify(signed());
    keys.destroy();
    expect(derived.filter(isAlive)).toEqual([]);
    expect(() => verify(signed())).toThrow('destroyedKey');
  });

  it('verifies nothing without a secret', () => {
    const { keys } = setUpWatched();
    const scope = parseCredential(`${ACCESS_KEY_ID}/20150830/us-east-1/kms/aws4_request`);
    expect(scope).toBeDefined();
    const request = {
      scope: scope!,
      secret: undefined,
      stringToSign: new Uint8Array(1),
      signature: new Uint8Array(32),
    };
    expect(keys.verify(request)).toBe(false);
  });

  it('lets nobody in through the decoy, whatever the core answers', () => {
    const gullible = new Proxy(watchedCore().watched, {
      get: (target, name: keyof CryptoCore) => (name === 'hmacVerify' ? () => true : target[name]),
    });
    const { options } = setUp({}, gullible);
    const { verify } = setUp({ ...options, credentials: () => undefined }, gullible);
    expect(verify(signed())).toMatchObject({ ok: false, error: { name: 'UnrecognizedClientException' } });
    expect(options.signingKeys.size).toBe(0);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses a capacity of %d', (capacity) => {
    expect(() => new SigningKeys(core, capacity)).toThrow(RangeError);
  });
});

describe('the work of a refusal', () => {
  it('is the same for keys that are unknown, inactive, known with their signing key, and known without', () => {
    const { store, verify, calls } = setUpWatched();
    store.set('AKIACOLD', credentialOf(importSecret(SECRET), { accessKeyId: 'AKIACOLD' }));
    store.set('AKIAINACTIVE', credentialOf(importSecret(SECRET), { accessKeyId: 'AKIAINACTIVE', isActive: false }));
    verify(signed());
    const work = (accessKeyId: string, secret = 'wrong'): string => {
      calls.length = 0;
      expect(verify(signed({ accessKeyId, secret })).ok).toBe(false);
      return calls.join(' ');
    };
    const expected = 'digest digest hmacVerify deriveHmacKey deriveHmacKey deriveHmacKey deriveHmacKey hmacVerify';
    expect(work(ACCESS_KEY_ID)).toBe(expected);
    expect(work('AKIACOLD')).toBe(expected);
    expect(work('AKIAINACTIVE')).toBe(expected);
    expect(work('AKIAINACTIVE', SECRET)).toBe(expected);
    expect(work('AKIAUNKNOWN')).toBe(expected);
    // Again: a refusal leaves nothing behind that a second one could be told by.
    expect(work('AKIACOLD')).toBe(expected);
    expect(work('not an id')).toBe(expected);
  });
});
