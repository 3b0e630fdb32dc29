import type { AsyncResult } from './native-asymmetric-binding.ts';
import { batchOver } from './wasm-batch.ts';
import { operationsOf, type Outcome } from './wasm-operations.ts';
import type { AsyncBinding, SyncBinding } from './wasm-signatures.ts';

const settled = (outcome: Outcome): number | Promise<AsyncResult> =>
  typeof outcome === 'number' ? outcome : Promise.resolve(outcome);

/**
 * The asynchronous functions of a binding without threads: they compute before they return. That they are asynchronous
 * is for the callers, who need not know which binding they have.
 */
export function asyncOver(native: SyncBinding): AsyncBinding {
  const operations = operationsOf(native);
  return {
    generateKeyPairAsync: (type) => native.generateKeyPair(type),
    verifyAsync: (...values) => native.verify(...values),
    unwrapImportedAsync: (...values) => native.unwrapImported(...values),
    encryptIntoAsync: (...values) => native.encryptInto(...values),
    decryptIntoAsync: (...values) => native.decryptInto(...values),
    signAsync: (...values) => settled(operations.sign(...values)),
    publicEncryptAsync: (...values) => settled(operations.publicEncrypt(...values)),
    privateDecryptAsync: (...values) => settled(operations.privateDecrypt(...values)),
    ecdhAsync: (...values) => settled(operations.ecdh(...values)),
    encapsulateAsync: (...values) => settled(operations.encapsulate(...values)),
    decapsulateAsync: (...values) => settled(operations.decapsulate(...values)),
    generateDataKeyPairAsync: (...values) => settled(operations.generateDataKeyPair(...values)),
    batchAsync: (...values) => settled(batchOver(native, operations, ...values)),
  };
}
