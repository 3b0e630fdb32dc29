import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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

/** The certificate of our own authority, for clients. */
const CA_FILE = 'ca.pem';
/** Private key and certificate of the authority; in one file, so that they always fit each other. */
const CA_KEY_FILE = 'ca-key.pem';
/** Private key and certificate of the server; in one file for the same reason. */
const SERVER_FILE = 'server.pem';

/** Where the certificate of our own authority is, which clients are told to trust. */
export function caPath(directory: string): string {
  return join(directory, CA_FILE);
}

/**
 * The credentials of a listener for `names` (DNS names and IP addresses; those of this machine are added). The first
 * call makes a certificate authority in `directory`; the server's certificate is made anew when it is about to expire
 * or lacks a name, under the same authority, so that clients need not be told again. Several processes may call it at
 * once.
 *
 * @throws Error when a file of the authority is damaged, or the directory cannot be written
 */
export async function ensureCertificates(
  directory: string,
  names: readonly string[],
  nowMs: number,
): Promise<TlsCredentials> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const wanted = [...new Set(['localhost', hostname(), '127.0.0.1', '::1', ...names])].filter((name) => name !== '');
  const authority = await ensureAuthority(directory, nowMs);
  const serverFile = join(directory, SERVER_FILE);
  const found = existsSync(serverFile) ? readFileSync(serverFile, 'utf8') : '';
  if (isUsable(found, authority, wanted, nowMs)) {
    return { certificate: found, privateKey: found };
  }
  const made = await makeServerCertificate(authority, wanted, nowMs);
  writeWhole(serverFile, made, 0o600, renameSync);
  return { certificate: made, privateKey: made };
}

/** PEM of key and certificate of the authority, made when there is none. */
async function ensureAuthority(directory: string, nowMs: number): Promise<string> {
  const keyFile = join(directory, CA_KEY_FILE);
  if (!existsSync(keyFile)) {
    const made = await makeAuthority(nowMs);
    // A link fails where another process was faster: then its authority is the one.
    writeWhole(keyFile, made, 0o600, linkUnlessThere);
  }
  const authority = readFileSync(keyFile, 'utf8');
  let certificate: string;
  try {
    certificate = new X509Certificate(authority).toString();
  } catch (error) {
    throw new Error(
      `${keyFile} is damaged: restore it, or remove it for a new authority that clients must be told to trust`,
      { cause: error },
    );
  }
  if (!existsSync(caPath(directory)) || readFileSync(caPath(directory), 'utf8') !== certificate) {
    writeWhole(caPath(directory), certificate, 0o644, renameSync);
  }
  return authority;
}

/** Whether the certificate is for all names, for some time to come, from our authority, and fits its key. */
function isUsable(pem: string, authority: string, names: readonly string[], nowMs: number): boolean {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
    if (!certificate.checkPrivateKey(createPrivateKey(pem))) {
      return false;
    }
  } catch {
    return false;
  }
  const alternatives = new Set((certificate.subjectAltName ?? '').split(', '));
  const isFor = (name: string): boolean =>
    isIP(name) === 0 ? alternatives.has(`DNS:${name}`) : certificate.checkIP(name) !== undefined;
  return (
    certificate.verify(new X509Certificate(authority).publicKey) &&
    Date.parse(certificate.validTo) - nowMs > RENEW_BEFORE_DAYS * DAY_MS &&
    names.every(isFor)
  );
}

async function makeAuthority(nowMs: number): Promise<string> {
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
  return joinPem(keys.privateKey, certificate);
}

async function makeServerCertificate(authority: string, names: readonly string[], nowMs: number): Promise<string> {
  const ca = new x509.X509Certificate(new X509Certificate(authority).raw);
  const signingKey = await importKey(authority);
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
  return joinPem(keys.privateKey, certificate);
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
  try {
    return await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
  } finally {
    der.fill(0);
  }
}

async function joinPem(key: webcrypto.CryptoKey, certificate: x509.X509Certificate): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  try {
    const pem = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' });
    return `${String(pem)}${certificate.toString('pem')}\n`;
  } finally {
    der.fill(0);
  }
}

/** Nobody finds half a file: it is written under a name of its own and then put in place. */
function writeWhole(path: string, text: string, mode: number, putInPlace: (draft: string, path: string) => void): void {
  const draft = `${path}.${randomBytes(8).toString('hex')}.new`;
  try {
    writeFileSync(draft, text, { mode, flag: 'wx' });
    putInPlace(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

function linkUnlessThere(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw error;
    }
  }
}
