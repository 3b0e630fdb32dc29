/** Software keys of the proxy at rest, and as AES-GCM under a key for every message. */
import { createDecipheriv, createHmac } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RootKey } from '../../src/base/root-key.ts';
import { loadCore } from '../../src/core/index.ts';
import { createKeyFile, KeyFileError, readKeyFile, SoftwareKey } from '../../src/xks/proxy/software-key.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const core = loadCore();

function rootKey(): RootKey {
  const handle = core.generateKey('backing');
  return {
    version: 1,
    wrap: (key, aad) => core.wrapKey(handle, key, aad),
    unwrap: (wrapped, aad) => core.unwrapKey(handle, wrapped, aad, 'backing'),
  };
}

const root = rootKey();
const text = Buffer.from('some text');
const nothing = Buffer.alloc(0);

let folder: ReturnType<typeof temporaryFolder>;
let path: string;

beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder.path, 'key.json');
});

afterEach(() => {
  folder.remove();
});

it('a key file gives the key back, under its id and root key only', async () => {
  await createKeyFile(core, root, path, 'orders');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const sealed = new SoftwareKey(core, await readKeyFile(root, path, 'orders')).encrypt(text, nothing);
  const again = new SoftwareKey(core, await readKeyFile(root, path, 'orders'));
  expect(text.equals(again.decrypt(sealed, nothing) ?? nothing)).toBe(true);
  await expect(readKeyFile(root, path, 'other')).rejects.toThrow(KeyFileError);
  await expect(readKeyFile(rootKey(), path, 'orders')).rejects.toThrow(KeyFileError);
  await expect(createKeyFile(core, root, path, 'orders')).rejects.toThrow(KeyFileError);
});

describe('a damaged key file', () => {
  it.each([
    ['is cut', (content: string) => content.slice(0, 20)],
    ['is empty', () => ''],
    ['is no object', () => 'null'],
    ['is of another format', (content: string) => content.replace('"format":1', '"format":2')],
    ['has other bytes', (content: string) => content.replace(/"wrapped":"..../, '"wrapped":"AAAA')],
    ['has no bytes', (content: string) => content.replace(/"wrapped":"[^"]*"/, '"wrapped":""')],
  ])('that %s says so', async (_what, damage) => {
    await createKeyFile(core, root, path, 'orders');
    writeFileSync(path, damage(readFileSync(path, 'utf8')));
    await expect(readKeyFile(root, path, 'orders')).rejects.toThrow(KeyFileError);
  });
});

it('a message is AES-256-GCM under a key that SP 800-108 derives from its metadata', () => {
  const bytes = Buffer.alloc(32, 7);
  const key = new SoftwareKey(core, core.importKey('backing', bytes));
  const { iv, ciphertext, tag, metadata } = key.encrypt(text, Buffer.from('AAD'));
  const messageKey = createHmac('sha256', bytes)
    .update(Buffer.of(0, 0, 0, 1))
    .update('keywright/xks-message-key/v1\0')
    .update(metadata)
    .update(Buffer.of(0, 0, 1, 0))
    .digest();
  const decipher = createDecipheriv('aes-256-gcm', messageKey, iv);
  decipher.setAAD(Buffer.concat([Buffer.of(0, 3), Buffer.from('AAD'), Buffer.of(17), metadata]));
  decipher.setAuthTag(tag);
  expect(Buffer.concat([decipher.update(ciphertext), decipher.final()])).toEqual(text);
});

it('metadata of another scheme or length is not even tried', () => {
  const key = new SoftwareKey(core, core.generateKey('backing'));
  const sealed = key.encrypt(text, nothing);
  for (const metadata of [nothing, Buffer.alloc(17, 2), Buffer.alloc(16, 1), Buffer.alloc(18, 1)]) {
    expect(key.decrypt({ ...sealed, metadata }, nothing)).toBeUndefined();
  }
  expect(key.decrypt({ ...sealed, iv: Buffer.alloc(16) }, nothing)).toBeUndefined();
});
