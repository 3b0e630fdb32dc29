/** Seed files and test powers of the real command. */
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort, startServer, type ServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const EXAMPLE = fileURLToPath(new URL('../../examples/seed.yaml', import.meta.url));
const CREDENTIALS = {
  accessKeyId: 'AKIAEXAMPLEEXAMPLE77',
  secretAccessKey: 'example-secret-of-the-development-account',
};
const run = promisify(execFile);

let folder: ReturnType<typeof temporaryFolder>;
let data: string;
let server: ServerProcess | undefined;

beforeEach(() => {
  folder = temporaryFolder();
  data = join(folder.path, 'data');
});

afterEach(async () => {
  await server?.kill();
  server = undefined;
  folder.remove();
});

async function keywright(...args: readonly string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env['PATH'], KEYWRIGHT_DATA: data };
  try {
    return { status: 0, ...(await run(process.execPath, [MAIN, ...args], { env })) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { status: code, stdout, stderr };
  }
}

async function describeOrders(url: string): Promise<string | undefined> {
  const kms = new KMSClient({ region: 'us-east-1', endpoint: url, credentials: CREDENTIALS, maxAttempts: 1 });
  return (await kms.send(new DescribeKeyCommand({ KeyId: 'alias/orders' }))).KeyMetadata?.KeyId;
}

describe('a server with KEYWRIGHT_SEED', () => {
  it('has what the file says before it listens, and starts again with it', async () => {
    const port = await freePort();
    server = await startServer(data, port, { KEYWRIGHT_SEED: EXAMPLE });
    expect(server.output()).toContain(`Seed ${EXAMPLE}: 15 created, 0 already there\n`);
    expect(await describeOrders(server.url)).toBe('1f5a4c2e-6b7d-4e8f-9a0b-1c2d3e4f5a6b');
    const saved = join(data, 'credentials');
    expect(readFileSync(saved, 'utf8')).toMatch(
      /^\[111122223333\]\naws_access_key_id = AKIA\w{16}\naws_secret_access_key = \S{40}\n$/,
    );
    expect(statSync(saved).mode & 0o777).toBe(0o600);
    await server.stop();
    server = await startServer(data, port, { KEYWRIGHT_SEED: EXAMPLE });
    expect(server.output()).toContain(`Seed ${EXAMPLE}: 0 created, 15 already there\n`);
  });

  it('does not start when the file contradicts the store, and says where', async () => {
    const changed = join(folder.path, 'changed.yaml');
    writeFileSync(changed, readFileSync(EXAMPLE, 'utf8').replace('keySpec: HMAC_256', 'keySpec: HMAC_512'));
    expect((await keywright('seed', EXAMPLE)).status).toBe(0);
    const started = startServer(data, await freePort(), { KEYWRIGHT_SEED: changed });
    await expect(started).rejects.toThrow(/status 65/);
    await expect(started).rejects.toThrow(
      /changed\.yaml:\d+:\d+: keySpec .* the file says HMAC_512, the store has HMAC_256/,
    );
  });
});

describe('keywright seed', () => {
  it('checks without leaving anything behind, applies, and checks against the store', async () => {
    expect((await keywright('seed', EXAMPLE, '--check')).stdout).toBe(
      `Seed ${EXAMPLE} is good: 15 to create, 0 already there\n`,
    );
    expect(existsSync(data)).toBe(false);
    expect((await keywright('seed', EXAMPLE)).stdout).toContain('15 created, 0 already there\n');
    expect((await keywright('seed', EXAMPLE, '--check')).stdout).toContain('0 to create, 15 already there\n');
  });

  it('refuses a file that is wrong with status 65, and a wrong command line with 64', async () => {
    const bad = join(folder.path, 'bad.yaml');
    writeFileSync(bad, 'accounts: 1\n');
    expect(await keywright('seed', bad)).toMatchObject({
      status: 65,
      stderr: `keywright: ${bad}:1:11: accounts must be a list\n`,
    });
    expect((await keywright('seed')).status).toBe(64);
    expect((await keywright('seed', EXAMPLE, EXAMPLE)).status).toBe(64);
    expect((await keywright('seed', EXAMPLE, '--force')).status).toBe(64);
  });
});

describe('a server with KEYWRIGHT_TEST_POWERS', () => {
  it('warns when it starts, and moves its clock', async () => {
    server = await startServer(data, await freePort(), { KEYWRIGHT_TEST_POWERS: '1' });
    expect(server.output()).toContain('WARNING: test powers are on');
    const body = JSON.stringify({ now: '2035-01-01T00:00:00Z' });
    const response = await fetch(`${server.url}/_keywright/test/clock`, { method: 'PUT', body });
    expect(await response.json()).toMatchObject({ now: expect.stringMatching(/^2035-01-01T00:00:0/) as string });
  });
});
