import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
// Its container of dependencies wants this first.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

/** What a TLS listener serves. */
export interface TlsCredentials {
  /** PEM: the certificate and what leads to its root. */
  readonly certificate: string;
  /** PEM, PKCS#8. */
  readonly privateKey: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
/** Browsers and some clients refuse certificates for longer than this. */
const SERVER_DAYS = 397;
const RENEW_BEFORE_DAYS = 30;
/** Clocks of clients may be behind. */
const BACKDATE_MS = 3_600_000;

const CA_FILE = 'ca.pem';
const CA_KEY_FILE = 'ca-key.pem';
const SERVER_FILE = 'server.pem';
const SERVER_KEY_FILE = 'server-key.pem';

/** Where the certificate of our own authority is, which clients are told to trust. */
export function caPath(directory: string): string {
  return join(directory, CA_FILE);
}

/**
 * The credentials of a listener for `names` (DNS names and IP addresses; those of this machine are added). The first
 * call makes a certificate authority in `directory`; the server's certificate is made anew when it is about to expire
 * or lacks a name, under the same authority, so that clients need not be told again.
 */
export async function ensureCertificates(
  directory: string,
  names: readonly string[],
  nowMs: number,
): Promise<TlsCredentials> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = (file: string): string => join(directory, file);
  const wanted = [...new Set(['localhost', hostname(), '127.0.0.1', '::1', ...names])].filter((name) => name !== '');
  if (!existsSync(path(CA_FILE)) || !existsSync(path(CA_KEY_FILE))) {
    await makeAuthority(directory, nowMs);
  }
  if (!isUsable(path(SERVER_FILE), path(SERVER_KEY_FILE), path(CA_FILE), wanted, nowMs)) {
    await makeServerCertificate(directory, wanted, nowMs);
  }
  return {
    certificate: readFileSync(path(SERVER_FILE), 'utf8'),
    privateKey: readFileSync(path(SERVER_KEY_FILE), 'utf8'),
  };
}

/** Whether the certificate is for all names, for some time to come, from our authority, and fits its key. */
function isUsable(
  certificateFile: string,
  keyFile: string,
  caFile: string,
  names: readonly string[],
  nowMs: number,
): boolean {
  if (!existsSync(certificateFile) || !existsSync(keyFile)) {
    return false;
  }
  const certificate = new X509Certificate(readFileSync(certificateFile));
  return (
    certificate.verify(new X509Certificate(readFileSync(caFile)).publicKey) &&
    Date.parse(certificate.validTo) - nowMs > RENEW_BEFORE_DAYS * DAY_MS &&
    names.every((name) => (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined) &&
    certificate.checkPrivateKey(createPrivateKey(readFileSync(keyFile)))
  );
}

async function makeAuthority(directory: string, nowMs: number): Promise<void> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      ...validity(nowMs, CA_DAYS),
      serialNumber: serialNumber(),
      name: `CN=Keywright local authority ${randomBytes(4).toString('hex')}`,
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  await writeSecret(join(directory, CA_KEY_FILE), keys.privateKey);
  // Last, so that an interrupted start leaves no certificate without its key.
  writeWhole(join(directory, CA_FILE), certificate.toString('pem'), 0o644);
}

async function makeServerCertificate(directory: string, names: readonly string[], nowMs: number): Promise<void> {
  const ca = new x509.X509Certificate(readFileSync(join(directory, CA_FILE), 'utf8'));
  const signingKey = await importKey(readFileSync(join(directory, CA_KEY_FILE), 'utf8'));
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      ...validity(nowMs, SERVER_DAYS),
      serialNumber: serialNumber(),
      subject: 'CN=Keywright',
      issuer: ca.subjectName,
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: name }) as const),
        ),
        await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  await writeSecret(join(directory, SERVER_KEY_FILE), keys.privateKey);
  writeWhole(join(directory, SERVER_FILE), certificate.toString('pem'), 0o644);
}

function validity(nowMs: number, days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(nowMs - BACKDATE_MS), notAfter: new Date(nowMs + days * DAY_MS) };
}

/** 127 random bits: positive, as RFC 5280 §4.1.2.2 wants it. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
  return bytes.toString('hex');
}

async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' });
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}

async function writeSecret(path: string, key: webcrypto.CryptoKey): Promise<void> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  const pem = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' });
  der.fill(0);
  writeWhole(path, String(pem), 0o600);
}

/** Nobody finds half a file. */
function writeWhole(path: string, text: string, mode: number): void {
  const draft = `${path}.new`;
  writeFileSync(draft, text, { mode });
  chmodSync(draft, mode);
  renameSync(draft, path);
}
