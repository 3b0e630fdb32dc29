import type { CryptoCore, KeyHandle } from '../core/crypto-core.ts';
import { CoreError } from '../core/status.ts';
import { EntityCache } from '../base/entity-cache.ts';
import { InvariantError } from '../base/errors.ts';
import { encodeFields } from '../base/fields.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type { KeyMaterialProvider, SymmetricMaterial, WrappedMaterial } from '../service/ports.ts';
import type { RegionKeys } from './region-keys.ts';

const MATERIAL_ID_BYTES = 32;
/** Unwrapped materials kept ready; some 200 bytes of secure heap each. */
const MAX_OPEN_MATERIALS = 20_000;

type FindMaterial = (key: KmsKey, materialId: string) => MaybePromise<WrappedMaterial | undefined>;

/** Key material that lives in the native core, and at rest in the store under the region key. */
export class SoftwareMaterials implements KeyMaterialProvider {
  readonly #core: CryptoCore;
  readonly #regionKeys: RegionKeys;
  readonly #find: FindMaterial;
  readonly #open = new EntityCache<SoftwareMaterial>(MAX_OPEN_MATERIALS);

  constructor(core: CryptoCore, regionKeys: RegionKeys, find: FindMaterial) {
    this.#core = core;
    this.#regionKeys = regionKeys;
    this.#find = find;
  }

  generate(key: KmsKey, nowMs: number): MaybePromise<WrappedMaterial> {
    return chain(this.#regionKeys.current(key.region), (regionKey) => {
      const materialId = this.#core.randomBytes(MATERIAL_ID_BYTES).toString('hex');
      const backingKey = this.#core.generateKey('backing');
      const wrapped = this.#core.wrapKey(regionKey.handle, backingKey, materialAad(key, materialId));
      backingKey.destroy();
      return { materialId, wrapped, regionKeyVersion: regionKey.version, createdMs: nowMs };
    });
  }

  copy(from: KmsKey, stored: WrappedMaterial, to: KmsKey): MaybePromise<WrappedMaterial> {
    return chain(this.#unwrap(from, stored), (backingKey) =>
      chain(this.#regionKeys.current(to.region), (regionKey) => {
        const wrapped = this.#core.wrapKey(regionKey.handle, backingKey, materialAad(to, stored.materialId));
        backingKey.destroy();
        return { ...stored, wrapped, regionKeyVersion: regionKey.version };
      }),
    );
  }

  open(key: KmsKey, materialId: string): MaybePromise<SymmetricMaterial | undefined> {
    return this.#open.get(`${key.arn}/${materialId}`, () => this.#load(key, materialId));
  }

  async #load(key: KmsKey, materialId: string): Promise<SoftwareMaterial | undefined> {
    const stored = await this.#find(key, materialId);
    if (stored === undefined) {
      return undefined;
    }
    return new SoftwareMaterial(this.#core, await this.#unwrap(key, stored));
  }

  /** @throws InvariantError when the stored bytes are not this key's */
  #unwrap(key: KmsKey, { materialId, wrapped, regionKeyVersion }: WrappedMaterial): MaybePromise<KeyHandle> {
    return chain(this.#regionKeys.byVersion(key.region, regionKeyVersion), (regionKey) => {
      try {
        return this.#core.unwrapKey(regionKey, wrapped, materialAad(key, materialId), 'backing');
      } catch (error) {
        if (error instanceof CoreError && error.status === 'authenticationFailed') {
          throw new InvariantError(`the stored material ${materialId} does not belong to key ${key.arn}`);
        }
        throw error;
      }
    });
  }
}

/** A backing key as a handle. It is freed when the last use let go of it: an evicted one may still be in a request. */
class SoftwareMaterial implements SymmetricMaterial {
  readonly #core: CryptoCore;
  readonly #backingKey: KeyHandle;

  constructor(core: CryptoCore, backingKey: KeyHandle) {
    this.#core = core;
    this.#backingKey = backingKey;
  }

  encrypt(header: Uint8Array, context: Uint8Array, plaintext: Uint8Array): Uint8Array {
    return this.#core.encryptMessage(this.#backingKey, header, context, plaintext);
  }

  decrypt(headerLength: number, blob: Uint8Array, context: Uint8Array): Uint8Array | undefined {
    try {
      return this.#core.decryptMessage(this.#backingKey, headerLength, blob, context);
    } catch (error) {
      if (error instanceof CoreError && error.status === 'authenticationFailed') {
        return undefined;
      }
      throw error;
    }
  }

  generateDataKey(
    header: Uint8Array,
    context: Uint8Array,
    lengthBytes: number,
  ): { readonly plaintext: Uint8Array; readonly blob: Uint8Array } {
    return this.#core.generateDataKey(this.#backingKey, header, context, lengthBytes);
  }

  generateDataKeyWithoutPlaintext(header: Uint8Array, context: Uint8Array, lengthBytes: number): Uint8Array {
    return this.#core.generateDataKeyWithoutPlaintext(this.#backingKey, header, context, lengthBytes);
  }
}

/** Binds a stored material to its row: a material that was moved to another key, account or Region does not open. */
function materialAad(key: KmsKey, materialId: string): Buffer {
  return encodeFields('keywright/key-material/v1', key.accountId, key.region, key.keyId, materialId, key.keySpec);
}
