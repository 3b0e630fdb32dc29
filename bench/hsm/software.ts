/** Measures the same operations on keys of the core, one after the other. Work: OPERATION. */
import { randomBytes } from 'node:crypto';
import { loadCore, type SignatureAlgorithm } from 'keywright/core';
import { AAD_BYTES, isGcm, plaintextBytes, type GcmOperation, type Operation } from './cases.ts';
import { serve, type Work } from './worker.ts';

const core = loadCore('napi');
const aad = randomBytes(AAD_BYTES);

serve((name) => ({ messages: 1, now: workOf(name as Operation) }));

type Call = NonNullable<Work['now']>;

function workOf(operation: Operation): Call {
  return isGcm(operation) ? gcm(operation) : other(operation);
}

function gcm(operation: GcmOperation): Call {
  const key = core.generateKey('aesGcm');
  const plaintext = randomBytes(plaintextBytes(operation));
  const sealed = core.encrypt(key, plaintext, aad);
  if (!plaintext.equals(core.decrypt(key, sealed, aad))) throw new Error('the plaintext did not come back');
  return operation === 'decryptGcm32' ? () => core.decrypt(key, sealed, aad) : () => core.encrypt(key, plaintext, aad);
}

function other(operation: Exclude<Operation, GcmOperation>): Call {
  const input = randomBytes(32);
  switch (operation) {
    case 'hmac': {
      const key = core.generateKey('hmac', 32);
      return () => core.hmac(key, 'SHA-256', input);
    }
    case 'signP256':
      return signing('p256', 'ECDSA_SHA_256', input);
    case 'signRsa2048':
      return signing('rsa2048', 'RSASSA_PKCS1_V1_5_SHA_256', input);
    case 'wrapAesKw': {
      const [wrapping, wrapped] = [core.generateKey('aesKwp'), core.generateKey('aesGcm')];
      return () => core.kwpWrap(wrapping, wrapped);
    }
  }
}

function signing(type: 'p256' | 'rsa2048', algorithm: SignatureAlgorithm, digest: Buffer): Call {
  const key = core.generateKeyPair(type);
  return () => core.sign(key, algorithm, 'DIGEST', digest);
}
