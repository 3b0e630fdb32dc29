/** What stands behind a proxy: keys, and what manages them. Software or HSM, the proxy sees no difference. */
import type { MaybePromise } from '../../base/maybe-promise.ts';
import type { ExternalCiphertext, HealthAnswer } from '../proxy-api.ts';
import type { AllowList } from './allow-list.ts';

/**
 * An AES-256 key for AES-GCM with 16-byte tags. What it authenticates must cover the additional data and the metadata
 * that it answers with: {@link managerAdditionalData} puts them together.
 */
export interface ExternalKey {
  /** Whether the key manager still has it. */
  isPresent(): MaybePromise<boolean>;
  encrypt(plaintext: Uint8Array, additionalData: Uint8Array): MaybePromise<ExternalCiphertext>;
  /** @returns undefined when any part of it, or the additional data, is not what {@link encrypt} saw */
  decrypt(sealed: ExternalCiphertext, additionalData: Uint8Array): MaybePromise<Uint8Array | undefined>;
}

export const KEY_USES = ['ENCRYPT', 'DECRYPT'] as const;
export type ExternalKeyUsage = (typeof KEY_USES)[number];

/** A key that a proxy serves, under the id that it is known by. */
export interface ServedKey {
  readonly key: ExternalKey;
  readonly usage: readonly ExternalKeyUsage[];
  readonly isEnabled: boolean;
  /** For whom; absent when everybody with a credential of the proxy may use it. */
  readonly allow: AllowList | undefined;
}

export type ManagerHealth = HealthAnswer['ekmFleetDetails'][number];

export interface ExternalKeyManager {
  /** Tries it out with a key that is for nothing else. */
  health(): MaybePromise<ManagerHealth>;
}
