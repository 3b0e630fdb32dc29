/** The narrow road to a token: requests and replies as the binding takes and gives them. */
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { KeyHandle, KeyType } from '../core/key-handle.ts';
import type { HsmOperation } from './codes.ts';
import type { Pkcs11TokenInfo, Pkcs11TokenState } from './token.ts';

/** Reason, return value and mechanism of a failure (`native/pkcs11/failure.h`). */
export type FailureNumbers = Uint32Array;

/** A failure; the only output; or the outputs, and failures in their places. */
export type PortReply = FailureNumbers | Buffer | readonly (Buffer | FailureNumbers)[];

/** The parts of a request are those of `native/pkcs11/perform.h`. */
export interface TokenPort {
  readonly modulePath: string;
  readonly info: Pkcs11TokenInfo;
  /**
   * Never rejects. The promise of the addon as it is: another around it costs. Bytes are copied before it returns.
   * `items` is one item, or many.
   */
  submit(
    operation: HsmOperation,
    keyId: Uint8Array,
    numbers: readonly number[],
    common: Uint8Array,
    items?: Uint8Array | readonly Uint8Array[],
  ): MaybePromise<PortReply>;
  /** {@link submit} of `encryptGcm` with a key of the core; not where the key would have to leave this process. */
  sealKey?(keyId: Uint8Array, key: KeyHandle, aad: Uint8Array): Promise<PortReply>;
  openKey?(keyId: Uint8Array, sealed: Uint8Array, aad: Uint8Array, type: KeyType): Promise<KeyHandle | FailureNumbers>;
  state(): Pkcs11TokenState;
  close(): Promise<void>;
}
