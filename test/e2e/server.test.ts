/** The server as a process: what it keeps through kill -9, how it stops, and what it says when it cannot start. */
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  KMSClient,
  ListKeysCommand,
  TagResourceCommand,
  ListResourceTagsCommand,
} from '@aws-sdk/client-kms';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort, startServer, type ServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const CREDENTIALS = { accessKeyId: 'AKIATESTTESTTESTTEST', secretAccessKey: 'a secret of the test' };
const ENVIRONMENT = {
  KEYWRIGHT_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  KEYWRIGHT_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  KEYWRIGHT_ACCOUNT_ID: '111122223333',
};
const ROUNDS = 5;

let folder: ReturnType<typeof temporaryFolder>;
let server: ServerProcess | undefined;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(async () => {
  await server?.kill();
  server = undefined;
  folder.remove();
});

function client(url: string): KMSClient {
  return new KMSClient({ region: 'us-east-1', endpoint: url, credentials: CREDENTIALS, maxAttempts: 1 });
}

describe('the server process', () => {
  it('has every change that it acknowledged before kill -9, however often it is killed', async () => {
    const port = await freePort();
    const acknowledged: { KeyId: string; blob: Uint8Array; tag?: string }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      server = await startServer(folder.path, port, ENVIRONMENT);
      const kms = client(server.url);
      const work = async (): Promise<void> => {
        for (;;) {
          const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
          const KeyId = KeyMetadata?.KeyId ?? '';
          const { CiphertextBlob: blob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from(KeyId) }));
          const record: { KeyId: string; blob: Uint8Array; tag?: string } = { KeyId, blob: blob ?? new Uint8Array() };
          acknowledged.push(record);
          await kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'round', TagValue: String(round) }] }));
          record.tag = String(round);
        }
      };
      const workers = Array.from({ length: 4 }, () => work().catch(() => 'cut off'));
      // Killed at a different point of its work every time.
      await new Promise((resolve) => setTimeout(resolve, 150 + 70 * round));
      await server.kill();
      await Promise.all(workers);
      kms.destroy();
    }
    expect(acknowledged.length).toBeGreaterThan(ROUNDS);
    server = await startServer(folder.path, port, ENVIRONMENT);
    const kms = client(server.url);
    for (const { KeyId, blob, tag } of acknowledged) {
      const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob: blob }));
      expect(Buffer.from(Plaintext ?? []).toString()).toBe(KeyId);
      if (tag !== undefined) {
        const { Tags } = await kms.send(new ListResourceTagsCommand({ KeyId }));
        expect(Tags).toEqual([{ TagKey: 'round', TagValue: tag }]);
      }
    }
  }, 60_000);

  it('stops on SIGTERM with status 0 and takes up its work again', async () => {
    const port = await freePort();
    server = await startServer(folder.path, port, ENVIRONMENT);
    const { KeyMetadata } = await client(server.url).send(new CreateKeyCommand({}));
    expect(await server.stop()).toBe(0);
    server = await startServer(folder.path, port, ENVIRONMENT);
    const { Keys } = await client(server.url).send(new ListKeysCommand({}));
    expect(Keys?.map(({ KeyId }) => KeyId)).toEqual([KeyMetadata?.KeyId]);
  });

  it('two servers on one data directory serve one key space', async () => {
    server = await startServer(folder.path, await freePort(), ENVIRONMENT);
    const second = await startServer(folder.path, await freePort(), ENVIRONMENT);
    try {
      const { KeyMetadata } = await client(server.url).send(new CreateKeyCommand({}));
      const { CiphertextBlob } = await client(second.url).send(
        new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('x') }),
      );
      expect((await client(server.url).send(new DecryptCommand({ CiphertextBlob }))).KeyId).toBe(KeyMetadata?.Arn);
    } finally {
      await second.stop();
    }
  });

  it('servers that start on a new data directory at once share one store and one administrator', async () => {
    const ports = await Promise.all(Array.from({ length: 4 }, () => freePort()));
    const started = await Promise.allSettled(ports.map((port) => startServer(folder.path, port)));
    const servers = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    try {
      expect(started.filter(({ status }) => status === 'rejected')).toEqual([]);
      const shown = servers.filter(({ output }) => output().includes('AWS_SECRET_ACCESS_KEY='));
      expect(shown).toHaveLength(1);
      const text = readFileSync(join(folder.path, 'credentials'), 'utf8');
      expect(text.match(/aws_access_key_id/g)).toHaveLength(1);
      const credentials = {
        accessKeyId: /aws_access_key_id = (\S+)/.exec(text)?.[1] ?? '',
        secretAccessKey: /aws_secret_access_key = (\S+)/.exec(text)?.[1] ?? '',
      };
      const listed = servers.map(async ({ url }) => {
        const kms = new KMSClient({ region: 'us-east-1', endpoint: url, credentials, maxAttempts: 1 });
        return (await kms.send(new ListKeysCommand({}))).Keys;
      });
      expect(await Promise.all(listed)).toEqual(ports.map(() => []));
    } finally {
      await Promise.all(servers.map((each) => each.kill()));
    }
  }, 60_000);

  it('shows made credentials on the first start only', async () => {
    const port = await freePort();
    server = await startServer(folder.path, port);
    const secret = /AWS_SECRET_ACCESS_KEY=(\S+)/.exec(server.output())?.[1] ?? '';
    expect(secret).toMatch(/^[A-Za-z0-9+/]{40}$/);
    await server.stop();
    server = await startServer(folder.path, port);
    expect(server.output()).not.toContain(secret);
  });

  it.each([
    [
      { KEYWRIGHT_LISTEN: 'https://127.0.0.1:1' },
      /KEYWRIGHT_LISTEN=https:\/\/127\.0\.0\.1:1: the TLS listener is set with KEYWRIGHT_TLS_LISTEN/,
    ],
    [{ KEYWRIGHT_LISTEN: 'http://0.0.0.0:4599' }, /would send plaintext keys over the network/],
    [{ KEYWRIGHT_STORE: 'postgres://localhost/db' }, /KEYWRIGHT_STORE must have the form/],
    [{ KEYWRIGHT_REGIONS: 'eu-central-1,nowhere' }, /KEYWRIGHT_REGIONS must be a comma list/],
    [{ KEYWRIGHT_ACCOUNT_ID: '123' }, /KEYWRIGHT_ACCOUNT_ID must be 12 digits/],
    [{ KEYWRIGHT_ACCESS_KEY_ID: 'AKIAX' }, /must be set together/],
    [
      { KEYWRIGHT_ATTESTATION_ROOTS: '/nowhere.pem' },
      /KEYWRIGHT_ATTESTATION_ROOTS=\/nowhere.pem cannot be used: ENOENT/,
    ],
    [{ KEYWRIGHT_ATTESTATION_ROOTS: 'package.json' }, /the PEM text of trusted roots has no certificate/],
    [{ KEYWRIGHT_TEST_POWERS: 'yes' }, /KEYWRIGHT_TEST_POWERS can only be 1/],
    [
      { KEYWRIGHT_TEST_POWERS: '1', KEYWRIGHT_LISTEN: 'http://0.0.0.0:4599', KEYWRIGHT_PLAIN_HTTP: 'anywhere' },
      /KEYWRIGHT_TEST_POWERS .* needs a loopback address, not 0\.0\.0\.0/,
    ],
    [{ KEYWRIGHT_SEED: '/nowhere/seed.yaml' }, /the seed file \/nowhere\/seed\.yaml cannot be read: ENOENT/],
  ])('refuses the setting %j with status 64 and says why', async (environment, text) => {
    const started = startServer(folder.path, await freePort(), environment);
    await expect(started).rejects.toThrow(/status 64/);
    await expect(started).rejects.toThrow(text);
  });

  it('refuses an account that the store has no credentials of, and takes the one that it has', async () => {
    const port = await freePort();
    const start = (account: string): Promise<ServerProcess> =>
      startServer(folder.path, port, { KEYWRIGHT_ACCOUNT_ID: account });
    await (await start('111122223333')).stop();
    await (await start('111122223333')).stop();
    await expect(start('444455556666')).rejects.toThrow(/no credentials of account 444455556666/);
  });

  it('says which address is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    await expect(startServer(folder.path, port)).rejects.toThrow(/something else listens on 127\.0\.0\.1/);
    taken.close();
  });
});
