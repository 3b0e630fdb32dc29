import type { CryptoCore } from '../core/crypto-core.ts';
import type { AsymmetricKeyType, KeyHandle } from '../core/key-handle.ts';
import { CoreError } from '../core/status.ts';
import { EntityCache } from '../base/entity-cache.ts';
import { InvariantError } from '../base/errors.ts';
import { encodeFields } from '../base/fields.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import { hmacKeyBytes, materialTypeOf, type KeySpec } from '../keys/key-spec.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type {
  AsymmetricMaterial,
  KeyMaterialProvider,
  MacMaterial,
  SymmetricMaterial,
  WrappedMaterial,
} from '../service/ports.ts';
import { SoftwareAsymmetricMaterial } from './software-asymmetric.ts';
import { SoftwareMacMaterial, SoftwareSymmetricMaterial } from './software-symmetric.ts';
import type { RegionKeys } from './region-keys.ts';

const MATERIAL_ID_BYTES = 32;
const BACKING_KEY_BYTES = 32;
const FINGERPRINT_LABEL = Buffer.from('keywright/material-fingerprint/v1');
/** Always the first key of the Region, so that a fingerprint outlives the later ones. */
const FINGERPRINT_KEY_VERSION = 1;
/**
 * Unwrapped materials kept ready; some 200 bytes of secure heap each. An evicted handle is freed when the last use let
 * go of it: it may still be in a request.
 */
const MAX_OPEN_MATERIALS = 20_000;

type FindMaterial = (key: KmsKey, materialId: string) => MaybePromise<WrappedMaterial | undefined>;

/** Key material that lives in the native core, and at rest in the store under the region key. */
export class SoftwareMaterials implements KeyMaterialProvider {
  readonly #core: CryptoCore;
  readonly #regionKeys: RegionKeys;
  readonly #find: FindMaterial;
  readonly #open = new EntityCache<KeyHandle>(MAX_OPEN_MATERIALS);

  constructor(core: CryptoCore, regionKeys: RegionKeys, find: FindMaterial) {
    this.#core = core;
    this.#regionKeys = regionKeys;
    this.#find = find;
  }

  generate(key: KmsKey, nowMs: number): MaybePromise<WrappedMaterial> {
    return chain(this.#regionKeys.current(key.region), (regionKey) => {
      const materialId = this.#core.randomBytes(MATERIAL_ID_BYTES).toString('hex');
      return chain(this.#generate(key.keySpec), (backingKey) => {
        const wrapped = this.#core.wrapKey(regionKey.handle, backingKey, materialAad(key, materialId));
        backingKey.destroy();
        return { materialId, wrapped, regionKeyVersion: regionKey.version, createdMs: nowMs };
      });
    });
  }

  adopt(key: KmsKey, plaintext: Uint8Array, nowMs: number): MaybePromise<WrappedMaterial | undefined> {
    const handle = this.#import(key.keySpec, plaintext);
    return handle === undefined
      ? undefined
      : chain(this.#regionKeys.current(key.region), (regionKey) =>
          chain(this.#regionKeys.byVersion(key.region, FINGERPRINT_KEY_VERSION), (fingerprintRoot) => {
            const materialId = this.#fingerprint(fingerprintRoot, key, handle);
            const wrapped = this.#core.wrapKey(regionKey.handle, handle, materialAad(key, materialId));
            handle.destroy();
            return { materialId, wrapped, regionKeyVersion: regionKey.version, createdMs: nowMs };
          }),
        );
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

  openSymmetric(key: KmsKey, materialId: string): MaybePromise<SymmetricMaterial | undefined> {
    return chain(this.#handle(key, materialId), (handle) =>
      handle === undefined ? undefined : new SoftwareSymmetricMaterial(this.#core, handle),
    );
  }

  openMac(key: KmsKey): MaybePromise<MacMaterial> {
    return chain(this.#onlyHandle(key), (handle) => new SoftwareMacMaterial(this.#core, handle));
  }

  openAsymmetric(key: KmsKey): MaybePromise<AsymmetricMaterial> {
    return chain(this.#onlyHandle(key), (handle) => new SoftwareAsymmetricMaterial(this.#core, handle));
  }

  /** All of it is in the store, whose rows went with the key. */
  destroy({ region, keyId }: KmsKey): void {
    this.forget(region, keyId);
  }

  /** Lets go of the materials of a key that changed or was deleted; a key that is still there loads them anew. */
  forget(region: string, keyId: string): void {
    this.#open.dropAll(`${region}/${keyId}/`);
  }

  /** Symmetric keys are drawn at once; key pairs may take seconds, and are made on the pool. */
  #generate(spec: KeySpec): MaybePromise<KeyHandle> {
    const type = materialTypeOf(spec);
    return type === 'backing' || type === 'hmac'
      ? this.#core.generateKey(type, hmacKeyBytes(spec))
      : this.#core.generateKeyPairAsync(type as AsymmetricKeyType);
  }

  /** Returns undefined for bytes that are no key of the spec. */
  #import(spec: KeySpec, plaintext: Uint8Array): KeyHandle | undefined {
    const type = materialTypeOf(spec);
    const length = type === 'backing' ? BACKING_KEY_BYTES : hmacKeyBytes(spec);
    if (length !== undefined && plaintext.length !== length) {
      return undefined;
    }
    try {
      return type === 'backing' || type === 'hmac'
        ? this.#core.importKey(type, plaintext)
        : this.#core.importPrivateKey(type as AsymmetricKeyType, plaintext);
    } catch (error) {
      if (error instanceof CoreError && error.status === 'invalidKey') {
        return undefined;
      }
      throw error;
    }
  }

  /** 64 hexadecimal digits that tell nothing of the material, or of other keys with the same one. */
  #fingerprint(root: KeyHandle, key: KmsKey, material: KeyHandle): string {
    const context = encodeFields('keywright/material-fingerprint/v1', key.accountId, key.keyId);
    const fingerprintKey = this.#core.deriveKey(root, FINGERPRINT_LABEL, context, 'hmac');
    const fingerprint = this.#core.materialFingerprint(fingerprintKey, material).toString('hex');
    fingerprintKey.destroy();
    return fingerprint;
  }

  #handle(key: KmsKey, materialId: string): MaybePromise<KeyHandle | undefined> {
    return this.#open.get(`${key.region}/${key.keyId}/${materialId}`, () => this.#load(key, materialId));
  }

  /** The material of a key that has exactly one. */
  #onlyHandle(key: KmsKey): MaybePromise<KeyHandle> {
    const { currentMaterialId: materialId } = key;
    return chain(materialId === undefined ? undefined : this.#handle(key, materialId), (handle) => {
      if (handle === undefined) {
        throw new InvariantError(`key ${key.arn} lacks its material`);
      }
      return handle;
    });
  }

  async #load(key: KmsKey, materialId: string): Promise<KeyHandle | undefined> {
    const stored = await this.#find(key, materialId);
    return stored === undefined ? undefined : await this.#unwrap(key, stored);
  }

  /** @throws InvariantError when the stored bytes are not this key's */
  #unwrap(key: KmsKey, { materialId, wrapped, regionKeyVersion }: WrappedMaterial): MaybePromise<KeyHandle> {
    return chain(this.#regionKeys.byVersion(key.region, regionKeyVersion), (regionKey) => {
      try {
        return this.#core.unwrapKey(regionKey, wrapped, materialAad(key, materialId), materialTypeOf(key.keySpec));
      } catch (error) {
        if (error instanceof CoreError && error.status === 'authenticationFailed') {
          throw new InvariantError(`the stored material ${materialId} does not belong to key ${key.arn}`);
        }
        throw error;
      }
    });
  }
}

/** Binds a stored material to its row: a material that was moved to another key, account or Region does not open. */
export function materialAad(key: KmsKey, materialId: string): Buffer {
  return encodeFields('keywright/key-material/v1', key.accountId, key.region, key.keyId, materialId, key.keySpec);
}
