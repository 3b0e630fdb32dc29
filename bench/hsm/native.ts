/** Measures Keywright's own path to tokens, `keywright/hsm`. Work: OPERATION/KEYS, with `/batch` for many at once. */
import { randomBytes } from 'node:crypto';
import { openPkcs11Token, type Pkcs11Token } from 'keywright/hsm';
import {
  AAD_BYTES,
  BATCH_ITEMS,
  isGcm,
  plaintextBytes,
  type GcmOperation,
  type HsmCase,
  type Operation,
} from './cases.ts';
import { serve, settings, type Work } from './worker.ts';

const { token: where, sessions } = settings();
const token = await openPkcs11Token({
  modulePath: where.modulePath,
  token: { label: where.tokenLabel },
  pin: Buffer.from(where.pin),
  profile: where.profile,
  sessions,
  ...(where.initArgs === '' ? {} : { initArgs: where.initArgs }),
});

const aad = randomBytes(AAD_BYTES);

serve(async (name) => {
  const [operation, keys, batch] = name.split('/') as [Operation, HsmCase['keys'], string?];
  const plan = { id: randomBytes(16), label: 'benchmark', isSession: keys === 'session' };
  return isGcm(operation) ? gcm(token, operation, plan, batch !== undefined) : other(token, operation, plan);
});

interface Plan {
  readonly id: Buffer;
  readonly label: string;
  readonly isSession: boolean;
}

async function gcm(hsm: Pkcs11Token, operation: GcmOperation, plan: Plan, isBatch: boolean): Promise<Work> {
  const { id } = plan;
  await hsm.generateSecretKey({ ...plan, type: 'aesGcm' });
  const plaintext = randomBytes(plaintextBytes(operation));
  const sealed = await hsm.encryptGcm(id, plaintext, aad);
  if (!plaintext.equals(await hsm.decryptGcm(id, sealed, aad))) throw new Error('the plaintext did not come back');
  const isEncrypting = operation !== 'decryptGcm32';
  if (!isBatch) {
    return isEncrypting
      ? { messages: 1, start: () => hsm.encryptGcm(id, plaintext, aad) }
      : { messages: 1, start: () => hsm.decryptGcm(id, sealed, aad) };
  }
  const items = Array.from({ length: BATCH_ITEMS }, () => (isEncrypting ? plaintext : sealed));
  return isEncrypting
    ? { messages: BATCH_ITEMS, start: () => hsm.encryptGcmBatch(id, items, aad) }
    : { messages: BATCH_ITEMS, start: () => hsm.decryptGcmBatch(id, items, aad) };
}

async function other(hsm: Pkcs11Token, operation: Exclude<Operation, GcmOperation>, plan: Plan): Promise<Work> {
  const { id } = plan;
  const input = randomBytes(32);
  switch (operation) {
    case 'hmac':
      await hsm.generateSecretKey({ ...plan, type: 'hmac', lengthBytes: 32 });
      return { messages: 1, start: () => hsm.generateMac(id, 'SHA-256', input) };
    case 'signP256':
      await hsm.generateKeyPair({ ...plan, type: 'p256' });
      return { messages: 1, start: () => hsm.sign(id, 'ECDSA_SHA_256', input) };
    case 'signRsa2048':
      await hsm.generateKeyPair({ ...plan, type: 'rsa2048' });
      return { messages: 1, start: () => hsm.sign(id, 'RSASSA_PKCS1_V1_5_SHA_256', input) };
    case 'wrapAesKw': {
      const wrapped = { ...plan, id: randomBytes(16), isExtractable: true };
      await hsm.generateSecretKey({ ...plan, type: 'aesWrap' });
      await hsm.generateSecretKey({ ...wrapped, type: 'aesGcm' });
      return { messages: 1, start: () => hsm.wrapKey(id, 'aesKw', wrapped.id) };
    }
  }
}
