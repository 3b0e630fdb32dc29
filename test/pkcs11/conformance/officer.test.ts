/** Who logs in as the security officer, and what the officer cannot do. */
import { beforeAll, beforeEach, expect, it } from 'vitest';
import type { Pkcs11Token } from '../../../src/pkcs11/token.ts';
import { describeTokens, type Bench } from './suite.ts';

describeTokens('a token whose security officer logs in', (makeBench) => {
  let bench: Bench;

  beforeAll(() => {
    bench = makeBench();
    return () => bench.end();
  });
  beforeEach(() => bench.faults());

  const openAsOfficer = (pin = bench.softToken.soPin): Promise<Pkcs11Token> =>
    bench.open({ user: 'securityOfficer', pin: Buffer.from(pin), timeoutMs: 2000 });

  it('takes the PIN of the officer, and not that of the user', async () => {
    await expect(openAsOfficer(bench.softToken.pin)).rejects.toMatchObject({ reason: 'pinRefused', rv: 0xa0 });
    const token = await openAsOfficer();
    expect(token.state()).toMatchObject({ circuit: 'closed', logins: 1 });
    expect(await token.generateRandom(16)).toHaveLength(16);
    await token.close();
  });

  it('shows the officer the public keys that the user made, and none of the secret ones', async () => {
    const [pair, secret] = [Buffer.from('pair'), Buffer.from('secret')];
    const user = await bench.open();
    const spki = await user.generateKeyPair({ id: pair, label: '', type: 'p256' });
    await user.generateSecretKey({ id: secret, label: '', type: 'aesGcm' });
    await user.close();

    const officer = await openAsOfficer();
    expect(await officer.exportPublicKey(pair)).toEqual(spki);
    expect(await officer.findKeys()).toMatchObject([{ id: pair, objectClass: 'public' }]);
    await expect(officer.encryptGcm(secret, Buffer.alloc(1), Buffer.alloc(0))).rejects.toMatchObject({
      reason: 'keyNotFound',
    });
    await expect(
      officer.generateSecretKey({ id: Buffer.from('other'), label: '', type: 'aesGcm' }),
    ).rejects.toMatchObject({ rv: 0x101 });
    await officer.close();
  });

  it('has one of the two at a time in one process', async () => {
    const user = await bench.open();
    if (bench.process === 'this') {
      await expect(openAsOfficer()).rejects.toMatchObject({ reason: 'pinRefused', rv: 0x104 });
    } else {
      await (await openAsOfficer()).close();
    }
    await user.close();
    await (await openAsOfficer()).close();
  });

  it('logs the officer in again when the login is gone', async () => {
    const token = await openAsOfficer();
    bench.faults('C_GenerateRandom logout at 1');
    const before = token.state().logins;
    await token.generateRandom(16);
    await token.findKeys();
    expect(token.state().logins).toBe(before + 1);
    await token.close();
  });
});
