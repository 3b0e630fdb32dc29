import type { NativeBinding } from './native-binding.ts';

/**
 * What the arguments of a function of the binding are, in order:
 * - `n`: a whole number of 0 to 2^32 - 1 (handles, types, algorithms and lengths too)
 * - `i`: bytes to read; `o`: bytes to write
 * - `r`: bytes to write and the offset where, two arguments in JavaScript and one slot in the module
 * - `I` and `O`: the same as `i` and `o` for a Uint32Array
 */
export type Signature = string;

type AsyncFunction = Extract<keyof NativeBinding, `${string}Async`>;

/** The functions of the module; those of an asynchronous binding are made of them (wasm-async.ts). */
export type SyncBinding = Omit<NativeBinding, 'info' | AsyncFunction>;
export type AsyncBinding = Pick<NativeBinding, AsyncFunction>;

/** One line for each function; `native/wasm` exports it as `kw_<name>`. */
export const SIGNATURES: Readonly<Record<keyof SyncBinding, Signature>> = {
  randomInto: 'o',
  digestInto: 'nio',
  hmacInto: 'nnio',
  hmacVerify: 'nnii',
  hkdfInto: 'niiio',
  deriveHmacKey: 'nni',

  generateKey: 'nn',
  importKey: 'ni',
  destroyKey: 'n',
  keyLength: 'n',
  deriveBytesInto: 'niio',
  deriveKey: 'niin',
  deriveKeyFromPassphrase: 'iinn',
  wrapKeyInto: 'nnio',
  unwrapKey: 'niin',
  kwpWrapInto: 'nno',
  kwpUnwrap: 'nin',
  kwWrapInto: 'nno',
  kwUnwrap: 'nin',

  encryptInto: 'niir',
  decryptInto: 'niir',
  encryptBatchInto: 'niIioO',
  decryptBatchInto: 'niIioO',

  encryptMessageInto: 'niiir',
  decryptMessageInto: 'nniir',
  encryptMessageBatchInto: 'niiiIoO',
  decryptMessageBatchInto: 'nniiIoO',
  generateDataKeysInto: 'niinnoo',
  generateDataKeyWithoutPlaintextInto: 'niino',

  generateKeyPair: 'n',
  importPrivateKey: 'ni',
  importPublicKey: 'ni',
  exportPublicKeyInto: 'no',
  exportPrivateKeyInto: 'no',
  signInto: 'nnnio',
  verify: 'nnnii',
  publicEncryptInto: 'nnio',
  privateDecryptInto: 'nnio',
  ecdhInto: 'nio',
  encapsulateInto: 'noo',
  decapsulateInto: 'nio',
  unwrapImported: 'nninn',
  materialFingerprintInto: 'nno',
  cmsEnvelopeInto: 'iio',
  generateDataKeyPairInto: 'niinoooO',
};
