/** What a token does when nothing goes wrong, and what it says of arguments that are wrong. */
import { randomBytes } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import { loadCore } from '../../../src/core/index.ts';
import { Pkcs11Error, type Pkcs11Token } from '../../../src/pkcs11/token.ts';
import { describeTokens, type Bench } from './suite.ts';

const AAD = Buffer.from('context');
const NOTHING = Buffer.alloc(0);

describeTokens('a token', (makeBench) => {
  let bench: Bench;
  let token: Pkcs11Token;
  let serial = 0;

  beforeAll(async () => {
    bench = makeBench();
    token = await bench.open();
    return () => bench.end();
  });

  async function makeKey(isSession = true): Promise<Buffer> {
    const id = Buffer.from(`key ${serial++}`);
    await token.generateSecretKey({ id, label: 'a key', type: 'aesGcm', isSession });
    return id;
  }

  it('tells what it is', () => {
    expect(token.info).toMatchObject({ label: 'bench', slotId: bench.softToken.slot, profile: 'softhsm' });
    expect(token.info.mechanisms).toContain(0x1087);
    expect(token.state()).toEqual({ circuit: 'closed', sessions: 4, active: 0, queued: 0, logins: 1 });
  });

  it('gives random bytes', async () => {
    const [a, b] = await Promise.all([token.generateRandom(32), token.generateRandom(32)]);
    expect(a).toHaveLength(32);
    expect(a.equals(b)).toBe(false);
  });

  it('encrypts and decrypts with a key that it made', async () => {
    const id = await makeKey();
    const plaintext = Buffer.from('plaintext');
    const sealed = await token.encryptGcm(id, plaintext, AAD);
    expect(sealed).toHaveLength(12 + plaintext.length + 16);
    expect(await token.decryptGcm(id, sealed, AAD)).toEqual(plaintext);
    await expect(token.decryptGcm(id, sealed, NOTHING)).rejects.toMatchObject({ reason: 'authenticationFailed' });
  });

  it('copies what it is given before it returns', async () => {
    const id = await makeKey();
    const plaintext = Buffer.from('before');
    const pending = token.encryptGcm(id, plaintext, AAD);
    plaintext.write('after!');
    expect(String(await token.decryptGcm(id, await pending, AAD))).toBe('before');
  });

  it('answers each of many requests that are made at once, whatever their sizes', async () => {
    const id = await makeKey();
    const plaintexts = [0, 1, 60_000, 70_000, 3, 65_536, 200_000, 17].map((length) => randomBytes(length));
    const all = await Promise.all(plaintexts.map((plaintext) => token.encryptGcm(id, plaintext, AAD)));
    const [refusal, ...opened] = await Promise.all([
      token.decryptGcm(id, Buffer.alloc(40), AAD).catch((error: unknown) => (error as Pkcs11Error).reason),
      ...all.map((sealed) => token.decryptGcm(id, sealed, AAD)),
    ]);
    expect(refusal).toBe('authenticationFailed');
    opened.forEach((output, index) => expect(output.equals(plaintexts[index]!)).toBe(true));
  });

  it('refuses what is too much of the requests that are made at once, and does the others', async () => {
    // In a helper they may come one by one, and the first be done when the last comes.
    if (bench.process === 'helper') return;
    const small = await bench.open({ sessions: 1, queueLength: 3 });
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => small.generateRandom(16)));
    const outcomes = results.map((result) =>
      result.status === 'fulfilled' ? result.value.length : (result.reason as Pkcs11Error).reason,
    );
    expect(outcomes).toEqual([16, 16, 16, ...Array.from({ length: 5 }, () => 'queueFull')]);
    await small.close();
  });

  it('does what was asked of it before it is closed, or says that it is closed', async () => {
    const closing = await bench.open();
    const asked = Promise.allSettled([closing.generateRandom(8), closing.generateRandom(8)]);
    const closed = closing.close();
    const late = Promise.allSettled([closing.generateRandom(8)]);
    for (const result of await asked) {
      if (result.status === 'fulfilled') expect(result.value).toHaveLength(8);
      else expect(result.reason).toMatchObject({ reason: 'closed' });
    }
    expect(await late).toMatchObject([{ status: 'rejected', reason: { reason: 'closed' } }]);
    await closed;
  });

  it('keeps the order of a batch that is cut, with errors in the places of what does not open', async () => {
    const id = await makeKey();
    const plaintexts = Array.from({ length: 200 }, (_, index) => Buffer.from(`item ${index}`));
    const sealed = await token.encryptGcmBatch(id, plaintexts, AAD);
    const broken = sealed.map((item, index) => (index % 67 === 0 ? Buffer.alloc(40) : item));
    const opened = await token.decryptGcmBatch(id, broken, AAD);
    opened.forEach((item, index) => {
      if (index % 67 === 0) expect(item).toMatchObject({ reason: 'authenticationFailed' });
      else expect(item).toEqual(plaintexts[index]);
    });
    expect(await token.encryptGcmBatch(id, [], AAD)).toEqual([]);
  });

  it('seals and opens keys of the core where the module is in the same process', async () => {
    const core = loadCore('napi');
    const id = await makeKey();
    const key = core.generateKey('aesGcm', 32);
    if (bench.process === 'helper') {
      // They would have to leave this process.
      await expect(token.sealKey(id, key, AAD)).rejects.toMatchObject({ reason: 'notOffered' });
      await expect(token.openKey(id, AAD, AAD, 'aesGcm')).rejects.toMatchObject({ reason: 'notOffered' });
      return;
    }
    const sealed = await token.sealKey(id, key, AAD);
    const opened = await token.openKey(id, sealed, AAD, 'aesGcm');
    const message = core.encrypt(key, Buffer.from('hello'), AAD);
    expect(String(core.decrypt(opened, message, AAD))).toBe('hello');
    await expect(token.openKey(id, sealed, NOTHING, 'aesGcm')).rejects.toMatchObject({
      reason: 'authenticationFailed',
    });
    await expect(token.openKey(id, await token.encryptGcm(id, NOTHING, AAD), AAD, 'aesGcm')).rejects.toMatchObject({
      reason: 'authenticationFailed',
    });
  });

  it('finds and destroys keys', async () => {
    const id = await makeKey(false);
    expect(await token.findKeys(id)).toMatchObject([{ id, label: 'a key', objectClass: 'secret', isToken: true }]);
    await token.destroyKey(id);
    expect(await token.findKeys(id)).toEqual([]);
    await expect(token.encryptGcm(id, NOTHING, NOTHING)).rejects.toMatchObject({ reason: 'keyNotFound' });
  });

  it('refuses an id that is taken', async () => {
    const id = await makeKey();
    await expect(token.generateSecretKey({ id, label: '', type: 'aesGcm', isSession: true })).rejects.toMatchObject({
      reason: 'keyExists',
    });
  });

  it.each([
    ['bytes of random', () => token.generateRandom(-1)],
    ['an id of nothing', () => token.encryptGcm(NOTHING, NOTHING, NOTHING)],
    ['a plaintext that is text', () => token.encryptGcm(AAD, 'text' as unknown as Uint8Array, NOTHING)],
    ['a type that is none', () => token.generateSecretKey({ id: AAD, label: '', type: 'x' as 'hmac' })],
  ])('refuses %s', async (_, call) => {
    await expect(call()).rejects.toMatchObject({ reason: 'invalidArgument' });
  });

  it('refuses to seal what is no key', async () => {
    const reason = bench.process === 'helper' ? 'notOffered' : 'invalidArgument';
    await expect(token.sealKey(AAD, {} as never, NOTHING)).rejects.toMatchObject({ reason });
  });

  it.each([
    ['pinRefused', 0xa0, { pin: Buffer.from('wrong pin') }],
    ['noToken', 0, { token: { label: 'nobody' } }],
    ['noToken', 3, { token: { slotId: 999_999 } }],
    ['noModule', 0, { modulePath: '/nonexistent/module.so' }],
    ['noModule', 0, { modulePath: process.execPath }],
    ['invalidArgument', 0, { sessions: 0 }],
    ['invalidArgument', 0, { token: { label: '' } }],
  ] as const)('is not opened: %s (%i)', async (reason, rv, options) => {
    if (reason === 'pinRefused') await token.close(); // one login is for all sessions of a process
    const error: unknown = await bench.open(options).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Pkcs11Error);
    expect(error).toMatchObject({ reason, rv });
    if (reason === 'pinRefused') token = await bench.open();
  });

  it('answers everything before it is closed, and nothing after', async () => {
    const other = await bench.open({ token: { slotId: bench.softToken.slot } });
    const outcomes = Promise.allSettled(Array.from({ length: 50 }, () => other.generateRandom(8)));
    await Promise.all([other.close(), other.close()]);
    for (const outcome of await outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ reason: 'closed' });
      else expect(outcome.value).toHaveLength(8);
    }
    await expect(other.generateRandom(8)).rejects.toMatchObject({ reason: 'closed' });
  });
});
