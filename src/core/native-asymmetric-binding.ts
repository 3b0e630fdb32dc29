/** What an asynchronous function of a binding settles with: as a number, or byte outputs that are complete. */
export type AsyncResult = number | readonly Buffer[];

/**
 * The functions of a binding for key pairs, and the asynchronous ones. As those of NativeBinding; an asynchronous one
 * answers minus the number of a status when it cannot start, else a promise that never rejects.
 */
export interface NativeAsymmetricBinding {
  generateKeyPair(type: number): number;
  importPrivateKey(type: number, encoded: Uint8Array): number;
  importPublicKey(type: number, spki: Uint8Array): number;
  exportPublicKeyInto(key: number, out: Uint8Array): number;
  exportPrivateKeyInto(key: number, out: Uint8Array): number;
  signInto(key: number, algorithm: number, messageType: number, message: Uint8Array, out: Uint8Array): number;
  verify(key: number, algorithm: number, messageType: number, message: Uint8Array, signature: Uint8Array): number;
  publicEncryptInto(key: number, algorithm: number, plaintext: Uint8Array, out: Uint8Array): number;
  privateDecryptInto(key: number, algorithm: number, ciphertext: Uint8Array, out: Uint8Array): number;
  ecdhInto(key: number, peerSpki: Uint8Array, out: Uint8Array): number;
  encapsulateInto(key: number, sharedSecret: Uint8Array, ciphertext: Uint8Array): number;
  decapsulateInto(key: number, ciphertext: Uint8Array, sharedSecret: Uint8Array): number;

  unwrapImported(
    wrappingKey: number,
    algorithm: number,
    wrapped: Uint8Array,
    type: number,
    lengthBytes: number,
  ): number;
  materialFingerprintInto(fingerprintKey: number, key: number, out: Uint8Array): number;
  cmsEnvelopeInto(recipientSpki: Uint8Array, plaintext: Uint8Array, out: Uint8Array): number;
  /** Writes the lengths of the three outputs; no private key when `privateKey` is empty. */
  generateDataKeyPairInto(
    key: number,
    header: Uint8Array,
    context: Uint8Array,
    type: number,
    publicKey: Uint8Array,
    privateKey: Uint8Array,
    blob: Uint8Array,
    lengths: Uint32Array,
  ): number;

  generateKeyPairAsync(type: number): number | Promise<AsyncResult>;
  signAsync(key: number, algorithm: number, messageType: number, message: Uint8Array): number | Promise<AsyncResult>;
  verifyAsync(
    key: number,
    algorithm: number,
    messageType: number,
    message: Uint8Array,
    signature: Uint8Array,
  ): number | Promise<AsyncResult>;
  publicEncryptAsync(key: number, algorithm: number, plaintext: Uint8Array): number | Promise<AsyncResult>;
  privateDecryptAsync(key: number, algorithm: number, ciphertext: Uint8Array): number | Promise<AsyncResult>;
  ecdhAsync(key: number, peerSpki: Uint8Array): number | Promise<AsyncResult>;
  encapsulateAsync(key: number): number | Promise<AsyncResult>;
  decapsulateAsync(key: number, ciphertext: Uint8Array): number | Promise<AsyncResult>;
  /** Settles with the results, their ends (uint32, in the order of this machine) and a byte for each status. */
  batchAsync(
    key: number,
    operation: number,
    algorithm: number,
    messageType: number,
    data: Uint8Array,
    ends: Uint32Array,
    otherData: Uint8Array,
    otherEnds: Uint32Array,
  ): number | Promise<AsyncResult>;
  unwrapImportedAsync(
    wrappingKey: number,
    algorithm: number,
    wrapped: Uint8Array,
    type: number,
    lengthBytes: number,
  ): number | Promise<AsyncResult>;
  generateDataKeyPairAsync(
    key: number,
    header: Uint8Array,
    context: Uint8Array,
    type: number,
  ): number | Promise<AsyncResult>;
  encryptIntoAsync(
    key: number,
    plaintext: Uint8Array,
    aad: Uint8Array,
    out: Uint8Array,
    outOffset: number,
  ): number | Promise<AsyncResult>;
  decryptIntoAsync(
    key: number,
    sealed: Uint8Array,
    aad: Uint8Array,
    out: Uint8Array,
    outOffset: number,
  ): number | Promise<AsyncResult>;
}
