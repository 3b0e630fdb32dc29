/** The root key in a token: what a store under it promises, and how the commands move it there and back. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Engine, type EngineOptions } from '../../src/engine/engine.ts';
import { TokenRootKeyProvider } from '../../src/hsm/token-root-key.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { openPkcs11Token } from '../../src/pkcs11/index.ts';
import type { Pkcs11Token } from '../../src/pkcs11/token.ts';
import { runKeywright } from '../support/server-process.ts';
import { createSoftHsm, missingSoftHsm, type SoftHsm } from '../support/softhsm.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const PIN = 'root-key-pin';
const CLUSTER = 'cluster-aaaaaaaaaaa';
const context = { caller: rootOf('111122223333'), region: 'eu-central-1' };

describe.skipIf(missingSoftHsm !== undefined)('over SoftHSM2', () => {
  let hsm: SoftHsm;
  let folder: ReturnType<typeof temporaryFolder>;

  beforeAll(() => {
    hsm = createSoftHsm();
    for (const label of ['root', 'other', 'left', 'right']) hsm.addToken(label, { pin: PIN });
    hsm.useInThisProcess();
  });
  afterAll(() => {
    hsm.remove();
  });
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => {
    folder.remove();
  });

  const openToken = (label: string, pin = PIN): Promise<Pkcs11Token> =>
    openPkcs11Token({ modulePath: hsm.module, token: { label }, pin: Buffer.from(pin), profile: 'softhsm' });

  const openEngine = (label: string, pin?: string): Promise<Engine> => {
    const options: EngineOptions = {
      dataDirectory: folder.path,
      regions: [context.region],
      rootKeyProviders: [new TokenRootKeyProvider(() => openToken(label, pin))],
      firstRootKey: 'pkcs11',
    };
    return Engine.open(options);
  };

  async function encrypt(engine: Engine): Promise<Uint8Array> {
    const { KeyMetadata } = await engine.call('CreateKey', {}, context);
    const input = { KeyId: KeyMetadata.KeyId, Plaintext: Buffer.from('secret') };
    return (await engine.call('Encrypt', input, context)).CiphertextBlob;
  }

  async function decrypt(engine: Engine, CiphertextBlob: Uint8Array): Promise<string> {
    const { Plaintext } = await engine.call('Decrypt', { CiphertextBlob }, context);
    return Buffer.from(Plaintext ?? []).toString();
  }

  it('is made by the first start, sensitive and not extractable, and opens the store again', async () => {
    const first = await openEngine('root');
    const blob = await encrypt(first);
    await first.close();
    const token = await openToken('root');
    const keys = await token.findKeys();
    await token.close();
    expect(keys).toHaveLength(1);
    expect(keys[0]).toMatchObject({ isToken: true, isSensitive: true, isExtractable: false });
    const second = await openEngine('root');
    expect(await decrypt(second, blob)).toBe('secret');
    await second.close();
  });

  it('does not open the store with another token, or a wrong PIN, and says why', async () => {
    await (await openEngine('root')).close();
    await expect(openEngine('other')).rejects.toThrow('it has no key with the id');
    await expect(openEngine('root', 'wrong-pin')).rejects.toThrow('the HSM of the root key cannot be used');
  });

  it('moves from the passphrase file to the token and back by command', async () => {
    const environment = {
      ...hsm.environment,
      KEYWRIGHT_DATA: folder.path,
      KEYWRIGHT_PKCS11_MODULE: hsm.module,
      KEYWRIGHT_PKCS11_TOKEN_LABEL: 'root',
      KEYWRIGHT_PKCS11_PIN: PIN,
      KEYWRIGHT_PKCS11_PROFILE: 'softhsm',
    };
    const before = await Engine.open({ dataDirectory: folder.path, regions: [context.region] });
    const blob = await encrypt(before);
    const run = (...args: string[]): ReturnType<typeof runKeywright> => runKeywright(folder.path, args, environment);
    // The engine is at work meanwhile.
    expect((await run('root-key', 'status')).stdout).toContain('version 1, passphrase-file');
    const moved = await run('root-key', 'move', '--to', 'pkcs11');
    expect(moved).toMatchObject({ status: 0, stderr: '' });
    expect(moved.stdout).toContain('version 2, pkcs11');
    expect(await decrypt(before, blob)).toBe('secret');
    await before.close();
    const inToken = await openEngine('root');
    expect(await decrypt(inToken, blob)).toBe('secret');
    await inToken.close();
    expect((await run('root-key', 'move', '--to', 'passphrase-file')).stdout).toContain('version 3, passphrase-file');
    const after = await Engine.open({ dataDirectory: folder.path, regions: [context.region] });
    expect(await decrypt(after, blob)).toBe('secret');
    await after.close();
  });

  it('tells how a command is used that cannot be', async () => {
    const run = (...args: string[]): ReturnType<typeof runKeywright> => runKeywright(folder.path, args);
    expect(await run('root-key')).toMatchObject({ status: 64 });
    expect((await run('root-key', 'move', '--to', 'paper')).stderr).toContain('passphrase-file or pkcs11');
    expect((await run('root-key', '--help')).stdout).toContain('root-key move --to');
  });

  it('gives two tokens one wrapping key by command, and knows it when it is there', async () => {
    const file = join(folder.path, 'clusters.yaml');
    const members = ['left', 'right'].map((label) => `      - { module: ${hsm.module}, tokenLabel: ${label} }\n`);
    writeFileSync(
      file,
      `clusters:\n  - clusterId: ${CLUSTER}\n    profile: softhsm\n    members:\n${members.join('')}`,
    );
    const environment = { ...hsm.environment, KEYWRIGHT_PKCS11_PIN: PIN, KEYWRIGHT_HSM_CLUSTERS: file };
    const run = (id: string): ReturnType<typeof runKeywright> =>
      runKeywright(folder.path, ['hsm', 'join-cluster', '--cluster', id], environment);
    expect((await run(CLUSTER)).stdout).toContain('the wrapping key is in place');
    expect((await run(CLUSTER)).stdout).toContain('already');
    expect(await run('cluster-bbbbbbbbbbb')).toMatchObject({ status: 64 });
  });
});
