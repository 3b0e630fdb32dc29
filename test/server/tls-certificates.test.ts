import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
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

  it('stay the same from start to start, also with names of every kind', async () => {
    expect(await make()).toEqual(await make());
    const names = [NAME, '*.wild.example.test', '10.1.2.3', '2001:db8:0:0::1'];
    expect(await make(names)).toEqual(await make(names));
  });

  it('come from one authority when several callers make them at once', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => make()));
    const authority = new X509Certificate(readFileSync(caPath(folder.path)));
    for (const { certificate } of made) {
      expect(new X509Certificate(certificate).verify(authority.publicKey)).toBe(true);
    }
    expect(readdirSync(folder.path).sort()).toEqual(['ca-key.pem', 'ca.pem', 'server.pem']);
  });

  it('are not made under a damaged authority, and the error says which file it is', async () => {
    await make();
    writeFileSync(join(folder.path, 'ca-key.pem'), 'nothing');
    await expect(make()).rejects.toThrow(/ca-key\.pem is damaged/);
  });

  it('bring the certificate of the authority back when somebody removed it', async () => {
    await make();
    const before = readFileSync(caPath(folder.path), 'utf8');
    rmSync(caPath(folder.path));
    await make();
    expect(readFileSync(caPath(folder.path), 'utf8')).toBe(before);
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
        const [, certificate = ''] = /(-+BEGIN CERT[^]+)/.exec((await make()).certificate) ?? [];
        const [key = ''] = /^[^]+END PRIVATE KEY-+\n/.exec((await make([NAME, 'third.example.test'])).privateKey) ?? [];
        writeFileSync(join(folder.path, 'server.pem'), key + certificate);
        return make();
      },
    ],
    [
      'the file was cut off',
      () => {
        writeFileSync(join(folder.path, 'server.pem'), readFileSync(join(folder.path, 'server.pem')).subarray(0, 300));
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
    for (const file of ['ca-key.pem', 'server.pem']) {
      expect(statSync(join(folder.path, file)).mode & 0o777).toBe(0o600);
    }
  });
});
