import { KEY_TYPE_CODES, WRAPPING_CODES } from './codes.ts';
import type { AsymmetricKeyType, KeyHandle, KeyType } from './key-handle.ts';
import type { DataKeyPair, KeyTransportCore, WrappingAlgorithm } from './key-transport.ts';
import type { NativeBinding } from './native-binding.ts';
import { NativeAsyncCore } from './native-async.ts';
import { NativeKey, type DestroyKey } from './native-key.ts';
import { allocate, allocateSecret, check, codeOf, lengthOf, NO_BYTES } from './native-support.ts';

/** Room for the public and the private key of any pair that may be taken out. */
const MAX_PAIR_BYTES = 4096;
/** What CMS adds: an encrypted key of up to 512 bytes, a block of padding, and at most 200 bytes of structure. */
const MAX_ENVELOPE_OVERHEAD_BYTES = 1024;
const FINGERPRINT_BYTES = 32;

const { handleOf } = NativeKey;

/** {@link KeyTransportCore} over a native binding. */
export class NativeKeyTransport extends NativeAsyncCore implements KeyTransportCore {
  readonly #native: NativeBinding;
  readonly #destroyKey: DestroyKey;

  constructor(native: NativeBinding) {
    super(native);
    this.#native = native;
    this.#destroyKey = (handle) => native.destroyKey(handle);
  }

  kwWrap(kek: KeyHandle, key: KeyHandle): Buffer {
    // RFC 3394 §2.2.1: one block of 8 in front.
    const out = allocate(check(this.#native.keyLength(handleOf(key))) + 8);
    check(this.#native.kwWrapInto(handleOf(kek), handleOf(key), out));
    return out;
  }

  kwUnwrap(kek: KeyHandle, wrapped: Uint8Array, type: KeyType): KeyHandle {
    return this.#key(type, this.#native.kwUnwrap(handleOf(kek), wrapped, codeOf(KEY_TYPE_CODES, type)));
  }

  unwrapImported(
    wrappingKey: KeyHandle,
    algorithm: WrappingAlgorithm,
    wrapped: Uint8Array,
    type: KeyType,
    lengthBytes: number = 0,
  ): KeyHandle {
    const code = codeOf(WRAPPING_CODES, algorithm);
    const typeCode = codeOf(KEY_TYPE_CODES, type);
    return this.#key(type, this.#native.unwrapImported(handleOf(wrappingKey), code, wrapped, typeCode, lengthBytes));
  }

  materialFingerprint(fingerprintKey: KeyHandle, key: KeyHandle): Buffer {
    const out = allocate(FINGERPRINT_BYTES);
    check(this.#native.materialFingerprintInto(handleOf(fingerprintKey), handleOf(key), out));
    return out;
  }

  generateDataKeyPair(key: KeyHandle, header: Uint8Array, context: Uint8Array, type: AsymmetricKeyType): DataKeyPair {
    return this.#dataKeyPair(key, header, context, type, allocateSecret(MAX_PAIR_BYTES));
  }

  generateDataKeyPairWithoutPlaintext(
    key: KeyHandle,
    header: Uint8Array,
    context: Uint8Array,
    type: AsymmetricKeyType,
  ): Omit<DataKeyPair, 'privateKey'> {
    const { publicKey, blob } = this.#dataKeyPair(key, header, context, type, NO_BYTES);
    return { publicKey, blob };
  }

  cmsEnvelopeEncrypt(recipientSpki: Uint8Array, plaintext: Uint8Array): Buffer {
    const out = allocate(lengthOf(plaintext) + MAX_ENVELOPE_OVERHEAD_BYTES);
    return out.subarray(0, check(this.#native.cmsEnvelopeInto(recipientSpki, plaintext, out)));
  }

  #dataKeyPair(
    key: KeyHandle,
    header: Uint8Array,
    context: Uint8Array,
    type: AsymmetricKeyType,
    secret: Uint8Array,
  ): DataKeyPair {
    const handle = handleOf(key);
    const code = codeOf(KEY_TYPE_CODES, type);
    const publicKey = allocate(MAX_PAIR_BYTES);
    const blob = allocate(lengthOf(header) + MAX_PAIR_BYTES);
    const lengths = new Uint32Array(3);
    check(this.#native.generateDataKeyPairInto(handle, header, context, code, publicKey, secret, blob, lengths));
    const [publicLength, privateLength, blobLength] = lengths as Iterable<number> as [number, number, number];
    return {
      publicKey: publicKey.subarray(0, publicLength),
      privateKey: secret.subarray(0, privateLength) as Buffer,
      blob: blob.subarray(0, blobLength),
    };
  }

  #key(type: KeyType, code: number): KeyHandle {
    return new NativeKey(type, check(code), this.#destroyKey);
  }
}
