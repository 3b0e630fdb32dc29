/**
 * What follows the header in a ciphertext blob of a key in an external key store: the answer of the proxy, whose
 * ciphertext is what the material of the KMS key had made. docs/reference/ciphertext.md specifies it byte by byte.
 *
 * | offset | bytes | field |
 * |---|---|---|
 * | 0 | 1 | length of the initialization vector, 12 or 16 |
 * | 1 | 1 | length of the ciphertext metadata, 0 to 20 |
 * | 2 | 12 or 16 | initialization vector |
 * | … | 0 to 20 | ciphertext metadata |
 * | … | 16 | tag |
 * | … | rest | ciphertext |
 */
import type { CryptoCore } from '../core/crypto-core.ts';
import { isIvLength, MAX_METADATA_BYTES, TAG_BYTES, type ExternalCiphertext } from './proxy-api.ts';

const LENGTHS_BYTES = 2;
const BINDING_LABEL = Buffer.from('keywright/xks-additional-data/v1\0');

export function encodeExternalBlob(header: Uint8Array, sealed: ExternalCiphertext): Buffer {
  const { iv, metadata, tag, ciphertext } = sealed;
  return Buffer.concat([header, Buffer.of(iv.length, metadata.length), iv, metadata, tag, ciphertext]);
}

/** @returns undefined for bytes that {@link encodeExternalBlob} cannot have made */
export function parseExternalBlob(headerLength: number, blob: Uint8Array): ExternalCiphertext | undefined {
  const [ivLength = 0, metadataLength = 0] = blob.subarray(headerLength, headerLength + LENGTHS_BYTES);
  const metadataAt = headerLength + LENGTHS_BYTES + ivLength;
  const tagAt = metadataAt + metadataLength;
  const ciphertextAt = tagAt + TAG_BYTES;
  if (!isIvLength(ivLength) || metadataLength > MAX_METADATA_BYTES || blob.length <= ciphertextAt) {
    return undefined;
  }
  return {
    iv: blob.subarray(metadataAt - ivLength, metadataAt),
    metadata: blob.subarray(metadataAt, tagAt),
    tag: blob.subarray(tagAt, ciphertextAt),
    ciphertext: blob.subarray(ciphertextAt),
  };
}

/**
 * What the external key authenticates besides the ciphertext: a digest of header and encryption context, because a
 * proxy need not take more than 8192 bytes, and because the context is no business of the key manager.
 *
 * @returns 32 bytes
 */
export function externalAdditionalData(core: CryptoCore, header: Uint8Array, context: Uint8Array): Buffer {
  return core.digest('SHA-256', Buffer.concat([BINDING_LABEL, header, context]));
}
