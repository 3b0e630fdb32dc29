/** X.509 certificates (RFC 5280) with what a path needs. `node:crypto` shows neither key usage nor path length. */
import { X509Certificate } from 'node:crypto';
import { AttestationError, demand } from './attestation-error.ts';
import { DER_TAGS, DerReader } from './der.ts';

const OIDS = { basicConstraints: '551d13', keyUsage: '551d0f', ecdsaWithSha384: '2a8648ce3d040303' } as const;
const TBS_TAGS = { version: 0xa0, issuerId: 0x81, subjectId: 0x82, extensions: 0xa3 } as const;
/** KeyUsage bits, as they stand in the first byte of the bit string. */
const KEY_USAGE = { digitalSignature: 0x80, keyCertSign: 0x04 } as const;

export interface Certificate {
  readonly x509: X509Certificate;
  /** Names as they are encoded. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly isCa: boolean;
  /** How many authorities may follow; undefined: any number. */
  readonly pathLength: number | undefined;
  readonly mayCertify: boolean;
  readonly maySign: boolean;
}

/**
 * Reads a certificate of the kind that Nitro's authorities issue: a P-384 key, signed with ECDSA and SHA-384, and no
 * critical extension besides basic constraints and key usage. Signature, names and times are not checked here.
 *
 * @throws AttestationError for anything else
 */
export function parseCertificate(der: Uint8Array): Certificate {
  const x509 = parseX509(der);
  const tbs = new DerReader(der).enter(DER_TAGS.sequence).enter(DER_TAGS.sequence);
  tbs.nextIf(TBS_TAGS.version);
  tbs.next(DER_TAGS.integer);
  const algorithm = hex(tbs.enter(DER_TAGS.sequence).next(DER_TAGS.oid));
  demand(algorithm === OIDS.ecdsaWithSha384, 'has a certificate that is not signed with ECDSA and SHA-384');
  const issuer = tbs.next(DER_TAGS.sequence);
  tbs.next(DER_TAGS.sequence);
  const subject = tbs.next(DER_TAGS.sequence);
  tbs.next(DER_TAGS.sequence);
  tbs.nextIf(TBS_TAGS.issuerId);
  tbs.nextIf(TBS_TAGS.subjectId);
  return {
    x509,
    issuer,
    subject,
    validFromMs: Date.parse(x509.validFrom),
    validToMs: Date.parse(x509.validTo),
    ...parseExtensions(tbs.nextIf(TBS_TAGS.extensions)),
  };
}

/** `X509Certificate` also takes PEM and ignores trailing bytes; a document has neither. */
function parseX509(der: Uint8Array): X509Certificate {
  let x509: X509Certificate;
  try {
    x509 = new X509Certificate(der);
    demand(x509.raw.equals(der), 'has a certificate with bytes around it');
    // Decoded only now; a broken key throws an error of node's.
    const { asymmetricKeyDetails } = x509.publicKey;
    demand(asymmetricKeyDetails?.namedCurve === 'secp384r1', 'has a certificate without a P-384 key');
  } catch (error) {
    throw error instanceof AttestationError
      ? error
      : new AttestationError('has a certificate that cannot be read', { cause: error });
  }
  return x509;
}

type Extensions = Pick<Certificate, 'isCa' | 'pathLength' | 'mayCertify' | 'maySign'>;

function parseExtensions(bytes: Uint8Array | undefined): Extensions {
  const found = new Map<string, Uint8Array>();
  const extensions = new DerReader(bytes ?? Uint8Array.of(DER_TAGS.sequence, 0)).enter(DER_TAGS.sequence);
  while (!extensions.isAtEnd) {
    const extension = extensions.enter(DER_TAGS.sequence);
    const oid = hex(extension.next(DER_TAGS.oid));
    const isCritical = isTrue(extension.nextIf(DER_TAGS.boolean));
    demand(!found.has(oid), 'has a certificate with an extension twice');
    demand(
      !isCritical || oid === OIDS.basicConstraints || oid === OIDS.keyUsage,
      'has a certificate with an unknown critical extension',
    );
    found.set(oid, extension.next(DER_TAGS.octetString));
  }
  return {
    ...parseBasicConstraints(found.get(OIDS.basicConstraints)),
    ...parseKeyUsage(found.get(OIDS.keyUsage)),
  };
}

/** @source RFC 5280 §4.2.1.9 */
function parseBasicConstraints(bytes: Uint8Array | undefined): Pick<Extensions, 'isCa' | 'pathLength'> {
  if (bytes === undefined) {
    return { isCa: false, pathLength: undefined };
  }
  const constraints = new DerReader(bytes).enter(DER_TAGS.sequence);
  const isCa = isTrue(constraints.nextIf(DER_TAGS.boolean));
  const length = constraints.nextIf(DER_TAGS.integer);
  // One byte is 127 authorities; a negative or longer number is none that an authority would have written.
  demand(
    length === undefined || (length.length === 1 && (length[0] ?? 0x80) < 0x80),
    'has a certificate with a wrong path length',
  );
  return { isCa, pathLength: length?.[0] };
}

/** Without the extension a key may do nothing here, though RFC 5280 §4.2.1.3 would let it do everything. */
function parseKeyUsage(bytes: Uint8Array | undefined): Pick<Extensions, 'mayCertify' | 'maySign'> {
  const bits = bytes === undefined ? 0 : (new DerReader(bytes).next(DER_TAGS.bitString)[1] ?? 0);
  return { mayCertify: (bits & KEY_USAGE.keyCertSign) !== 0, maySign: (bits & KEY_USAGE.digitalSignature) !== 0 };
}

function isTrue(boolean: Uint8Array | undefined): boolean {
  return boolean !== undefined && boolean[0] !== 0;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
