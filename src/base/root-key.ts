import type { KeyHandle } from '../core/key-handle.ts';
import type { MaybePromise } from './maybe-promise.ts';
import type { RootKeyRecord } from './stored-records.ts';

/** The root key cannot be had: what holds it is missing, open to others, or not what made the store. */
export class RootKeyError extends Error {
  override readonly name = 'RootKeyError';
}

/** One version of the key that protects the region keys. Both functions bind the wrapped key to `aad`. */
export interface RootKey {
  readonly version: number;
  wrap(key: KeyHandle, aad: Uint8Array): MaybePromise<Uint8Array>;
  /**
   * @returns a handle of type `backing`
   * @throws RootKeyError when the root key cannot be used; CoreError or Pkcs11Error `authenticationFailed` for what it
   *   did not wrap
   */
  unwrap(wrapped: Uint8Array, aad: Uint8Array): MaybePromise<KeyHandle>;
}

/** Where root keys come from; its name stands in the records of those that it made. */
export interface RootKeyProvider {
  readonly name: string;
  /** Makes the root key of this version; the record is what {@link open} needs and holds no key. */
  create(version: number, nowMs: number): Promise<{ readonly record: RootKeyRecord; readonly key: RootKey }>;
  /** @throws RootKeyError with what to do about it */
  open(record: RootKeyRecord): Promise<RootKey>;
  /** Lets go of what the provider holds open. */
  close(): Promise<void>;
}
