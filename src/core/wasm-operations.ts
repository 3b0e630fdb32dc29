/** Operations of the module with outputs of the length that they turn out to have. */
import { allocateSecret, NO_BYTES } from './native-support.ts';
import { CORE_STATUS } from './status.ts';
import type { AsyncBinding, SyncBinding } from './wasm-signatures.ts';

const MAX_SIGNATURE_BYTES = 4627;
const MAX_PUBLIC_CIPHERTEXT_BYTES = 1280;
const MAX_ECDH_SECRET_BYTES = 66;
const KEM_SECRET_BYTES = 32;
const MAX_KEM_CIPHERTEXT_BYTES = 1568;
/** Room for the public and the private key of any pair that may be taken out. */
const MAX_PAIR_BYTES = 4096;

/** The outputs of an operation, or minus the number of a status. */
export type Outcome = number | readonly Buffer[];

/** `lengths` bytes of each output, or the failure that `code` is. */
function given(code: number, outputs: readonly Buffer[], lengths: Iterable<number>): Outcome {
  if (code < 0) return code;
  const ends = [...lengths];
  return outputs.map((output, index) => output.subarray(0, ends[index]));
}

type OperationName =
  'sign' | 'publicEncrypt' | 'privateDecrypt' | 'ecdh' | 'encapsulate' | 'decapsulate' | 'generateDataKeyPair';

/** Operations with outputs, computed at once; the parameters are those of their asynchronous namesakes. */
export type Operations = {
  readonly [Name in OperationName]: (...values: Parameters<AsyncBinding[`${Name}Async`]>) => Outcome;
};

export function operationsOf(native: SyncBinding): Operations {
  return {
    sign(key, algorithm, messageType, message) {
      const out = allocateSecret(MAX_SIGNATURE_BYTES);
      const code = native.signInto(key, algorithm, messageType, message, out);
      return given(code, [out], [code]);
    },

    publicEncrypt(key, algorithm, plaintext) {
      const out = allocateSecret(MAX_PUBLIC_CIPHERTEXT_BYTES);
      const code = native.publicEncryptInto(key, algorithm, plaintext, out);
      return given(code, [out], [code]);
    },

    ecdh(key, peerSpki) {
      const out = allocateSecret(MAX_ECDH_SECRET_BYTES);
      const code = native.ecdhInto(key, peerSpki, out);
      return given(code, [out], [code]);
    },

    privateDecrypt(key, algorithm, ciphertext) {
      // No scheme has a plaintext that is longer than its ciphertext; what is wrong with a value, the binding says.
      const length = (ciphertext as Uint8Array | undefined)?.length;
      const out = allocateSecret(typeof length === 'number' ? Math.min(length, MAX_PAIR_BYTES) : 0);
      const code = native.privateDecryptInto(key, algorithm, ciphertext, out);
      return given(code, [out], [code]);
    },

    encapsulate(key) {
      // The length of the ciphertext says which of the three key types it is; the core refuses the other two.
      for (const length of [768, 1088, MAX_KEM_CIPHERTEXT_BYTES]) {
        const outputs = [allocateSecret(KEM_SECRET_BYTES), allocateSecret(length)] as const;
        const code = native.encapsulateInto(key, ...outputs);
        if (code !== -CORE_STATUS.invalidArgument) return given(code, outputs, [KEM_SECRET_BYTES, length]);
      }
      return -CORE_STATUS.invalidArgument;
    },

    decapsulate(key, ciphertext) {
      const out = allocateSecret(KEM_SECRET_BYTES);
      return given(native.decapsulateInto(key, ciphertext, out), [out], [KEM_SECRET_BYTES]);
    },

    generateDataKeyPair(key, header, context, type) {
      const headerLength = (header as Uint8Array | undefined)?.length;
      const blobLength =
        MAX_PAIR_BYTES + (typeof headerLength === 'number' ? Math.min(headerLength, MAX_PAIR_BYTES) : 0);
      const outputs = [MAX_PAIR_BYTES, MAX_PAIR_BYTES, blobLength].map(allocateSecret);
      const lengths = new Uint32Array(3);
      const [publicKey = NO_BYTES, privateKey = NO_BYTES, blob = NO_BYTES] = outputs;
      const code = native.generateDataKeyPairInto(key, header, context, type, publicKey, privateKey, blob, lengths);
      return given(code, outputs, lengths);
    },
  };
}
