/**
 * The header of ciphertext blob v1: which key and which of its materials made the blob. It is authenticated with the
 * blob and never decrypted by trial. docs/reference/ciphertext.md specifies it byte by byte; the golden files in
 * test/golden keep it readable for ever.
 *
 * | offset | bytes | field |
 * |---|---|---|
 * | 0 | 1 | format version, 0x01 |
 * | 1 | 1 | kind of key id: 0x00 UUID, 0x01 multi-Region (`mrk-`) |
 * | 2 | 16 | key id, its hexadecimal digits as bytes |
 * | 18 | 32 | key material id |
 */

export const BLOB_HEADER_BYTES = 50;

/** Size of the largest blob that the API carries. @source KMS API Reference, CiphertextType */
export const MAX_BLOB_BYTES = 6144;

const FORMAT_VERSION = 1;
const KIND_UUID = 0;
const KIND_MULTI_REGION = 1;
const UUID_GROUPS = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

export interface BlobHeader {
  readonly keyId: string;
  /** 64 hexadecimal digits. */
  readonly materialId: string;
}

export function encodeBlobHeader(header: BlobHeader): Buffer {
  const isMultiRegion = header.keyId.startsWith('mrk-');
  const digits = isMultiRegion ? header.keyId.slice(4) : header.keyId.replaceAll('-', '');
  const out = Buffer.alloc(BLOB_HEADER_BYTES);
  out.writeUInt8(FORMAT_VERSION, 0);
  out.writeUInt8(isMultiRegion ? KIND_MULTI_REGION : KIND_UUID, 1);
  out.write(digits, 2, 16, 'hex');
  out.write(header.materialId, 18, 32, 'hex');
  return out;
}

/** Returns undefined for anything that is not a v1 blob with room for its nonce, commitment and tag. */
export function parseBlobHeader(blob: Uint8Array, messageOverheadBytes: number): BlobHeader | undefined {
  if (blob.length < BLOB_HEADER_BYTES + messageOverheadBytes || blob.length > MAX_BLOB_BYTES) {
    return undefined;
  }
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.length);
  const kind = bytes.readUInt8(1);
  if (bytes.readUInt8(0) !== FORMAT_VERSION || (kind !== KIND_UUID && kind !== KIND_MULTI_REGION)) {
    return undefined;
  }
  const digits = bytes.toString('hex', 2, 18);
  return {
    keyId: kind === KIND_MULTI_REGION ? `mrk-${digits}` : digits.replace(UUID_GROUPS, '$1-$2-$3-$4-$5'),
    materialId: bytes.toString('hex', 18, BLOB_HEADER_BYTES),
  };
}
