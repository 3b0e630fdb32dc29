import { demand, StaleAttestationError } from './attestation-error.ts';
import type { Certificate } from './certificate.ts';
import { verifyChain } from './certificate-chain.ts';
import { isSignedBy, parseCoseSign1 } from './cose-sign1.ts';
import { parseDocument, type AttestationDocument } from './document.ts';
import { requireRecipientKey } from './recipient-key.ts';

/** AWS KMS takes documents of the last five minutes; we let clocks differ by as much in the other direction. */
export const MAX_AGE_MS = 5 * 60_000;

/** What a verified document says: nothing else makes one. */
export interface Attestation extends Pick<AttestationDocument, 'source' | 'moduleId' | 'pcrs'> {
  /** SubjectPublicKeyInfo, DER: the RSA key whose holder is attested. */
  readonly publicKey: Uint8Array;
}

/** What a document is held against. */
export interface AttestationTrust {
  readonly roots: readonly Certificate[];
  readonly nowMs: number;
}

/**
 * Verifies an attestation document of a Nitro enclave or a NitroTPM: form, age, certificate path, signature, key.
 *
 * @throws StaleAttestationError when the document is not from the last five minutes. That is checked before the path,
 *   since the leaf expires within hours, and whoever sent an old document is to learn that it was too old.
 * @throws AttestationError for the first other thing that is wrong
 */
export function verifyAttestation(bytes: Uint8Array, { roots, nowMs }: AttestationTrust): Attestation {
  const message = parseCoseSign1(bytes);
  const document = parseDocument(message.payload);
  if (Math.abs(nowMs - document.timestampMs) > MAX_AGE_MS) {
    throw new StaleAttestationError('is not from the last five minutes');
  }
  const signer = verifyChain(document, roots, nowMs);
  demand(isSignedBy(message, signer), 'has a signature that does not verify');
  const { source, moduleId, pcrs } = document;
  return { source, moduleId, pcrs, publicKey: requireRecipientKey(document.publicKey) };
}
