import { InvariantError } from '../base/errors.ts';
import type { CryptoCore } from '../core/crypto-core.ts';
import type { SymmetricMaterial } from '../service/ports.ts';
import { encodeExternalBlob, externalAdditionalData, parseExternalBlob } from './external-blob.ts';
import { toServiceError, XksFailure } from './failures.ts';
import type { ExternalCiphertext } from './proxy-api.ts';

/** The external key of a KMS key, as one request uses it. Refusals of the proxy come as {@link KmsServiceError}. */
export interface ExternalKeyUse {
  encrypt(plaintext: Uint8Array, additionalData: Uint8Array): Promise<ExternalCiphertext>;
  decrypt(sealed: ExternalCiphertext, additionalData: Uint8Array): Promise<Uint8Array>;
}

/**
 * Encrypts under the material of the KMS key first, and what that gives under the external key: who has only one of
 * them reads nothing, so the external key manager sees no plaintext.
 */
export class DoublyEncrypted implements SymmetricMaterial {
  readonly #core: CryptoCore;
  readonly #inner: SymmetricMaterial;
  readonly #outer: ExternalKeyUse;

  constructor(core: CryptoCore, inner: SymmetricMaterial, outer: ExternalKeyUse) {
    this.#core = core;
    this.#inner = inner;
    this.#outer = outer;
  }

  async encrypt(header: Uint8Array, context: Uint8Array, plaintext: Uint8Array): Promise<Uint8Array> {
    return this.#wrap(header, context, await this.#inner.encrypt(header, context, plaintext));
  }

  /** A blob that the proxy or its key does not open is an error of its own, as AWS has it. */
  async decrypt(headerLength: number, blob: Uint8Array, context: Uint8Array): Promise<Uint8Array | undefined> {
    const sealed = parseExternalBlob(headerLength, blob);
    if (sealed === undefined) {
      return undefined;
    }
    const header = blob.subarray(0, headerLength);
    const opened = await this.#outer.decrypt(sealed, externalAdditionalData(this.#core, header, context));
    const plaintext = await this.#inner.decrypt(headerLength, Buffer.concat([header, opened]), context);
    if (plaintext === undefined) {
      const failure = new XksFailure('foreignCiphertext', 'the material of the KMS key does not open it');
      throw toServiceError(failure, 'cryptographic');
    }
    return plaintext;
  }

  async generateDataKey(
    header: Uint8Array,
    context: Uint8Array,
    lengthBytes: number,
  ): Promise<{ readonly plaintext: Uint8Array; readonly blob: Uint8Array }> {
    const { plaintext, blob } = await this.#inner.generateDataKey(header, context, lengthBytes);
    try {
      return { plaintext, blob: await this.#wrap(header, context, blob) };
    } catch (error) {
      plaintext.fill(0);
      throw error;
    }
  }

  async generateDataKeyWithoutPlaintext(
    header: Uint8Array,
    context: Uint8Array,
    lengthBytes: number,
  ): Promise<Uint8Array> {
    return this.#wrap(header, context, await this.#inner.generateDataKeyWithoutPlaintext(header, context, lengthBytes));
  }

  generateDataKeyPair(): never {
    throw new InvariantError('keys in custom key stores make no data key pairs');
  }

  generateDataKeyPairWithoutPlaintext(): never {
    throw new InvariantError('keys in custom key stores make no data key pairs');
  }

  async #wrap(header: Uint8Array, context: Uint8Array, blob: Uint8Array): Promise<Uint8Array> {
    const additionalData = externalAdditionalData(this.#core, header, context);
    return encodeExternalBlob(header, await this.#outer.encrypt(blob.subarray(header.length), additionalData));
  }
}
