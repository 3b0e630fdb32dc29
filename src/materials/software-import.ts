import type { CryptoCore } from '../core/crypto-core.ts';
import type { KeyHandle, KeyType } from '../core/key-handle.ts';
import type { WrappingAlgorithm } from '../core/key-transport.ts';
import { CoreError } from '../core/status.ts';
import { InvariantError } from '../base/errors.ts';
import { encodeFields } from '../base/fields.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { ImportedPublicKey, WrappedSecret } from '../keys/imported-materials.ts';
import { hmacKeyBytes, isAsymmetric, materialTypeOf } from '../keys/key-spec.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import { wrappingKeyTypeOf, type WrappingKeySpec } from '../keys/material-wrapping.ts';
import type { ImportOutcome, MaterialImporter, WrappingKey } from '../service/ports.ts';
import type { RegionKeys } from './region-keys.ts';
import { materialAad } from './software-materials.ts';

const FINGERPRINT_KEY_BYTES = 32;

/** Imports into the native core; everything at rest is under the region key and bound to its KMS key. */
export class SoftwareImport implements MaterialImporter {
  readonly #core: CryptoCore;
  readonly #regionKeys: RegionKeys;

  constructor(core: CryptoCore, regionKeys: RegionKeys) {
    this.#core = core;
    this.#regionKeys = regionKeys;
  }

  createFingerprintKey(key: KmsKey): MaybePromise<WrappedSecret> {
    return this.#wrap(key.region, this.#core.generateKey('hmac', FINGERPRINT_KEY_BYTES), fingerprintAad(key));
  }

  copyFingerprintKey(from: KmsKey, fingerprintKey: WrappedSecret, to: KmsKey): MaybePromise<WrappedSecret> {
    return chain(this.#unwrap(from.region, fingerprintKey, fingerprintAad(from), 'hmac'), (handle) =>
      this.#wrap(to.region, handle, fingerprintAad(to)),
    );
  }

  async createWrappingKey(
    key: KmsKey,
    spec: WrappingKeySpec,
  ): Promise<{ readonly publicKey: Uint8Array; readonly wrappingKey: WrappingKey }> {
    const pair = await this.#core.generateKeyPairAsync(wrappingKeyTypeOf(spec));
    const publicKey = this.#core.exportPublicKey(pair);
    const privateKey = await this.#wrap(key.region, pair, wrappingKeyAad(key, spec));
    return { publicKey, wrappingKey: { spec, privateKey } };
  }

  async unwrap(
    key: KmsKey,
    fingerprintKey: WrappedSecret,
    wrapping: { readonly key: WrappingKey; readonly algorithm: WrappingAlgorithm },
    encrypted: Uint8Array,
    nowMs: number,
  ): Promise<ImportOutcome> {
    const material = await this.#decrypt(key, wrapping.key, wrapping.algorithm, encrypted);
    if (typeof material === 'string') {
      return { ok: false, problem: material };
    }
    const recogniser = await this.#unwrap(key.region, fingerprintKey, fingerprintAad(key), 'hmac');
    const materialId = this.#core.materialFingerprint(recogniser, material).toString('hex');
    const publicKey = isAsymmetric(key.keySpec) ? this.#authenticate(recogniser, key, materialId, material) : undefined;
    recogniser.destroy();
    const stored = await this.#wrap(key.region, material, materialAad(key, materialId));
    return { ok: true, material: { materialId, ...stored, createdMs: nowMs }, publicKey };
  }

  openPublicKey(
    key: KmsKey,
    fingerprintKey: WrappedSecret,
    materialId: string,
    { spki, mac }: ImportedPublicKey,
  ): MaybePromise<Uint8Array> {
    return chain(this.#unwrap(key.region, fingerprintKey, fingerprintAad(key), 'hmac'), (recogniser) => {
      const isGenuine = this.#core.hmacVerify(recogniser, 'SHA-256', publicKeyFields(key, materialId, spki), mac);
      recogniser.destroy();
      if (!isGenuine) {
        throw new InvariantError(`the stored public key of material ${materialId} does not belong to key ${key.arn}`);
      }
      return spki;
    });
  }

  #authenticate(recogniser: KeyHandle, key: KmsKey, materialId: string, pair: KeyHandle): ImportedPublicKey {
    const spki = this.#core.exportPublicKey(pair);
    return { spki, mac: this.#core.hmac(recogniser, 'SHA-256', publicKeyFields(key, materialId, spki)) };
  }

  async #decrypt(
    key: KmsKey,
    { spec, privateKey }: WrappingKey,
    algorithm: WrappingAlgorithm,
    encrypted: Uint8Array,
  ): Promise<KeyHandle | 'ciphertext' | 'material'> {
    const type = materialTypeOf(key.keySpec);
    const aad = wrappingKeyAad(key, spec);
    const wrappingKey = await this.#unwrap(key.region, privateKey, aad, wrappingKeyTypeOf(spec));
    try {
      return await this.#core.unwrapImportedAsync(wrappingKey, algorithm, encrypted, type, hmacKeyBytes(key.keySpec));
    } catch (error) {
      if (error instanceof CoreError && error.status === 'authenticationFailed') {
        return 'ciphertext';
      }
      if (error instanceof CoreError && error.status === 'invalidKey') {
        return 'material';
      }
      throw error;
    } finally {
      wrappingKey.destroy();
    }
  }

  /** Wraps a key under the current region key and destroys it. */
  #wrap(region: string, secret: KeyHandle, aad: Uint8Array): MaybePromise<WrappedSecret> {
    return chain(this.#regionKeys.current(region), ({ handle, version }) => {
      const wrapped = this.#core.wrapKey(handle, secret, aad);
      secret.destroy();
      return { wrapped, regionKeyVersion: version };
    });
  }

  #unwrap(
    region: string,
    { wrapped, regionKeyVersion }: WrappedSecret,
    aad: Uint8Array,
    type: KeyType,
  ): MaybePromise<KeyHandle> {
    return chain(this.#regionKeys.byVersion(region, regionKeyVersion), (regionKey) =>
      this.#core.unwrapKey(regionKey, wrapped, aad, type),
    );
  }
}

function fingerprintAad({ accountId, region, keyId }: KmsKey): Buffer {
  return encodeFields('keywright/fingerprint-key/v1', accountId, region, keyId);
}

/** The fingerprint key, which related keys share, says which KMS key; the rest is here. */
function publicKeyFields({ keySpec }: KmsKey, materialId: string, spki: Uint8Array): Buffer {
  return encodeFields('keywright/public-key/v1', keySpec, materialId, Buffer.from(spki).toString('base64'));
}

function wrappingKeyAad({ accountId, region, keyId }: KmsKey, spec: WrappingKeySpec): Buffer {
  return encodeFields('keywright/wrapping-key/v1', accountId, region, keyId, spec);
}
