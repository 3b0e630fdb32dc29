import type { MaybePromise } from '../base/maybe-promise.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type { KeyStoreBackends, KeyStoreMaterials } from '../service/key-store-ports.ts';
import type {
  AsymmetricMaterial,
  KeyMaterialProvider,
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

  generate(key: KmsKey, nowMs: number): MaybePromise<WrappedMaterial> {
    return this.#materialsOf(key).generate(key, nowMs);
  }

  /** Only keys of origin AWS_KMS are given material. */
  adopt(key: KmsKey, plaintext: Uint8Array, nowMs: number): MaybePromise<WrappedMaterial | undefined> {
    return this.#software.adopt(key, plaintext, nowMs);
  }

  copy(from: KmsKey, material: WrappedMaterial, to: KmsKey): MaybePromise<WrappedMaterial> {
    return this.#software.copy(from, material, to);
  }

  openSymmetric(key: KmsKey, materialId: string): MaybePromise<SymmetricMaterial | undefined> {
    return this.#materialsOf(key).openSymmetric(key, materialId);
  }

  openMac(key: KmsKey): MaybePromise<MacMaterial> {
    return this.#software.openMac(key);
  }

  openAsymmetric(key: KmsKey): MaybePromise<AsymmetricMaterial> {
    return this.#software.openAsymmetric(key);
  }

  #materialsOf({ origin }: KmsKey): KeyStoreMaterials {
    return origin === 'AWS_CLOUDHSM' || origin === 'EXTERNAL_KEY_STORE'
      ? this.#backends[origin].materials
      : this.#software;
  }
}
