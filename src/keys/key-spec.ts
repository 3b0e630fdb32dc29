/**
 * Facts about each key spec, one row a spec, so that nothing else switches on names.
 *
 * @source KMS Developer Guide, "Key spec reference"; KMS API Reference, CreateKey
 */

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

/** What a key's material is, as far as storing and opening it is concerned. */
export type MaterialKind = 'symmetric' | 'hmac' | 'asymmetric';

export function materialKindOf(spec: KeySpec): MaterialKind {
  if (spec === 'SYMMETRIC_DEFAULT') {
    return 'symmetric';
  }
  return hmacKeyBytes(spec) === undefined ? 'asymmetric' : 'hmac';
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
