import { createPublicKey } from 'node:crypto';
import { AttestationError, demand } from './attestation-error.ts';

/** What the core encrypts envelopes to. */
const MODULUS_BITS: readonly (number | undefined)[] = [2048, 3072, 4096];
const MAX_EXPONENT = 1n << 64n;

/**
 * The key that a document asks to encrypt to: SubjectPublicKeyInfo, DER, of an RSA key.
 *
 * @throws AttestationError for none, another kind of key, another size or an exponent that encrypts nothing
 */
export function requireRecipientKey(publicKey: Uint8Array | undefined): Uint8Array {
  demand(publicKey !== undefined, 'has no public_key');
  const { type, details, der } = readKey(publicKey);
  demand(type === 'rsa' && der.equals(publicKey), 'has a public_key that is no RSA key');
  demand(MODULUS_BITS.includes(details?.modulusLength), 'has an RSA key of another size than 2048, 3072 or 4096 bits');
  const exponent = details?.publicExponent ?? 0n;
  demand(exponent >= 3n && exponent % 2n === 1n && exponent < MAX_EXPONENT, 'has an RSA key with a wrong exponent');
  return publicKey;
}

function readKey(spki: Uint8Array): {
  readonly type: string | undefined;
  readonly details: { readonly modulusLength?: number; readonly publicExponent?: bigint } | undefined;
  readonly der: Buffer;
} {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    return {
      type: key.asymmetricKeyType,
      details: key.asymmetricKeyDetails,
      der: key.export({ format: 'der', type: 'spki' }),
    };
  } catch (error) {
    throw new AttestationError('has a public_key that is no RSA key', { cause: error });
  }
}
