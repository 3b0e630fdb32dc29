/** External keys in a token: what is made there, and what a proxy answers when the token does not do as it should. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCore } from '../../src/core/index.ts';
import { openPkcs11Token } from '../../src/pkcs11/index.ts';
import type { Pkcs11Reason } from '../../src/pkcs11/codes.ts';
import { Pkcs11Error, type HsmKeyDescription, type Pkcs11Token } from '../../src/pkcs11/token.ts';
import { createTokenKey, findTokenKey, TokenKey, TokenKeyManager } from '../../src/xks/proxy/token-key.ts';
import { createSoftHsm, missingSoftHsm, type SoftHsm } from '../support/softhsm.ts';
import { PATIENT_MS } from '../support/xks.ts';

const core = loadCore();
const text = Buffer.from('some text');
const nothing = Buffer.alloc(0);

describe.skipIf(missingSoftHsm !== undefined)('over SoftHSM2', () => {
  let hsm: SoftHsm;
  let token: Pkcs11Token;

  beforeAll(async () => {
    hsm = createSoftHsm();
    const { label, pin } = hsm.addToken('external');
    hsm.useInThisProcess();
    token = await openPkcs11Token({
      modulePath: hsm.module,
      token: { label },
      pin: Buffer.from(pin),
      profile: 'softhsm',
      timeoutMs: PATIENT_MS,
    });
  });
  afterAll(async () => {
    await token.close();
    hsm.remove();
  });

  it('a key is made once, stays in the token, sensitive and not extractable, and is found by its whole name', async () => {
    const name = `orders-${'x'.repeat(120)}`;
    await createTokenKey(core, token, name);
    const [made, ...others] = await token.findKeys();
    expect(others).toEqual([]);
    expect(made).toMatchObject({
      label: `keywright xks ${name}`,
      objectClass: 'secret',
      isToken: true,
      isSensitive: true,
      isExtractable: false,
    });
    await expect(createTokenKey(core, token, name)).rejects.toThrow(/^token external has the key orders-x+ already$/);
    await expect(findTokenKey(core, token, name.slice(0, -1))).rejects.toThrow('does not have the key');
    const key = await findTokenKey(core, token, name);
    expect(text.equals((await key.decrypt(await key.encrypt(text, nothing), nothing)) ?? nothing)).toBe(true);
    await token.destroyKey(made?.id ?? nothing);
    expect(await key.isPresent()).toBe(false);
    await expect(key.encrypt(text, nothing)).rejects.toMatchObject({ name: 'KeyNotFoundException' });
  });

  it('is an active key manager, also after its login was renewed, and leaves nothing in the token', async () => {
    const manager = new TokenKeyManager(token);
    const healths = await Promise.all([manager.health(), manager.health(), manager.health()]);
    expect(healths.map(({ healthStatus }) => healthStatus)).toEqual(['ACTIVE', 'ACTIVE', 'ACTIVE']);
    const probes = (await token.findKeys()).filter(({ label }) => label === 'keywright xks health');
    expect(probes.map(({ isToken }) => isToken)).toEqual([false]);
    for (const { id } of probes) await token.destroyKey(id);
    expect((await manager.health()).healthStatus).toBe('ACTIVE');
  });

  it('does not work when its token was closed', async () => {
    const pin = Buffer.from('user-pin-1234');
    const other = await openPkcs11Token({ modulePath: hsm.module, token: { label: 'external' }, pin });
    const manager = new TokenKeyManager(other);
    expect((await manager.health()).healthStatus).toBe('ACTIVE');
    await other.close();
    expect((await manager.health()).healthStatus).toBe('UNAVAILABLE');
  });
});

/** A token of which every call fails, or says what the test wants. */
function brokenToken(reason: Pkcs11Reason, found: readonly Partial<HsmKeyDescription>[] = []): Pkcs11Token {
  const fail = (): Promise<never> => Promise.reject(new Pkcs11Error(reason, 0, 'details of the module'));
  const token: Partial<Record<keyof Pkcs11Token, unknown>> = {
    info: { label: 'broken', manufacturer: 'M', model: 'O', serialNumber: '1' },
    findKeys: () => Promise.resolve(found),
    generateSecretKey: fail,
    encryptGcm: fail,
    decryptGcm: fail,
  };
  return token as unknown as Pkcs11Token;
}

describe('a token that fails', () => {
  const expected: readonly (readonly [Pkcs11Reason, string])[] = [
    ['keyNotFound', 'KeyNotFoundException'],
    ['queueFull', 'ThrottlingException'],
    ['timedOut', 'DependencyTimeoutException'],
    ['tooLong', 'UnsupportedOperationException'],
    ['notOffered', 'UnsupportedOperationException'],
    ['unavailable', 'InternalException'],
    ['closed', 'InternalException'],
    ['pinRefused', 'InternalException'],
    ['module', 'InternalException'],
  ];
  it.each(expected)('%s is %s, without the words of the module', async (reason, name) => {
    const key = new TokenKey(brokenToken(reason), nothing);
    const sealed = { iv: Buffer.alloc(12), ciphertext: text, tag: Buffer.alloc(16), metadata: nothing };
    for (const attempt of [key.encrypt(text, nothing), key.decrypt(sealed, nothing)]) {
      const error: unknown = await attempt.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name, cause: { message: 'details of the module' } });
      expect((error as Error).message).not.toContain('module');
    }
  });

  it.each([
    ['queueFull', 'DEGRADED'],
    ['timedOut', 'UNAVAILABLE'],
    ['unavailable', 'UNAVAILABLE'],
  ] as const)('%s makes its health %s', async (reason, status) => {
    expect((await new TokenKeyManager(brokenToken(reason)).health()).healthStatus).toBe(status);
  });

  const good = {
    objectClass: 'secret',
    keyType: 0x1f,
    isToken: true,
    isSensitive: true,
    isExtractable: false,
  } as const;
  it.each([
    ['can be read', { ...good, isSensitive: false }],
    ['can be exported', { ...good, isExtractable: true }],
    ['ends with the session', { ...good, isToken: false }],
    ['is a generic secret', { ...good, keyType: 0x10 }],
    ['is half a key pair', { ...good, objectClass: 'private' }],
  ] as const)('a key that %s is not served', async (_what, found) => {
    const token = brokenToken('module', [found]);
    await expect(findTokenKey(core, token, 'orders')).rejects.toThrow('is not an AES key that stays there');
    await expect(findTokenKey(core, brokenToken('module', [good]), 'orders')).resolves.toBeInstanceOf(TokenKey);
  });
});

it('a message is plain AES-256-GCM with the additional data as it came, which other proxies can read', async () => {
  const calls: unknown[] = [];
  const sealed = Buffer.concat([Buffer.alloc(12, 1), text, Buffer.alloc(16, 2)]);
  const token = {
    encryptGcm: (...args: unknown[]) => {
      calls.push(args);
      return Promise.resolve(sealed);
    },
  } as unknown as Pkcs11Token;
  const id = Buffer.from('id');
  const { iv, ciphertext, tag, metadata } = await new TokenKey(token, id).encrypt(text, Buffer.from('AAD'));
  expect(calls).toEqual([[id, text, Buffer.from('AAD')]]);
  expect(Buffer.concat([iv, ciphertext, tag])).toEqual(sealed);
  expect(metadata).toHaveLength(0);
});
