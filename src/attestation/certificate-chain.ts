/**
 * The path from a trusted root to the key that signed a document.
 *
 * @source RFC 5280 §6.1; "Nitro Enclaves Attestation Process" §3.2.3, which leaves revocation lists out
 */
import type { KeyObject } from 'node:crypto';
import { demand } from './attestation-error.ts';
import { parseCertificate, type Certificate } from './certificate.ts';

/** A document's certificate and its bundle, both DER; the bundle begins with the root. */
export interface CertificateChain {
  readonly certificate: Uint8Array;
  readonly cabundle: readonly Uint8Array[];
}

/**
 * Verifies from the root down, so that nothing that an attacker wrote is looked at before the signature on it.
 *
 * @returns the P-384 key of the leaf
 * @throws AttestationError when the path is not valid at `nowMs`
 */
export function verifyChain(
  { certificate, cabundle }: CertificateChain,
  roots: readonly Certificate[],
  nowMs: number,
): KeyObject {
  const root = roots.find(({ x509 }) => x509.raw.equals(cabundle[0] ?? new Uint8Array(0)));
  demand(root !== undefined, 'has a certificate chain that does not begin at a trusted root');
  checkTimes(root, nowMs);
  checkAuthority(root, cabundle.length - 1);
  let issuer = root;
  for (const [index, der] of cabundle.entries()) {
    if (index > 0) {
      const authority = parseCertificate(der);
      checkIssue(authority, issuer, nowMs);
      checkAuthority(authority, cabundle.length - 1 - index);
      issuer = authority;
    }
  }
  const leaf = parseCertificate(certificate);
  checkIssue(leaf, issuer, nowMs);
  demand(!leaf.isCa && leaf.pathLength === undefined, 'is signed by an authority instead of a leaf');
  demand(leaf.maySign, 'is signed by a key that may not sign');
  return leaf.x509.publicKey;
}

/** @throws AttestationError unless the certificate may stand above `below` further authorities */
export function checkAuthority(certificate: Certificate, below: number): void {
  demand(certificate.isCa && certificate.mayCertify, 'has an authority that may not certify');
  demand(
    certificate.pathLength === undefined || certificate.pathLength >= below,
    'has a certificate chain longer than its authorities allow',
  );
}

function checkIssue(certificate: Certificate, issuer: Certificate, nowMs: number): void {
  demand(
    // By name and by key identifier, where the certificate has one.
    Buffer.compare(certificate.issuer, issuer.subject) === 0 && certificate.x509.checkIssued(issuer.x509),
    'has a certificate that names another issuer',
  );
  demand(certificate.x509.verify(issuer.x509.publicKey), 'has a certificate that its issuer did not sign');
  checkTimes(certificate, nowMs);
}

/** Times that cannot be read are NaN, and in no order with anything. */
function checkTimes({ validFromMs, validToMs }: Certificate, nowMs: number): void {
  demand(validFromMs <= nowMs && nowMs <= validToMs, 'has a certificate that is not valid at this time');
}
