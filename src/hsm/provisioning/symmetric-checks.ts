import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { attempt, demand, type Bench, type Check, type Key } from './check.ts';
import { CKF, CKM } from './mechanisms.ts';

/** CKK_GENERIC_SECRET and CKK_AES. */
const GENERIC = 0x10;
const AES = 0x1f;

/** A key, and its bytes where the module let them in. */
interface KnownKey {
  readonly key: Key;
  readonly value?: Buffer;
  /** Why the bytes are not known. */
  readonly note?: string;
}

/** Brings random bytes in as a key or, in a module that takes none, makes one of the same size there. */
function makeKey(bench: Bench, keyType: number, bytes: number, usage: object): KnownKey {
  const value = randomBytes(bytes);
  const imported = attempt(() => bench.importSecret(value, keyType, usage));
  if (imported.refusal === undefined) {
    return { key: imported.value, value };
  }
  const mechanism = keyType === AES ? CKM.AES_KEY_GEN : CKM.GENERIC_SECRET_KEY_GEN;
  const key = bench.generateSecret(mechanism, bytes, usage);
  return { key, note: `not compared with node:crypto: importing a key gives ${imported.refusal.name}` };
}

function equal(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Test case 16 of the GCM specification (McGrew and Viega): AES-256, 60 bytes of text, 20 of additional data. */
const GCM_CASE = {
  key: Buffer.from('feffe9928665731c6d6a8f9467308308'.repeat(2), 'hex'),
  iv: Buffer.from('cafebabefacedbaddecaf888', 'hex'),
  aad: Buffer.from('feedfacedeadbeeffeedfacedeadbeefabaddad2', 'hex'),
  plaintext: Buffer.from(
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
      '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    'hex',
  ),
  sealed: Buffer.from(
    '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa' +
      '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662' +
      '76fc6ece0f4e1768cddf8853bb2d551b',
    'hex',
  ),
};
const TAG_BYTES = 16;
const ENCRYPTING = { encrypt: true, decrypt: true };

const gcm: Check = {
  name: 'AES-256-GCM',
  mechanism: CKM.AES_GCM,
  flags: CKF.ENCRYPT | CKF.DECRYPT,
  generation: CKM.AES_KEY_GEN,
  run: (bench) => {
    const { AesGcm240Params } = bench.graphene;
    const algorithm = (iv: Buffer, aad: Buffer) => ({ name: CKM.AES_GCM, params: new AesGcm240Params(iv, aad) });
    const known = attempt(() => bench.importSecret(GCM_CASE.key, AES, ENCRYPTING));
    if (known.refusal === undefined) {
      const { iv, aad, plaintext, sealed } = GCM_CASE;
      demand(equal(bench.encrypt(algorithm(iv, aad), known.value, plaintext), sealed), 'not the known answer');
      demand(
        equal(bench.decrypt(algorithm(iv, aad), known.value, sealed), plaintext),
        'does not open the known answer',
      );
    }
    const { key, value, note } = makeKey(bench, AES, 32, ENCRYPTING);
    const [iv, aad, plaintext] = [randomBytes(12), randomBytes(33), randomBytes(100)];
    const sealed = bench.encrypt(algorithm(iv, aad), key, plaintext);
    demand(sealed.length === plaintext.length + TAG_BYTES, `gives ${sealed.length - plaintext.length} bytes of tag`);
    demand(equal(bench.decrypt(algorithm(iv, aad), key, sealed), plaintext), 'does not decrypt what it encrypted');
    if (value !== undefined) {
      demand(equal(openWithNode(value, iv, aad, sealed), plaintext), 'node:crypto reads another plaintext');
    }
    // The first bit of the ciphertext, the last one of the tag, and the additional data.
    const refusals = [
      bench.refusalOfCiphertext(algorithm(iv, aad), key, flipped(sealed, 0)),
      bench.refusalOfCiphertext(algorithm(iv, aad), key, flipped(sealed, sealed.length - 1)),
      bench.refusalOfCiphertext(algorithm(iv, flipped(aad, 0)), key, sealed),
    ];
    demand(!refusals.includes(undefined), 'decrypts what was tampered with');
    const names = [...new Set(refusals)].join(', ');
    const unusual = names === 'CKR_ENCRYPTED_DATA_INVALID' ? undefined : `a wrong tag gives ${names}`;
    return note ?? unusual;
  },
};

function openWithNode(key: Buffer, iv: Buffer, aad: Buffer, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, iv).setAAD(aad).setAuthTag(sealed.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** How others wrap the same key under the same key. */
type WrapsAs = (wrappingKey: Buffer, value: Buffer) => Buffer;

const rfc3394: WrapsAs = (wrappingKey, value) => wrapWithNode('id-aes256-wrap', 'a6a6a6a6a6a6a6a6', wrappingKey, value);
const rfc5649: WrapsAs = (wrappingKey, value) => wrapWithNode('id-aes256-wrap-pad', 'a65959a6', wrappingKey, value);
/** PKCS#7 padding in front of RFC 3394, which PKCS#11 2.40 left open for CKM_AES_KEY_WRAP_PAD. */
const paddedRfc3394: WrapsAs = (wrappingKey, value) => {
  const padding = 8 - (value.length % 8);
  return rfc3394(wrappingKey, Buffer.concat([value, Buffer.alloc(padding, padding)]));
};

/** Zeros, which unwrapping does not take away, in front of RFC 5649. */
const filledRfc5649: WrapsAs = (wrappingKey, value) =>
  rfc5649(wrappingKey, Buffer.concat([value, Buffer.alloc((8 - (value.length % 8)) % 8)]));

function wrapWithNode(cipher: string, iv: string, wrappingKey: Buffer, value: Buffer): Buffer {
  const wrapper = createCipheriv(cipher, wrappingKey, Buffer.from(iv, 'hex'));
  return Buffer.concat([wrapper.update(value), wrapper.final()]);
}

/** @param formats what the mechanism may be; a second one is worth a note */
function wrapCheck(
  name: string,
  mechanism: number,
  keyType: number,
  bytes: number,
  formats: readonly (readonly [wraps: WrapsAs, note?: string])[],
): Check {
  return {
    name,
    mechanism,
    flags: CKF.WRAP | CKF.UNWRAP,
    generation: CKM.AES_KEY_GEN,
    run: (bench) => {
      const algorithm = { name: mechanism, params: null };
      const usage = keyType === AES ? ENCRYPTING : { sign: true, verify: true };
      const wrapping = makeKey(bench, AES, 32, { wrap: true, unwrap: true });
      const wrapped = makeKey(bench, keyType, bytes, { extractable: true, ...usage });
      const result = bench.wrap(algorithm, wrapping.key, wrapped.key);
      const again = bench.unwrap(algorithm, wrapping.key, result, keyType, {
        sensitive: true,
        extractable: true,
        ...usage,
      });
      demand(equal(bench.wrap(algorithm, wrapping.key, again), result), 'unwraps to another key');
      const broken = attempt(() =>
        bench.unwrap(algorithm, wrapping.key, flipped(result, result.length - 1), keyType, usage),
      );
      demand(broken.refusal !== undefined, 'unwraps what was tampered with');
      const [key, value] = [wrapping.value, wrapped.value];
      if (key === undefined || value === undefined) {
        return wrapping.note ?? wrapped.note;
      }
      const format = formats.find(([wraps]) => equal(wraps(key, value), result));
      demand(format !== undefined, 'not what node:crypto makes of the same keys');
      return format[1];
    },
  };
}

function hmacCheck(bits: 224 | 256 | 384 | 512, mechanism: number): Check {
  return {
    name: `HMAC-SHA-${bits}`,
    mechanism,
    flags: CKF.SIGN | CKF.VERIFY,
    run: (bench) => {
      const algorithm = { name: mechanism, params: null };
      const { key, value, note } = makeKey(bench, GENERIC, bits / 8, { sign: true, verify: true });
      const message = randomBytes(200);
      const mac = bench.sign(algorithm, key, message);
      if (value !== undefined) {
        demand(equal(createHmac(`sha${bits}`, value).update(message).digest(), mac), 'not the MAC of node:crypto');
      }
      demand(bench.refusalOfSignature(algorithm, key, message, mac) === undefined, 'does not verify its own MAC');
      const refusal = bench.refusalOfSignature(algorithm, key, message, flipped(mac, 0));
      demand(refusal !== undefined, 'verifies a wrong MAC');
      return note ?? (refusal === 'CKR_SIGNATURE_INVALID' ? undefined : `a wrong MAC gives ${refusal}`);
    },
  };
}

export const SYMMETRIC_CHECKS: readonly Check[] = [
  gcm,
  wrapCheck('AES-KW', CKM.AES_KEY_WRAP, AES, 32, [[rfc3394]]),
  // 20 bytes are no multiple of 8: the padding is seen at work.
  wrapCheck('AES-KWP', CKM.AES_KEY_WRAP_KWP, GENERIC, 20, [[rfc5649]]),
  wrapCheck('AES-KW with padding', CKM.AES_KEY_WRAP_PAD, GENERIC, 20, [
    [rfc5649, 'it is AES-KWP, RFC 5649'],
    [paddedRfc3394, 'it is PKCS#7 padding and RFC 3394, not AES-KWP'],
    [filledRfc5649, 'it is AES-KWP of the key and zeros up to a multiple of 8 bytes'],
  ]),
  hmacCheck(224, CKM.SHA224_HMAC),
  hmacCheck(256, CKM.SHA256_HMAC),
  hmacCheck(384, CKM.SHA384_HMAC),
  hmacCheck(512, CKM.SHA512_HMAC),
];
