import type { KeyHandle, KeyType } from './key-handle.ts';
import { CoreError } from './status.ts';

/** Frees a key by its native handle; a handle that names no key is ignored. */
export type DestroyKey = (handle: number) => unknown;

/** Held by the registry instead of the key, which could otherwise never be collected. */
interface ForgottenKey {
  readonly handle: number;
  readonly destroy: DestroyKey;
}

// Frees keys whose handle object was forgotten.
const forgottenKeys = new FinalizationRegistry<ForgottenKey>(({ handle, destroy }) => destroy(handle));

/** A {@link KeyHandle} over a key in the table of the native core. */
export class NativeKey implements KeyHandle {
  readonly type: KeyType;
  /** 0 when destroyed, which no key has. */
  #handle: number;
  readonly #destroy: DestroyKey;
  readonly #isPublic: boolean;

  constructor(type: KeyType, handle: number, destroy: DestroyKey, isPublic = false) {
    this.type = type;
    this.#isPublic = isPublic;
    this.#handle = handle;
    this.#destroy = destroy;
    forgottenKeys.register(this, { handle, destroy }, this);
  }

  /** The native handle of `key`. @throws CoreError `invalidArgument` when `key` is no key of this class. */
  static readonly handleOf = (key: unknown): number => {
    if (typeof key !== 'object' || key === null || !(#handle in key)) throw new CoreError('invalidArgument');
    return key.#handle;
  };

  get isPublic(): boolean {
    return this.#isPublic;
  }

  destroy(): void {
    if (this.#handle === 0) return;
    forgottenKeys.unregister(this);
    this.#destroy(this.#handle);
    this.#handle = 0;
  }
}
