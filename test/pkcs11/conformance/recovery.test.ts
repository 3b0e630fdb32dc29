/** What happens to requests when sessions, logins, tokens or whole modules go away. */
import { beforeEach, expect, it, vi } from 'vitest';
import type { Pkcs11Error, Pkcs11Token } from '../../../src/pkcs11/token.ts';
import { describeTokens, type Bench } from './suite.ts';

const ID = Buffer.from('root');
const AAD = Buffer.alloc(0);

describeTokens('a token in trouble', (makeBench) => {
  let bench: Bench;

  beforeEach(() => {
    bench = makeBench();
    return () => bench.end();
  });

  async function openWithKey(options: Parameters<Bench['open']>[0] = {}): Promise<Pkcs11Token> {
    const token = await bench.open(options);
    await token.generateSecretKey({ id: ID, label: 'root', type: 'aesGcm' });
    return token;
  }

  /** Encrypts many times at once and opens all of it; how often the module was asked to. */
  async function useMuch(token: Pkcs11Token, count: number): Promise<void> {
    const plaintexts = Array.from({ length: count }, (_, index) => Buffer.from(`item ${index}`));
    const sealed = await Promise.all(plaintexts.map((plaintext) => token.encryptGcm(ID, plaintext, AAD)));
    const opened = await Promise.all(sealed.map((item) => token.decryptGcm(ID, item, AAD)));
    expect(opened.map(String)).toEqual(plaintexts.map(String));
  }

  it.each([
    ['sessions', 'C_EncryptInit lose-session at 10'],
    ['all sessions', 'C_EncryptInit lose-all-sessions at 10'],
    ['the login', 'C_EncryptInit logout at 10'],
    ['sessions now and then', 'C_*cryptInit lose-session 0.05'],
    ['the device', 'C_EncryptInit fail CKR_DEVICE_ERROR at 10'],
    ['handles of keys', 'C_EncryptInit fail CKR_KEY_HANDLE_INVALID at 10'],
    ['the module', 'C_EncryptInit fail CKR_CRYPTOKI_NOT_INITIALIZED at 10'],
  ])('loses %s and no request', async (_, fault) => {
    const token = await openWithKey();
    bench.faults(fault.replace('C_*crypt', 'C_Encrypt'));
    await useMuch(token, 60);
    expect(bench.counts()['C_EncryptInit']!.faults).toBeGreaterThan(0);
    expect(token.state().circuit).toBe('closed');
  });

  it('logs in again, once for all sessions', async () => {
    const token = await openWithKey({ sessions: 3 });
    bench.faults('C_EncryptInit logout at 5');
    await useMuch(token, 40);
    expect(token.state().logins).toBe(2);
  });

  it('makes no second key when the answer to the first attempt was lost', async () => {
    const token = await bench.open();
    bench.faults('C_GenerateKey lose-answer CKR_DEVICE_ERROR first 1');
    const plan = { id: ID, label: 'root', type: 'aesGcm' } as const;
    await expect(token.generateSecretKey(plan)).rejects.toMatchObject({ reason: 'module', rv: 0x30 });
    expect(await token.findKeys(ID)).toHaveLength(1);
    await expect(token.generateSecretKey(plan)).rejects.toMatchObject({ reason: 'keyExists' });
  });

  it.each(['C_GetAttributeValue lose-session at 1', 'C_GetAttributeValue lose-all-sessions at 1'])(
    'does not say that a key exists which a request made itself before it lost its session (%s)',
    async (fault) => {
      const token = await bench.open();
      bench.faults(fault);
      const plan = { id: ID, label: 'root', type: 'aesGcm' } as const;
      const outcome = await token.generateSecretKey(plan).then(
        () => 'made',
        (error: unknown) => error,
      );
      expect(outcome).toMatchObject({ reason: 'module', rv: 0xb3 });
      expect(await token.findKeys(ID)).toHaveLength(1);
    },
  );

  it('destroys a key though the session is lost after that, and does not say that there was none', async () => {
    const token = await openWithKey();
    // The search for secret keys comes first, then those for the two other classes.
    bench.faults('C_FindObjectsInit lose-session at 2');
    await token.destroyKey(ID);
    expect(bench.counts()['C_FindObjectsInit']!.faults).toBe(1);
    expect(await token.findKeys(ID)).toEqual([]);
  });

  it('does not take keys for missing because the login ended while they were looked for', async () => {
    const token = await openWithKey();
    bench.faults('C_FindObjectsInit logout at 1');
    expect(await token.findKeys(ID)).toHaveLength(1);
    bench.faults('C_FindObjectsInit logout at 1');
    await token.destroyKey(ID);
    expect(await token.findKeys(ID)).toEqual([]);
  });

  it('refuses at once while the token is away, and works when it is back', async () => {
    const token = await openWithKey();
    bench.faults('token absent');
    await expect(token.encryptGcm(ID, ID, AAD)).rejects.toMatchObject({ reason: 'unavailable' });
    expect(token.state().circuit).toBe('open');
    const { C_EncryptInit: before } = bench.counts();
    await expect(token.encryptGcm(ID, ID, AAD)).rejects.toMatchObject({ reason: 'unavailable' });
    expect(bench.counts()['C_EncryptInit']).toEqual(before);
    bench.faults();
    await vi.waitUntil(() => token.state().circuit === 'closed', { timeout: 15_000 });
    await useMuch(token, 5);
  });

  it('waits for a token that is away for a moment', async () => {
    const token = await openWithKey();
    bench.faults('C_EncryptInit fail CKR_DEVICE_REMOVED first 2');
    await useMuch(token, 20);
  });

  it('answers in time when the module hangs, and again when it goes on', async () => {
    const token = await openWithKey({ sessions: 2, timeoutMs: 400 });
    bench.faults('C_EncryptInit hang');
    const reasons = await Promise.all(
      [1, 2, 3].map(() => token.encryptGcm(ID, ID, AAD).catch((error: unknown) => (error as Pkcs11Error).reason)),
    );
    expect(reasons.filter((reason) => reason === 'timedOut' || reason === 'unavailable')).toHaveLength(3);
    bench.faults();
    await vi.waitUntil(() => token.state().circuit === 'closed', { timeout: 15_000 });
    await useMuch(token, 5);
  });

  it('is slow when the module is, and loses nothing', async () => {
    const token = await openWithKey();
    bench.faults('C_EncryptInit delay-ms 5');
    await useMuch(token, 30);
  });

  it('tries a PIN that was changed once and no more', async () => {
    const token = await openWithKey({ sessions: 2 });
    const { C_Login: before } = bench.counts();
    bench.faults('C_EncryptInit logout', 'C_Login fail CKR_PIN_INCORRECT');
    for (let i = 0; i < 5; i++) {
      await expect(token.encryptGcm(ID, ID, AAD)).rejects.toMatchObject({ reason: 'pinRefused', rv: 0xa0 });
    }
    expect(bench.counts()['C_Login']!.calls).toBe(before!.calls + 1);
  });

  it('refuses what exceeds its queue', async () => {
    const token = await openWithKey({ sessions: 1, queueLength: 3 });
    bench.faults('C_EncryptInit delay-ms 20');
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => token.encryptGcm(ID, ID, AAD)));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.length).toBeGreaterThanOrEqual(15);
    for (const { reason } of refused) expect(reason).toMatchObject({ reason: 'queueFull' });
    expect(outcomes.length - refused.length).toBeGreaterThanOrEqual(3);
  });
});
