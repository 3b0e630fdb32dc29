import { InvariantError } from '../base/errors.ts';
import type { SymmetricMaterial } from '../service/ports.ts';
import type { ClusterKey, HsmCluster } from './hsm-cluster.ts';
import { isFailureOf, isTokenFailure, serviceErrorOf, type FailedSubject } from './token-failures.ts';

/**
 * A key that lives and works in a cluster. A blob is header ‖ IV (12 bytes) ‖ ciphertext ‖ tag (16 bytes): AES-256-GCM
 * by the HSM, with header ‖ encryption context as additional data.
 */
export class CloudHsmMaterial implements SymmetricMaterial {
  readonly #cluster: HsmCluster;
  readonly #key: ClusterKey;
  readonly #subject: FailedSubject;

  constructor(cluster: HsmCluster, key: ClusterKey, subject: FailedSubject) {
    this.#cluster = cluster;
    this.#key = key;
    this.#subject = subject;
  }

  async encrypt(header: Uint8Array, context: Uint8Array, plaintext: Uint8Array): Promise<Uint8Array> {
    const sealed = await this.#ask(() => this.#cluster.encrypt(this.#key, plaintext, Buffer.concat([header, context])));
    return Buffer.concat([header, sealed]);
  }

  async decrypt(headerLength: number, blob: Uint8Array, context: Uint8Array): Promise<Uint8Array | undefined> {
    const header = blob.subarray(0, headerLength);
    try {
      return await this.#cluster.decrypt(this.#key, blob.subarray(headerLength), Buffer.concat([header, context]));
    } catch (error) {
      if (isFailureOf(error, 'authenticationFailed')) {
        return undefined;
      }
      throw this.#translate(error);
    }
  }

  async generateDataKey(
    header: Uint8Array,
    context: Uint8Array,
    lengthBytes: number,
  ): Promise<{ readonly plaintext: Uint8Array; readonly blob: Uint8Array }> {
    const plaintext = await this.#ask(() => this.#cluster.randomBytes(lengthBytes));
    try {
      return { plaintext, blob: await this.encrypt(header, context, plaintext) };
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
    const { plaintext, blob } = await this.generateDataKey(header, context, lengthBytes);
    plaintext.fill(0);
    return blob;
  }

  /** Refused before any material is opened. */
  generateDataKeyPair(): never {
    throw new InvariantError('keys in custom key stores make no data key pairs');
  }

  generateDataKeyPairWithoutPlaintext(): never {
    return this.generateDataKeyPair();
  }

  async #ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#translate(error);
    }
  }

  #translate(error: unknown): unknown {
    return isTokenFailure(error) ? serviceErrorOf(error, this.#subject) : error;
  }
}
