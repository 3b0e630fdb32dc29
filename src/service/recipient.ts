/** The `Recipient` parameter: secrets that only an attested enclave or instance can read. */
import { AttestationError, StaleAttestationError } from '../attestation/attestation-error.ts';
import { verifyAttestation, type Attestation, type AttestationTrust } from '../attestation/verify-attestation.ts';
import { KmsServiceError } from '../base/errors.ts';
import type { OperationContext } from './operation.ts';

/** The member as it was parsed; its key encryption algorithm can only be the one there is. */
export interface RecipientInfo {
  readonly AttestationDocument?: Uint8Array | undefined;
}

/**
 * Verifies the document of a request that has one.
 *
 * @throws KmsServiceError ValidationException when it is missing, not trusted or too old. The text for old documents is
 *   AWS's as far as clients match it ("exceeded the five-minute age limit"), and they answer it with a fresh one; the
 *   other texts are ours.
 */
export function verifyRecipient(info: RecipientInfo | undefined, trust: AttestationTrust): Attestation | undefined {
  if (info === undefined) {
    return undefined;
  }
  if (info.AttestationDocument === undefined) {
    throw new KmsServiceError('ValidationException', 'Recipient must contain an attestation document.');
  }
  try {
    return verifyAttestation(info.AttestationDocument, trust);
  } catch (error) {
    throw error instanceof AttestationError ? toServiceError(error) : error;
  }
}

function toServiceError(error: AttestationError): KmsServiceError {
  return error instanceof StaleAttestationError
    ? new KmsServiceError('ValidationException', 'The attestation document has exceeded the five-minute age limit.')
    : new KmsServiceError('ValidationException', `Invalid attestation document: it ${error.message}.`);
}

/** By condition key in lower case. */
export type AttestedValues = Readonly<Record<string, string>>;

export const NOTHING_ATTESTED: AttestedValues = {};

/**
 * What a policy may ask about the recipient, by condition key in lower case. PCR values in lower-case hex.
 *
 * @source KMS Developer Guide, "Condition keys for Nitro Enclaves" and "Condition keys for NitroTPM"
 */
export function recipientConditions(recipient: Attestation | undefined): AttestedValues {
  if (recipient === undefined) {
    return NOTHING_ATTESTED;
  }
  const isEnclave = recipient.source === 'NitroEnclave';
  const values: Record<string, string> = {};
  for (const [index, value] of recipient.pcrs) {
    const hex = Buffer.from(value).toString('hex');
    values[`kms:recipientattestation:${isEnclave ? 'pcr' : 'nitrotpmpcr'}${String(index)}`] = hex;
    if (isEnclave && index === 0) {
      values['kms:recipientattestation:imagesha384'] = hex;
    }
  }
  return values;
}

/**
 * The members of an answer that carry its secret: `clear` as it is or, for a recipient, the secret in an envelope
 * instead; then the secret itself is wiped.
 */
export function answerSecret<Clear extends object>(
  { recipient, envelopes }: OperationContext,
  secret: Uint8Array,
  clear: Clear,
): Clear | { readonly CiphertextForRecipient: Uint8Array } {
  if (recipient === undefined) {
    return clear;
  }
  try {
    return { CiphertextForRecipient: envelopes.cmsEnvelopeEncrypt(recipient.publicKey, secret) };
  } finally {
    secret.fill(0);
  }
}
