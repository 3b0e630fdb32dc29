/**
 * Facts about each key spec, one row a spec, so that nothing else switches on names.
 *
 * @source KMS Developer Guide, "Key spec reference"; KMS API Reference, CreateKey
 */

import type { KeyType } from '../core/key-handle.ts';

export const KEY_SPECS = [
  'SYMMETRIC_DEFAULT',
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'ECC_NIST_EDWARDS25519',
  'HMAC_224',
  'HMAC_256',
  'HMAC_384',
  'HMAC_512',
  'SM2',
  'ML_DSA_44',
  'ML_DSA_65',
  'ML_DSA_87',
  'ML_KEM_512',
  'ML_KEM_768',
  'ML_KEM_1024',
] as const;
export type KeySpec = (typeof KEY_SPECS)[number];

/** Values of the deprecated member CustomerMasterKeySpec, which gets no new ones. */
export const CUSTOMER_MASTER_KEY_SPECS = [
  'SYMMETRIC_DEFAULT',
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'HMAC_224',
  'HMAC_256',
  'HMAC_384',
  'HMAC_512',
  'SM2',
] as const satisfies readonly KeySpec[];

export const KEY_USAGES = [
  'ENCRYPT_DECRYPT',
  'SIGN_VERIFY',
  'GENERATE_VERIFY_MAC',
  'KEY_AGREEMENT',
  'ENCAPSULATE_DECAPSULATE',
] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];

export const KEY_ORIGINS = ['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'] as const;
export type KeyOrigin = (typeof KEY_ORIGINS)[number];

export const ENCRYPTION_ALGORITHMS = ['SYMMETRIC_DEFAULT', 'RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256', 'SM2PKE'] as const;
export type EncryptionAlgorithm = (typeof ENCRYPTION_ALGORITHMS)[number];

export const SIGNING_ALGORITHMS = [
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'ECDSA_SHA_256',
  'ECDSA_SHA_384',
  'ECDSA_SHA_512',
  'SM2DSA',
  'ML_DSA_SHAKE_256',
  'ED25519_SHA_512',
  'ED25519_PH_SHA_512',
] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

export const MESSAGE_TYPES = ['RAW', 'DIGEST', 'EXTERNAL_MU'] as const;
export type MessageType = (typeof MESSAGE_TYPES)[number];

export const MAC_ALGORITHMS = ['HMAC_SHA_224', 'HMAC_SHA_256', 'HMAC_SHA_384', 'HMAC_SHA_512'] as const;
export type MacAlgorithm = (typeof MAC_ALGORITHMS)[number];

/** What a key of a spec and usage can do: the one list of its metadata that is there. */
export interface AlgorithmsOfUsage {
  readonly ENCRYPT_DECRYPT?: readonly EncryptionAlgorithm[];
  readonly SIGN_VERIFY?: readonly SigningAlgorithm[];
  readonly GENERATE_VERIFY_MAC?: readonly MacAlgorithm[];
  readonly KEY_AGREEMENT?: readonly 'ECDH'[];
  readonly ENCAPSULATE_DECAPSULATE?: readonly 'ML_KEM'[];
}

const RSA: AlgorithmsOfUsage = {
  ENCRYPT_DECRYPT: ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'],
  SIGN_VERIFY: [
    'RSASSA_PKCS1_V1_5_SHA_256',
    'RSASSA_PKCS1_V1_5_SHA_384',
    'RSASSA_PKCS1_V1_5_SHA_512',
    'RSASSA_PSS_SHA_256',
    'RSASSA_PSS_SHA_384',
    'RSASSA_PSS_SHA_512',
  ],
};
const ML_DSA: AlgorithmsOfUsage = { SIGN_VERIFY: ['ML_DSA_SHAKE_256'] };
const ML_KEM: AlgorithmsOfUsage = { ENCAPSULATE_DECAPSULATE: ['ML_KEM'] };

const ALGORITHMS: Readonly<Record<KeySpec, AlgorithmsOfUsage>> = {
  SYMMETRIC_DEFAULT: { ENCRYPT_DECRYPT: ['SYMMETRIC_DEFAULT'] },
  RSA_2048: RSA,
  RSA_3072: RSA,
  RSA_4096: RSA,
  ECC_NIST_P256: { SIGN_VERIFY: ['ECDSA_SHA_256'], KEY_AGREEMENT: ['ECDH'] },
  ECC_NIST_P384: { SIGN_VERIFY: ['ECDSA_SHA_384'], KEY_AGREEMENT: ['ECDH'] },
  ECC_NIST_P521: { SIGN_VERIFY: ['ECDSA_SHA_512'], KEY_AGREEMENT: ['ECDH'] },
  ECC_SECG_P256K1: { SIGN_VERIFY: ['ECDSA_SHA_256'] },
  ECC_NIST_EDWARDS25519: { SIGN_VERIFY: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'] },
  HMAC_224: { GENERATE_VERIFY_MAC: ['HMAC_SHA_224'] },
  HMAC_256: { GENERATE_VERIFY_MAC: ['HMAC_SHA_256'] },
  HMAC_384: { GENERATE_VERIFY_MAC: ['HMAC_SHA_384'] },
  HMAC_512: { GENERATE_VERIFY_MAC: ['HMAC_SHA_512'] },
  SM2: { ENCRYPT_DECRYPT: ['SM2PKE'], SIGN_VERIFY: ['SM2DSA'], KEY_AGREEMENT: ['ECDH'] },
  ML_DSA_44: ML_DSA,
  ML_DSA_65: ML_DSA,
  ML_DSA_87: ML_DSA,
  ML_KEM_512: ML_KEM,
  ML_KEM_768: ML_KEM,
  ML_KEM_1024: ML_KEM,
};

export function algorithmsOf(spec: KeySpec): AlgorithmsOfUsage {
  return ALGORITHMS[spec];
}

export function isUsageOfSpec(usage: KeyUsage, spec: KeySpec): boolean {
  return ALGORITHMS[spec][usage] !== undefined;
}

const MATERIAL_TYPES: Readonly<Record<KeySpec, KeyType>> = {
  SYMMETRIC_DEFAULT: 'backing',
  RSA_2048: 'rsa2048',
  RSA_3072: 'rsa3072',
  RSA_4096: 'rsa4096',
  ECC_NIST_P256: 'p256',
  ECC_NIST_P384: 'p384',
  ECC_NIST_P521: 'p521',
  ECC_SECG_P256K1: 'secp256k1',
  ECC_NIST_EDWARDS25519: 'ed25519',
  HMAC_224: 'hmac',
  HMAC_256: 'hmac',
  HMAC_384: 'hmac',
  HMAC_512: 'hmac',
  SM2: 'sm2',
  ML_DSA_44: 'mlDsa44',
  ML_DSA_65: 'mlDsa65',
  ML_DSA_87: 'mlDsa87',
  ML_KEM_512: 'mlKem512',
  ML_KEM_768: 'mlKem768',
  ML_KEM_1024: 'mlKem1024',
};

/** What the material of a key of this spec is to the cryptographic core. */
export function materialTypeOf(spec: KeySpec): KeyType {
  return MATERIAL_TYPES[spec];
}

/** True for specs whose keys are key pairs. */
export function isAsymmetric(spec: KeySpec): boolean {
  return !['backing', 'hmac'].includes(MATERIAL_TYPES[spec]);
}

const HMAC_KEY_BYTES: Readonly<Partial<Record<KeySpec, number>>> = {
  HMAC_224: 28,
  HMAC_256: 32,
  HMAC_384: 48,
  HMAC_512: 64,
};

/** Length of an HMAC key of this spec in bytes; undefined for other specs. */
export function hmacKeyBytes(spec: KeySpec): number | undefined {
  return HMAC_KEY_BYTES[spec];
}

/** Specs of data key pairs. @source KMS API Reference, GenerateDataKeyPair */
export const DATA_KEY_PAIR_SPECS = [
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'SM2',
  'ECC_NIST_EDWARDS25519',
  'ML_KEM_512',
  'ML_KEM_768',
  'ML_KEM_1024',
] as const satisfies readonly KeySpec[];
export type DataKeyPairSpec = (typeof DATA_KEY_PAIR_SPECS)[number];

/** Largest plaintexts in bytes: modulus - 2 × hash - 2 for RSAES-OAEP (RFC 8017 §7.1.1), and AWS's limit for SM2PKE. */
const MAX_PLAINTEXT_BYTES: Readonly<Partial<Record<KeySpec, Readonly<Partial<Record<EncryptionAlgorithm, number>>>>>> =
  {
    RSA_2048: { RSAES_OAEP_SHA_1: 214, RSAES_OAEP_SHA_256: 190 },
    RSA_3072: { RSAES_OAEP_SHA_1: 342, RSAES_OAEP_SHA_256: 318 },
    RSA_4096: { RSAES_OAEP_SHA_1: 470, RSAES_OAEP_SHA_256: 446 },
    SM2: { SM2PKE: 1024 },
  };

/** How much a key of this spec encrypts at once; undefined when it is the limit of the API itself, 4096 bytes. */
export function maxPlaintextBytes(spec: KeySpec, algorithm: EncryptionAlgorithm): number | undefined {
  return MAX_PLAINTEXT_BYTES[spec]?.[algorithm];
}
