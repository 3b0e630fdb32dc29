/** An operation that every side does. */
export interface HsmCase {
  /** OPERATION of bench/native/hsm.cc. */
  readonly operation: Operation;
  /** In the words of the tables. */
  readonly title: string;
  /** Bytes of plaintext, 0 where that says nothing. */
  readonly sizeBytes: number;
  /** Where the key is: gone with the session, or kept in the token, which many modules read it from at every use. */
  readonly keys: 'session' | 'token';
}

export type GcmOperation = 'encryptGcm32' | 'encryptGcm4096' | 'decryptGcm32';
export type Operation = GcmOperation | 'hmac' | 'signP256' | 'signRsa2048' | 'wrapAesKw';

export const AAD_BYTES = 32;
/** Messages in one request of a batch. */
export const BATCH_ITEMS = 64;
/** Sessions that a module is used with. */
export const SESSIONS = [1, 2, 4] as const;
/** Requests that are under way at the same time. */
export const IN_FLIGHT = [1, 4, 16, 64] as const;
/** Batches that are under way at the same time: as many messages as the most requests, and enough for four sessions. */
export const BATCHES_IN_FLIGHT = [1, 4] as const;

export const HSM_CASES: readonly HsmCase[] = [
  { operation: 'encryptGcm32', title: 'AES-256-GCM: encrypt 32 B', sizeBytes: 32, keys: 'session' },
  { operation: 'encryptGcm4096', title: 'AES-256-GCM: encrypt 4 KiB', sizeBytes: 4096, keys: 'session' },
  { operation: 'decryptGcm32', title: 'AES-256-GCM: decrypt 32 B', sizeBytes: 32, keys: 'session' },
  { operation: 'encryptGcm32', title: 'AES-256-GCM: encrypt 32 B, token key', sizeBytes: 32, keys: 'token' },
  { operation: 'hmac', title: 'HMAC-SHA-256 of 32 B', sizeBytes: 32, keys: 'session' },
  { operation: 'signP256', title: 'ECDSA P-256: sign a digest', sizeBytes: 0, keys: 'session' },
  { operation: 'signRsa2048', title: 'RSA-2048 PKCS #1 v1.5: sign a digest', sizeBytes: 0, keys: 'session' },
  { operation: 'wrapAesKw', title: 'AES-KW: wrap an AES-256 key', sizeBytes: 0, keys: 'session' },
];

/** Whether there are batches of an operation. */
export function hasBatches(operation: Operation): operation is Exclude<Operation, 'wrapAesKw'> {
  return operation !== 'wrapAesKw';
}

/** Whether it works on plaintexts, of {@link plaintextBytes}. */
export function isGcm(operation: Operation): operation is GcmOperation {
  return operation.includes('Gcm');
}

export function plaintextBytes(operation: GcmOperation): number {
  return operation === 'encryptGcm4096' ? 4096 : 32;
}
