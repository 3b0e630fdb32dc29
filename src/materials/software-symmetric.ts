import type { CryptoCore, DigestAlgorithm } from '../core/crypto-core.ts';
import type { AsymmetricKeyType, KeyHandle } from '../core/key-handle.ts';
import type { DataKeyPair } from '../core/key-transport.ts';
import { CoreError } from '../core/status.ts';
import { materialTypeOf, type DataKeyPairSpec, type MacAlgorithm } from '../keys/key-spec.ts';
import type { MacMaterial, SymmetricMaterial } from '../service/ports.ts';

/** A key as a handle of the core. */
export class SoftwareSymmetricMaterial implements SymmetricMaterial {
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

  generateDataKeyPair(header: Uint8Array, context: Uint8Array, spec: DataKeyPairSpec): Promise<DataKeyPair> {
    return this.#core.generateDataKeyPairAsync(this.#backingKey, header, context, pairTypeOf(spec));
  }

  async generateDataKeyPairWithoutPlaintext(
    header: Uint8Array,
    context: Uint8Array,
    spec: DataKeyPairSpec,
  ): Promise<Omit<DataKeyPair, 'privateKey'>> {
    const { publicKey, privateKey, blob } = await this.generateDataKeyPair(header, context, spec);
    privateKey.fill(0);
    return { publicKey, blob };
  }
}

/** A key as a handle of the core. */
export class SoftwareMacMaterial implements MacMaterial {
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

/** Every spec of a data key pair is one of a key pair. */
function pairTypeOf(spec: DataKeyPairSpec): AsymmetricKeyType {
  return materialTypeOf(spec) as AsymmetricKeyType;
}
