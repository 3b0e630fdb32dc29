import type { CryptoCore, KeyHandle } from '../core/crypto-core.ts';
import { CoreError } from '../core/status.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { TokenSealer } from '../service/ports.ts';
import type { RegionKeys } from './region-keys.ts';

const LABEL = Buffer.from('keywright/tokens/v1');
const NO_BYTES = new Uint8Array(0);
const VERSION_BYTES = 4;

/**
 * Tokens under a key that is derived from the region key for each purpose: version of the region key ‖ message. The
 * binding is authenticated with the message.
 */
export class RegionTokens implements TokenSealer {
  readonly #core: CryptoCore;
  readonly #regionKeys: RegionKeys;

  constructor(core: CryptoCore, regionKeys: RegionKeys) {
    this.#core = core;
    this.#regionKeys = regionKeys;
  }

  seal(region: string, purpose: string, content: Uint8Array, binding = NO_BYTES): MaybePromise<string> {
    return chain(this.#regionKeys.current(region), ({ handle, version }) => {
      const header = Buffer.alloc(VERSION_BYTES);
      header.writeUInt32BE(version);
      return this.#withKey(handle, purpose, (key) =>
        this.#core.encryptMessage(key, header, binding, content).toString('base64'),
      );
    });
  }

  open(region: string, purpose: string, token: string, binding = NO_BYTES): MaybePromise<Uint8Array | undefined> {
    const bytes = Buffer.from(token, 'base64');
    if (bytes.length < VERSION_BYTES || bytes.toString('base64') !== token) {
      return undefined;
    }
    return chain(this.#regionKeys.findVersion(region, bytes.readUInt32BE(0)), (handle) =>
      handle === undefined ? undefined : this.#withKey(handle, purpose, (key) => this.#decrypt(key, bytes, binding)),
    );
  }

  #decrypt(key: KeyHandle, bytes: Uint8Array, binding: Uint8Array): Uint8Array | undefined {
    try {
      return this.#core.decryptMessage(key, VERSION_BYTES, bytes, binding);
    } catch (error) {
      if (error instanceof CoreError && error.status === 'authenticationFailed') {
        return undefined;
      }
      throw error;
    }
  }

  #withKey<T>(regionKey: KeyHandle, purpose: string, use: (key: KeyHandle) => T): T {
    const key = this.#core.deriveKey(regionKey, LABEL, Buffer.from(purpose, 'utf8'), 'backing');
    try {
      return use(key);
    } finally {
      key.destroy();
    }
  }
}
