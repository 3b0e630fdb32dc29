import { InvariantError } from '../base/errors.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type { KeyStoreBackends, KeyStoreMaterials } from '../service/key-store-ports.ts';
import type {
  AsymmetricMaterial,
  KeyMaterialProvider,
  KeyRequest,
  MacMaterial,
  SymmetricMaterial,
  WrappedMaterial,
} from '../service/ports.ts';

/**
 * Sends each key to whoever has its material: keys in custom key stores to the backend of their store's type, all
 * others to the software. Keys in stores are symmetric and of one Region, so nothing else is ever asked of a backend.
 */
export class RoutedMaterials implements KeyMaterialProvider {
  readonly #software: KeyMaterialProvider;
  readonly #backends: KeyStoreBackends;

  constructor(software: KeyMaterialProvider, backends: KeyStoreBackends) {
    this.#software = software;
    this.#backends = backends;
  }

  generate(key: KmsKey, nowMs: number, request?: KeyRequest): MaybePromise<WrappedMaterial> {
    const materials = this.#storeMaterials(key);
    if (materials === undefined) {
      return this.#software.generate(key, nowMs);
    }
    if (request === undefined) {
      throw new InvariantError(`nobody asked for material of ${key.arn}`);
    }
    return materials.generate(key, nowMs, request);
  }

  /** Only keys of origin AWS_KMS are given material. */
  adopt(key: KmsKey, plaintext: Uint8Array, nowMs: number): MaybePromise<WrappedMaterial | undefined> {
    return this.#software.adopt(key, plaintext, nowMs);
  }

  copy(from: KmsKey, material: WrappedMaterial, to: KmsKey): MaybePromise<WrappedMaterial> {
    return this.#software.copy(from, material, to);
  }

  openSymmetric(key: KmsKey, materialId: string, request: KeyRequest): MaybePromise<SymmetricMaterial | undefined> {
    return (this.#storeMaterials(key) ?? this.#software).openSymmetric(key, materialId, request);
  }

  openMac(key: KmsKey): MaybePromise<MacMaterial> {
    return this.#software.openMac(key);
  }

  openAsymmetric(key: KmsKey): MaybePromise<AsymmetricMaterial> {
    return this.#software.openAsymmetric(key);
  }

  destroy(key: KmsKey): MaybePromise<void> {
    const materials = this.#storeMaterials(key);
    return materials === undefined ? this.#software.destroy(key) : materials.destroy?.(key);
  }

  #storeMaterials({ origin }: KmsKey): KeyStoreMaterials | undefined {
    return origin === 'AWS_CLOUDHSM' || origin === 'EXTERNAL_KEY_STORE' ? this.#backends[origin].materials : undefined;
  }
}
