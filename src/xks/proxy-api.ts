/**
 * The external key store proxy API, version 1: what both of its ends agree on.
 *
 * @source AWS, "External Key Store Proxy API Specification", May 2024
 */
import type { CryptoCore } from '../core/crypto-core.ts';
import { blob, enumeration, integer, list, optional, required, string, structure } from '../service/schema.ts';

/** The service in the scope of every signature. */
export const XKS_SERVICE = 'kms-xks-proxy';
/** The last part of every URI path of a store. */
export const API_PATH = '/kms/xks/v1';
export const CONTENT_TYPE = 'application/json';
export const ENCRYPTION_ALGORITHM = 'AES_GCM';
export const INTEGRITY_ALGORITHM = 'SHA_256';

/** The cipher suites that the two ends may use, of TLS 1.3 and 1.2, in the names of OpenSSL. */
export const TLS_CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
].join(':');

export const TAG_BYTES = 16;
export const MAX_METADATA_BYTES = 20;

/** Errors of a proxy, with the HTTP status that each comes with. */
export const XKS_ERROR_STATUS = {
  ValidationException: 400,
  InvalidStateException: 400,
  InvalidCiphertextException: 400,
  InvalidKeyUsageException: 400,
  AuthenticationFailedException: 401,
  AccessDeniedException: 403,
  KeyNotFoundException: 404,
  InvalidUriPathException: 404,
  ThrottlingException: 429,
  InternalException: 500,
  UnsupportedOperationException: 501,
  DependencyTimeoutException: 503,
} as const;

export type XksErrorName = keyof typeof XKS_ERROR_STATUS;

export function isXksErrorName(name: unknown): name is XksErrorName {
  return typeof name === 'string' && Object.hasOwn(XKS_ERROR_STATUS, name);
}

/** What an external key made of some data. */
export interface ExternalCiphertext {
  /** As long as the data. */
  readonly ciphertext: Uint8Array;
  /** 12 or 16 bytes. */
  readonly iv: Uint8Array;
  /** 16 bytes. */
  readonly tag: Uint8Array;
  /** What the key manager wants to find again, at most 20 bytes; often none. */
  readonly metadata: Uint8Array;
}

/** True for an initialization vector of a length that the API has. */
export function isIvLength(length: number): boolean {
  return length === 12 || length === 16;
}

/**
 * The ciphertext data integrity value: SHA-256 of everything that decryption will need, end to end.
 *
 * @returns 32 bytes
 * @source the specification, Appendix C
 */
export function integrityValue(
  core: CryptoCore,
  additionalData: Uint8Array,
  { metadata, iv, ciphertext, tag }: ExternalCiphertext,
): Buffer {
  return core.digest('SHA-256', Buffer.concat([additionalData, metadata, iv, ciphertext, tag]));
}

/**
 * The additional data of the encryption inside the key manager, which covers the metadata too: both with their lengths,
 * so that neither passes for a part of the other.
 *
 * @param additionalData at most 65,535 bytes
 * @source the specification, Encrypt, `ciphertextMetadata`
 */
export function managerAdditionalData(additionalData: Uint8Array, metadata: Uint8Array): Buffer {
  const lengthOfData = Buffer.alloc(2);
  lengthOfData.writeUInt16BE(additionalData.length);
  return Buffer.concat([lengthOfData, additionalData, Buffer.of(metadata.length), metadata]);
}

const anyText = string();

/** Members of the request metadata that come with every call. */
const CALL_FACTS = { kmsOperation: required(anyText), kmsRequestId: required(anyText) };
const ORIGIN_FACTS = { awsSourceVpc: optional(anyText), awsSourceVpce: optional(anyText) };
const USE_FACTS = {
  ...CALL_FACTS,
  ...ORIGIN_FACTS,
  awsPrincipalArn: required(anyText),
  kmsKeyArn: required(anyText),
  kmsViaService: optional(anyText),
};

export const healthRequest = structure({ requestMetadata: required(structure(CALL_FACTS)) });

export const metadataRequest = structure({
  requestMetadata: required(structure({ ...CALL_FACTS, ...ORIGIN_FACTS, awsPrincipalArn: required(anyText) })),
});

export const encryptRequest = structure({
  requestMetadata: required(structure(USE_FACTS)),
  plaintext: required(blob({ min: 1, secret: true })),
  encryptionAlgorithm: required(enumeration([ENCRYPTION_ALGORITHM])),
  additionalAuthenticatedData: optional(blob({ max: 65_535 })),
  ciphertextDataIntegrityValueAlgorithm: optional(enumeration([INTEGRITY_ALGORITHM])),
});

export const decryptRequest = structure({
  requestMetadata: required(structure(USE_FACTS)),
  ciphertext: required(blob({ min: 1 })),
  ciphertextMetadata: optional(blob({ max: MAX_METADATA_BYTES })),
  encryptionAlgorithm: required(enumeration([ENCRYPTION_ALGORITHM])),
  additionalAuthenticatedData: optional(blob({ max: 65_535 })),
  initializationVector: required(blob({ min: 12, max: 16 })),
  authenticationTag: required(blob({ min: TAG_BYTES, max: TAG_BYTES })),
});

export const healthAnswer = structure({
  xksProxyFleetSize: required(integer({ min: 1 })),
  xksProxyVendor: required(anyText),
  xksProxyModel: required(anyText),
  ekmVendor: required(anyText),
  ekmFleetDetails: required(
    list(
      structure({
        id: required(anyText),
        model: required(anyText),
        healthStatus: required(enumeration(['ACTIVE', 'DEGRADED', 'UNAVAILABLE'])),
      }),
      { min: 1, max: 10 },
    ),
  ),
});
export type HealthAnswer = ReturnType<(typeof healthAnswer)['parse']>;

export const metadataAnswer = structure({
  keySpec: required(anyText),
  keyUsage: required(list(anyText, { max: 10 })),
  keyStatus: required(enumeration(['ENABLED', 'DISABLED'])),
});
export type MetadataAnswer = ReturnType<(typeof metadataAnswer)['parse']>;

export const encryptAnswer = structure({
  ciphertext: required(blob({})),
  ciphertextMetadata: optional(blob({ max: MAX_METADATA_BYTES })),
  initializationVector: required(blob({ min: 12, max: 16 })),
  authenticationTag: required(blob({ min: TAG_BYTES, max: TAG_BYTES })),
  ciphertextDataIntegrityValue: required(blob({ min: 32, max: 32 })),
});

export const decryptAnswer = structure({ plaintext: required(blob({ secret: true })) });
