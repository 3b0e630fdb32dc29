/** The mechanisms of PKCS#11 that Keywright has a use for, with their numbers (PKCS#11 3.2, Appendix B). */
export const CKM = {
  RSA_PKCS_KEY_PAIR_GEN: 0x0,
  RSA_PKCS: 0x1,
  RSA_PKCS_OAEP: 0x9,
  RSA_PKCS_PSS: 0xd,
  ML_DSA_KEY_PAIR_GEN: 0x1c,
  ML_DSA: 0x1d,
  SHA_1: 0x220,
  SHA256: 0x250,
  SHA224_HMAC: 0x256,
  SHA256_HMAC: 0x251,
  SHA384_HMAC: 0x261,
  SHA512_HMAC: 0x271,
  GENERIC_SECRET_KEY_GEN: 0x350,
  EC_KEY_PAIR_GEN: 0x1040,
  ECDSA: 0x1041,
  ECDH1_DERIVE: 0x1050,
  EC_EDWARDS_KEY_PAIR_GEN: 0x1055,
  EDDSA: 0x1057,
  AES_KEY_GEN: 0x1080,
  AES_GCM: 0x1087,
  AES_KEY_WRAP: 0x2109,
  AES_KEY_WRAP_PAD: 0x210a,
  AES_KEY_WRAP_KWP: 0x210b,
} as const;

/** Flags of CK_MECHANISM_INFO: what a mechanism can be used for (PKCS#11 §3.4). */
export const CKF = {
  ENCRYPT: 0x100,
  DECRYPT: 0x200,
  SIGN: 0x800,
  VERIFY: 0x2000,
  GENERATE: 0x8000,
  GENERATE_KEY_PAIR: 0x10000,
  WRAP: 0x20000,
  UNWRAP: 0x40000,
  DERIVE: 0x80000,
} as const;

const FLAG_NAMES: readonly (readonly [flag: number, name: string])[] = [
  [0x1, 'hardware'],
  [CKF.ENCRYPT, 'encrypt'],
  [CKF.DECRYPT, 'decrypt'],
  [0x400, 'digest'],
  [CKF.SIGN, 'sign'],
  [CKF.VERIFY, 'verify'],
  [CKF.GENERATE, 'generate'],
  [CKF.GENERATE_KEY_PAIR, 'generate pair'],
  [CKF.WRAP, 'wrap'],
  [CKF.UNWRAP, 'unwrap'],
  [CKF.DERIVE, 'derive'],
];

export function namesOfFlags(flags: number): readonly string[] {
  return FLAG_NAMES.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name);
}

type MechanismName = keyof typeof CKM;

/** What each mechanism is good for in Keywright, in words of the KMS API; digests are computed outside the module. */
const USES: Readonly<Partial<Record<MechanismName, string>>> = {
  AES_KEY_GEN: 'making AES-256 keys',
  AES_GCM: 'SYMMETRIC_DEFAULT keys: Encrypt, Decrypt, data keys',
  AES_KEY_WRAP: 'wrapping key material (RFC 3394)',
  AES_KEY_WRAP_KWP: 'wrapping key material of any length (RFC 5649)',
  AES_KEY_WRAP_PAD: 'wrapping key material, where the self test finds RFC 5649 behind it',
  GENERIC_SECRET_KEY_GEN: 'making HMAC keys',
  SHA224_HMAC: 'HMAC_SHA_224',
  SHA256_HMAC: 'HMAC_SHA_256',
  SHA384_HMAC: 'HMAC_SHA_384',
  SHA512_HMAC: 'HMAC_SHA_512',
  RSA_PKCS_KEY_PAIR_GEN: 'making RSA keys',
  RSA_PKCS_OAEP: 'RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256',
  RSA_PKCS_PSS: 'RSASSA_PSS_SHA_256, _384, _512',
  RSA_PKCS: 'RSASSA_PKCS1_V1_5_SHA_256, _384, _512',
  EC_KEY_PAIR_GEN: 'making elliptic curve keys',
  ECDSA: 'ECDSA_SHA_256, _384, _512',
  ECDH1_DERIVE: 'DeriveSharedSecret',
  EC_EDWARDS_KEY_PAIR_GEN: 'making Ed25519 keys',
  EDDSA: 'ED25519_SHA_512',
  ML_DSA_KEY_PAIR_GEN: 'making ML-DSA keys',
  ML_DSA: 'ML_DSA_SHAKE_256',
};

/** Every mechanism that Keywright has a use for: its number, its name (`CKM_…`) and the use. */
export const USED_MECHANISMS: readonly { readonly type: number; readonly name: string; readonly use: string }[] =
  Object.entries(USES).map(([name, use]) => ({ type: CKM[name as MechanismName], name: `CKM_${name}`, use }));

/** `CKM_…` of a mechanism in the table above. */
export function nameOfMechanism(type: number): string {
  const name = (Object.keys(CKM) as MechanismName[]).find((each) => CKM[each] === type);
  return name === undefined ? `0x${type.toString(16)}` : `CKM_${name}`;
}
