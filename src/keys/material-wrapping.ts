/**
 * How key material may be encrypted on its way in.
 *
 * @source KMS Developer Guide, "Select a wrapping public key specification" and "Select a wrapping algorithm"
 */
import type { AsymmetricKeyType } from '../core/key-handle.ts';
import type { WrappingAlgorithm } from '../core/key-transport.ts';
import type { KeySpec } from './key-spec.ts';

export const WRAPPING_ALGORITHMS = [
  'RSAES_PKCS1_V1_5',
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'RSA_AES_KEY_WRAP_SHA_1',
  'RSA_AES_KEY_WRAP_SHA_256',
  'SM2PKE',
] as const satisfies readonly WrappingAlgorithm[];

export const WRAPPING_KEY_SPECS = ['RSA_2048', 'RSA_3072', 'RSA_4096', 'SM2'] as const;
export type WrappingKeySpec = (typeof WRAPPING_KEY_SPECS)[number];

const WRAPPING_KEY_TYPES: Readonly<Record<WrappingKeySpec, AsymmetricKeyType>> = {
  RSA_2048: 'rsa2048',
  RSA_3072: 'rsa3072',
  RSA_4096: 'rsa4096',
  SM2: 'sm2',
};

/** What a wrapping key of this spec is to the cryptographic core. */
export function wrappingKeyTypeOf(spec: WrappingKeySpec): AsymmetricKeyType {
  return WRAPPING_KEY_TYPES[spec];
}

const OAEP: readonly WrappingAlgorithm[] = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'];
const KEY_WRAP: readonly WrappingAlgorithm[] = ['RSA_AES_KEY_WRAP_SHA_1', 'RSA_AES_KEY_WRAP_SHA_256'];
const RSA: readonly WrappingAlgorithm[] = [...KEY_WRAP, 'SM2PKE'];
const ELLIPTIC: readonly WrappingAlgorithm[] = [...OAEP, ...KEY_WRAP, 'SM2PKE'];

/** Absent: keys of the spec cannot be imported. No key spec has RSAES_PKCS1_V1_5, which AWS refuses since 2023. */
const ALGORITHMS: Readonly<Partial<Record<KeySpec, readonly WrappingAlgorithm[]>>> = {
  SYMMETRIC_DEFAULT: OAEP,
  HMAC_224: OAEP,
  HMAC_256: OAEP,
  HMAC_384: OAEP,
  HMAC_512: OAEP,
  RSA_2048: RSA,
  RSA_3072: RSA,
  RSA_4096: RSA,
  ECC_NIST_P256: ELLIPTIC,
  ECC_NIST_P384: ELLIPTIC,
  ECC_NIST_P521: ELLIPTIC,
  ECC_SECG_P256K1: ELLIPTIC,
  ECC_NIST_EDWARDS25519: ELLIPTIC,
  SM2: [...OAEP, 'SM2PKE'],
};

/** True for specs whose keys may have material from outside. */
export function isImportable(spec: KeySpec): boolean {
  return ALGORITHMS[spec] !== undefined;
}

/** Whether material of a key of `spec` can come under this algorithm and wrapping key. */
export function canWrap(spec: KeySpec, algorithm: WrappingAlgorithm, wrappingSpec: WrappingKeySpec): boolean {
  const isKeyOfAlgorithm = (algorithm === 'SM2PKE') === (wrappingSpec === 'SM2');
  // A PrivateKeyInfo of P-521 is longer than what RSAES-OAEP of 2048 bits takes.
  const isTooLong = spec === 'ECC_NIST_P521' && wrappingSpec === 'RSA_2048' && OAEP.includes(algorithm);
  return isKeyOfAlgorithm && !isTooLong && (ALGORITHMS[spec] ?? []).includes(algorithm);
}
