import { randomBytes } from 'node:crypto';
import {
  CORE_STATUS,
  loadCore,
  type AsymmetricKeyType,
  type BatchOperation,
  type KeyHandle,
  type PackedItems,
  type PublicEncryptionAlgorithm,
  type SignatureAlgorithm,
} from 'keywright/core';

const core = loadCore('napi');
const MESSAGE_BYTES = 32;
const OAEP: PublicEncryptionAlgorithm = 'RSAES_OAEP_SHA_256';

/** An operation of a key pair, as the core does it at once and on the pool, and as bench/native/pool.cc names it. */
export interface PoolCase {
  readonly type: AsymmetricKeyType;
  /** What it does, in the words of the table. */
  readonly title: string;
  /** OPERATION of bench/native/pool.cc. */
  readonly limit: string;
  /** Makes a key, and shows that what the operation gives is right. */
  readonly open: () => PoolWork;
}

export interface PoolWork {
  readonly now: () => unknown;
  readonly onPool: () => Promise<unknown>;
  /** Starts a batch of `count` times the same; absent for what has no batch form. */
  readonly inBatches?: (count: number) => () => Promise<unknown>;
  /** PrivateKeyInfo for the C loop; without it, it makes a key of its own. */
  readonly privateKey?: Buffer;
}

/** The same item over and over; fails when one of them does. */
export function batches(
  key: KeyHandle,
  operation: BatchOperation,
  item: Uint8Array,
  other?: Uint8Array,
): (count: number) => () => Promise<unknown> {
  return (count) => {
    const items = repeated(item, count);
    const others = other === undefined ? undefined : repeated(other, count);
    const allWell = Buffer.alloc(count, CORE_STATUS.ok);
    return async () => {
      const { statuses } = await core.batchAsync(key, operation, items, others);
      if (!allWell.equals(statuses)) throw new Error(`${key.type}: an item of a batch failed`);
    };
  };
}

function repeated(item: Uint8Array, count: number): PackedItems {
  const ends = Uint32Array.from({ length: count }, (_, index) => item.length * (index + 1));
  return { data: Buffer.concat(Array<Uint8Array>(count).fill(item)), ends };
}

type CaseOf = (type: AsymmetricKeyType) => PoolCase;

const RSA = ['rsa2048', 'rsa3072', 'rsa4096'] as const;
const ECDSA = ['p256', 'p384', 'p521', 'secp256k1'] as const;
const ML_DSA = ['mlDsa44', 'mlDsa65', 'mlDsa87'] as const;
const ML_KEM = ['mlKem512', 'mlKem768', 'mlKem1024'] as const;

/** RSA keys take seconds to make: one of each size serves all of its cases, and the C loop. */
const rsaKeys = new Map<AsymmetricKeyType, KeyHandle>();

function keyOf(type: AsymmetricKeyType): KeyHandle {
  if (!type.startsWith('rsa')) return core.generateKeyPair(type);
  const key = rsaKeys.get(type) ?? core.generateKeyPair(type);
  rsaKeys.set(type, key);
  return key;
}

function withRsaKey(key: KeyHandle, work: PoolWork): PoolWork {
  return key.type.startsWith('rsa') ? { ...work, privateKey: core.exportPrivateKey(key) } : work;
}

/** The schemes that hash for themselves get 32 bytes, the others a digest, so that no side hashes beforehand. */
function messageFor(algorithm: SignatureAlgorithm): { type: 'RAW' | 'DIGEST'; message: Buffer } {
  const bits = /_SHA_(256|384|512)$/.exec(algorithm)?.[1];
  if (bits === undefined || algorithm === 'ED25519_SHA_512')
    return { type: 'RAW', message: randomBytes(MESSAGE_BYTES) };
  return { type: 'DIGEST', message: randomBytes(Number(bits) / 8) };
}

function signing(algorithm: SignatureAlgorithm, title: string, suffix: string): [CaseOf, CaseOf] {
  const open = (type: AsymmetricKeyType, isSigning: boolean): PoolWork => {
    const key = keyOf(type);
    const { type: kind, message } = messageFor(algorithm);
    const signature = core.sign(key, algorithm, kind, message);
    const scheme = { algorithm, messageType: kind } as const;
    const verify = (): boolean => core.verify(key, algorithm, kind, message, signature);
    if (!verify()) throw new Error(`${type}: the signature does not verify`);
    const sign: PoolWork = {
      now: () => core.sign(key, algorithm, kind, message),
      onPool: () => core.signAsync(key, algorithm, kind, message),
      inBatches: batches(key, { operation: 'sign', ...scheme }, message),
    };
    const check: PoolWork = {
      now: verify,
      onPool: () => core.verifyAsync(key, algorithm, kind, message, signature),
      inBatches: batches(key, { operation: 'verify', ...scheme }, message, signature),
    };
    return withRsaKey(key, isSigning ? sign : check);
  };
  return [
    (type) => ({ type, title: `sign${title}`, limit: `sign${suffix}`, open: () => open(type, true) }),
    (type) => ({ type, title: `verify${title}`, limit: `verify${suffix}`, open: () => open(type, false) }),
  ];
}

const encrypting: CaseOf = (type) => ({
  type,
  title: 'encrypt (OAEP)',
  limit: 'encrypt',
  open: () => {
    const key = keyOf(type);
    const plaintext = randomBytes(MESSAGE_BYTES);
    return withRsaKey(key, {
      now: () => core.publicEncrypt(key, OAEP, plaintext),
      onPool: () => core.publicEncryptAsync(key, OAEP, plaintext),
      inBatches: batches(key, { operation: 'publicEncrypt', algorithm: OAEP }, plaintext),
    });
  },
});

const decrypting: CaseOf = (type) => ({
  type,
  title: 'decrypt (OAEP)',
  limit: 'decrypt',
  open: () => {
    const key = keyOf(type);
    const plaintext = randomBytes(MESSAGE_BYTES);
    const ciphertext = core.publicEncrypt(key, OAEP, plaintext);
    if (!core.privateDecrypt(key, OAEP, ciphertext).equals(plaintext)) throw new Error(`${type}: not decrypted`);
    return withRsaKey(key, {
      now: () => core.privateDecrypt(key, OAEP, ciphertext),
      onPool: () => core.privateDecryptAsync(key, OAEP, ciphertext),
      inBatches: batches(key, { operation: 'privateDecrypt', algorithm: OAEP }, ciphertext),
    });
  },
});

const deriving: CaseOf = (type) => ({
  type,
  title: 'agree (ECDH)',
  limit: 'derive',
  open: () => {
    const key = keyOf(type);
    const other = keyOf(type);
    const peer = core.exportPublicKey(other);
    const same = core.ecdh(key, peer).equals(core.ecdh(other, core.exportPublicKey(key)));
    if (!same) throw new Error(`${type}: the sides do not agree`);
    return {
      now: () => core.ecdh(key, peer),
      onPool: () => core.ecdhAsync(key, peer),
      inBatches: batches(key, { operation: 'ecdh' }, peer),
    };
  },
});

const encapsulating: CaseOf = (type) => ({
  type,
  title: 'encapsulate',
  limit: 'encapsulate',
  open: () => {
    const key = keyOf(type);
    return {
      now: () => core.encapsulate(key),
      onPool: () => core.encapsulateAsync(key),
      inBatches: batches(key, { operation: 'encapsulate' }, new Uint8Array(0)),
    };
  },
});

const decapsulating: CaseOf = (type) => ({
  type,
  title: 'decapsulate',
  limit: 'decapsulate',
  open: () => {
    const key = keyOf(type);
    const { sharedSecret, ciphertext } = core.encapsulate(key);
    if (!core.decapsulate(key, ciphertext).equals(sharedSecret)) throw new Error(`${type}: another secret`);
    return {
      now: () => core.decapsulate(key, ciphertext),
      onPool: () => core.decapsulateAsync(key, ciphertext),
      inBatches: batches(key, { operation: 'decapsulate' }, ciphertext),
    };
  },
});

const generating: CaseOf = (type) => ({
  type,
  title: 'generate a key pair',
  limit: 'generate',
  open: () => ({
    now: () => core.generateKeyPair(type).destroy(),
    onPool: async () => (await core.generateKeyPairAsync(type)).destroy(),
  }),
});

function ecdsa(type: AsymmetricKeyType): SignatureAlgorithm {
  if (type === 'p384') return 'ECDSA_SHA_384';
  return type === 'p521' ? 'ECDSA_SHA_512' : 'ECDSA_SHA_256';
}

const pss = signing('RSASSA_PSS_SHA_256', ' (PSS)', 'Pss');
const pkcs1 = signing('RSASSA_PKCS1_V1_5_SHA_256', ' (PKCS #1 v1.5)', 'Pkcs1');

/** Every operation that a service runs on the pool; not the generation of RSA keys, whose time is a lottery. */
export const POOL_CASES: readonly PoolCase[] = [
  ...RSA.flatMap((type) => [...pss, ...pkcs1, encrypting, decrypting].map((caseOf) => caseOf(type))),
  ...ECDSA.flatMap((type) => signing(ecdsa(type), '', '').map((caseOf) => caseOf(type))),
  ...signing('ED25519_SHA_512', '', '').map((caseOf) => caseOf('ed25519')),
  deriving('p256'),
  ...ML_DSA.flatMap((type) => signing('ML_DSA_SHAKE_256', '', '').map((caseOf) => caseOf(type))),
  ...ML_KEM.flatMap((type) => [encapsulating(type), decapsulating(type)]),
  ...[...ECDSA, 'ed25519' as const, ...ML_DSA, ...ML_KEM].map(generating),
];
