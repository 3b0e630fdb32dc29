import type { DigestAlgorithm, KeyType } from './crypto-core.ts';

/**
 * Numbers of key types at the binding; `native/core/key_type.h` has the same ones. They never change: wrapped keys are
 * bound to them.
 */
export const KEY_TYPE_CODES: Readonly<Record<KeyType, number>> = { aesGcm: 1, aesKwp: 2, backing: 3, hmac: 4 };

/** Numbers of digests at the binding; `native/core/digest_algorithm.h` has the same ones. */
export const DIGEST_CODES: Readonly<Record<DigestAlgorithm, number>> = {
  'SHA-224': 1,
  'SHA-256': 2,
  'SHA-384': 3,
  'SHA-512': 4,
};

/** Bytes of a digest, and of an HMAC with it. */
export const DIGEST_BYTES: Readonly<Record<DigestAlgorithm, number>> = {
  'SHA-224': 28,
  'SHA-256': 32,
  'SHA-384': 48,
  'SHA-512': 64,
};
