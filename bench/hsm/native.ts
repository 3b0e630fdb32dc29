/** Measures Keywright's own path to tokens, `keywright/hsm`. Work: OPERATION/KEYS, with `/batch` for many at once. */
import { randomBytes } from 'node:crypto';
import { openPkcs11Token } from 'keywright/hsm';
import {
  AAD_BYTES,
  BATCH_ITEMS,
  hasBatches,
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
  if (!hasBatches(operation)) return wrapping(plan);
  const { item, one, many } = isGcm(operation) ? await gcm(operation, plan) : await signing(operation, plan);
  if (batch === undefined) return { messages: 1, start: () => one(item) };
  const items = Array.from({ length: BATCH_ITEMS }, () => item);
  const outputs = await many(items);
  const failure = outputs.find((output) => output instanceof Error);
  if (failure !== undefined) throw failure;
  return { messages: BATCH_ITEMS, start: () => many(items) };
});

interface Plan {
  readonly id: Buffer;
  readonly label: string;
  readonly isSession: boolean;
}

/** An operation, one by one and in batches. */
interface Calls {
  readonly item: Buffer;
  readonly one: (item: Buffer) => Promise<unknown>;
  readonly many: (items: readonly Buffer[]) => Promise<readonly unknown[]>;
}

async function gcm(operation: GcmOperation, plan: Plan): Promise<Calls> {
  const { id } = plan;
  await token.generateSecretKey({ ...plan, type: 'aesGcm' });
  const plaintext = randomBytes(plaintextBytes(operation));
  const sealed = await token.encryptGcm(id, plaintext, aad);
  if (!plaintext.equals(await token.decryptGcm(id, sealed, aad))) throw new Error('the plaintext did not come back');
  return operation === 'decryptGcm32'
    ? {
        item: sealed,
        one: (item) => token.decryptGcm(id, item, aad),
        many: (items) => token.decryptGcmBatch(id, items, aad),
      }
    : {
        item: plaintext,
        one: (item) => token.encryptGcm(id, item, aad),
        many: (items) => token.encryptGcmBatch(id, items, aad),
      };
}

async function signing(operation: 'hmac' | 'signP256' | 'signRsa2048', plan: Plan): Promise<Calls> {
  const { id } = plan;
  const item = randomBytes(32);
  if (operation === 'hmac') {
    await token.generateSecretKey({ ...plan, type: 'hmac', lengthBytes: 32 });
    return {
      item,
      one: (message) => token.generateMac(id, 'SHA-256', message),
      many: (messages) => token.generateMacBatch(id, 'SHA-256', messages),
    };
  }
  await token.generateKeyPair({ ...plan, type: operation === 'signP256' ? 'p256' : 'rsa2048' });
  const algorithm = operation === 'signP256' ? 'ECDSA_SHA_256' : 'RSASSA_PKCS1_V1_5_SHA_256';
  return {
    item,
    one: (digest) => token.sign(id, algorithm, digest),
    many: (digests) => token.signBatch(id, algorithm, digests),
  };
}

async function wrapping(plan: Plan): Promise<Work> {
  const wrapped = { ...plan, id: randomBytes(16), isExtractable: true };
  await token.generateSecretKey({ ...plan, type: 'aesWrap' });
  await token.generateSecretKey({ ...wrapped, type: 'aesGcm' });
  return { messages: 1, start: () => token.wrapKey(plan.id, 'aesKw', wrapped.id) };
}
