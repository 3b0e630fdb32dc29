/**
 * The last use of a key: which operations count, and what follows from it.
 *
 * @source KMS API Reference, GetKeyLastUsage; KMS Developer Guide, "kms:TrailingDaysWithoutKeyUsage"
 */
import { MS_PER_DAY } from '../base/clock.ts';
import type { KmsKey } from './kms-key.ts';

/** The operations whose success is a use of their keys. @source KMS API Reference, KeyLastUsageData */
export const TRACKED_OPERATIONS = [
  'Decrypt',
  'DeriveSharedSecret',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateMac',
  'ReEncrypt',
  'Sign',
  'Verify',
  'VerifyMac',
  'Encapsulate',
  'Decapsulate',
] as const;
export type TrackedOperation = (typeof TRACKED_OPERATIONS)[number];

const TRACKED: ReadonlySet<string> = new Set(TRACKED_OPERATIONS);

export function isTracked(operation: string): operation is TrackedOperation {
  return TRACKED.has(operation);
}

/** One successful cryptographic operation under a key. */
export interface KeyUse {
  readonly operation: TrackedOperation;
  /** Time of the request. */
  readonly atMs: number;
  /** The id that the caller was answered with. */
  readonly requestId: string;
}

/** From when on every use of the key was noted: all its life, as this service never was without tracking. */
export function trackingStartMs(key: KmsKey): number {
  return key.createdMs;
}

/**
 * The value of the condition key kms:TrailingDaysWithoutKeyUsage: whole days since the last use, or for a key that was
 * never used since tracking began.
 */
export function trailingDaysWithoutUse(key: KmsKey, lastUse: KeyUse | undefined, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - (lastUse?.atMs ?? trackingStartMs(key))) / MS_PER_DAY));
}
