/** What a careful user writes with node:crypto: the same bytes as the core's, from the fastest calls that it offers. */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  randomFillSync,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';

const GCM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KDF_NONCE_BYTES = 16;
const COMMITMENT_BYTES = 32;
const POOL_BYTES = 8192;

const ZERO_NONCE = Buffer.alloc(NONCE_BYTES);
// Label, separator; in front the number of the block, behind the nonce and the length in bits.
const LABEL = Buffer.from('keywright/message/v1\0');
const BITS = Buffer.from([0, 0, 2, 0]);

/** Random nonces out of a pool that one call fills. */
export class NoncePool {
  readonly #pool = Buffer.alloc(POOL_BYTES);
  #at = POOL_BYTES;

  draw(bytes: number): Buffer {
    if (this.#at + bytes > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#at = 0;
    }
    const nonce = this.#pool.subarray(this.#at, this.#at + bytes);
    this.#at += bytes;
    return nonce;
  }
}

const nonces = new NoncePool();

/** Writes nonce ‖ ciphertext ‖ tag to `out`: plaintext.length + 28 bytes. */
export function nodeEncryptInto(key: KeyObject, plaintext: Uint8Array, aad: Uint8Array, out: Buffer): Buffer {
  const nonce = nonces.draw(NONCE_BYTES);
  const cipher = createCipheriv(GCM, key, nonce);
  cipher.setAAD(aad);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  out.set(nonce, 0);
  out.set(ciphertext, NONCE_BYTES);
  out.set(cipher.getAuthTag(), NONCE_BYTES + ciphertext.length);
  return out;
}

/** @throws Error when the tag does not fit. */
export function nodeDecrypt(key: KeyObject, sealed: Buffer, aad: Uint8Array): Buffer {
  const decipher = createDecipheriv(GCM, key, sealed.subarray(0, NONCE_BYTES));
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plaintext = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES));
  decipher.final();
  return plaintext;
}

/**
 * Writes header ‖ KDF nonce ‖ commitment ‖ ciphertext ‖ tag to `out`: header.length + plaintext.length + 64 bytes.
 *
 * @param bound header ‖ context, which the blob is bound to.
 */
export function nodeEncryptMessageInto(
  key: KeyObject,
  header: Uint8Array,
  bound: Uint8Array,
  plaintext: Uint8Array,
  out: Buffer,
): Buffer {
  const nonce = nonces.draw(KDF_NONCE_BYTES);
  const cipher = createCipheriv(GCM, derive(key, 1, nonce), ZERO_NONCE);
  cipher.setAAD(bound);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  let at = header.length;
  out.set(header, 0);
  out.set(nonce, at);
  out.set(derive(key, 2, nonce), (at += KDF_NONCE_BYTES));
  out.set(ciphertext, (at += COMMITMENT_BYTES));
  out.set(cipher.getAuthTag(), at + ciphertext.length);
  return out;
}

/**
 * @param bound header ‖ context, which the blob is bound to.
 * @throws Error when the commitment or the tag does not fit.
 */
export function nodeDecryptMessage(key: KeyObject, headerBytes: number, blob: Buffer, bound: Uint8Array): Buffer {
  const nonceEnd = headerBytes + KDF_NONCE_BYTES;
  const commitmentEnd = nonceEnd + COMMITMENT_BYTES;
  const nonce = blob.subarray(headerBytes, nonceEnd);
  if (!timingSafeEqual(derive(key, 2, nonce), blob.subarray(nonceEnd, commitmentEnd))) throw new Error('commitment');
  const decipher = createDecipheriv(GCM, derive(key, 1, nonce), ZERO_NONCE);
  decipher.setAAD(bound);
  decipher.setAuthTag(blob.subarray(blob.length - TAG_BYTES));
  const plaintext = decipher.update(blob.subarray(commitmentEnd, blob.length - TAG_BYTES));
  decipher.final();
  return plaintext;
}

const derivationInput = Buffer.concat([Buffer.alloc(4), LABEL, Buffer.alloc(KDF_NONCE_BYTES), BITS]);

/** Block `number` of the key derivation (SP 800-108, counter mode): 32 bytes. */
function derive(key: KeyObject, number: number, nonce: Uint8Array): Buffer {
  derivationInput[3] = number;
  derivationInput.set(nonce, 4 + LABEL.length);
  return createHmac('sha256', key).update(derivationInput).digest();
}
