import type { AsymmetricCore, MessageType, PublicEncryptionAlgorithm, SignatureAlgorithm } from './asymmetric.ts';
import {
  KEM_CIPHERTEXT_BYTES,
  KEY_TYPE_CODES,
  MAX_SIGNATURE_BYTES,
  MESSAGE_TYPE_CODES,
  PUBLIC_ENCRYPTION_CODES,
  SIGNATURE_CODES,
} from './codes.ts';
import type { AsymmetricKeyType, KeyHandle } from './key-handle.ts';
import type { NativeAsymmetricBinding } from './native-asymmetric-binding.ts';
import type { NativeBinding } from './native-binding.ts';
import { NativeKey, type DestroyKey } from './native-key.ts';
import { allocate, allocateSecret, check, codeOf } from './native-support.ts';

/** Room for any SubjectPublicKeyInfo (ML-DSA-87 has 2614 bytes). */
const MAX_SPKI_BYTES = 4096;
/** Room for any PrivateKeyInfo (RSA-4096 has at most 2376 bytes). */
const MAX_PKCS8_BYTES = 4096;
/** Room for any ciphertext of a public key. */
const MAX_PUBLIC_CIPHERTEXT_BYTES = 1280;
/** Room for any plaintext: SM2 ciphertext has at most 2560 bytes. The core decrypts in memory of its own. */
const MAX_PRIVATE_PLAINTEXT_BYTES = 2560;
const MAX_SHARED_SECRET_BYTES = 66;
const KEM_SECRET_BYTES = 32;

const { handleOf } = NativeKey;

/** {@link AsymmetricCore} over a native binding. */
export class NativeAsymmetricCore implements AsymmetricCore {
  readonly #native: NativeAsymmetricBinding;
  readonly #destroyKey: DestroyKey;

  constructor(native: NativeBinding) {
    this.#native = native;
    this.#destroyKey = (handle) => native.destroyKey(handle);
  }

  generateKeyPair(type: AsymmetricKeyType): KeyHandle {
    return this.#pair(type, this.#native.generateKeyPair(codeOf(KEY_TYPE_CODES, type)));
  }

  importPrivateKey(type: AsymmetricKeyType, encoded: Uint8Array): KeyHandle {
    return this.#pair(type, this.#native.importPrivateKey(codeOf(KEY_TYPE_CODES, type), encoded));
  }

  importPublicKey(type: AsymmetricKeyType, spki: Uint8Array): KeyHandle {
    return this.#pair(type, this.#native.importPublicKey(codeOf(KEY_TYPE_CODES, type), spki), true);
  }

  exportPublicKey(key: KeyHandle): Buffer {
    const out = allocate(MAX_SPKI_BYTES);
    const spki = allocate(check(this.#native.exportPublicKeyInto(handleOf(key), out)));
    spki.set(out.subarray(0, spki.length));
    return spki;
  }

  exportPrivateKey(key: KeyHandle): Buffer {
    const out = allocateSecret(MAX_PKCS8_BYTES);
    return out.subarray(0, check(this.#native.exportPrivateKeyInto(handleOf(key), out)));
  }

  sign(key: KeyHandle, algorithm: SignatureAlgorithm, messageType: MessageType, message: Uint8Array): Buffer {
    const handle = handleOf(key);
    const out = allocate(maxSignatureBytes(key));
    const code = codeOf(SIGNATURE_CODES, algorithm);
    const written = this.#native.signInto(handle, code, codeOf(MESSAGE_TYPE_CODES, messageType), message, out);
    return out.subarray(0, check(written));
  }

  verify(
    key: KeyHandle,
    algorithm: SignatureAlgorithm,
    messageType: MessageType,
    message: Uint8Array,
    signature: Uint8Array,
  ): boolean {
    const code = codeOf(SIGNATURE_CODES, algorithm);
    const type = codeOf(MESSAGE_TYPE_CODES, messageType);
    return check(this.#native.verify(handleOf(key), code, type, message, signature)) === 1;
  }

  publicEncrypt(key: KeyHandle, algorithm: PublicEncryptionAlgorithm, plaintext: Uint8Array): Buffer {
    const out = allocate(MAX_PUBLIC_CIPHERTEXT_BYTES);
    const code = codeOf(PUBLIC_ENCRYPTION_CODES, algorithm);
    return out.subarray(0, check(this.#native.publicEncryptInto(handleOf(key), code, plaintext, out)));
  }

  privateDecrypt(key: KeyHandle, algorithm: PublicEncryptionAlgorithm, ciphertext: Uint8Array): Buffer {
    const out = allocateSecret(MAX_PRIVATE_PLAINTEXT_BYTES);
    const code = codeOf(PUBLIC_ENCRYPTION_CODES, algorithm);
    return out.subarray(0, check(this.#native.privateDecryptInto(handleOf(key), code, ciphertext, out)));
  }

  ecdh(key: KeyHandle, peerSpki: Uint8Array): Buffer {
    const out = allocateSecret(MAX_SHARED_SECRET_BYTES);
    return out.subarray(0, check(this.#native.ecdhInto(handleOf(key), peerSpki, out)));
  }

  encapsulate(key: KeyHandle): { sharedSecret: Buffer; ciphertext: Buffer } {
    const handle = handleOf(key);
    const sharedSecret = allocateSecret(KEM_SECRET_BYTES);
    const ciphertext = allocate(KEM_CIPHERTEXT_BYTES[key.type] ?? 0);
    check(this.#native.encapsulateInto(handle, sharedSecret, ciphertext));
    return { sharedSecret, ciphertext };
  }

  decapsulate(key: KeyHandle, ciphertext: Uint8Array): Buffer {
    const sharedSecret = allocateSecret(KEM_SECRET_BYTES);
    check(this.#native.decapsulateInto(handleOf(key), ciphertext, sharedSecret));
    return sharedSecret;
  }

  #pair(type: AsymmetricKeyType, code: number, isPublic = false): KeyHandle {
    return new NativeKey(type, check(code), this.#destroyKey, isPublic);
  }
}

/** 0 for types that do not sign, whose keys the binding refuses. */
function maxSignatureBytes({ type }: KeyHandle): number {
  return Object.hasOwn(MAX_SIGNATURE_BYTES, type) ? MAX_SIGNATURE_BYTES[type as AsymmetricKeyType] : 0;
}
