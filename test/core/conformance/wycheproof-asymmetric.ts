import { expect } from 'vitest';
import type {
  AsymmetricKeyType,
  CryptoCore,
  DigestAlgorithm,
  KeyHandle,
  SignatureAlgorithm,
} from '../../../src/core/crypto-core.ts';
import { type CoreError } from '../../../src/core/status.ts';
import { ecPrivateKey, pkcs8, spki } from './encodings.ts';
import { expectStatus, SLOW, suite } from './support.ts';
import { hex, HINT, itWithVectors as run, nothing, runVectors, type AnyVector } from './wycheproof-support.ts';

interface SignatureVector extends AnyVector {
  readonly msg?: string;
  readonly mu?: string;
  readonly ctx?: string;
  readonly sig: string;
}

interface SignatureGroup {
  readonly publicKey: unknown;
  readonly publicKeyDer: string;
  readonly privateKey: string;
  readonly tests: readonly SignatureVector[];
}

interface OaepGroup {
  readonly privateKeyPkcs8: string;
  readonly tests: readonly (AnyVector & { readonly msg: string; readonly ct: string; readonly label: string })[];
}

interface EcdhVector extends AnyVector {
  readonly public: string;
  readonly private: string;
  readonly shared: string;
}

interface KemVector extends AnyVector {
  readonly seed: string;
  readonly ek: string;
  readonly c: string;
  readonly K: string;
}

/** Every vector of a file of signatures; the file has one algorithm. */
function checkSignatures(core: CryptoCore, file: string, type: AsymmetricKeyType, algorithm: SignatureAlgorithm): void {
  let group: SignatureGroup | undefined;
  let key: KeyHandle | undefined;
  runVectors<SignatureVector, SignatureGroup>(file, nothing, {}, (vector, current) => {
    if (group !== current) {
      group = current;
      key = core.importPublicKey(type, hex(current.publicKeyDer));
    }
    const isValid = core.verify(key!, algorithm, 'RAW', hex(vector.msg!), hex(vector.sig));
    // `acceptable` is only PKCS #1 without the NULL of the hash's parameters, which the core refuses.
    expect(isValid).toBe(vector.result === 'valid');
  });
}

/** Ends with the key, or nothing when it was refused. */
function importOrUndefined(action: () => KeyHandle): KeyHandle | undefined {
  try {
    return action();
  } catch (error) {
    expect((error as CoreError).status).toBe('invalidKey');
    return undefined;
  }
}

/** An integer in hexadecimal, in the width of the field. */
function scalarOf(text: string, width: number): Buffer {
  return hex(text.replace(/^(?:00)+(?=..)/, '').padStart(2 * width, '0'));
}

function checkEcdh(core: CryptoCore, file: string, type: 'p256' | 'p384' | 'p521', width: number): void {
  const accepted: Record<string, number> = {};
  runVectors<EcdhVector, { tests: EcdhVector[] }>(file, nothing, {}, (vector) => {
    const key = core.importPrivateKey(type, pkcs8(type, ecPrivateKey(scalarOf(vector.private, width))));
    let shared: Buffer | undefined;
    try {
      shared = core.ecdh(key, hex(vector.public));
    } catch (error) {
      expect((error as CoreError).status).toBe('invalidKey');
    }
    key.destroy();
    if (vector.result === 'valid') expect(shared).toBeDefined();
    if (vector.result === 'invalid') expect(shared).toBeUndefined();
    if (shared !== undefined) expect(shared).toEqual(hex(vector.shared));
    if (shared !== undefined && vector.result === 'acceptable') {
      accepted[vector.flags.join(' ')] = (accepted[vector.flags.join(' ')] ?? 0) + 1;
    }
  });
  // Of what a reader may accept, the core takes the compressed point, and no loose DER or spelled-out curve.
  expect(accepted).toEqual({ 'CompressedPublic CompressedPoint': 1 });
}

function checkMlDsaVerify(core: CryptoCore, file: string, type: AsymmetricKeyType, withContext: number): void {
  const skip = ({ ctx }: SignatureVector): string | undefined => (ctx === undefined ? undefined : 'a context string');
  runVectors<SignatureVector, SignatureGroup>(file, skip, { 'a context string': withContext }, (vector, group) => {
    const key = importOrUndefined(() => core.importPublicKey(type, spki(type, hex(group.publicKey as string))));
    const isValid = key !== undefined && core.verify(key, 'ML_DSA_SHAKE_256', 'RAW', hex(vector.msg!), hex(vector.sig));
    expect(isValid).toBe(vector.result === 'valid');
    key?.destroy();
  });
}

/**
 * The core signs hedged, so the bytes of the vectors cannot come out of it. What is checked: the private keys are taken
 * or refused, the signatures made with them verify, and so do those of the vectors.
 */
function checkMlDsaSign(core: CryptoCore, file: string, type: AsymmetricKeyType, withContext: number): void {
  const skip = ({ ctx }: SignatureVector): string | undefined => (ctx === undefined ? undefined : 'a context string');
  runVectors<SignatureVector, SignatureGroup>(file, skip, { 'a context string': withContext }, (vector, group) => {
    const key = importOrUndefined(() => {
      return core.importPrivateKey(type, pkcs8(type, Buffer.concat([derOctets(hex(group.privateKey))])));
    });
    expect(key !== undefined).toBe(vector.result === 'valid');
    if (key === undefined) return;
    const [messageType, message] =
      vector.msg === undefined ? (['EXTERNAL_MU', hex(vector.mu!)] as const) : (['RAW', hex(vector.msg)] as const);
    const signature = core.sign(key, 'ML_DSA_SHAKE_256', messageType, message);
    expect(core.verify(key, 'ML_DSA_SHAKE_256', messageType, message, signature)).toBe(true);
    expect(core.verify(key, 'ML_DSA_SHAKE_256', messageType, message, hex(vector.sig))).toBe(true);
    if (vector.mu !== undefined) {
      expect(core.verify(key, 'ML_DSA_SHAKE_256', 'EXTERNAL_MU', hex(vector.mu), signature)).toBe(true);
    }
    key.destroy();
  });
}

/** RFC 9881 §6: the expanded private key is an OCTET STRING of its own. */
function derOctets(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0x04, 0x82, bytes.length >> 8, bytes.length & 0xff), bytes]);
}

function checkMlKem(core: CryptoCore, file: string, type: AsymmetricKeyType): void {
  runVectors<KemVector, { tests: KemVector[] }>(file, nothing, {}, (vector) => {
    const key = importOrUndefined(() => core.importPrivateKey(type, hex(vector.seed)));
    if (vector.result === 'valid') {
      expect(core.exportPublicKey(key!)).toEqual(spki(type, hex(vector.ek)));
      expect(core.decapsulate(key!, hex(vector.c))).toEqual(hex(vector.K));
    } else if (key !== undefined) {
      expectStatus(() => core.decapsulate(key, hex(vector.c)), 'invalidArgument');
    }
    key?.destroy();
  });
}

/** The randomness of an encapsulation is the core's own: what can be compared is which keys are taken. */
function checkMlKemEncaps(core: CryptoCore, file: string, type: AsymmetricKeyType): void {
  runVectors<KemVector, { tests: KemVector[] }>(file, nothing, {}, (vector) => {
    const key = importOrUndefined(() => core.importPublicKey(type, spki(type, hex(vector.ek))));
    expect(key !== undefined).toBe(vector.result === 'valid');
    if (key !== undefined) expect(core.encapsulate(key).ciphertext.length).toBe(hex(vector.c).length);
    key?.destroy();
  });
}

function checkHkdf(core: CryptoCore, file: string, algorithm: DigestAlgorithm): void {
  type HkdfVector = AnyVector & Record<'ikm' | 'salt' | 'info' | 'okm', string> & { readonly size: number };
  runVectors<HkdfVector, { tests: HkdfVector[] }>(file, nothing, {}, (vector) => {
    const derive = (): Buffer => core.hkdf(algorithm, hex(vector.ikm), hex(vector.salt), hex(vector.info), vector.size);
    if (vector.result === 'valid') expect(derive()).toEqual(hex(vector.okm));
    else expectStatus(derive, 'invalidArgument');
  });
}

function checkKeyWrap(core: CryptoCore): void {
  type WrapVector = AnyVector & Record<'key' | 'msg' | 'ct', string>;
  type WrapGroup = { keySize: number; tests: WrapVector[] };
  const skip = (_: WrapVector, { keySize }: WrapGroup): string | undefined =>
    keySize === 256 ? undefined : 'another key size than AES-256';
  runVectors<WrapVector, WrapGroup>('aes_wrap', skip, { 'another key size than AES-256': 97 }, (vector) => {
    const kek = core.importKey('aesKw', hex(vector.key));
    const unwrap = (): KeyHandle => core.kwUnwrap(kek, hex(vector.ct), 'hmac');
    if (vector.result === 'valid') {
      const key = core.importKey('hmac', hex(vector.msg));
      expect(core.kwWrap(kek, key)).toEqual(hex(vector.ct));
      expect(core.hmac(unwrap(), 'SHA-256', hex(''))).toEqual(core.hmac(key, 'SHA-256', hex('')));
    } else {
      // `acceptable` is a key of 8 bytes, which RFC 3394 does not have.
      expectStatus(unwrap, 'authenticationFailed');
    }
  });
}

/** Bits and hash of the files rsa_signature_* and, with the salt, rsa_pss_*. */
const RSA_FILES = [2048, 3072, 4096].flatMap((bits) =>
  [256, 384, 512].map((hash) => ({ bits, hash, name: `rsa_signature_${bits}_sha${hash}` })),
);
const PSS_FILES = [
  [2048, 256],
  [2048, 384],
  [3072, 256],
  [4096, 256],
  [4096, 384],
  [4096, 512],
] as const;
const ECDSA_FILES = [
  ['secp256r1', 'p256', 256],
  ['secp384r1', 'p384', 384],
  ['secp521r1', 'p521', 512],
  ['secp256k1', 'secp256k1', 256],
] as const;
const OAEP_FILES = [
  [2048, 1],
  [2048, 256],
  [3072, 256],
  [4096, 256],
] as const;

function checkOaep(core: CryptoCore, bits: number, hash: 1 | 256): void {
  const name = `rsa_oaep_${bits}_sha${hash}_mgf1sha${hash}`;
  let group: OaepGroup | undefined;
  let key: KeyHandle | undefined;
  runVectors<OaepGroup['tests'][number], OaepGroup>(name, nothing, {}, (vector, current) => {
    if (group !== current) {
      group = current;
      key = core.importPrivateKey(`rsa${bits}` as 'rsa2048', hex(current.privateKeyPkcs8));
    }
    const decrypt = (): Buffer => core.privateDecrypt(key!, `RSAES_OAEP_SHA_${hash}`, hex(vector.ct));
    // The core knows the empty label only: every other one must fail.
    if (vector.result === 'valid' && vector.label === '') expect(decrypt()).toEqual(hex(vector.msg));
    else expectStatus(decrypt, 'authenticationFailed');
  });
}

export const wycheproofAsymmetricConformance = [
  suite('Wycheproof vectors of key pairs', (core) => {
    for (const { bits, hash, name } of RSA_FILES) {
      run(`of RSA PKCS #1 v1.5 signatures, ${bits} bits and SHA-${hash}${HINT}`, () => {
        checkSignatures(core, name, `rsa${bits}` as 'rsa2048', `RSASSA_PKCS1_V1_5_SHA_${hash}` as SignatureAlgorithm);
      });
    }
    for (const [bits, hash] of PSS_FILES) {
      run(`of RSA PSS signatures, ${bits} bits and SHA-${hash}${HINT}`, () => {
        const name = `rsa_pss_${bits}_sha${hash}_mgf1_${hash / 8}`;
        checkSignatures(core, name, `rsa${bits}`, `RSASSA_PSS_SHA_${hash}`);
      });
    }
    for (const [curve, type, hash] of ECDSA_FILES) {
      run(`of ECDSA with ${curve}${HINT}`, () => {
        checkSignatures(core, `ecdsa_${curve}_sha${hash}`, type, `ECDSA_SHA_${hash}`);
      });
    }
    run(`of Ed25519${HINT}`, () => checkSignatures(core, 'ed25519', 'ed25519', 'ED25519_SHA_512'));
    for (const [bits, hash] of OAEP_FILES) {
      run(`of RSA OAEP, ${bits} bits and SHA-${hash}${HINT}`, () => checkOaep(core, bits, hash));
    }
    run(`of ECDH with secp256r1${HINT}`, () => checkEcdh(core, 'ecdh_secp256r1', 'p256', 32), SLOW);
    run(`of ECDH with secp384r1${HINT}`, () => checkEcdh(core, 'ecdh_secp384r1', 'p384', 48), SLOW);
    run(`of ECDH with secp521r1${HINT}`, () => checkEcdh(core, 'ecdh_secp521r1', 'p521', 66), SLOW);
    for (const [set, ...withContext] of [
      [44, 8, 4],
      [65, 8, 4],
      [87, 8, 4],
    ] as const) {
      run(`of ML-DSA-${set}${HINT}`, () => {
        checkMlDsaVerify(core, `mldsa_${set}_verify`, `mlDsa${set}`, withContext[0]);
        checkMlDsaSign(core, `mldsa_${set}_sign_noseed`, `mlDsa${set}`, withContext[1]);
      });
    }
    for (const set of [512, 768, 1024] as const) {
      run(`of ML-KEM-${set}${HINT}`, () => {
        checkMlKem(core, `mlkem_${set}`, `mlKem${set}`);
        checkMlKemEncaps(core, `mlkem_${set}_encaps`, `mlKem${set}`);
      });
    }
    run(`of HKDF with SHA-256${HINT}`, () => checkHkdf(core, 'hkdf_sha256', 'SHA-256'));
    run(`of HKDF with SHA-512${HINT}`, () => checkHkdf(core, 'hkdf_sha512', 'SHA-512'));
    run(`of AES key wrap${HINT}`, () => checkKeyWrap(core));
  }),
] as const;
