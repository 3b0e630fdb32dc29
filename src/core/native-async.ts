import type { AsyncCore, BatchOperation, BatchResults } from './async.ts';
import type { MessageType, PublicEncryptionAlgorithm, SignatureAlgorithm } from './asymmetric.ts';
import {
  BATCH_CODES,
  DIGEST_CODES,
  KEY_TYPE_CODES,
  MESSAGE_TYPE_CODES,
  PUBLIC_ENCRYPTION_CODES,
  SIGNATURE_CODES,
  WRAPPING_CODES,
} from './codes.ts';
import type { PackedItems } from './crypto-core.ts';
import type { AsymmetricKeyType, KeyHandle, KeyType } from './key-handle.ts';
import type { DataKeyPair, WrappingAlgorithm } from './key-transport.ts';
import type { AsyncResult, NativeAsymmetricBinding } from './native-asymmetric-binding.ts';
import { NativeAsymmetricCore } from './native-asymmetric.ts';
import type { NativeBinding } from './native-binding.ts';
import { NativeKey, type DestroyKey } from './native-key.ts';
import { check, codeOf, NO_BYTES } from './native-support.ts';
import { CORE_STATUS, CoreError } from './status.ts';

const { handleOf } = NativeKey;

/** {@link AsyncCore} over a native binding. */
export class NativeAsyncCore extends NativeAsymmetricCore implements AsyncCore {
  readonly #native: NativeAsymmetricBinding;
  readonly #destroyKey: DestroyKey;

  constructor(native: NativeBinding) {
    super(native);
    this.#native = native;
    this.#destroyKey = (handle) => native.destroyKey(handle);
  }

  async generateKeyPairAsync(type: AsymmetricKeyType): Promise<KeyHandle> {
    return this.#keyOf(type, await this.#native.generateKeyPairAsync(codeOf(KEY_TYPE_CODES, type)));
  }

  async signAsync(
    key: KeyHandle,
    algorithm: SignatureAlgorithm,
    messageType: MessageType,
    message: Uint8Array,
  ): Promise<Buffer> {
    const code = codeOf(SIGNATURE_CODES, algorithm);
    const type = codeOf(MESSAGE_TYPE_CODES, messageType);
    return outputOf(await this.#native.signAsync(handleOf(key), code, type, message), 0);
  }

  async verifyAsync(
    key: KeyHandle,
    algorithm: SignatureAlgorithm,
    messageType: MessageType,
    message: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean> {
    const code = codeOf(SIGNATURE_CODES, algorithm);
    const type = codeOf(MESSAGE_TYPE_CODES, messageType);
    return numberOf(await this.#native.verifyAsync(handleOf(key), code, type, message, signature)) === 1;
  }

  async publicEncryptAsync(
    key: KeyHandle,
    algorithm: PublicEncryptionAlgorithm,
    plaintext: Uint8Array,
  ): Promise<Buffer> {
    const code = codeOf(PUBLIC_ENCRYPTION_CODES, algorithm);
    return outputOf(await this.#native.publicEncryptAsync(handleOf(key), code, plaintext), 0);
  }

  async privateDecryptAsync(
    key: KeyHandle,
    algorithm: PublicEncryptionAlgorithm,
    ciphertext: Uint8Array,
  ): Promise<Buffer> {
    const code = codeOf(PUBLIC_ENCRYPTION_CODES, algorithm);
    return outputOf(await this.#native.privateDecryptAsync(handleOf(key), code, ciphertext), 0);
  }

  async ecdhAsync(key: KeyHandle, peerSpki: Uint8Array): Promise<Buffer> {
    return outputOf(await this.#native.ecdhAsync(handleOf(key), peerSpki), 0);
  }

  async encapsulateAsync(key: KeyHandle): Promise<{ sharedSecret: Buffer; ciphertext: Buffer }> {
    const result = await this.#native.encapsulateAsync(handleOf(key));
    return { sharedSecret: outputOf(result, 0), ciphertext: outputOf(result, 1) };
  }

  async decapsulateAsync(key: KeyHandle, ciphertext: Uint8Array): Promise<Buffer> {
    return outputOf(await this.#native.decapsulateAsync(handleOf(key), ciphertext), 0);
  }

  async batchAsync(
    key: KeyHandle,
    operation: BatchOperation,
    items: PackedItems,
    others: PackedItems = NO_ITEMS,
  ): Promise<BatchResults> {
    const [code, algorithm, messageType] = codesOf(operation);
    const { data, ends } = partsOf(items);
    const { data: otherData, ends: otherEnds } = partsOf(others);
    const handle = handleOf(key);
    const result = await this.#native.batchAsync(
      handle,
      code,
      algorithm,
      messageType,
      data,
      ends,
      otherData,
      otherEnds,
    );
    const statuses = outputOf(result, 2);
    // Never of one item only.
    if (statuses.includes(CORE_STATUS.wrongKeyType)) throw new CoreError('wrongKeyType');
    const resultEnds = new Uint32Array(statuses.length);
    new Uint8Array(resultEnds.buffer).set(outputOf(result, 1));
    return { data: outputOf(result, 0), ends: resultEnds, statuses };
  }

  async unwrapImportedAsync(
    wrappingKey: KeyHandle,
    algorithm: WrappingAlgorithm,
    wrapped: Uint8Array,
    type: KeyType,
    lengthBytes: number = 0,
  ): Promise<KeyHandle> {
    const code = codeOf(WRAPPING_CODES, algorithm);
    const typeCode = codeOf(KEY_TYPE_CODES, type);
    const handle = handleOf(wrappingKey);
    return this.#keyOf(type, await this.#native.unwrapImportedAsync(handle, code, wrapped, typeCode, lengthBytes));
  }

  async generateDataKeyPairAsync(
    key: KeyHandle,
    header: Uint8Array,
    context: Uint8Array,
    type: AsymmetricKeyType,
  ): Promise<DataKeyPair> {
    const code = codeOf(KEY_TYPE_CODES, type);
    const result = await this.#native.generateDataKeyPairAsync(handleOf(key), header, context, code);
    return { publicKey: outputOf(result, 0), privateKey: outputOf(result, 1), blob: outputOf(result, 2) };
  }

  async encryptIntoAsync(
    key: KeyHandle,
    plaintext: Uint8Array,
    aad: Uint8Array | undefined,
    out: Uint8Array,
    outOffset: number = 0,
  ): Promise<number> {
    return numberOf(await this.#native.encryptIntoAsync(handleOf(key), plaintext, aad ?? NO_BYTES, out, outOffset));
  }

  async decryptIntoAsync(
    key: KeyHandle,
    sealed: Uint8Array,
    aad: Uint8Array | undefined,
    out: Uint8Array,
    outOffset: number = 0,
  ): Promise<number> {
    return numberOf(await this.#native.decryptIntoAsync(handleOf(key), sealed, aad ?? NO_BYTES, out, outOffset));
  }

  #keyOf(type: KeyType, result: AsyncResult): KeyHandle {
    return new NativeKey(type, numberOf(result), this.#destroyKey);
  }
}

function numberOf(result: AsyncResult): number {
  if (typeof result !== 'number') throw new CoreError('libcryptoFailed');
  return check(result);
}

function outputOf(result: AsyncResult, index: number): Buffer {
  const output = typeof result === 'number' ? undefined : result[index];
  if (output !== undefined) return output;
  // Throws the error of a failure; a number that is none belongs to another function.
  numberOf(typeof result === 'number' ? result : NO_OUTPUT);
  throw new CoreError('libcryptoFailed');
}

const NO_OUTPUT: AsyncResult = [];
const NO_ITEMS: PackedItems = { data: NO_BYTES, ends: new Uint32Array(0) };

/** The binding says what is wrong with a part. */
function partsOf(items: PackedItems | null): PackedItems {
  return items ?? ({} as PackedItems);
}

/** The numbers of an operation, its algorithm and its message type; 0 for what it has not. */
function codesOf(call: BatchOperation): readonly [operation: number, algorithm: number, messageType: number] {
  const code = codeOf(BATCH_CODES, (call as BatchOperation | null)?.operation as BatchOperation['operation']);
  switch (call.operation) {
    case 'sign':
    case 'verify':
      return [code, codeOf(SIGNATURE_CODES, call.algorithm), codeOf(MESSAGE_TYPE_CODES, call.messageType)];
    case 'publicEncrypt':
    case 'privateDecrypt':
      return [code, codeOf(PUBLIC_ENCRYPTION_CODES, call.algorithm), 0];
    case 'hmac':
    case 'hmacVerify':
      return [code, codeOf(DIGEST_CODES, call.algorithm), 0];
    case 'ecdh':
    case 'encapsulate':
    case 'decapsulate':
      return [code, 0, 0];
  }
}
