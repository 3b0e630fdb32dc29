import { X509Certificate } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { caPath, ensureCertificates, type TlsCredentials } from '../../src/server/tls-certificates.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const DAY_MS = 86_400_000;
const NAME = 'kms.example.test';

describe('the certificates of the TLS listener', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  const nowMs = Date.now();
  const make = (names: readonly string[] = [NAME], atMs = nowMs): Promise<TlsCredentials> =>
    ensureCertificates(folder.path, names, atMs);

  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => {
    folder.remove();
  });

  it('are accepted by a client that trusts the authority, and by no other', async () => {
    const { certificate, privateKey } = await make();
    const server = createServer({ cert: certificate, key: privateKey }, (_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const call = (options: object): Promise<number | string | undefined> =>
      new Promise((resolve) => {
        get({ host: '127.0.0.1', port, agent: false, ...options }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).on('error', (error: NodeJS.ErrnoException) => {
          resolve(error.code);
        });
      });
    const ca = readFileSync(caPath(folder.path));
    expect(await call({ ca })).toBe(200);
    expect(await call({ ca, servername: NAME })).toBe(200);
    expect(await call({ ca, servername: 'other.example.test' })).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await call({})).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    await new Promise((resolve) => server.close(resolve));
  });

  it('stay the same from start to start', async () => {
    expect(await make()).toEqual(await make());
  });

  it.each<[string, () => Promise<TlsCredentials>]>([
    ['a name is missing', () => make([NAME, 'second.example.test'])],
    ['they are about to expire', () => make([NAME], nowMs + 380 * DAY_MS)],
    [
      'the certificate is gone',
      () => {
        rmSync(join(folder.path, 'server.pem'));
        return make();
      },
    ],
    [
      'the key belongs to another certificate',
      async () => {
        const before = readFileSync(join(folder.path, 'server.pem'));
        await make([NAME, 'third.example.test']);
        writeFileSync(join(folder.path, 'server.pem'), before);
        return make();
      },
    ],
  ])('are made anew under the same authority when %s', async (_title, again) => {
    const before = await make();
    const authority = readFileSync(caPath(folder.path), 'utf8');
    const after = await again();
    expect(after.certificate).not.toBe(before.certificate);
    expect(readFileSync(caPath(folder.path), 'utf8')).toBe(authority);
    const certificate = new X509Certificate(after.certificate);
    expect(certificate.verify(new X509Certificate(authority).publicKey)).toBe(true);
    expect(certificate.checkIssued(new X509Certificate(authority))).toBe(true);
  });

  it('keep their private keys for the owner alone', async () => {
    await make();
    for (const file of ['ca-key.pem', 'server-key.pem']) {
      expect(statSync(join(folder.path, file)).mode & 0o777).toBe(0o600);
    }
  });
});
