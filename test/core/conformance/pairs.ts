/** Types of key pairs and what they are used for, as the suite's chapters share it. */
import { generateKeyPairSync } from 'node:crypto';
import type {
  AsymmetricKeyType,
  CryptoCore,
  KeyHandle,
  MessageType,
  SignatureAlgorithm,
} from '../../../src/core/crypto-core.ts';

/** Every type; RSA with its smallest size first. */
export const PAIR_TYPES = [
  'rsa2048',
  'rsa3072',
  'rsa4096',
  'p256',
  'p384',
  'p521',
  'secp256k1',
  'ed25519',
  'sm2',
  'mlDsa44',
  'mlDsa65',
  'mlDsa87',
  'mlKem512',
  'mlKem768',
  'mlKem1024',
] as const satisfies readonly AsymmetricKeyType[];

/** The types whose keys take no time to make. */
export const QUICK_TYPES = PAIR_TYPES.filter((type) => type !== 'rsa3072' && type !== 'rsa4096');

interface Scheme {
  readonly algorithm: SignatureAlgorithm;
  readonly types: readonly AsymmetricKeyType[];
  /** Message types with the length that a message must have; 0 for any. */
  readonly messages: Readonly<Partial<Record<MessageType, number>>>;
}

const RSA = ['rsa2048', 'rsa3072', 'rsa4096'] as const;

export const SCHEMES: readonly Scheme[] = [
  ...([256, 384, 512] as const).flatMap((bits): Scheme[] => [
    { algorithm: `RSASSA_PSS_SHA_${bits}`, types: RSA, messages: { RAW: 0, DIGEST: bits / 8 } },
    { algorithm: `RSASSA_PKCS1_V1_5_SHA_${bits}`, types: RSA, messages: { RAW: 0, DIGEST: bits / 8 } },
  ]),
  { algorithm: 'ECDSA_SHA_256', types: ['p256', 'secp256k1'], messages: { RAW: 0, DIGEST: 32 } },
  { algorithm: 'ECDSA_SHA_384', types: ['p384'], messages: { RAW: 0, DIGEST: 48 } },
  { algorithm: 'ECDSA_SHA_512', types: ['p521'], messages: { RAW: 0, DIGEST: 64 } },
  { algorithm: 'ED25519_SHA_512', types: ['ed25519'], messages: { RAW: 0 } },
  { algorithm: 'ED25519_PH_SHA_512', types: ['ed25519'], messages: { DIGEST: 64 } },
  { algorithm: 'ML_DSA_SHAKE_256', types: ['mlDsa44', 'mlDsa65', 'mlDsa87'], messages: { RAW: 0, EXTERNAL_MU: 64 } },
  { algorithm: 'SM2DSA', types: ['sm2'], messages: { RAW: 0, DIGEST: 32 } },
];

export const MESSAGE_TYPES = ['RAW', 'DIGEST', 'EXTERNAL_MU'] as const satisfies readonly MessageType[];

const pairs = new WeakMap<CryptoCore, Map<AsymmetricKeyType, KeyHandle>>();

/**
 * A key pair of `type` that tests of this file share, because making some takes a second. WebAssembly takes
 * seconds for the large RSA ones and gets those from node:crypto; it makes one of rsa2048 itself.
 */
export function sharedPair(core: CryptoCore, type: AsymmetricKeyType): KeyHandle {
  const ofCore = pairs.get(core) ?? new Map<AsymmetricKeyType, KeyHandle>();
  pairs.set(core, ofCore);
  const pair = ofCore.get(type) ?? makePair(core, type);
  ofCore.set(type, pair);
  return pair;
}

function makePair(core: CryptoCore, type: AsymmetricKeyType): KeyHandle {
  const isSlow = core.info().binding === 'wasm' && (type === 'rsa3072' || type === 'rsa4096');
  if (!isSlow) return core.generateKeyPair(type);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: Number(type.slice(3)) });
  return core.importPrivateKey(type, privateKey.export({ format: 'der', type: 'pkcs8' }));
}

/** The public part of a key, as a key of its own. */
export function publicPart(core: CryptoCore, key: KeyHandle): KeyHandle {
  return core.importPublicKey(key.type as AsymmetricKeyType, core.exportPublicKey(key));
}
