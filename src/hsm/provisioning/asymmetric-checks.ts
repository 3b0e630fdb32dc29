import {
  constants,
  createECDH,
  createHash,
  createPublicKey,
  publicEncrypt,
  randomBytes,
  verify,
  type KeyObject,
} from 'node:crypto';
import { loadCore } from '../../core/index.ts';
import { attempt, demand, type Algorithm, type Bench, type Check, type Key, type KeyPair } from './check.ts';
import { CKF, CKM } from './mechanisms.ts';

const RSA_BITS = 2048;
const PUBLIC_EXPONENT = Buffer.from([1, 0, 1]);

function rsaPair(bench: Bench, usage: 'sign' | 'decrypt'): { readonly pair: KeyPair; readonly publicKey: KeyObject } {
  const forPublic = usage === 'sign' ? { verify: true } : { encrypt: true };
  const pair = bench.generatePair(
    CKM.RSA_PKCS_KEY_PAIR_GEN,
    { modulusBits: RSA_BITS, publicExponent: PUBLIC_EXPONENT, ...forPublic },
    { [usage]: true },
  );
  const { modulus, publicExponent } = pair.publicKey.getAttribute({ modulus: null, publicExponent: null });
  demand(Buffer.isBuffer(modulus) && Buffer.isBuffer(publicExponent), 'tells no modulus and exponent');
  const jwk = { kty: 'RSA', n: modulus.toString('base64url'), e: publicExponent.toString('base64url') };
  return { pair, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) };
}

/** CKG_MGF1_… (PKCS#11 §6.1.7). */
const MGF1_SHA1 = 1;
const MGF1_SHA256 = 2;

function oaepCheck(hash: 'sha1' | 'sha256', mechanism: number, mgf: number): Check {
  return {
    name: `RSA-OAEP-${hash === 'sha1' ? 'SHA-1' : 'SHA-256'}`,
    mechanism: CKM.RSA_PKCS_OAEP,
    flags: CKF.DECRYPT,
    generation: CKM.RSA_PKCS_KEY_PAIR_GEN,
    run: (bench) => {
      const { pair, publicKey } = rsaPair(bench, 'decrypt');
      const algorithm = { name: CKM.RSA_PKCS_OAEP, params: new bench.graphene.RsaOaepParams(mechanism, mgf) };
      const plaintext = randomBytes(32);
      const ciphertext = publicEncrypt(
        { key: publicKey, oaepHash: hash, padding: constants.RSA_PKCS1_OAEP_PADDING },
        plaintext,
      );
      const decrypted = bench.decrypt(algorithm, pair.privateKey, ciphertext);
      demand(decrypted.equals(plaintext), 'decrypts what node:crypto encrypted to something else');
      return undefined;
    },
  };
}

/** DigestInfo of a SHA-256 digest up to the digest (RFC 8017 §9.2). */
const SHA256_DIGEST_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');

function rsaSignatureCheck(
  name: string,
  mechanism: number,
  algorithmOf: (bench: Bench) => Algorithm,
  prefix: Buffer,
  padding: number,
): Check {
  return {
    name,
    mechanism,
    flags: CKF.SIGN,
    generation: CKM.RSA_PKCS_KEY_PAIR_GEN,
    run: (bench) => {
      const { pair, publicKey } = rsaPair(bench, 'sign');
      const message = randomBytes(200);
      const digest = createHash('sha256').update(message).digest();
      const signature = bench.sign(algorithmOf(bench), pair.privateKey, Buffer.concat([prefix, digest]));
      const key = { key: publicKey, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
      demand(verify('sha256', message, key, signature), 'node:crypto does not verify the signature');
      demand(!verify('sha256', randomBytes(200), key, signature), 'the signature verifies for every message');
      return undefined;
    },
  };
}

interface Curve {
  readonly name: string;
  /** As JWK and, in createECDH, OpenSSL name it. */
  readonly jwk: string;
  readonly ecdh: string;
  /** CKA_EC_PARAMS: the object identifier in DER. */
  readonly params: Buffer;
  /** Of a coordinate. */
  readonly bytes: number;
  readonly hash: 'sha256' | 'sha384' | 'sha512';
}

const curve = (name: string, jwk: string, ecdh: string, params: string, bytes: number, hash: Curve['hash']): Curve => ({
  name,
  jwk,
  ecdh,
  params: Buffer.from(params, 'hex'),
  bytes,
  hash,
});

const P256 = curve('P-256', 'P-256', 'prime256v1', '06082a8648ce3d030107', 32, 'sha256');
const P384 = curve('P-384', 'P-384', 'secp384r1', '06052b81040022', 48, 'sha384');
const P521 = curve('P-521', 'P-521', 'secp521r1', '06052b81040023', 66, 'sha512');
const SECP256K1 = curve('secp256k1', 'secp256k1', 'secp256k1', '06052b8104000a', 32, 'sha256');

/** The last bytes of CKA_EC_POINT: some modules wrap the point into an OCTET STRING, as they should, others do not. */
function pointOf(publicKey: Key, bytes: number): Buffer {
  const { pointEC } = publicKey.getAttribute({ pointEC: null });
  demand(Buffer.isBuffer(pointEC) && pointEC.length >= bytes, 'tells no point');
  return pointEC.subarray(-bytes);
}

function ecdsaCheck({ name, jwk, params, bytes, hash }: Curve): Check {
  return {
    name: `ECDSA ${name}`,
    mechanism: CKM.ECDSA,
    flags: CKF.SIGN,
    generation: CKM.EC_KEY_PAIR_GEN,
    run: (bench) => {
      const pair = bench.generatePair(CKM.EC_KEY_PAIR_GEN, { paramsEC: params, verify: true }, { sign: true });
      const point = pointOf(pair.publicKey, 2 * bytes);
      const [x, y] = [point.subarray(0, bytes).toString('base64url'), point.subarray(bytes).toString('base64url')];
      const publicKey = createPublicKey({ key: { kty: 'EC', crv: jwk, x, y }, format: 'jwk' });
      const message = randomBytes(200);
      const digest = createHash(hash).update(message).digest();
      const signature = bench.sign({ name: CKM.ECDSA, params: null }, pair.privateKey, digest);
      const key = { key: publicKey, dsaEncoding: 'ieee-p1363' as const };
      demand(verify(hash, message, key, signature), 'node:crypto does not verify the signature');
      demand(!verify(hash, randomBytes(200), key, signature), 'the signature verifies for every message');
      return undefined;
    },
  };
}

/** CKK_GENERIC_SECRET. */
const GENERIC = 0x10;
/** CKD_NULL: the secret is the x coordinate itself (PKCS#11 §6.3). */
const NO_KDF = 1;

function ecdhCheck({ name, ecdh, params, bytes }: Curve): Check {
  return {
    name: `ECDH ${name}`,
    mechanism: CKM.ECDH1_DERIVE,
    flags: CKF.DERIVE,
    generation: CKM.EC_KEY_PAIR_GEN,
    run: (bench) => {
      const pair = bench.generatePair(CKM.EC_KEY_PAIR_GEN, { paramsEC: params, derive: true }, { derive: true });
      const other = createECDH(ecdh);
      const parameters = new bench.graphene.EcdhParams(NO_KDF, null, other.generateKeys());
      const shared = bench.derive({ name: CKM.ECDH1_DERIVE, params: parameters }, pair.privateKey, {
        class: bench.graphene.ObjectClass.SECRET_KEY,
        keyType: GENERIC,
        valueLen: bytes,
        sensitive: false,
        extractable: true,
      });
      const { value } = shared.getAttribute({ value: null });
      const expected = other.computeSecret(Buffer.concat([Buffer.from([4]), pointOf(pair.publicKey, 2 * bytes)]));
      demand(Buffer.isBuffer(value) && value.equals(expected), 'node:crypto derives another secret');
      return undefined;
    },
  };
}

/** Ed25519 as object identifier (RFC 8410), and as the PrintableString `edwards25519` of PKCS#11 3.0 §6.3. */
const ED25519_NAMES = ['06032b6570', '130c656477617264733235353139'].map((name) => Buffer.from(name, 'hex'));

const ed25519: Check = {
  name: 'Ed25519',
  mechanism: CKM.EDDSA,
  flags: CKF.SIGN,
  generation: CKM.EC_EDWARDS_KEY_PAIR_GEN,
  run: (bench) => {
    const generate = (paramsEC: Buffer | undefined) =>
      bench.generatePair(CKM.EC_EDWARDS_KEY_PAIR_GEN, { paramsEC: paramsEC ?? null, verify: true }, { sign: true });
    const first = attempt(() => generate(ED25519_NAMES[0]));
    const pair = first.refusal === undefined ? first.value : generate(ED25519_NAMES[1]);
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: pointOf(pair.publicKey, 32).toString('base64url') };
    const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
    const message = randomBytes(200);
    const signature = bench.sign({ name: CKM.EDDSA, params: null }, pair.privateKey, message);
    demand(verify(null, message, publicKey, signature), 'node:crypto does not verify the signature');
    demand(!verify(null, randomBytes(200), publicKey, signature), 'the signature verifies for every message');
    return undefined;
  },
};

/** CKA_PARAMETER_SET, an attribute of PKCS#11 3.2 that graphene does not know. */
const PARAMETER_SET = 'parameterSet';
const CKA_PARAMETER_SET = 0x61d;

/** node:crypto has ML-DSA from version 24 on only; the core has it everywhere. */
function mlDsaCheck(set: 1 | 2 | 3, name: 'ML-DSA-44' | 'ML-DSA-65' | 'ML-DSA-87'): Check {
  return {
    name,
    mechanism: CKM.ML_DSA,
    flags: CKF.SIGN,
    generation: CKM.ML_DSA_KEY_PAIR_GEN,
    run: (bench) => {
      bench.graphene.registerAttribute(PARAMETER_SET, CKA_PARAMETER_SET, 'number');
      const forPublic = { [PARAMETER_SET]: set, verify: true };
      const pair = bench.generatePair(CKM.ML_DSA_KEY_PAIR_GEN, forPublic, { sign: true });
      const { value } = pair.publicKey.getAttribute({ value: null });
      demand(Buffer.isBuffer(value), 'tells no public key');
      const message = randomBytes(200);
      const signature = bench.sign({ name: CKM.ML_DSA, params: null }, pair.privateKey, message);
      const core = loadCore();
      const type = ({ 1: 'mlDsa44', 2: 'mlDsa65', 3: 'mlDsa87' } as const)[set];
      const key = core.importPublicKey(type, mlDsaSpki(set, value));
      const isValid = (text: Buffer): boolean => core.verify(key, 'ML_DSA_SHAKE_256', 'RAW', text, signature);
      demand(isValid(message), 'the core does not verify the signature');
      demand(!isValid(randomBytes(200)), 'the signature verifies for every message');
      return undefined;
    },
  };
}

/** SubjectPublicKeyInfo of RFC 9881: id-ml-dsa-44 is 2.16.840.1.101.3.4.3.17, the next sets follow. */
function mlDsaSpki(set: number, publicKey: Buffer): Buffer {
  const algorithm = Buffer.from('300b0609608648016503040300', 'hex');
  algorithm[algorithm.length - 1] = 16 + set;
  const bits = Buffer.concat([derHeader(0x03, publicKey.length + 1), Buffer.from([0]), publicKey]);
  return Buffer.concat([derHeader(0x30, algorithm.length + bits.length), algorithm, bits]);
}

/** Tag and length, for contents of 256 to 65535 bytes. */
function derHeader(tag: number, length: number): Buffer {
  return Buffer.from([tag, 0x82, length >> 8, length & 0xff]);
}

export const ASYMMETRIC_CHECKS: readonly Check[] = [
  oaepCheck('sha1', CKM.SHA_1, MGF1_SHA1),
  oaepCheck('sha256', CKM.SHA256, MGF1_SHA256),
  rsaSignatureCheck(
    'RSA-PSS SHA-256',
    CKM.RSA_PKCS_PSS,
    ({ graphene }) => ({
      name: CKM.RSA_PKCS_PSS,
      params: new graphene.RsaPssParams(CKM.SHA256, MGF1_SHA256, 32),
    }),
    Buffer.alloc(0),
    constants.RSA_PKCS1_PSS_PADDING,
  ),
  rsaSignatureCheck(
    'RSA PKCS#1 v1.5 SHA-256',
    CKM.RSA_PKCS,
    () => ({ name: CKM.RSA_PKCS, params: null }),
    SHA256_DIGEST_INFO,
    constants.RSA_PKCS1_PADDING,
  ),
  ...[P256, P384, P521, SECP256K1].map(ecdsaCheck),
  ...[P256, P384, P521].map(ecdhCheck),
  ed25519,
  mlDsaCheck(1, 'ML-DSA-44'),
  mlDsaCheck(2, 'ML-DSA-65'),
  mlDsaCheck(3, 'ML-DSA-87'),
];
