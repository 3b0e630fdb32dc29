import type * as graphene from 'graphene-pk11';
import { returnValueOf } from './hsm-error.ts';
import type { OpenModule, Session } from './module.ts';

export type Key = graphene.Key;
export type KeyPair = graphene.IKeyPair;
export type Algorithm = graphene.IAlgorithm;

/** What a check of the self test needs of the token, and how it is done. */
export interface Check {
  /** Unique, such as `AES-256-GCM`. */
  readonly name: string;
  readonly mechanism: number;
  /** Flags of CK_MECHANISM_INFO that the mechanism must have. */
  readonly flags: number;
  /** Mechanism that makes the key; the token must offer it too. */
  readonly generation?: number;
  /**
   * Uses the mechanism, with objects of the session only.
   *
   * @returns what an operator should know although all is well
   * @throws Error of a PKCS#11 function, or one whose text says what is wrong with an answer
   */
  run(bench: Bench): string | undefined;
}

/** @throws Error with `problem` unless `holds` */
export function demand(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new Error(problem);
}

/** The token makes no such key, at least none for a session only. */
export class NoKey extends Error {
  override readonly name = 'NoKey';
}

/** Return values of a token that does not work, rather than does not want. */
const TROUBLE = /^CKR_(DEVICE_|HOST_MEMORY$|FUNCTION_FAILED$|SESSION_|TOKEN_|USER_)/;

/** Makes a key. @throws NoKey when the token does not want to */
function making<T>(make: () => T): T {
  const { value, refusal } = attempt(make);
  if (refusal === undefined) return value;
  throw TROUBLE.test(refusal.name) ? refusal.error : new NoKey(`makes no key for it: ${refusal.name}`);
}

/** Large enough for every answer of the checks: an ML-DSA-87 signature has 4627 bytes. */
const OUTPUT_BYTES = 8192;

/** A session for one check. Its keys are session objects: they end with the session. */
export class Bench {
  readonly graphene: OpenModule['graphene'];
  private readonly functions: OpenModule['functions'];
  private readonly session: Session;

  constructor({ graphene, functions }: OpenModule, session: Session) {
    this.graphene = graphene;
    this.functions = functions;
    this.session = session;
  }

  /** Brings a secret key in. @throws the error of C_CreateObject, which many HSMs do not allow */
  importSecret(value: Buffer, keyType: number, usage: graphene.ITemplate): Key {
    const template = { ...SESSION_OBJECT, class: this.graphene.ObjectClass.SECRET_KEY, keyType, value };
    return this.session.create({ ...template, sensitive: true, extractable: false, ...usage }).toType<Key>();
  }

  generateSecret(mechanism: number, bytes: number, usage: graphene.ITemplate): Key {
    const template = { ...SESSION_OBJECT, sensitive: true, extractable: false, valueLen: bytes, ...usage };
    return making(() => this.session.generateKey(mechanism, template));
  }

  generatePair(mechanism: number, forPublic: graphene.ITemplate, forPrivate: graphene.ITemplate): KeyPair {
    return making(() =>
      this.session.generateKeyPair(
        mechanism,
        { token: false, private: false, ...forPublic },
        { ...SESSION_OBJECT, sensitive: true, extractable: false, ...forPrivate },
      ),
    );
  }

  encrypt(algorithm: Algorithm, key: Key, plaintext: Buffer): Buffer {
    return this.session.createCipher(algorithm, key).once(plaintext, Buffer.alloc(OUTPUT_BYTES));
  }

  decrypt(algorithm: Algorithm, key: Key, ciphertext: Buffer): Buffer {
    return this.session.createDecipher(algorithm, key).once(ciphertext, Buffer.alloc(OUTPUT_BYTES));
  }

  /** How C_Decrypt refuses a ciphertext, `CKR_…`; undefined when it decrypts it. */
  refusalOfCiphertext(algorithm: Algorithm, key: Key, ciphertext: Buffer): string | undefined {
    const decipher = this.session.createDecipher(algorithm, key);
    return attempt(() => decipher.once(ciphertext, Buffer.alloc(OUTPUT_BYTES))).refusal?.name;
  }

  /** As graphene's, which has no room for signatures of more than 1024 bytes. */
  sign(algorithm: Algorithm, key: Key, message: Buffer): Buffer {
    const mechanism = this.graphene.Mechanism.create(algorithm);
    this.functions.C_SignInit(this.session.handle, mechanism, key.handle);
    return this.functions.C_Sign(this.session.handle, message, Buffer.alloc(OUTPUT_BYTES));
  }

  /** How C_Verify refuses a signature, `CKR_…`; undefined when it takes it. */
  refusalOfSignature(algorithm: Algorithm, key: Key, message: Buffer, signature: Buffer): string | undefined {
    const mechanism = this.graphene.Mechanism.create(algorithm);
    this.functions.C_VerifyInit(this.session.handle, mechanism, key.handle);
    return attempt(() => this.functions.C_Verify(this.session.handle, message, signature)).refusal?.name;
  }

  wrap(algorithm: Algorithm, wrappingKey: Key, key: Key): Buffer {
    return this.session.wrapKey(algorithm, wrappingKey, key);
  }

  unwrap(algorithm: Algorithm, wrappingKey: Key, wrapped: Buffer, keyType: number, usage: graphene.ITemplate): Key {
    const template = { ...SESSION_OBJECT, class: this.graphene.ObjectClass.SECRET_KEY, keyType, ...usage };
    return this.session.unwrapKey(algorithm, wrappingKey, wrapped, template);
  }

  derive(algorithm: Algorithm, key: Key, template: graphene.ITemplate): Key {
    return this.session.deriveKey(algorithm, key, { ...SESSION_OBJECT, ...template });
  }
}

const SESSION_OBJECT = { token: false, private: true } as const;

/** Runs a call that a module may refuse with a return value. Other errors are thrown on. */
export function attempt<T>(
  run: () => T,
):
  | { readonly value: T; readonly refusal?: undefined }
  | { readonly value?: undefined; readonly refusal: { readonly name: string; readonly error: unknown } } {
  try {
    return { value: run() };
  } catch (error) {
    const name = returnValueOf(error);
    if (name === undefined) throw error;
    return { refusal: { name, error } };
  }
}
