/** What the searched process does: every function of the binding, with keys whose bytes the parent knows. */
import {
  constants,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  type JsonWebKey,
} from 'node:crypto';
import {
  DIGEST_BYTES,
  BATCH_CODES,
  DIGEST_CODES,
  KEM_CIPHERTEXT_BYTES,
  KEY_TYPE_CODES,
  MESSAGE_TYPE_CODES,
  PUBLIC_ENCRYPTION_CODES,
  SIGNATURE_CODES,
  WRAPPING_CODES,
} from '../../../src/core/codes.ts';
import type {
  AsymmetricKeyType,
  DigestAlgorithm,
  KeyHandle,
  KeyType,
  SymmetricKeyType,
  WrappingAlgorithm,
} from '../../../src/core/crypto-core.ts';
import { loadCore } from '../../../src/core/index.ts';
import { BIND_CODES, KEY_FLAGS, OPERATION_CODES, PROFILE_CODES, SECRET_TYPE_CODES } from '../../../src/pkcs11/codes.ts';
import type { SoftHsm, SoftToken } from '../../support/softhsm.ts';
import { ecPrivateKey, pkcs8 } from '../conformance/encodings.ts';
import { counterModeKdf, openWithNode } from '../conformance/message.ts';
import { PAIR_TYPES, SCHEMES } from '../conformance/pairs.ts';
import type { Argument, Step, StepResult } from './process.ts';
import type { Canary } from './scanner.ts';

const core = loadCore('napi');
const SECONDS_MS = 60_000;
const WRAP_LABEL = 'keywright/wrap/v1';
const MESSAGE_LABEL = 'keywright/message/v1';
const HEADER = randomBytes(20);
const CONTEXT = randomBytes(30);
const MESSAGE = randomBytes(64);
const DIGEST_NAMES = Object.keys(DIGEST_CODES) as DigestAlgorithm[];

const hex = (bytes: Uint8Array): Argument => ({ hex: Buffer.from(bytes).toString('hex') });
const key = (name: string): Argument => ({ key: name });
const out = (length: number): Argument => ({ out: length });
const nothing = hex(Buffer.alloc(0));

/** A private key, in the form that is imported and wrapped, and the secrets that are in it or follow from it. */
interface PrivateKey {
  readonly encoded: Buffer;
  readonly secrets: Readonly<Record<string, Uint8Array>>;
}

/** Steps in a row, and what will have to be looked for once they ran. */
export class Plan {
  readonly steps: Step[] = [];
  readonly #canaries: Canary[] = [];
  readonly #kept = new Set<string>();
  readonly #later: ((results: readonly StepResult[]) => void)[] = [];
  readonly #kek = randomBytes(32);

  /** Adds a step; gives what reads the outputs that it will have had. */
  call(name: Step['name'], args: readonly Argument[], saveAs?: string): (results: readonly StepResult[]) => Buffer[] {
    const index = this.steps.push({ name, args, saveAs }) - 1;
    return (results) => results[index]!.outputs.map((text) => Buffer.from(text, 'hex'));
  }

  /** Bytes that must not be found; `isKept` for those that protected memory must hold at the end. */
  watch(name: string, bytes: Uint8Array, isKept = false): void {
    this.#canaries.push({ name, bytes });
    if (isKept) this.#kept.add(name);
  }

  /** Something to watch that is known only after the steps ran. */
  afterwards(action: (results: readonly StepResult[]) => void): void {
    this.#later.push(action);
  }

  /** All that must not be found, given what the steps answered. */
  canaries(results: readonly StepResult[]): readonly Canary[] {
    for (const action of this.#later) action(results);
    return this.#canaries;
  }

  /** Names of those that protected memory must hold, or the search would prove nothing. */
  get kept(): ReadonlySet<string> {
    return this.#kept;
  }

  /** The first step of every plan: the one key whose bytes may be found. */
  start(): void {
    this.call('importKey', [KEY_TYPE_CODES.backing, hex(this.#kek)], 'kek');
  }

  /** A secret form as the child gets it: wrapped, so that its bytes are made in the core. */
  unwrap(name: string, type: KeyType, form: Uint8Array): void {
    const kek = core.importKey('backing', this.#kek);
    const bytes = Buffer.from(form);
    const secret = isSymmetric(type) ? core.importKey(type, bytes) : core.importPrivateKey(type, bytes);
    const wrapped = core.wrapKey(kek, secret, CONTEXT);
    this.call('unwrapKey', [key('kek'), hex(wrapped), hex(CONTEXT), KEY_TYPE_CODES[type]], name);
  }

  /** A key that the child made or derived: it wraps it, and the parent opens that. */
  reveal(name: string, type: KeyType, length: number): void {
    const read = this.call('wrapKeyInto', [key('kek'), key(name), hex(CONTEXT), out(length + 64)]);
    this.afterwards((results) => {
      const aad = Buffer.concat([Buffer.of(KEY_TYPE_CODES[type]), CONTEXT]);
      this.watch(name, openWithNode(this.#kek, WRAP_LABEL, read(results)[0]!, aad));
    });
  }
}

function isSymmetric(type: KeyType): type is SymmetricKeyType {
  return KEY_TYPE_CODES[type] < 16;
}

function ecKey(type: AsymmetricKeyType, width: number): PrivateKey {
  // Below the order of every curve.
  const scalar = Buffer.concat([Buffer.of(width === 66 ? 0 : 0x7f), randomBytes(width - 1)]);
  return { encoded: pkcs8(type, ecPrivateKey(scalar)), secrets: { scalar: scalar.subarray(width === 66 ? 2 : 0) } };
}

function rsaKey(bits: number): PrivateKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  const parts = privateKey.export({ format: 'jwk' }) as Required<JsonWebKey>;
  const secrets = (['d', 'p', 'q', 'dp', 'dq', 'qi'] as const).map((name) => {
    return [name, Buffer.from(parts[name], 'base64url')] as const;
  });
  return { encoded: privateKey.export({ format: 'der', type: 'pkcs8' }), secrets: Object.fromEntries(secrets) };
}

function ed25519Key(): PrivateKey {
  const seed = randomBytes(32);
  const expanded = createHash('sha512').update(seed).digest();
  expanded[0]! &= 0xf8;
  expanded[31] = (expanded[31]! & 0x7f) | 0x40;
  return {
    encoded: seed,
    secrets: { seed, 'expanded scalar': expanded.subarray(0, 32), prefix: expanded.subarray(32) },
  };
}

/** FIPS 204 §6.1: ρ ‖ ρ' ‖ K = H(ξ ‖ k ‖ l); ρ is public. */
function mlDsaKey(rows: number, columns: number): PrivateKey {
  const seed = randomBytes(32);
  const expanded = createHash('shake256', { outputLength: 128 }).update(seed).update(Buffer.of(rows, columns)).digest();
  return { encoded: seed, secrets: { seed, rhoPrime: expanded.subarray(32, 96), K: expanded.subarray(96) } };
}

/** FIPS 203 §7.1: the seed is d ‖ z, and ρ ‖ σ = G(d ‖ k). */
function mlKemKey(rank: number): PrivateKey {
  const seed = randomBytes(64);
  const sigma = createHash('sha3-512').update(seed.subarray(0, 32)).update(Buffer.of(rank)).digest().subarray(32);
  return { encoded: seed, secrets: { d: seed.subarray(0, 32), z: seed.subarray(32), sigma } };
}

const PRIVATE_KEYS: Readonly<Record<AsymmetricKeyType, () => PrivateKey>> = {
  rsa2048: () => rsaKey(2048),
  rsa3072: () => rsaKey(3072),
  rsa4096: () => rsaKey(4096),
  p256: () => ecKey('p256', 32),
  p384: () => ecKey('p384', 48),
  p521: () => ecKey('p521', 66),
  secp256k1: () => ecKey('secp256k1', 32),
  ed25519: ed25519Key,
  sm2: () => ecKey('sm2', 32),
  mlDsa44: () => mlDsaKey(4, 4),
  mlDsa65: () => mlDsaKey(6, 5),
  mlDsa87: () => mlDsaKey(8, 7),
  mlKem512: () => mlKemKey(2),
  mlKem768: () => mlKemKey(3),
  mlKem1024: () => mlKemKey(4),
};
/** What of a private key lies in memory for as long as the key does; the rest comes and goes. */
const KEPT_PARTS = new Set(['scalar', 'seed', 'd', 'p', 'q', 'dp', 'dq', 'qi', 'z', 'K']);

/** Every operation of symmetric keys, with keys that were unwrapped and keys that were imported. */
function symmetricSteps(plan: Plan): void {
  const bytesOf: Record<string, Buffer> = {};
  for (const type of ['aesGcm', 'aes128Gcm', 'aesKwp', 'aesKw', 'backing', 'hmac'] as const) {
    const bytes = (bytesOf[type] = randomBytes(type === 'aes128Gcm' ? 16 : 32));
    plan.unwrap(type, type, bytes);
    plan.watch(type, bytes, true);
    // What is wiped by the caller must be gone, but for the secure heap.
    const imported = randomBytes(type === 'aes128Gcm' ? 16 : 32);
    plan.call('importKey', [KEY_TYPE_CODES[type], hex(imported)], `imported ${type}`);
    plan.watch(`imported ${type}`, imported, true);
  }
  const hmacKey = bytesOf['hmac']!;
  watchPads(plan, 'hmac', hmacKey);
  watchPads(plan, 'backing', bytesOf['backing']!);
  for (const name of ['aesGcm', 'aes128Gcm'] as const) aeadSteps(plan, name, bytesOf[name]!);
  for (const name of ['imported aesGcm', 'imported aes128Gcm']) {
    plan.call('encryptInto', [key(name), hex(MESSAGE), nothing, out(92), 0]);
  }
  macSteps(plan, hmacKey);
  messageSteps(plan, 'backing', bytesOf['backing']!);
  derivationSteps(plan);
  for (const name of ['aesKwp', 'imported aesKwp']) {
    plan.call('kwpWrapInto', [key(name), key('hmac'), out(40)]);
    plan.call('kwpWrapInto', [key(name), key('aes128Gcm'), out(24)]);
  }
  for (const name of ['aesKw', 'imported aesKw']) plan.call('kwWrapInto', [key(name), key('hmac'), out(40)]);
  const secret = randomBytes(32);
  plan.watch('unwrapped by key wrap', secret, true);
  const wrap = { kwpUnwrap: core.kwpWrap, kwUnwrap: core.kwWrap };
  for (const [name, type] of [
    ['kwpUnwrap', 'aesKwp'],
    ['kwUnwrap', 'aesKw'],
  ] as const) {
    const wrapped = wrap[name].call(core, core.importKey(type, bytesOf[type]!), core.importKey('hmac', secret));
    plan.call(name, [key(type), hex(wrapped), KEY_TYPE_CODES.hmac], `by ${name}`);
    plan.call('hmacInto', [key(`by ${name}`), 2, hex(MESSAGE), out(32)]);
  }
  // One that is gone must be gone from protected memory too.
  const gone = randomBytes(32);
  plan.watch('destroyed', gone);
  plan.unwrap('destroyed', 'backing', gone);
  plan.call('deriveBytesInto', [key('destroyed'), hex(Buffer.from('test')), hex(CONTEXT), out(32)]);
  plan.call('destroyKey', [key('destroyed')]);
}

/** What HMAC makes of a key: the first blocks of both hashes (RFC 2104 §2). */
function watchPads(plan: Plan, name: string, bytes: Uint8Array): void {
  plan.watch(
    `${name} ⊕ ipad`,
    bytes.map((value) => value ^ 0x36),
  );
  plan.watch(
    `${name} ⊕ opad`,
    bytes.map((value) => value ^ 0x5c),
  );
}

function aeadSteps(plan: Plan, name: 'aesGcm' | 'aes128Gcm', bytes: Uint8Array): void {
  const handle = core.importKey(name, bytes);
  const sealed = core.encrypt(handle, MESSAGE, CONTEXT);
  const opened = [key(name), hex(sealed), hex(CONTEXT), out(64), 0];
  plan.call('encryptInto', [key(name), hex(MESSAGE), hex(CONTEXT), out(92), 0]);
  plan.call('decryptInto', opened);
  plan.call('encryptIntoAsync', [key(name), hex(MESSAGE), hex(CONTEXT), out(92), 0]);
  plan.call('decryptIntoAsync', opened);
  const items = [hex(Buffer.concat([sealed, sealed])), { words: [92, 184] }, hex(CONTEXT)];
  plan.call('decryptBatchInto', [key(name), ...items, out(128), { words: [0, 0] }]);
  plan.call('encryptBatchInto', [key(name), hex(MESSAGE), { words: [20, 64] }, nothing, out(120), { words: [0, 0] }]);
}

function macSteps(plan: Plan, bytes: Uint8Array): void {
  for (const algorithm of DIGEST_NAMES) {
    const mac = createHmac(algorithm.replace('-', ''), bytes).update(MESSAGE).digest();
    const code = DIGEST_CODES[algorithm];
    plan.call('hmacInto', [key('hmac'), code, hex(MESSAGE), out(DIGEST_BYTES[algorithm])]);
    batchStep(plan, 'hmac', [BATCH_CODES.hmac, code, 0], MESSAGE);
    plan.call('hmacInto', [key('imported hmac'), code, hex(MESSAGE), out(DIGEST_BYTES[algorithm])]);
    plan.call('hmacVerify', [key('hmac'), code, hex(MESSAGE), hex(mac)]);
    plan.call('deriveHmacKey', [key('hmac'), code, hex(CONTEXT)], `derived by ${algorithm}`);
    const derived = createHmac(algorithm.replace('-', ''), bytes).update(CONTEXT).digest();
    plan.watch(`derived by ${algorithm}`, derived, true);
  }
}

/** Messages, whose keys the parent derives again, and data keys, which it decrypts. */
function messageSteps(plan: Plan, name: string, bytes: Uint8Array): void {
  const handle = core.importKey('backing', bytes);
  const watchBlob = (what: string, blob: Buffer, headerLength = HEADER.length): void => {
    const nonce = blob.subarray(headerLength, headerLength + 16);
    plan.watch(`message key of ${what}`, counterModeKdf(bytes, Buffer.from(MESSAGE_LABEL), nonce, 64).subarray(0, 32));
  };
  const blob = core.encryptMessage(handle, HEADER, CONTEXT, MESSAGE);
  watchBlob('decryptMessage', blob);
  const size = blob.length;
  const bound = [hex(HEADER), hex(CONTEXT)];
  const encrypted = plan.call('encryptMessageInto', [key(name), ...bound, hex(MESSAGE), out(size), 0]);
  plan.call('decryptMessageInto', [key(name), HEADER.length, hex(blob), hex(CONTEXT), out(64), 0]);
  const batch = plan.call('encryptMessageBatchInto', [
    ...[key(name), ...bound, hex(MESSAGE), { words: [64] }],
    ...[out(size), { words: [0] }],
  ]);
  const packed = [hex(Buffer.concat([blob, blob])), { words: [size, 2 * size] }];
  plan.call('decryptMessageBatchInto', [
    ...[key(name), HEADER.length, hex(CONTEXT), ...packed],
    ...[out(128), { words: [0, 0] }],
  ]);
  const shown = plan.call('generateDataKeysInto', [key(name), ...bound, 32, 2, out(64), out(2 * (size - 32))]);
  const hidden = plan.call('generateDataKeyWithoutPlaintextInto', [key(name), ...bound, 32, out(size - 32)]);
  const pair = [KEY_TYPE_CODES.p256, out(4096)];
  const hiddenPair = plan.call('generateDataKeyPairInto', [
    ...[key(name), ...bound, ...pair],
    ...[nothing, out(4096), { words: [0, 0, 0] }],
  ]);
  // These two give a private key to JavaScript: what is done with the key that they work under is watched.
  plan.call('generateDataKeyPairInto', [
    ...[key(name), ...bound, ...pair],
    ...[out(4096), out(4096), { words: [0, 0, 0] }],
  ]);
  plan.call('generateDataKeyPairAsync', [key(name), ...bound, KEY_TYPE_CODES.p256]);
  plan.afterwards((results) => {
    watchBlob('encryptMessage', encrypted(results)[0]!);
    watchBlob('encryptMessageBatch', batch(results)[0]!);
    watchBlob('generateDataKeys', shown(results)[1]!);
    const dataKey = hidden(results)[0]!;
    watchBlob('generateDataKeyWithoutPlaintext', dataKey);
    plan.watch('data key without plaintext', core.decryptMessage(handle, HEADER.length, dataKey, CONTEXT));
    const privateKey = openPadded(handle, hiddenPair(results)[1]!);
    const jwk = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' });
    plan.watch('data key pair without plaintext', Buffer.from(jwk.d!, 'base64url'));
  });
}

/** A message of unknown length in front of zeros: the private key of P-256 in PKCS #8 has 138 bytes. */
function openPadded(handle: KeyHandle, padded: Buffer): Buffer {
  return core.decryptMessage(handle, HEADER.length, padded.subarray(0, HEADER.length + 138 + 64), CONTEXT);
}

function derivationSteps(plan: Plan): void {
  const label = hex(Buffer.from('test'));
  plan.call('deriveBytesInto', [key('backing'), label, hex(CONTEXT), out(64)]);
  plan.call('deriveKey', [key('backing'), label, hex(CONTEXT), KEY_TYPE_CODES.aesGcm], 'derived');
  plan.call('encryptInto', [key('derived'), hex(MESSAGE), nothing, out(92), 0]);
  plan.reveal('derived', 'aesGcm', 32);
  plan.call('deriveKeyFromPassphrase', [hex(MESSAGE), hex(CONTEXT), 1024, 1], 'from passphrase');
  plan.reveal('from passphrase', 'backing', 32);
  plan.call('generateKey', [KEY_TYPE_CODES.backing, 32], 'generated');
  plan.call('encryptMessageInto', [key('generated'), nothing, nothing, hex(MESSAGE), out(128), 0]);
  plan.reveal('generated', 'backing', 32);
  plan.call('keyLength', [key('generated')]);
  plan.call('materialFingerprintInto', [key('hmac'), key('backing'), out(32)]);
  plan.call('randomInto', [out(64)]);
  plan.call('digestInto', [DIGEST_CODES['SHA-256'], hex(MESSAGE), out(32)]);
  plan.call('hkdfInto', [DIGEST_CODES['SHA-256'], hex(MESSAGE), hex(CONTEXT), nothing, out(32)]);
}

/** One operation on two items in one call; the numbers are those of operation, algorithm and message type. */
function batchStep(plan: Plan, name: string, numbers: readonly number[], item: Uint8Array): void {
  const items = [hex(Buffer.concat([item, item])), { words: [item.length, 2 * item.length] }];
  plan.call('batchAsync', [key(name), ...numbers, ...items, hex(Buffer.alloc(0)), { words: [] }]);
}

/** Every operation of a key pair, with a private key that was unwrapped. */
function pairSteps(plan: Plan, type: AsymmetricKeyType): void {
  const { encoded, secrets } = PRIVATE_KEYS[type]();
  const handle = core.importPrivateKey(type, encoded);
  for (const [part, bytes] of Object.entries(secrets)) plan.watch(`${type} ${part}`, bytes, KEPT_PARTS.has(part));
  plan.unwrap(type, type, encoded);
  const spki = core.exportPublicKey(handle);
  plan.call('exportPublicKeyInto', [key(type), out(4096)]);
  plan.call('importPublicKey', [KEY_TYPE_CODES[type], hex(spki)], `${type} public`);
  plan.call('wrapKeyInto', [key('kek'), key(type), hex(CONTEXT), out(secretLength(type, encoded) + 64)]);
  for (const { algorithm, types, messages } of SCHEMES) {
    if (!types.includes(type)) continue;
    for (const messageType of ['RAW', 'DIGEST', 'EXTERNAL_MU'] as const) {
      const length = messages[messageType];
      if (length === undefined) continue;
      const message = randomBytes(length || 50);
      const signature = core.sign(handle, algorithm, messageType, message);
      const use = [SIGNATURE_CODES[algorithm], MESSAGE_TYPE_CODES[messageType], hex(message)];
      plan.call('signInto', [key(type), ...use, out(5000)]);
      plan.call('signAsync', [key(type), ...use]);
      batchStep(plan, type, [BATCH_CODES.sign, SIGNATURE_CODES[algorithm], MESSAGE_TYPE_CODES[messageType]], message);
      plan.call('verify', [key(type), ...use, hex(signature)]);
      plan.call('verifyAsync', [key(type), ...use, hex(signature)]);
    }
  }
  for (const algorithm of ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256', 'SM2PKE'] as const) {
    if (type.startsWith('rsa') ? algorithm === 'SM2PKE' : algorithm !== 'SM2PKE' || type !== 'sm2') continue;
    const ciphertext = core.publicEncrypt(handle, algorithm, MESSAGE);
    const code = PUBLIC_ENCRYPTION_CODES[algorithm];
    plan.call('publicEncryptInto', [key(`${type} public`), code, hex(MESSAGE), out(1280)]);
    plan.call('publicEncryptAsync', [key(`${type} public`), code, hex(MESSAGE)]);
    plan.call('privateDecryptInto', [key(type), code, hex(ciphertext), out(2048)]);
    plan.call('privateDecryptAsync', [key(type), code, hex(ciphertext)]);
    batchStep(plan, type, [BATCH_CODES.privateDecrypt, code, 0], ciphertext);
  }
  if (['p256', 'p384', 'p521', 'sm2'].includes(type)) {
    const peer = core.exportPublicKey(core.generateKeyPair(type));
    plan.call('ecdhInto', [key(type), hex(peer), out(66)]);
    plan.call('ecdhAsync', [key(type), hex(peer)]);
    batchStep(plan, type, [BATCH_CODES.ecdh, 0, 0], peer);
  }
  const length = KEM_CIPHERTEXT_BYTES[type];
  if (length !== undefined) {
    const { ciphertext } = core.encapsulate(handle);
    plan.call('encapsulateInto', [key(type), out(32), out(length)]);
    plan.call('encapsulateAsync', [key(type)]);
    plan.call('decapsulateInto', [key(type), hex(ciphertext), out(32)]);
    plan.call('decapsulateAsync', [key(type), hex(ciphertext)]);
    batchStep(plan, type, [BATCH_CODES.decapsulate, 0, 0], ciphertext);
  }
  if (type.startsWith('rsa') || type === 'sm2') importSteps(plan, type, handle, spki);
  if (type === 'rsa2048') cmsSteps(plan, handle, spki);
}

/** Bytes of what is wrapped: the seed, or a PrivateKeyInfo that the core writes itself. */
function secretLength(type: AsymmetricKeyType, encoded: Uint8Array): number {
  const wrapped = core.wrapKey(core.generateKey('backing'), core.importPrivateKey(type, encoded), CONTEXT);
  return wrapped.length - 64;
}

/** Material that is decrypted with the private key and never seen. */
function importSteps(plan: Plan, type: AsymmetricKeyType, handle: KeyHandle, spki: Buffer): void {
  const publicKey = type === 'sm2' ? undefined : createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const algorithms = (Object.keys(WRAPPING_CODES) as WrappingAlgorithm[]).filter((name) => {
    return (name === 'SM2PKE') === (type === 'sm2');
  });
  for (const algorithm of algorithms) {
    const material = randomBytes(32);
    const encryption = algorithm.endsWith('SHA_1') ? 'RSAES_OAEP_SHA_1' : 'RSAES_OAEP_SHA_256';
    let wrapped: Buffer;
    if (algorithm === 'RSAES_PKCS1_V1_5') {
      wrapped = publicEncrypt({ key: publicKey!, padding: constants.RSA_PKCS1_PADDING }, material);
    } else if (algorithm.startsWith('RSA_AES')) {
      const kek = randomBytes(32);
      plan.watch(`${type} ${algorithm}, inner key`, kek);
      const inner = core.kwpWrap(core.importKey('aesKwp', kek), core.importKey('hmac', material));
      wrapped = Buffer.concat([core.publicEncrypt(handle, encryption, kek), inner]);
    } else {
      wrapped = core.publicEncrypt(handle, algorithm === 'SM2PKE' ? algorithm : encryption, material);
    }
    const name = `${type} ${algorithm}`;
    plan.watch(name, material, true);
    const args = [key(type), WRAPPING_CODES[algorithm], hex(wrapped), KEY_TYPE_CODES.hmac, 32];
    plan.call('unwrapImported', args, name);
    // As a key whose making begins hashes, on a thread whose stack nothing else writes over.
    const asBacking = args.with(3, KEY_TYPE_CODES.backing);
    plan.call('unwrapImportedAsync', asBacking, `${name}, asynchronous`);
    watchPads(plan, name, material);
    plan.call('hmacInto', [key(name), DIGEST_CODES['SHA-256'], hex(MESSAGE), out(32)]);
  }
}

/** The envelope's content key, which its recipient decrypts. */
function cmsSteps(plan: Plan, handle: KeyHandle, spki: Buffer): void {
  const envelope = plan.call('cmsEnvelopeInto', [hex(spki), hex(MESSAGE), out(2048)]);
  plan.afterwards((results) => {
    const bytes = envelope(results)[0]!;
    const encryptedKey = bytes.subarray(bytes.indexOf(Buffer.from('04820100', 'hex')) + 4).subarray(0, 256);
    plan.watch('content key of an envelope', core.privateDecrypt(handle, 'RSAES_OAEP_SHA_256', encryptedKey));
  });
}

/** Keys that come from outside or are made in the process, whose bytes JavaScript wipes or never has. */
function otherPairSteps(plan: Plan): void {
  for (const type of ['rsa2048', 'p256', 'ed25519'] as const) {
    const { encoded, secrets } = PRIVATE_KEYS[type]();
    plan.call('importPrivateKey', [KEY_TYPE_CODES[type], hex(encoded)], `imported ${type}`);
    for (const [part, bytes] of Object.entries(secrets)) {
      plan.watch(`imported ${type} ${part}`, bytes, KEPT_PARTS.has(part));
    }
  }
  plan.call('generateKeyPair', [KEY_TYPE_CODES.ed25519], 'generated ed25519');
  plan.reveal('generated ed25519', 'ed25519', 32);
  plan.call('generateKeyPairAsync', [KEY_TYPE_CODES.mlKem768], 'generated mlKem768');
  plan.reveal('generated mlKem768', 'mlKem768', 64);
}

/** All of it. */
export function wholePlan(): Plan {
  const plan = new Plan();
  plan.start();
  symmetricSteps(plan);
  for (const type of PAIR_TYPES) pairSteps(plan, type);
  otherPairSteps(plan);
  return plan;
}

const AES_GCM_KEY = [SECRET_TYPE_CODES.aesGcm, KEY_FLAGS.session, 32, 0];

/** What a store's root key in a token does: a backing key is sealed, destroyed, and opened again. */
export function tokenPlan({ module }: SoftHsm, { label, pin }: SoftToken): Plan {
  const plan = new Plan();
  plan.start();
  const text = (value: string): Argument => hex(Buffer.from(value));
  const bytes = randomBytes(32);
  plan.unwrap('before', 'backing', bytes);
  const options = [0, PROFILE_CODES.softhsm, 2, 16, SECONDS_MS, SECONDS_MS, BIND_CODES.default, 1];
  const where = [text(module), text(label), text(pin), nothing];
  plan.call('pkcs11Open', [...where, { words: options }, { receives: true }], 'token');
  const id = text('root');
  // As in native/pkcs11/wire.h: ticket, operation, numbers, lengths, and the bytes in whole words.
  const head = Uint32Array.of(0, OPERATION_CODES.generateSecretKey, ...AES_GCM_KEY, 4, 4, 0);
  plan.call('pkcs11Submit', [key('token'), hex(Buffer.concat([Buffer.from(head.buffer), Buffer.from('rootname')]))]);
  plan.call('pkcs11SealKey', [key('token'), 0, id, key('before'), hex(CONTEXT)], 'sealed');
  plan.call('destroyKey', [key('before')]);
  const open = [key('token'), id, key('sealed'), hex(CONTEXT), KEY_TYPE_CODES.backing];
  plan.call('pkcs11OpenKey', open, 'opened');
  plan.watch('backing key', bytes, true);
  plan.watch('PIN', Buffer.from(pin), true);
  return plan;
}

/** A plan whose process gives a private key to JavaScript and keeps it: the search must find that one, and no other. */
export function leakingPlan(): Plan {
  const plan = new Plan();
  plan.start();
  pairSteps(plan, 'p256');
  pairSteps(plan, 'p384');
  plan.call('exportPrivateKeyInto', [key('p256'), out(4096)]);
  return plan;
}
