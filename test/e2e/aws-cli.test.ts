/** The main job on real input, with the unmodified AWS CLI of Debian and a server that is killed in the middle. */
import { execFile } from 'node:child_process';
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, startServer, type ServerProcess } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const AWS = '/usr/bin/aws';
const isRequired = process.env['CI'] === 'true';
const run = promisify(execFile);

/** Larger than 50 MB on every platform, and there wherever the tests run. */
const REAL_FILE = process.execPath;

let folder: ReturnType<typeof temporaryFolder>;
let server: ServerProcess;
let port: number;

async function aws(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(AWS, ['--endpoint-url', server.url, '--output', 'json', 'kms', ...args], {
    env: {
      PATH: process.env['PATH'],
      HOME: folder.path,
      AWS_SHARED_CREDENTIALS_FILE: join(folder.path, 'data', 'credentials'),
      AWS_DEFAULT_REGION: 'us-east-1',
    },
  });
  return (stdout === '' ? {} : JSON.parse(stdout)) as Record<string, unknown>;
}

async function awsError(...args: readonly string[]): Promise<string> {
  return aws(...args).then(
    () => 'no error',
    (error: unknown) => (error as { stderr: string }).stderr,
  );
}

function file(name: string, content: Buffer): string {
  writeFileSync(join(folder.path, name), content);
  return `fileb://${join(folder.path, name)}`;
}

describe.skipIf(!existsSync(AWS) && !isRequired)('the AWS CLI', () => {
  beforeAll(async () => {
    folder = temporaryFolder();
    port = await freePort();
    server = await startServer(join(folder.path, 'data'), port);
  });

  afterAll(async () => {
    await server.stop();
    folder.remove();
  });

  it('protects a file of more than 50 MB with a data key that survives kill -9 of the server', async () => {
    expect(statSync(REAL_FILE).size).toBeGreaterThan(50_000_000);
    const created = (await aws('create-key', '--description', 'real input')) as {
      KeyMetadata: { KeyId: string; Arn: string };
    };
    await aws('create-alias', '--alias-name', 'alias/real-input', '--target-key-id', created.KeyMetadata.KeyId);
    const dataKey = (await aws(
      ...['generate-data-key', '--key-id', 'alias/real-input', '--key-spec', 'AES_256'],
      ...['--encryption-context', 'purpose=backup,file=node'],
    )) as { Plaintext: string; CiphertextBlob: string; KeyId: string };
    expect(dataKey.KeyId).toBe(created.KeyMetadata.Arn);

    const content = readFileSync(REAL_FILE);
    const nonce = Buffer.alloc(12, 1);
    const cipher = createCipheriv('aes-256-gcm', Buffer.from(dataKey.Plaintext, 'base64'), nonce);
    const encrypted = Buffer.concat([cipher.update(content), cipher.final()]);
    writeFileSync(join(folder.path, 'encrypted'), encrypted);
    expect(encrypted.equals(content)).toBe(false);

    await server.kill();
    server = await startServer(join(folder.path, 'data'), port);

    const opened = (await aws(
      ...['decrypt', '--ciphertext-blob', file('blob', Buffer.from(dataKey.CiphertextBlob, 'base64'))],
      ...['--encryption-context', 'file=node,purpose=backup'],
    )) as { Plaintext: string; KeyId: string };
    expect(opened.KeyId).toBe(created.KeyMetadata.Arn);
    const decipher = createDecipheriv('aes-256-gcm', Buffer.from(opened.Plaintext, 'base64'), nonce);
    decipher.setAuthTag(cipher.getAuthTag());
    const decrypted = Buffer.concat([decipher.update(readFileSync(join(folder.path, 'encrypted'))), decipher.final()]);
    const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    expect(sha256(decrypted)).toBe(sha256(content));

    const wrongContext = await awsError('decrypt', '--ciphertext-blob', `fileb://${join(folder.path, 'blob')}`);
    expect(wrongContext).toContain('(InvalidCiphertextException)');
    const tampered = Buffer.from(dataKey.CiphertextBlob, 'base64');
    tampered[tampered.length - 1] = (tampered.at(-1) ?? 0) ^ 1;
    expect(
      await awsError(
        ...['decrypt', '--ciphertext-blob', file('tampered', tampered)],
        ...['--encryption-context', 'file=node,purpose=backup'],
      ),
    ).toContain('(InvalidCiphertextException)');
    await aws('disable-key', '--key-id', created.KeyMetadata.KeyId);
    expect(await awsError('generate-data-key', '--key-id', 'alias/real-input', '--key-spec', 'AES_256')).toContain(
      `(DisabledException) when calling the GenerateDataKey operation: ${created.KeyMetadata.Arn} is disabled.`,
    );
    expect(await awsError('describe-key', '--key-id', '00000000-0000-4000-8000-000000000000')).toContain(
      '(NotFoundException)',
    );
  }, 120_000);

  it('is told how to call the server by the server itself, in lines that work as they are', async () => {
    const lines = server
      .output()
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => /^(export|unset|aws) /.test(line));
    const script = lines.join('\n').replaceAll(/^aws /gm, `${AWS} `);
    const { stdout } = await run('bash', ['-euc', script], { env: { PATH: process.env['PATH'], HOME: folder.path } });
    expect(stdout).toContain('"KeyMetadata"');
    expect(stdout).toContain('"Keys"');
  }, 60_000);
});
