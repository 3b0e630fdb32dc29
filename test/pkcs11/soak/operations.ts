/** Requests to a token of which the right answer is known, because the test has the keys too. */
import { constants, createCipheriv, createDecipheriv, createHash, createHmac, createPublicKey } from 'node:crypto';
import { publicEncrypt, randomBytes, verify, type KeyObject } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { returnValueName } from '../../../src/pkcs11/names.ts';
import { Pkcs11Error, type Pkcs11Token } from '../../../src/pkcs11/token.ts';
import { Ledger } from './ledger.ts';
import type { Choices } from './random.ts';

/** The only failures that faults may cause; a module's own answer, no token, no time. */
const FAULT_REASONS = new Set(['module', 'unavailable', 'timedOut']);
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KW_IV = Buffer.alloc(8, 0xa6);
/** Token keys of the ledger at a time: searches of SoftHSM2 look at each. */
const MAX_MADE_KEYS = 12;

/** How keys of the ledger begin, with their class. */
const MADE = 'secret made ';

const IDS = {
  transport: Buffer.from('transport'),
  aes: Buffer.from('aes'),
  mac: Buffer.from('mac'),
  wrapping: Buffer.from('wrapping'),
  travelling: Buffer.from('travelling'),
  pair: Buffer.from('pair'),
} as const;

/** The bytes of keys that are in the token as well. */
export interface KnownKeys {
  readonly aes: Buffer;
  readonly mac: Buffer;
  readonly wrapping: Buffer;
  readonly travelling: Buffer;
  readonly pair: KeyObject;
}

/** Makes keys that the token and the test have: secret ones travel there under an RSA key of the token's. */
export async function putKeys(token: Pkcs11Token): Promise<KnownKeys> {
  const spki = await token.generateKeyPair({ id: IDS.transport, label: 'transport', type: 'rsa2048Wrap' });
  const pair = await token.generateKeyPair({ id: IDS.pair, label: 'pair', type: 'p256' });
  const bring = async (id: Buffer, type: 'aesGcm' | 'aesWrap' | 'hmac', isExtractable: boolean): Promise<Buffer> => {
    const key = randomBytes(32);
    const wrapped = publicEncrypt({ key: publicKeyOf(spki), padding: constants.RSA_PKCS1_OAEP_PADDING }, key);
    await token.unwrapKey(IDS.transport, 'rsaOaepSha1', wrapped, { id, label: id.toString(), type, isExtractable });
    return key;
  };
  return {
    aes: await bring(IDS.aes, 'aesGcm', false),
    mac: await bring(IDS.mac, 'hmac', false),
    wrapping: await bring(IDS.wrapping, 'aesWrap', false),
    travelling: await bring(IDS.travelling, 'aesGcm', true),
    pair: publicKeyOf(pair),
  };
}

/** An answer that is not the right one. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer';
}

function must(isRight: boolean, what: string): void {
  if (!isRight) throw new WrongAnswer(what);
}

type Answer<T> = { readonly value: T } | { readonly error: Pkcs11Error };

/** The operations of a soak, and what came of them. */
export class Workload {
  readonly ledger = new Ledger();
  /** Operations that were answered, rightly; each item of a batch is one. */
  answered = 0;
  /** Requests that ended with a failure that a fault may cause. */
  failed = 0;
  readonly #failures = new Map<string, number>();
  readonly #token: Pkcs11Token;
  readonly #choices: Choices;
  readonly #keys: KnownKeys;
  /** Class and id of the keys that are there before the first operation. */
  readonly #knownKeys = [
    ...[IDS.aes, IDS.mac, IDS.wrapping, IDS.travelling].map((id) => `secret ${id.toString()}`),
    ...[IDS.pair, IDS.transport].flatMap((id) => [`private ${id.toString()}`, `public ${id.toString()}`]),
  ].sort();
  #serial = 0;

  /** @param token to which {@link putKeys} brought `keys` */
  constructor(token: Pkcs11Token, choices: Choices, keys: KnownKeys) {
    this.#token = token;
    this.#choices = choices;
    this.#keys = keys;
  }

  /** For people. */
  summary(): string {
    const failures = [...this.#failures].map(([reason, count]) => `${reason} ${String(count)}`);
    const { there, unknown } = this.ledger;
    return (
      `${String(this.answered)} answered; failed: ${failures.join(', ')}; keys there: ${String(there.size)}, ` +
      `unknown: ${String(unknown.size)}`
    );
  }

  /** One operation of a random kind. @throws WrongAnswer */
  async step(fault: string): Promise<void> {
    const operation = this.#choices.of(OPERATIONS);
    try {
      await this[operation]();
    } catch (error) {
      throw error instanceof WrongAnswer ? new WrongAnswer(`${operation}, while ${fault}: ${error.message}`) : error;
    }
  }

  async encrypt(): Promise<void> {
    const plaintext = this.#data();
    const aad = this.#data();
    const sealed = await this.#ask(this.#token.encryptGcm(IDS.aes, plaintext, aad));
    if ('value' in sealed) must(unseal(this.#keys.aes, sealed.value, aad).equals(plaintext), 'a ciphertext');
  }

  async decrypt(): Promise<void> {
    const [plaintext, aad] = [this.#data(), this.#data()];
    const opened = await this.#ask(this.#token.decryptGcm(IDS.aes, seal(this.#keys.aes, plaintext, aad), aad));
    if ('value' in opened) must(opened.value.equals(plaintext), 'a plaintext');
  }

  async decryptBroken(): Promise<void> {
    const sealed = broken(seal(this.#keys.aes, this.#data(), IDS.aes), this.#choices);
    await this.#askToFail(this.#token.decryptGcm(IDS.aes, sealed, IDS.aes), 'authenticationFailed');
  }

  async encryptBatch(): Promise<void> {
    const plaintexts = Array.from({ length: 1 + this.#choices.below(80) }, () => this.#data());
    const sealed = await this.#ask(this.#token.encryptGcmBatch(IDS.aes, plaintexts, IDS.aes));
    if (!('value' in sealed)) return;
    must(sealed.value.length === plaintexts.length, 'the length of a batch');
    for (const [index, plaintext] of plaintexts.entries()) {
      must(unseal(this.#keys.aes, sealed.value[index] ?? plaintext, IDS.aes).equals(plaintext), 'a ciphertext of many');
    }
  }

  async decryptBatch(): Promise<void> {
    const plaintexts = Array.from({ length: 1 + this.#choices.below(80) }, () => this.#data());
    const whole = plaintexts.map((plaintext) => seal(this.#keys.aes, plaintext, IDS.aes));
    const sealed = whole.map((item, index) => (index % 7 === 3 ? broken(item, this.#choices) : item));
    const opened = await this.#ask(this.#token.decryptGcmBatch(IDS.aes, sealed, IDS.aes));
    if (!('value' in opened)) return;
    must(opened.value.length === plaintexts.length, 'the length of a batch');
    for (const [index, plaintext] of plaintexts.entries()) {
      const item = opened.value[index];
      const isRight =
        index % 7 === 3
          ? item instanceof Pkcs11Error && item.reason === 'authenticationFailed'
          : Buffer.isBuffer(item) && item.equals(plaintext);
      must(isRight, `item ${String(index)} of a batch: ${String(item)}`);
    }
  }

  async generateMac(): Promise<void> {
    const message = this.#data();
    const mac = await this.#ask(this.#token.generateMac(IDS.mac, 'SHA-256', message));
    if ('value' in mac) must(mac.value.equals(macOf(this.#keys.mac, message)), 'a MAC');
  }

  async verifyMac(): Promise<void> {
    const message = this.#data();
    const isRight = this.#choices.below(2) === 0;
    const right = macOf(this.#keys.mac, message);
    const mac = isRight ? right : broken(right, this.#choices);
    const verdict = await this.#ask(this.#token.verifyMac(IDS.mac, 'SHA-256', message, mac));
    if ('value' in verdict) must(verdict.value === isRight, 'the verdict on a MAC');
  }

  async signAndVerify(): Promise<void> {
    const message = this.#data();
    const digest = createHash('sha256').update(message).digest();
    const signed = await this.#ask(this.#token.sign(IDS.pair, 'ECDSA_SHA_256', digest));
    if (!('value' in signed)) return;
    must(verify('sha256', message, this.#keys.pair, signed.value), 'a signature');
    const isRight = this.#choices.below(2) === 0;
    const asked = isRight ? digest : broken(digest, this.#choices);
    const verdict = await this.#ask(this.#token.verify(IDS.pair, 'ECDSA_SHA_256', asked, signed.value));
    if ('value' in verdict) must(verdict.value === isRight, 'the verdict on a signature');
  }

  async exportPublicKey(): Promise<void> {
    const spki = await this.#ask(this.#token.exportPublicKey(IDS.pair));
    if ('value' in spki) must(publicKeyOf(spki.value).equals(this.#keys.pair), 'a public key');
  }

  async random(): Promise<void> {
    const length = 16 + this.#choices.below(100);
    const random = await this.#ask(this.#token.generateRandom(length));
    if ('value' in random)
      must(random.value.length === length && random.value.some((byte) => byte !== 0), 'randomness');
  }

  async wrap(): Promise<void> {
    const wrapped = await this.#ask(this.#token.wrapKey(IDS.wrapping, 'aesKw', IDS.travelling));
    if (!('value' in wrapped)) return;
    const unwrap = createDecipheriv('id-aes256-wrap', this.#keys.wrapping, KW_IV);
    const key = Buffer.concat([unwrap.update(wrapped.value), unwrap.final()]);
    must(key.equals(this.#keys.travelling), 'a wrapped key');
  }

  async find(): Promise<void> {
    const id = this.#choices.of([IDS.aes, IDS.mac, IDS.wrapping, IDS.pair]);
    const found = await this.#ask(this.#token.findKeys(id));
    if (!('value' in found)) return;
    must(found.value.length === (id === IDS.pair ? 2 : 1), `${String(found.value.length)} keys ${id.toString()}`);
    must(
      found.value.every((key) => key.id.equals(id) && key.isToken),
      'the description of a key',
    );
  }

  async findNothing(): Promise<void> {
    const found = await this.#ask(this.#token.findKeys(this.#freshId()));
    if ('value' in found) must(found.value.length === 0, 'a key that is not there');
  }

  async useMissing(): Promise<void> {
    await this.#askToFail(this.#token.encryptGcm(this.#freshId(), IDS.aes, IDS.aes), 'keyNotFound');
  }

  async makeTaken(): Promise<void> {
    const plan = { id: IDS.aes, label: 'again', type: 'aesGcm' } as const;
    await this.#askToFail(this.#token.generateSecretKey(plan), 'keyExists');
  }

  async make(): Promise<void> {
    if (this.ledger.there.size >= MAX_MADE_KEYS) return this.destroy();
    const id = this.#freshId();
    const plan = { id, label: 'made', type: 'aesGcm' } as const;
    // The one wraps a key that the test knows, the other makes one.
    const wrap = createCipheriv('id-aes256-wrap', this.#keys.wrapping, KW_IV);
    const making =
      this.#choices.below(2) === 0
        ? this.#token.generateSecretKey(plan)
        : this.#token.unwrapKey(
            IDS.wrapping,
            'aesKw',
            Buffer.concat([wrap.update(randomBytes(32)), wrap.final()]),
            plan,
          );
    const made = await this.#ask(making);
    this.ledger.made(id.toString(), 'error' in made ? made.error : undefined);
  }

  async destroy(): Promise<void> {
    const id = this.ledger.take();
    if (id === undefined) return this.make();
    const destroyed = await this.#ask(this.#token.destroyKey(Buffer.from(id)));
    this.ledger.destroyed(id, 'error' in destroyed ? destroyed.error : undefined);
  }

  /**
   * The keys that are there are those that were acknowledged, and others of which nobody knows, which are destroyed
   * then. To be asked for when no fault is in force.
   *
   * @throws WrongAnswer
   */
  async settle(): Promise<void> {
    const found = (await this.#token.findKeys()).map((key) => `${key.objectClass} ${key.id.toString()}`);
    const made = found.filter((id) => id.startsWith(MADE)).map((id) => id.slice('secret '.length));
    const wrong = this.ledger.contradictions(made);
    must(wrong.length === 0, wrong.join('; '));
    const known = found.filter((id) => !id.startsWith(MADE)).sort();
    must(known.join() === this.#knownKeys.join(), `the keys ${known.join(', ')}`);
    for (const id of made) if (this.ledger.unknown.has(id)) await this.#token.destroyKey(Buffer.from(id));
  }

  /** Counts the answer, and takes failures that a fault may cause. */
  async #ask<T>(asked: Promise<T>): Promise<Answer<T>> {
    try {
      const value = await asked;
      this.answered += Array.isArray(value) ? Math.max(value.length, 1) : 1;
      return { value };
    } catch (error) {
      return { error: await this.#faultOf(error) };
    }
  }

  async #askToFail(asked: Promise<unknown>, reason: Pkcs11Error['reason']): Promise<void> {
    let failure: unknown;
    try {
      await asked;
    } catch (error) {
      failure = error;
    }
    must(failure !== undefined, `success instead of ${reason}`);
    if (failure instanceof Pkcs11Error && failure.reason === reason) this.answered++;
    else await this.#faultOf(failure);
  }

  async #faultOf(error: unknown): Promise<Pkcs11Error> {
    if (!(error instanceof Pkcs11Error)) throw error;
    must(FAULT_REASONS.has(error.reason), `${error.reason}: ${error.message}`);
    this.failed++;
    const kind = error.reason === 'module' ? returnValueName(error.rv) : error.reason;
    this.#failures.set(kind, (this.#failures.get(kind) ?? 0) + 1);
    // While the circuit is open everything is refused at once: that must not be most of what is asked.
    if (error.reason === 'unavailable') await delay(10);
    return error;
  }

  #freshId(): Buffer {
    return Buffer.from(`made ${String(this.#serial++)}`);
  }

  #data(): Buffer {
    return this.#choices.bytes(this.#choices.below(40));
  }
}

/** As often as each is here. */
const OPERATIONS = [
  ...(['encrypt', 'encrypt', 'encrypt', 'encrypt', 'decrypt', 'decrypt', 'decrypt', 'decrypt'] as const),
  ...([
    'generateMac',
    'generateMac',
    'generateMac',
    'verifyMac',
    'verifyMac',
    'verifyMac',
    'random',
    'random',
  ] as const),
  ...(['decryptBroken', 'decryptBroken', 'signAndVerify', 'exportPublicKey', 'wrap', 'find', 'findNothing'] as const),
  ...(['useMissing', 'makeTaken', 'make', 'destroy', 'encryptBatch', 'decryptBatch'] as const),
] as const;

function publicKeyOf(spki: Buffer): KeyObject {
  return createPublicKey({ key: spki, format: 'der', type: 'spki' });
}

function seal(key: Buffer, plaintext: Buffer, aad: Buffer): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(aad);
  return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** @throws WrongAnswer */
function unseal(key: Buffer, sealed: Buffer, aad: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_BYTES)).setAAD(aad);
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch (error) {
    throw new WrongAnswer(`a ciphertext that does not open: ${String(error)}`);
  }
}

function macOf(key: Buffer, message: Buffer): Buffer {
  return createHmac('sha256', key).update(message).digest();
}

/** The same with one bit changed. */
function broken(bytes: Buffer, choices: Choices): Buffer {
  const changed = Buffer.from(bytes);
  const index = choices.below(changed.length);
  changed.writeUInt8(changed.readUInt8(index) ^ (1 << choices.below(8)), index);
  return changed;
}
