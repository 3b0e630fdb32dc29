import pkcs11js from 'pkcs11js';
import { beforeEach, describe, expect, it } from 'vitest';
import { missingSoftHsm } from '../support/softhsm.ts';
import { codeOf, SESSION_FLAGS, shimmedToken, type ShimmedToken } from './fixture.ts';

const PIN = 'CryptoUser:CUPassword123!';
/** As AWS's cloudhsm_pkcs11_vendor_defs.h numbers them. */
const CKM_CLOUDHSM_AES_GCM = 0x80001087;
const CKM_CLOUDHSM_AES_KEY_WRAP_NO_PAD = 0x80002109;
const CKM_CLOUDHSM_AES_KEY_WRAP_ZERO_PAD = 0x8000216f;
/** Mechanisms of PKCS#11 v3.0, which pkcs11js does not name. */
const CKM_EC_EDWARDS_KEY_PAIR_GEN = 0x1055;
const CKM_EDDSA = 0x1057;
const MAX_GCM = 16_224;

/** As codeOf writes a code that pkcs11js does not name. */
const CKR_CURVE_NOT_SUPPORTED = '0x140';
const P256 = Buffer.from('06082a8648ce3d030107', 'hex');
const BRAINPOOL_P256 = Buffer.from('06092b2403030208010107', 'hex');

let shimmed: ShimmedToken;
let pkcs11: pkcs11js.PKCS11;
let session: pkcs11js.Handle;

beforeEach(({ skip }) => {
  if (missingSoftHsm !== undefined) skip(missingSoftHsm);
  shimmed = shimmedToken({ personality: 'cloudhsm', pin: PIN });
  pkcs11 = shimmed.pkcs11;
  session = shimmed.session();
  return () => shimmed.remove();
});

const yes = (type: number): pkcs11js.Attribute => ({ type, value: true });
const no = (type: number): pkcs11js.Attribute => ({ type, value: false });
const AES_256 = { type: pkcs11js.CKA_VALUE_LEN, value: 32 };
const CIPHER = [AES_256, yes(pkcs11js.CKA_ENCRYPT), yes(pkcs11js.CKA_DECRYPT)];

const aesKey = (...template: readonly pkcs11js.Attribute[]): pkcs11js.Handle =>
  pkcs11.C_GenerateKey(session, { mechanism: pkcs11js.CKM_AES_KEY_GEN }, [...template]);

const gcm = (mechanism: number, iv: Buffer, aad = Buffer.from('aad')): pkcs11js.Mechanism => ({
  mechanism,
  parameter: { type: pkcs11js.CK_PARAMS_GCM, iv, ivBits: iv.length * 8, aad, tagBits: 128 } as pkcs11js.GcmParams,
});

function encrypt(mechanism: pkcs11js.Mechanism, key: pkcs11js.Handle, data: Buffer): Buffer {
  pkcs11.C_EncryptInit(session, mechanism, key);
  return pkcs11.C_Encrypt(session, data, Buffer.alloc(data.length + 64));
}

function decrypt(mechanism: pkcs11js.Mechanism, key: pkcs11js.Handle, data: Buffer): Buffer {
  pkcs11.C_DecryptInit(session, mechanism, key);
  return pkcs11.C_Decrypt(session, data, Buffer.alloc(data.length + 64));
}

const read = (key: pkcs11js.Handle, type: number): Buffer =>
  pkcs11.C_GetAttributeValue(session, key, [{ type }])[0]?.value as Buffer;

describe('functions', () => {
  it.each<[string, () => unknown]>([
    ['C_InitToken', () => pkcs11.C_InitToken(shimmed.slot(), '1234', 'label')],
    ['C_InitPIN', () => pkcs11.C_InitPIN(session, PIN)],
    ['C_SetPIN', () => pkcs11.C_SetPIN(session, PIN, PIN)],
    ['C_CopyObject', () => pkcs11.C_CopyObject(session, aesKey(AES_256), [])],
    ['C_GetObjectSize', () => pkcs11.C_GetObjectSize(session, aesKey(AES_256))],
    ['C_SetAttributeValue', () => pkcs11.C_SetAttributeValue(session, aesKey(AES_256), [])],
    ['C_DigestKey', () => pkcs11.C_DigestKey(session, aesKey(AES_256))],
    ['C_SignRecoverInit', () => pkcs11.C_SignRecoverInit(session, { mechanism: pkcs11js.CKM_RSA_PKCS }, session)],
    ['C_VerifyRecoverInit', () => pkcs11.C_VerifyRecoverInit(session, { mechanism: pkcs11js.CKM_RSA_PKCS }, session)],
    ['C_SeedRandom', () => pkcs11.C_SeedRandom(session, Buffer.alloc(8))],
    ['C_WaitForSlotEvent', () => pkcs11.C_WaitForSlotEvent(1)],
  ])('%s is not supported', (_, call) => {
    expect(codeOf(call)).toBe('CKR_FUNCTION_NOT_SUPPORTED');
  });
});

describe('slots and sessions', () => {
  it('shows a slot for each token, and no empty one', () => {
    expect(pkcs11.C_GetSlotList(false)).toHaveLength(1);
  });

  it('opens no session for reading only', () => {
    expect(codeOf(() => pkcs11.C_OpenSession(shimmed.slot(), pkcs11js.CKF_SERIAL_SESSION))).toBe('CKR_FUNCTION_FAILED');
  });

  it('opens 1,024 sessions and no more', () => {
    const slot = shimmed.slot();
    for (let i = 1; i < 1024; i += 1) pkcs11.C_OpenSession(slot, SESSION_FLAGS);
    expect(codeOf(() => pkcs11.C_OpenSession(slot, SESSION_FLAGS))).toBe('CKR_SESSION_COUNT');
    pkcs11.C_CloseSession(session);
    expect(codeOf(() => pkcs11.C_OpenSession(slot, SESSION_FLAGS))).toBe('CKR_OK');
    pkcs11.C_CloseAllSessions(slot);
    expect(codeOf(() => pkcs11.C_OpenSession(slot, SESSION_FLAGS))).toBe('CKR_OK');
  });
});

describe('the user', () => {
  const login = (user: number, pin: string): string => codeOf(() => pkcs11.C_Login(session, user, pin));

  beforeEach(() => {
    if (missingSoftHsm === undefined) pkcs11.C_Logout(session);
  });

  it('logs in with <user name>:<password>, once for all sessions', () => {
    expect(login(pkcs11js.CKU_USER, PIN)).toBe('CKR_OK');
    expect(login(pkcs11js.CKU_USER, PIN)).toBe('CKR_USER_ALREADY_LOGGED_IN');
  });

  it.each([
    ['no user name', 'CUPassword123!'],
    ['an empty user name', ':CUPassword123!'],
    ['a user name of 32 characters', `${'u'.repeat(32)}:CUPassword123!`],
    ['a password of 6 characters', 'CryptoUser:123456'],
    ['a password of 33 characters', `CryptoUser:${'p'.repeat(33)}`],
    ['a password that is wrong', 'CryptoUser:CUPassword124!'],
  ])('does not log in with %s', (_, pin) => {
    expect(login(pkcs11js.CKU_USER, pin)).toBe('CKR_PIN_INCORRECT');
  });

  it('is no security officer', () => {
    expect(login(pkcs11js.CKU_SO, shimmed.token.soPin)).toBe('CKR_USER_TYPE_INVALID');
  });
});

describe('mechanisms', () => {
  it('lists those of CloudHSM that SoftHSM2 has too', () => {
    const list = pkcs11.C_GetMechanismList(shimmed.slot());
    expect(list).toContain(pkcs11js.CKM_AES_GCM);
    expect(list).toContain(CKM_CLOUDHSM_AES_GCM);
    expect(list).toContain(CKM_CLOUDHSM_AES_KEY_WRAP_NO_PAD);
    expect(list).toContain(CKM_CLOUDHSM_AES_KEY_WRAP_ZERO_PAD);
    expect(list).not.toContain(pkcs11js.CKM_AES_KEY_WRAP);
    expect(list).not.toContain(pkcs11js.CKM_AES_KEY_WRAP_PAD);
    expect(list).not.toContain(pkcs11js.CKM_MD5);
    expect(list).not.toContain(pkcs11js.CKM_DES3_CBC);
    expect(list).not.toContain(CKM_EDDSA);
  });

  it('tells what each is for, and nothing of the others', () => {
    const info = (type: number): number => pkcs11.C_GetMechanismInfo(shimmed.slot(), type).flags;
    // SoftHSM2 encrypts, decrypts, wraps and unwraps with it.
    expect(info(pkcs11js.CKM_RSA_PKCS)).toBe(pkcs11js.CKF_SIGN | pkcs11js.CKF_VERIFY);
    expect(info(CKM_CLOUDHSM_AES_GCM)).toBe(pkcs11js.CKF_ENCRYPT | pkcs11js.CKF_DECRYPT);
    expect(codeOf(() => info(pkcs11js.CKM_AES_KEY_WRAP))).toBe('CKR_MECHANISM_INVALID');
  });

  it.each<[string, () => unknown]>([
    ['digests with MD5', () => pkcs11.C_DigestInit(session, { mechanism: pkcs11js.CKM_MD5 })],
    ['generates Triple DES keys', () => pkcs11.C_GenerateKey(session, { mechanism: pkcs11js.CKM_DES3_KEY_GEN }, [])],
    [
      'encrypts with RSA PKCS #1 v1.5',
      () => pkcs11.C_EncryptInit(session, { mechanism: pkcs11js.CKM_RSA_PKCS }, rsaPair().publicKey),
    ],
    ['signs with AES-GCM', () => pkcs11.C_SignInit(session, { mechanism: pkcs11js.CKM_AES_GCM }, aesKey(AES_256))],
    ['wraps with CKM_AES_KEY_WRAP', () => wrap(pkcs11js.CKM_AES_KEY_WRAP)],
    ['wraps with CKM_AES_KEY_WRAP_PAD', () => wrap(pkcs11js.CKM_AES_KEY_WRAP_PAD)],
    ['wraps with AES-CBC', () => wrap(pkcs11js.CKM_AES_CBC)],
    [
      'generates Edwards keys',
      () => pkcs11.C_GenerateKeyPair(session, { mechanism: CKM_EC_EDWARDS_KEY_PAIR_GEN }, [], []),
    ],
  ])('never %s', (_, call) => {
    expect(codeOf(call)).toBe('CKR_MECHANISM_INVALID');
  });

  it('takes OAEP only with the same digest in both places', () => {
    const oaep = (hashAlg: number, mgf: number): string => {
      const parameter = { type: pkcs11js.CK_PARAMS_RSA_OAEP, hashAlg, mgf, source: 1 } as pkcs11js.RsaOAEP;
      return codeOf(() =>
        pkcs11.C_EncryptInit(session, { mechanism: pkcs11js.CKM_RSA_PKCS_OAEP, parameter }, rsaPair().publicKey),
      );
    };
    expect(oaep(pkcs11js.CKM_SHA_1, pkcs11js.CKG_MGF1_SHA1)).toBe('CKR_OK');
    expect(oaep(pkcs11js.CKM_SHA256, pkcs11js.CKG_MGF1_SHA1)).toBe('CKR_MECHANISM_PARAM_INVALID');
  });

  it("derives from an EC key only with a key derivation function of CloudHSM's own", () => {
    const parameter = { type: pkcs11js.CK_PARAMS_EC_DH, kdf: 1, publicData: Buffer.alloc(65) } as pkcs11js.ECDH1;
    const derive = (): unknown =>
      pkcs11.C_DeriveKey(session, { mechanism: pkcs11js.CKM_ECDH1_DERIVE, parameter }, ecPair().privateKey, []);
    expect(codeOf(derive)).toBe('CKR_MECHANISM_PARAM_INVALID');
  });
});

describe('AES-GCM', () => {
  const data = Buffer.from('16 bytes of text and more');

  it('writes the IV that the HSM made into the zeros that it was given, when it has encrypted', () => {
    const key = aesKey(...CIPHER);
    const iv = Buffer.alloc(12);
    pkcs11.C_EncryptInit(session, gcm(pkcs11js.CKM_AES_GCM, iv), key);
    expect(iv).toEqual(Buffer.alloc(12));
    const encrypted = pkcs11.C_Encrypt(session, data, Buffer.alloc(64));
    expect(iv).not.toEqual(Buffer.alloc(12));
    expect(decrypt(gcm(pkcs11js.CKM_AES_GCM, iv), key, encrypted)).toEqual(data);
  });

  it('makes another IV every time', () => {
    const key = aesKey(...CIPHER);
    const ivs = Array.from({ length: 20 }, () => Buffer.alloc(12));
    for (const iv of ivs) encrypt(gcm(pkcs11js.CKM_AES_GCM, iv), key, data);
    expect(new Set(ivs.map((iv) => iv.toString('hex'))).size).toBe(20);
  });

  it.each([
    ['is not zero', Buffer.from('000000000000000000000001', 'hex')],
    ['is longer than 12 bytes', Buffer.alloc(16)],
    ['is empty', Buffer.alloc(0)],
  ])('refuses to encrypt when the buffer for the IV %s', (_, iv) => {
    const key = aesKey(...CIPHER);
    expect(codeOf(() => encrypt(gcm(pkcs11js.CKM_AES_GCM, iv), key, data))).toBe('CKR_MECHANISM_PARAM_INVALID');
  });

  it('puts the IV in front of the ciphertext with CKM_CLOUDHSM_AES_GCM', () => {
    const key = aesKey(...CIPHER);
    const mechanism = gcm(CKM_CLOUDHSM_AES_GCM, Buffer.alloc(0));
    const encrypted = encrypt(mechanism, key, data);

    expect(encrypted).toHaveLength(12 + data.length + 16);
    expect(decrypt(mechanism, key, encrypted)).toEqual(data);
    const standard = gcm(pkcs11js.CKM_AES_GCM, encrypted.subarray(0, 12));
    expect(decrypt(standard, key, encrypted.subarray(12))).toEqual(data);
  });

  it('rejects what was changed, with either mechanism', () => {
    const key = aesKey(...CIPHER);
    const mechanism = gcm(CKM_CLOUDHSM_AES_GCM, Buffer.alloc(0));
    const encrypted = encrypt(mechanism, key, data);
    const standard = gcm(pkcs11js.CKM_AES_GCM, encrypted.subarray(0, 12));
    const otherAad = gcm(CKM_CLOUDHSM_AES_GCM, Buffer.alloc(0), Buffer.from('other'));
    for (const place of [0, 12, encrypted.length - 1]) {
      const changed = Buffer.from(encrypted);
      changed[place] = (changed[place] ?? 0) ^ 1;
      expect(codeOf(() => decrypt(mechanism, key, changed))).not.toBe('CKR_OK');
    }
    expect(codeOf(() => decrypt(otherAad, key, encrypted))).not.toBe('CKR_OK');
    expect(codeOf(() => decrypt(standard, key, encrypted))).not.toBe('CKR_OK');
    expect(decrypt(mechanism, key, encrypted)).toEqual(data);
  });

  it.each([
    ['encrypting', CKM_CLOUDHSM_AES_GCM, Buffer.alloc(12), 'C_EncryptInit'],
    ['decrypting', CKM_CLOUDHSM_AES_GCM, Buffer.alloc(12), 'C_DecryptInit'],
  ] as const)('refuses an IV for CKM_CLOUDHSM_AES_GCM when %s', (_, mechanism, iv, name) => {
    const key = aesKey(...CIPHER);
    expect(codeOf(() => pkcs11[name](session, gcm(mechanism, iv), key))).toBe('CKR_MECHANISM_PARAM_INVALID');
  });

  it('refuses several parts, and ends the operation', () => {
    const key = aesKey(...CIPHER);
    const update = (): void => {
      pkcs11.C_EncryptInit(session, gcm(pkcs11js.CKM_AES_GCM, Buffer.alloc(12)), key);
      pkcs11.C_EncryptUpdate(session, data, Buffer.alloc(64));
    };
    const updateDecryption = (): void => {
      pkcs11.C_DecryptInit(session, gcm(pkcs11js.CKM_AES_GCM, Buffer.alloc(12, 1)), key);
      pkcs11.C_DecryptUpdate(session, data, Buffer.alloc(64));
    };
    expect([update, update, updateDecryption, updateDecryption].map(codeOf)).toEqual(
      Array(4).fill('CKR_MECHANISM_INVALID'),
    );
  });

  it.each([
    ['CKM_AES_GCM', pkcs11js.CKM_AES_GCM, 12],
    ['CKM_CLOUDHSM_AES_GCM', CKM_CLOUDHSM_AES_GCM, 0],
  ])('takes 16,224 bytes with %s and not one more', (_, mechanism, ivBytes) => {
    const key = aesKey(...CIPHER);
    const iv = (): Buffer => Buffer.alloc(ivBytes);
    const whole = encrypt(gcm(mechanism, iv()), key, Buffer.alloc(MAX_GCM));
    expect(whole).toHaveLength(12 - ivBytes + MAX_GCM + 16);
    expect(codeOf(() => encrypt(gcm(mechanism, iv()), key, Buffer.alloc(MAX_GCM + 1)))).toBe('CKR_DATA_LEN_RANGE');
    const tooLong = Buffer.concat([whole, Buffer.alloc(1)]);
    const fresh = ivBytes === 0 ? iv() : Buffer.alloc(12, 1);
    expect(codeOf(() => decrypt(gcm(mechanism, fresh), key, tooLong))).toBe('CKR_ENCRYPTED_DATA_LEN_RANGE');
    expect(encrypt(gcm(mechanism, iv()), key, data).length).toBeGreaterThan(data.length);
  });
});

describe('other limits of data', () => {
  it('takes 16,272 bytes with AES-CBC in one call, and more in several', () => {
    const key = aesKey(...CIPHER);
    const cbc = { mechanism: pkcs11js.CKM_AES_CBC, parameter: Buffer.alloc(16) };
    expect(encrypt(cbc, key, Buffer.alloc(16_272))).toHaveLength(16_272);
    expect(codeOf(() => encrypt(cbc, key, Buffer.alloc(16_288)))).toBe('CKR_DATA_LEN_RANGE');
    pkcs11.C_EncryptInit(session, cbc, key);
    for (let i = 0; i < 3; i += 1) pkcs11.C_EncryptUpdate(session, Buffer.alloc(16_272), Buffer.alloc(16_300));
    expect(codeOf(() => pkcs11.C_EncryptUpdate(session, Buffer.alloc(16_288), Buffer.alloc(16_300)))).toBe(
      'CKR_DATA_LEN_RANGE',
    );
    expect(encrypt(cbc, key, Buffer.alloc(16))).toHaveLength(16);
  });

  it.each([
    ['CKM_SHA256_HMAC', pkcs11js.CKM_SHA256_HMAC, 16_288],
    ['CKM_SHA512_HMAC', pkcs11js.CKM_SHA512_HMAC, 16_224],
  ])('signs and verifies so many bytes with %s and not one more', (_, mechanism, limit) => {
    const template = [{ type: pkcs11js.CKA_VALUE_LEN, value: 64 }];
    const key = pkcs11.C_GenerateKey(session, { mechanism: pkcs11js.CKM_GENERIC_SECRET_KEY_GEN }, template);
    const sign = (size: number): Buffer => {
      pkcs11.C_SignInit(session, { mechanism }, key);
      return pkcs11.C_Sign(session, Buffer.alloc(size), Buffer.alloc(64));
    };
    const verify = (size: number, signature: Buffer): boolean => {
      pkcs11.C_VerifyInit(session, { mechanism }, key);
      return pkcs11.C_Verify(session, Buffer.alloc(size), signature);
    };
    const signature = sign(limit);
    expect(verify(limit, signature)).toBe(true);
    expect(codeOf(() => sign(limit + 1))).toBe('CKR_DATA_LEN_RANGE');
    expect(codeOf(() => verify(limit + 1, signature))).toBe('CKR_DATA_LEN_RANGE');
    expect(sign(limit)).toEqual(signature);
  });

  it.each([
    ['CKM_RSA_PKCS', pkcs11js.CKM_RSA_PKCS, () => rsaPair().privateKey],
    ['CKM_ECDSA', pkcs11js.CKM_ECDSA, () => ecPair().privateKey],
  ])('signs in one part only with %s', (_, mechanism, key) => {
    pkcs11.C_SignInit(session, { mechanism }, key());
    expect(codeOf(() => pkcs11.C_SignUpdate(session, Buffer.alloc(8)))).not.toBe('CKR_OK');
  });
});

describe('keys', () => {
  it('gives generated keys the defaults of CloudHSM', () => {
    const key = aesKey(AES_256);
    const on = ['EXTRACTABLE', 'SENSITIVE', 'PRIVATE', 'SIGN', 'VERIFY', 'MODIFIABLE'] as const;
    const off = ['TOKEN', 'ENCRYPT', 'DECRYPT', 'WRAP', 'UNWRAP', 'DERIVE', 'WRAP_WITH_TRUSTED'] as const;
    for (const name of on) expect([name, read(key, pkcs11js[`CKA_${name}`])]).toEqual([name, Buffer.from([1])]);
    for (const name of off) expect([name, read(key, pkcs11js[`CKA_${name}`])]).toEqual([name, Buffer.from([0])]);
  });

  it.each<[string, string, () => unknown]>([
    ['an AES key without a length', 'CKR_TEMPLATE_INCOMPLETE', () => aesKey(yes(pkcs11js.CKA_ENCRYPT))],
    ['a key that is not private', 'CKR_ATTRIBUTE_VALUE_INVALID', () => aesKey(AES_256, no(pkcs11js.CKA_PRIVATE))],
    ['a read-only attribute', 'CKR_ATTRIBUTE_READ_ONLY', () => aesKey(AES_256, yes(pkcs11js.CKA_LOCAL))],
    ['CKA_SIGN_RECOVER', 'CKR_TEMPLATE_INCONSISTENT', () => aesKey(AES_256, yes(pkcs11js.CKA_SIGN_RECOVER))],
    ['CKA_COPYABLE', 'CKR_TEMPLATE_INCONSISTENT', () => aesKey(AES_256, no(pkcs11js.CKA_COPYABLE))],
    [
      'CKA_START_DATE',
      'CKR_TEMPLATE_INCONSISTENT',
      () => aesKey(AES_256, { type: pkcs11js.CKA_START_DATE, value: Buffer.from('20260101') }),
    ],
    ['a generic secret that encrypts', 'CKR_TEMPLATE_INCONSISTENT', () => secret(32, yes(pkcs11js.CKA_ENCRYPT))],
    ['a generic secret of 801 bytes', 'CKR_ATTRIBUTE_VALUE_INVALID', () => secret(801)],
    ['an RSA key of 1,024 bits', 'CKR_ATTRIBUTE_VALUE_INVALID', () => rsaPair(1024)],
    ['an RSA key of 2,176 bits', 'CKR_ATTRIBUTE_VALUE_INVALID', () => rsaPair(2176)],
    ['a key on another curve', CKR_CURVE_NOT_SUPPORTED, () => ecPair(BRAINPOOL_P256)],
    ['an EC key without a curve', 'CKR_TEMPLATE_INCOMPLETE', () => ecPair(null)],
    [
      'a private key that is not sensitive',
      'CKR_ATTRIBUTE_VALUE_INVALID',
      () => ecPair(P256, no(pkcs11js.CKA_SENSITIVE)),
    ],
    ['a private key that verifies', 'CKR_TEMPLATE_INCONSISTENT', () => ecPair(P256, yes(pkcs11js.CKA_VERIFY))],
  ])('refuses to generate %s', (_, code, call) => {
    expect(codeOf(call)).toBe(code);
  });

  it('generates RSA keys with CKM_RSA_X9_31_KEY_PAIR_GEN too', () => {
    const { privateKey } = rsaPair(2048, pkcs11js.CKM_RSA_X9_31_KEY_PAIR_GEN);
    expect(read(privateKey, pkcs11js.CKA_MODULUS)).toHaveLength(256);
  });

  it.each<[string, string, readonly pkcs11js.Attribute[]]>([
    ['data', 'CKR_ATTRIBUTE_VALUE_INVALID', [{ type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_DATA }]],
    ['a key without a value', 'CKR_TEMPLATE_INCOMPLETE', []],
    [
      'a key with a length',
      'CKR_TEMPLATE_INCONSISTENT',
      [{ type: pkcs11js.CKA_VALUE, value: Buffer.alloc(32) }, AES_256],
    ],
  ])('refuses to import %s', (_, code, template) => {
    const base = [
      { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
      { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_AES },
    ].filter(({ type }) => template.every((attribute) => attribute.type !== type));
    expect(codeOf(() => pkcs11.C_CreateObject(session, [...base, ...template]))).toBe(code);
  });

  it('does not tell attributes that it does not have, and tells the others beside them', () => {
    const key = aesKey(AES_256);
    expect(codeOf(() => read(key, pkcs11js.CKA_KEY_GEN_MECHANISM))).toBe('CKR_ATTRIBUTE_TYPE_INVALID');
    expect(codeOf(() => read(key, pkcs11js.CKA_MODULUS))).toBe('CKR_ATTRIBUTE_TYPE_INVALID');
    expect(codeOf(() => read(ecPair().privateKey, pkcs11js.CKA_VALUE))).toBe('CKR_ATTRIBUTE_SENSITIVE');
    expect(read(key, pkcs11js.CKA_VALUE_LEN).readUInt8()).toBe(32);
  });

  it.each([
    ['CKM_CLOUDHSM_AES_KEY_WRAP_NO_PAD', CKM_CLOUDHSM_AES_KEY_WRAP_NO_PAD],
    ['CKM_CLOUDHSM_AES_KEY_WRAP_ZERO_PAD', CKM_CLOUDHSM_AES_KEY_WRAP_ZERO_PAD],
  ])('wraps and unwraps a key with %s', (_, mechanism) => {
    const { wrapped, wrappingKey } = wrap(mechanism);
    expect(wrapped).toHaveLength(40);
    const unwrap = (...template: readonly pkcs11js.Attribute[]): pkcs11js.Handle =>
      pkcs11.C_UnwrapKey(session, { mechanism }, wrappingKey, wrapped, [
        { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
        ...template,
      ]);
    const type = { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_AES };
    expect(read(unwrap(type), pkcs11js.CKA_EXTRACTABLE)).toEqual(Buffer.from([1]));
    expect(codeOf(() => unwrap())).toBe('CKR_TEMPLATE_INCOMPLETE');
    expect(codeOf(() => unwrap(type, AES_256))).toBe('CKR_TEMPLATE_INCONSISTENT');
  });
});

describe('a cluster with a single HSM', () => {
  it('neither makes nor uses token keys, and has session keys', () => {
    const kept = aesKey(...CIPHER, yes(pkcs11js.CKA_TOKEN), { type: pkcs11js.CKA_LABEL, value: 'kept' });
    expect(encrypt(gcm(pkcs11js.CKM_AES_GCM, Buffer.alloc(12)), kept, Buffer.alloc(8))).toHaveLength(24);

    shimmed.reload('cloudhsm-single-hsm');
    session = shimmed.session();
    pkcs11.C_FindObjectsInit(session, [{ type: pkcs11js.CKA_LABEL, value: 'kept' }]);
    const found = pkcs11.C_FindObjects(session, 1)[0] ?? session;
    pkcs11.C_FindObjectsFinal(session);
    const mechanism = gcm(pkcs11js.CKM_AES_GCM, Buffer.alloc(12));
    expect(codeOf(() => encrypt(mechanism, found, Buffer.alloc(8)))).toBe('CKR_FUNCTION_FAILED');
    expect(codeOf(() => aesKey(AES_256, yes(pkcs11js.CKA_TOKEN)))).toBe('CKR_FUNCTION_FAILED');
    expect(codeOf(() => encrypt(mechanism, aesKey(...CIPHER), Buffer.alloc(8)))).toBe('CKR_OK');
  });
});

describe('the module behind the personality', () => {
  it('does by itself what is refused here', () => {
    shimmed.reload();
    const { pkcs11: alone } = shimmed;
    expect(codeOf(() => alone.C_OpenSession(shimmed.slot(), pkcs11js.CKF_SERIAL_SESSION))).toBe('CKR_OK');
    alone.C_CloseAllSessions(shimmed.slot());
    session = shimmed.session();
    const key = aesKey(...CIPHER, no(pkcs11js.CKA_COPYABLE), no(pkcs11js.CKA_PRIVATE));
    const mechanism = gcm(pkcs11js.CKM_AES_GCM, Buffer.alloc(12, 1));
    const calls: (() => unknown)[] = [
      () => alone.C_SeedRandom(session, Buffer.alloc(8)),
      () => alone.C_CopyObject(session, aesKey(AES_256), []),
      () => encrypt(mechanism, key, Buffer.alloc(MAX_GCM + 1)),
      () => secret(801),
      () => rsaPair(1024),
      () => ecPair(BRAINPOOL_P256),
      () => wrap(pkcs11js.CKM_AES_KEY_WRAP, yes(pkcs11js.CKA_EXTRACTABLE)),
      () => alone.C_DigestInit(session, { mechanism: pkcs11js.CKM_MD5 }),
    ];
    expect(calls.map(codeOf)).toEqual(calls.map(() => 'CKR_OK'));
  });
});

function secret(size: number, ...template: readonly pkcs11js.Attribute[]): pkcs11js.Handle {
  const length = { type: pkcs11js.CKA_VALUE_LEN, value: size };
  return pkcs11.C_GenerateKey(session, { mechanism: pkcs11js.CKM_GENERIC_SECRET_KEY_GEN }, [length, ...template]);
}

function rsaPair(bits = 2048, mechanism = pkcs11js.CKM_RSA_PKCS_KEY_PAIR_GEN): pkcs11js.KeyPair {
  const publicKey = [
    { type: pkcs11js.CKA_MODULUS_BITS, value: bits },
    { type: pkcs11js.CKA_PUBLIC_EXPONENT, value: Buffer.from([1, 0, 1]) },
    yes(pkcs11js.CKA_ENCRYPT),
  ];
  return pkcs11.C_GenerateKeyPair(session, { mechanism }, publicKey, [yes(pkcs11js.CKA_SIGN)]);
}

function ecPair(curve: Buffer | null = P256, ...template: readonly pkcs11js.Attribute[]): pkcs11js.KeyPair {
  const params = curve === null ? [] : [{ type: pkcs11js.CKA_EC_PARAMS, value: curve }];
  const mechanism = { mechanism: pkcs11js.CKM_EC_KEY_PAIR_GEN };
  return pkcs11.C_GenerateKeyPair(session, mechanism, params, [yes(pkcs11js.CKA_SIGN), ...template]);
}

function wrap(
  mechanism: number,
  ...template: readonly pkcs11js.Attribute[]
): { wrapped: Buffer; wrappingKey: pkcs11js.Handle } {
  const wrappingKey = aesKey(AES_256, yes(pkcs11js.CKA_WRAP), yes(pkcs11js.CKA_UNWRAP));
  const wrapped = pkcs11.C_WrapKey(session, { mechanism }, wrappingKey, aesKey(AES_256, ...template), Buffer.alloc(64));
  return { wrapped, wrappingKey };
}
