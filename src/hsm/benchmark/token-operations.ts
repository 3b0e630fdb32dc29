import { randomBytes } from 'node:crypto';
import type { HsmKeyPairPlan, HsmSecretKeyPlan, Pkcs11Token } from '../../pkcs11/token.ts';

/** Something that is measured of a token. */
export interface TokenOperation {
  readonly name: string;
  /** Messages that one call does. */
  readonly messages: number;
  /** Ids for the keys that it needs. */
  newKeyIds(): readonly Buffer[];
  /** Makes the keys, which die with the login, and gives what is repeated. */
  prepare(token: Pkcs11Token, keys: readonly Buffer[]): Promise<() => Promise<unknown>>;
}

const ID_BYTES = 16;
const AAD = Buffer.from('keywright hsm bench');
const DIGEST = Buffer.alloc(32, 7);
const BATCH = 64;
const LABEL = 'keywright-bench';

function operation(name: string, keyCount: number, prepare: TokenOperation['prepare'], messages = 1): TokenOperation {
  return { name, messages, newKeyIds: () => Array.from({ length: keyCount }, () => randomBytes(ID_BYTES)), prepare };
}

function idAt(keys: readonly Buffer[], index: number): Buffer {
  const id = keys[index];
  if (id === undefined) {
    throw new RangeError(`there is no key ${index}`);
  }
  return id;
}

async function secretKey(
  token: Pkcs11Token,
  id: Buffer,
  plan: Pick<HsmSecretKeyPlan, 'type' | 'lengthBytes' | 'isExtractable'>,
): Promise<Buffer> {
  await token.generateSecretKey({ id, label: LABEL, isSession: true, ...plan });
  return id;
}

async function keyPair(token: Pkcs11Token, id: Buffer, type: HsmKeyPairPlan['type']): Promise<Buffer> {
  await token.generateKeyPair({ id, label: LABEL, isSession: true, type });
  return id;
}

function encrypting(name: string, bytes: number): TokenOperation {
  return operation(name, 1, async (token, keys) => {
    const key = await secretKey(token, idAt(keys, 0), { type: 'aesGcm' });
    const plaintext = randomBytes(bytes);
    return () => token.encryptGcm(key, plaintext, AAD);
  });
}

/** What a key management service does with an HSM, each with a key of its own. */
export const TOKEN_OPERATIONS: readonly TokenOperation[] = [
  operation('random, 32 B', 0, async (token) => () => token.generateRandom(32)),
  encrypting('AES-256-GCM encrypt, 32 B', 32),
  encrypting('AES-256-GCM encrypt, 4 KiB', 4096),
  operation(
    `AES-256-GCM encrypt, 32 B, batches of ${BATCH}`,
    1,
    async (token, keys) => {
      const key = await secretKey(token, idAt(keys, 0), { type: 'aesGcm' });
      const plaintexts = Array.from({ length: BATCH }, () => randomBytes(32));
      return () => token.encryptGcmBatch(key, plaintexts, AAD);
    },
    BATCH,
  ),
  operation('AES-256-GCM decrypt, 32 B', 1, async (token, keys) => {
    const key = await secretKey(token, idAt(keys, 0), { type: 'aesGcm' });
    const sealed = await token.encryptGcm(key, randomBytes(32), AAD);
    return () => token.decryptGcm(key, sealed, AAD);
  }),
  operation('HMAC-SHA-256, 32 B', 1, async (token, keys) => {
    const key = await secretKey(token, idAt(keys, 0), { type: 'hmac', lengthBytes: 32 });
    return () => token.generateMac(key, 'SHA-256', DIGEST);
  }),
  operation('ECDSA P-256, sign', 1, async (token, keys) => {
    const key = await keyPair(token, idAt(keys, 0), 'p256');
    return () => token.sign(key, 'ECDSA_SHA_256', DIGEST);
  }),
  operation('RSA-2048 PKCS #1 v1.5, sign', 1, async (token, keys) => {
    const key = await keyPair(token, idAt(keys, 0), 'rsa2048');
    return () => token.sign(key, 'RSASSA_PKCS1_V1_5_SHA_256', DIGEST);
  }),
  operation('AES-KW, wrap an AES-256 key', 2, async (token, keys) => {
    const wrapping = await secretKey(token, idAt(keys, 0), { type: 'aesWrap' });
    const wrapped = await secretKey(token, idAt(keys, 1), { type: 'aesGcm', isExtractable: true });
    return () => token.wrapKey(wrapping, 'aesKw', wrapped);
  }),
];
