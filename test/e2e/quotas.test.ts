/** Request quotas of server processes: one for all that share a store, kept through a restart. */
import { CreateAliasCommand, CreateKeyCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readServerConfig } from '../../src/cli/config.ts';
import { freePort, startServer, type ServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const CREDENTIALS = { accessKeyId: 'AKIATESTTESTTESTTEST', secretAccessKey: 'a secret of the test' };
const ENVIRONMENT = {
  KEYWRIGHT_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  KEYWRIGHT_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  KEYWRIGHT_ACCOUNT_ID: '111122223333',
};
/** The least burst that there is. */
const BURST = 100;

let folder: ReturnType<typeof temporaryFolder>;
let servers: ServerProcess[];

beforeEach(() => {
  folder = temporaryFolder();
  servers = [];
});

afterEach(async () => {
  await Promise.all(servers.map((server) => server.kill()));
  folder.remove();
});

async function start(quotas?: string, more: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  const environment = quotas === undefined ? ENVIRONMENT : { ...ENVIRONMENT, KEYWRIGHT_QUOTAS: quotas };
  const server = await startServer(folder.path, await freePort(), { ...environment, ...more });
  servers.push(server);
  return server;
}

/** How many of `attempts` requests go through, and the first refusal. */
async function listKeys(url: string, attempts: number): Promise<{ through: number; refusal: unknown }> {
  const kms = new KMSClient({ region: 'us-east-1', endpoint: url, credentials: CREDENTIALS, maxAttempts: 1 });
  let through = 0;
  let refusal: unknown;
  for (let attempt = 0; attempt < attempts; attempt++) {
    await kms.send(new ListKeysCommand({})).then(
      () => through++,
      (error: unknown) => (refusal ??= error),
    );
  }
  kms.destroy();
  return { through, refusal };
}

describe('request quotas of servers', () => {
  it('are one for three processes on a store, and a restart does not fill them', async () => {
    // A request in 20 seconds: what is gained while the test runs is little beside the burst.
    const quotas = 'ListKeys=0.05';
    const three = [await start(quotas), await start(quotas), await start(quotas)];
    const counts = await Promise.all(three.map(({ url }) => listKeys(url, BURST)));
    const total = counts.reduce((sum, { through }) => sum + through, 0);
    expect(total).toBeGreaterThanOrEqual(BURST - three.length);
    expect(total).toBeLessThan(1.5 * BURST);
    expect(counts.find(({ refusal }) => refusal !== undefined)?.refusal).toMatchObject({
      name: 'ThrottlingException',
      message: 'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
      $metadata: { httpStatusCode: 400 },
    });
    await Promise.all(three.map((server) => server.stop()));
    const again = await start(quotas);
    expect((await listKeys(again.url, BURST)).through).toBeLessThan(BURST / 2);
  }, 60_000);

  it('are waited for by the SDK', async () => {
    const { url } = await start('ListKeys=2');
    expect((await listKeys(url, 4 * BURST)).refusal).toBeDefined();
    const kms = new KMSClient({ region: 'us-east-1', endpoint: url, credentials: CREDENTIALS, maxAttempts: 20 });
    const attempts = await Promise.all(
      Array.from({ length: 3 }, async () => (await kms.send(new ListKeysCommand({}))).$metadata.attempts ?? 1),
    );
    expect(Math.max(...attempts)).toBeGreaterThan(1);
    kms.destroy();
  }, 60_000);

  it('are those of AWS when nothing is set, and none when they are off', async () => {
    const [standard, free] = [await start(), await start('off')];
    const kms = (url: string) => listKeys(url, 5);
    expect((await kms(standard.url)).through).toBe(5);
    expect((await listKeys((await start('ListKeys=0.000001')).url, 3 * BURST)).through).toBeLessThan(1.5 * BURST);
    expect((await listKeys(free.url, 3 * BURST)).through).toBe(3 * BURST);
  }, 60_000);

  it.each(['all', 'ListKeys', 'ListKeys=', 'ListKeys=0', 'ListKeys=-1', 'ListKeys=x', 'Encrypt=5', 'ListKeys=5=6'])(
    'are refused as "%s"',
    async (quotas) => {
      await expect(start(quotas)).rejects.toThrow(/status 64.*KEYWRIGHT_QUOTAS must be aws, off, or a comma list/);
    },
  );
});

describe('resource quotas of servers', () => {
  it('are those of the settings', async () => {
    const { url } = await start('off', { KEYWRIGHT_RESOURCE_QUOTAS: 'KeysPerAccount=1, AliasesPerKey=2' });
    const kms = new KMSClient({ region: 'us-east-1', endpoint: url, credentials: CREDENTIALS, maxAttempts: 1 });
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    await expect(kms.send(new CreateKeyCommand({}))).rejects.toMatchObject({ name: 'LimitExceededException' });
    const name = (AliasName: string): Promise<unknown> =>
      kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyMetadata?.KeyId }));
    await name('alias/a');
    await name('alias/b');
    await expect(name('alias/c')).rejects.toMatchObject({ name: 'LimitExceededException' });
    kms.destroy();
  }, 60_000);

  it.each(['KeysPerAccount=0', 'KeysPerAccount', 'Keys=5', 'KeysPerAccount=1.5', 'KeysPerAccount=1=2'])(
    'refuse %s',
    (text) => {
      expect(() => readServerConfig({ KEYWRIGHT_RESOURCE_QUOTAS: text })).toThrow(/^KEYWRIGHT_RESOURCE_QUOTAS must be/);
    },
  );
});
