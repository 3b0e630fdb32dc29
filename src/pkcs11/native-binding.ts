import type { FailureNumbers } from './token-port.ts';

/** What the token says of itself, or why it was not opened: `ValueOfFacts` in `native/napi/pkcs11_napi.cc`. */
export type OpenReply = FailureNumbers | readonly (number | string)[];

/** The functions of the addon for tokens. They check every argument and never throw; promises never reject. */
export interface NativePkcs11Binding {
  /**
   * `numbers`: slot, profile, sessions, queue length, timeouts of a request and of opening in milliseconds, bind, user
   * type. An empty label stands for the slot, empty initArgs for none. `receive` gets all replies to
   * {@link pkcs11Submit} and {@link pkcs11SealKey}: so many bytes of memory, to be read before it returns.
   */
  pkcs11Open(
    modulePath: Uint8Array,
    label: Uint8Array,
    pin: Uint8Array,
    initArgs: Uint8Array,
    numbers: Uint32Array,
    receive: (memory: ArrayBuffer, usedBytes: number) => void,
  ): Promise<OpenReply> | FailureNumbers;
  /** Requests as in `native/pkcs11/wire.h`. */
  pkcs11Submit(token: number, requests: Uint8Array): FailureNumbers | undefined;
  /** Submits `encryptGcm` with the key of a handle of the core. */
  pkcs11SealKey(
    token: number,
    ticket: number,
    keyId: Uint8Array,
    key: number,
    aad: Uint8Array,
  ): FailureNumbers | undefined;
  /** The handle of a key of `type` (KEY_TYPE_CODES), or minus a status when there is no room for it. */
  pkcs11OpenKey(
    token: number,
    keyId: Uint8Array,
    sealed: Uint8Array,
    aad: Uint8Array,
    type: number,
  ): Promise<number | FailureNumbers> | FailureNumbers;
  /** `out`: is the circuit open, sessions, active and queued requests, logins. Negative when there is no such token. */
  pkcs11State(token: number, out: Uint32Array): number;
  /** To be called once. */
  pkcs11Close(token: number): Promise<void> | undefined;
}
