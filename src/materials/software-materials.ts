import type { CryptoCore, DigestAlgorithm, KeyHandle, KeyType } from '../core/crypto-core.ts';
import { CoreError } from '../core/status.ts';
import { EntityCache } from '../base/entity-cache.ts';
import { InvariantError } from '../base/errors.ts';
import { encodeFields } from '../base/fields.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import { hmacKeyBytes, materialKindOf, type KeySpec, type MacAlgorithm } from '../keys/key-spec.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type { KeyMaterialProvider, MacMaterial, SymmetricMaterial, WrappedMaterial } from '../service/ports.ts';
import type { RegionKeys } from './region-keys.ts';

const MATERIAL_ID_BYTES = 32;
/**
 * Unwrapped materials kept ready; some 200 bytes of secure heap each. An evicted handle is freed when the last use let go
 * of it: it may still be in a request.
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
      const backingKey = this.#core.generateKey(keyTypeOf(key.keySpec), hmacKeyBytes(key.keySpec));
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

  openSymmetric(key: KmsKey, materialId: string): MaybePromise<SymmetricMaterial | undefined> {
    return chain(
      this.#open.get(materialKey(key, materialId), () => this.#load(key, materialId)),
      (handle) => (handle === undefined ? undefined : new SoftwareSymmetricMaterial(this.#core, handle)),
    );
  }

  openMac(key: KmsKey): MaybePromise<MacMaterial> {
    const materialId = key.currentMaterialId;
    return chain(
      this.#open.get(materialKey(key, materialId), () => this.#load(key, materialId)),
      (handle) => {
        if (handle === undefined) {
          throw new InvariantError(`key ${key.arn} lacks its material`);
        }
        return new SoftwareMacMaterial(this.#core, handle);
      },
    );
  }

  async #load(key: KmsKey, materialId: string): Promise<KeyHandle | undefined> {
    const stored = await this.#find(key, materialId);
    return stored === undefined ? undefined : await this.#unwrap(key, stored);
  }

  /** @throws InvariantError when the stored bytes are not this key's */
  #unwrap(key: KmsKey, { materialId, wrapped, regionKeyVersion }: WrappedMaterial): MaybePromise<KeyHandle> {
    return chain(this.#regionKeys.byVersion(key.region, regionKeyVersion), (regionKey) => {
      try {
        return this.#core.unwrapKey(regionKey, wrapped, materialAad(key, materialId), keyTypeOf(key.keySpec));
      } catch (error) {
        if (error instanceof CoreError && error.status === 'authenticationFailed') {
          throw new InvariantError(`the stored material ${materialId} does not belong to key ${key.arn}`);
        }
        throw error;
      }
    });
  }
}

class SoftwareSymmetricMaterial implements SymmetricMaterial {
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

class SoftwareMacMaterial implements MacMaterial {
  readonly #core: CryptoCore;
  readonly #key: KeyHandle;

  constructor(core: CryptoCore, key: KeyHandle) {
    this.#core = core;
    this.#key = key;
  }

  generate(algorithm: MacAlgorithm, message: Uint8Array): Uint8Array {
    return this.#core.hmac(this.#key, DIGEST_OF_MAC[algorithm], message);
  }

  verify(algorithm: MacAlgorithm, message: Uint8Array, mac: Uint8Array): boolean {
    return this.#core.hmacVerify(this.#key, DIGEST_OF_MAC[algorithm], message, mac);
  }
}

const DIGEST_OF_MAC: Readonly<Record<MacAlgorithm, DigestAlgorithm>> = {
  HMAC_SHA_224: 'SHA-224',
  HMAC_SHA_256: 'SHA-256',
  HMAC_SHA_384: 'SHA-384',
  HMAC_SHA_512: 'SHA-512',
};

function keyTypeOf(spec: KeySpec): KeyType {
  switch (materialKindOf(spec)) {
    case 'symmetric':
      return 'backing';
    case 'hmac':
      return 'hmac';
    case 'asymmetric':
      throw new InvariantError(`a key of spec ${spec} has no software material`);
  }
}

function materialKey(key: KmsKey, materialId: string): string {
  return `${key.arn}/${materialId}`;
}

/** Binds a stored material to its row: a material that was moved to another key, account or Region does not open. */
function materialAad(key: KmsKey, materialId: string): Buffer {
  return encodeFields('keywright/key-material/v1', key.accountId, key.region, key.keyId, materialId, key.keySpec);
}
