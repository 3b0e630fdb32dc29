/**
 * COSE_Sign1 with ES384, the only form in which Nitro signs.
 *
 * @source RFC 9052 §4.2 and §4.4, RFC 9053 §2.1
 */
import { verify, type KeyObject } from 'node:crypto';
import { demand } from './attestation-error.ts';
import { decodeCbor, encodeCbor, Tag } from './cbor.ts';

const COSE_SIGN1_TAG = 18;
const ALGORITHM_LABEL = 1;
const ES384 = -35;
/** Two numbers of the size of the P-384 group order. */
const SIGNATURE_BYTES = 96;

export interface CoseSign1 {
  /** The encoded header, as it was signed. */
  readonly protectedHeader: Uint8Array;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * Reads a message with or without the tag.
 *
 * @throws AttestationError for another structure or algorithm, and for unprotected headers: nobody signed those
 */
export function parseCoseSign1(bytes: Uint8Array): CoseSign1 {
  const item = decodeCbor(bytes);
  const message = item instanceof Tag && item.tag === COSE_SIGN1_TAG ? item.contents : item;
  demand(Array.isArray(message) && message.length === 4, 'is not a COSE_Sign1 structure');
  const [protectedHeader, unprotectedHeader, payload, signature] = message as readonly unknown[];
  demand(
    protectedHeader instanceof Uint8Array &&
      unprotectedHeader instanceof Map &&
      payload instanceof Uint8Array &&
      signature instanceof Uint8Array,
    'is not a COSE_Sign1 structure',
  );
  demand(unprotectedHeader.size === 0, 'has unprotected headers');
  const header = decodeCbor(protectedHeader);
  demand(
    header instanceof Map && header.size === 1 && header.get(ALGORITHM_LABEL) === ES384,
    'is not signed with ES384',
  );
  demand(signature.length === SIGNATURE_BYTES, 'has a signature of the wrong length');
  return { protectedHeader, payload, signature };
}

/** Whether the holder of this P-384 key signed the message. */
export function isSignedBy({ protectedHeader, payload, signature }: CoseSign1, publicKey: KeyObject): boolean {
  const noExternalData = new Uint8Array(0);
  const signed = encodeCbor(['Signature1', protectedHeader, noExternalData, payload]);
  return verify('sha384', signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
}
