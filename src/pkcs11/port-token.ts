/** {@link Pkcs11Token} over a {@link TokenPort}: encodes arguments, decodes replies, makes errors of failures. */
import { DIGEST_CODES, PUBLIC_ENCRYPTION_CODES, SIGNATURE_CODES } from '../core/codes.ts';
import type { DigestAlgorithm } from '../core/crypto-core.ts';
import type { KeyHandle, KeyType } from '../core/key-handle.ts';
import type { PublicEncryptionAlgorithm, SignatureAlgorithm } from '../core/asymmetric.ts';
import {
  KEY_FLAGS,
  PAIR_TYPE_CODES,
  SECRET_TYPE_CODES,
  WRAP_CODES,
  type HsmOperation,
  type HsmWrapMechanism,
} from './codes.ts';
import { errorOf, failureOf, invalidArgument } from './failure.ts';
import { decodeKeyDescriptions } from './key-descriptions.ts';
import type { PortReply, TokenPort } from './token-port.ts';
import type {
  HsmKeyDescription,
  HsmKeyPairPlan,
  HsmKeyPlan,
  HsmSecretKeyPlan,
  Pkcs11Error,
  Pkcs11Token,
  Pkcs11TokenInfo,
  Pkcs11TokenState,
} from './token.ts';

const NO_BYTES = new Uint8Array(0);
const NO_NUMBERS: readonly number[] = [];
const AES_KEY_BYTES = 32;

export class PortToken implements Pkcs11Token {
  readonly info: Pkcs11TokenInfo;
  readonly #port: TokenPort;
  #closing: Promise<void> | undefined;

  constructor(port: TokenPort) {
    this.#port = port;
    this.info = port.info;
  }

  state(): Pkcs11TokenState {
    return this.#port.state();
  }

  generateRandom(lengthBytes: number): Promise<Buffer> {
    return this.#output('generateRandom', NO_BYTES, [lengthBytes], NO_BYTES);
  }

  async generateSecretKey(plan: HsmSecretKeyPlan): Promise<void> {
    const numbers = [codeOf(SECRET_TYPE_CODES, plan.type), flagsOf(plan), secretBytesOf(plan)];
    await this.#outputs('generateSecretKey', plan.id, numbers, Buffer.from(plan.label));
  }

  async generateKeyPair(plan: HsmKeyPairPlan): Promise<Buffer> {
    const numbers = [codeOf(PAIR_TYPE_CODES, plan.type), flagsOf(plan)];
    return this.#output('generateKeyPair', plan.id, numbers, Buffer.from(plan.label));
  }

  async findKeys(id: Uint8Array = NO_BYTES): Promise<readonly HsmKeyDescription[]> {
    return decodeKeyDescriptions(await this.#outputs('findKeys', id, NO_NUMBERS, NO_BYTES));
  }

  async destroyKey(id: Uint8Array): Promise<void> {
    await this.#outputs('destroyKey', id, NO_NUMBERS, NO_BYTES);
  }

  exportPublicKey(id: Uint8Array): Promise<Buffer> {
    return this.#output('exportPublicKey', id, NO_NUMBERS, NO_BYTES);
  }

  async importPublicKey(publicKey: Uint8Array, plan: HsmKeyPairPlan): Promise<void> {
    const numbers = [codeOf(PAIR_TYPE_CODES, plan.type), flagsOf(plan)];
    await this.#outputs('importPublicKey', plan.id, numbers, Buffer.from(plan.label), publicKey);
  }

  async wrapKey(wrappingKeyId: Uint8Array, mechanism: HsmWrapMechanism, keyId: Uint8Array): Promise<Buffer> {
    return this.#output('wrapKey', wrappingKeyId, [codeOf(WRAP_CODES, mechanism)], keyId);
  }

  async unwrapKey(
    wrappingKeyId: Uint8Array,
    mechanism: HsmWrapMechanism,
    wrapped: Uint8Array,
    plan: HsmSecretKeyPlan,
  ): Promise<void> {
    const type = codeOf(SECRET_TYPE_CODES, plan.type);
    const numbers = [codeOf(WRAP_CODES, mechanism), type, flagsOf(plan), plan.id.length];
    await this.#outputs(
      'unwrapKey',
      wrappingKeyId,
      numbers,
      Buffer.concat([plan.id, Buffer.from(plan.label)]),
      wrapped,
    );
  }

  encryptGcm(keyId: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Promise<Buffer> {
    return this.#output('encryptGcm', keyId, NO_NUMBERS, aad, plaintext);
  }

  decryptGcm(keyId: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Promise<Buffer> {
    return this.#output('decryptGcm', keyId, NO_NUMBERS, aad, sealed);
  }

  async encryptGcmBatch(
    keyId: Uint8Array,
    plaintexts: readonly Uint8Array[],
    aad: Uint8Array,
  ): Promise<readonly Buffer[]> {
    return plaintexts.length === 0 ? [] : this.#outputs('encryptGcm', keyId, NO_NUMBERS, aad, plaintexts);
  }

  async decryptGcmBatch(
    keyId: Uint8Array,
    sealed: readonly Uint8Array[],
    aad: Uint8Array,
  ): Promise<readonly (Buffer | Pkcs11Error)[]> {
    return this.#each('decryptGcm', keyId, NO_NUMBERS, aad, sealed);
  }

  async sealKey(keyId: Uint8Array, key: KeyHandle, aad: Uint8Array): Promise<Buffer> {
    if (this.#port.sealKey === undefined) throw this.#notOffered('sealKey');
    return this.#only('encryptGcm', await this.#port.sealKey(keyId, key, aad));
  }

  async openKey(keyId: Uint8Array, sealed: Uint8Array, aad: Uint8Array, type: KeyType): Promise<KeyHandle> {
    if (this.#port.openKey === undefined) throw this.#notOffered('openKey');
    const opened = await this.#port.openKey(keyId, sealed, aad, type);
    if (opened instanceof Uint32Array) throw errorOf(opened, this.#port.modulePath, 'openKey');
    return opened;
  }

  async generateMac(keyId: Uint8Array, digest: DigestAlgorithm, message: Uint8Array): Promise<Buffer> {
    return this.#output('generateMac', keyId, [codeOf(DIGEST_CODES, digest)], NO_BYTES, message);
  }

  async generateMacBatch(
    keyId: Uint8Array,
    digest: DigestAlgorithm,
    messages: readonly Uint8Array[],
  ): Promise<readonly (Buffer | Pkcs11Error)[]> {
    return this.#each('generateMac', keyId, [codeOf(DIGEST_CODES, digest)], NO_BYTES, messages);
  }

  async verifyMac(keyId: Uint8Array, digest: DigestAlgorithm, message: Uint8Array, mac: Uint8Array): Promise<boolean> {
    return this.#verdict('verifyMac', keyId, [codeOf(DIGEST_CODES, digest)], NO_BYTES, Buffer.concat([mac, message]));
  }

  async sign(keyId: Uint8Array, algorithm: SignatureAlgorithm, digest: Uint8Array): Promise<Buffer> {
    return this.#output('sign', keyId, [codeOf(SIGNATURE_CODES, algorithm)], NO_BYTES, digest);
  }

  async signBatch(
    keyId: Uint8Array,
    algorithm: SignatureAlgorithm,
    digests: readonly Uint8Array[],
  ): Promise<readonly (Buffer | Pkcs11Error)[]> {
    return this.#each('sign', keyId, [codeOf(SIGNATURE_CODES, algorithm)], NO_BYTES, digests);
  }

  async verify(
    keyId: Uint8Array,
    algorithm: SignatureAlgorithm,
    digest: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean> {
    return this.#verdict('verify', keyId, [codeOf(SIGNATURE_CODES, algorithm)], signature, digest);
  }

  async rsaEncrypt(keyId: Uint8Array, algorithm: PublicEncryptionAlgorithm, plaintext: Uint8Array): Promise<Buffer> {
    return this.#output('rsaEncrypt', keyId, [codeOf(PUBLIC_ENCRYPTION_CODES, algorithm)], NO_BYTES, plaintext);
  }

  async rsaDecrypt(keyId: Uint8Array, algorithm: PublicEncryptionAlgorithm, ciphertext: Uint8Array): Promise<Buffer> {
    return this.#output('rsaDecrypt', keyId, [codeOf(PUBLIC_ENCRYPTION_CODES, algorithm)], NO_BYTES, ciphertext);
  }

  async rsaDecryptBatch(
    keyId: Uint8Array,
    algorithm: PublicEncryptionAlgorithm,
    ciphertexts: readonly Uint8Array[],
  ): Promise<readonly (Buffer | Pkcs11Error)[]> {
    return this.#each('rsaDecrypt', keyId, [codeOf(PUBLIC_ENCRYPTION_CODES, algorithm)], NO_BYTES, ciphertexts);
  }

  agree(keyId: Uint8Array, peerSpki: Uint8Array): Promise<Buffer> {
    return this.#output('agree', keyId, NO_NUMBERS, peerSpki);
  }

  close(): Promise<void> {
    this.#closing ??= this.#port.close();
    return this.#closing;
  }

  #notOffered(operation: string): Pkcs11Error {
    return errorOf(failureOf('notOffered'), this.#port.modulePath, operation);
  }

  async #output(
    operation: HsmOperation,
    keyId: Uint8Array,
    numbers: readonly number[],
    common: Uint8Array,
    item?: Uint8Array,
  ): Promise<Buffer> {
    const reply = await this.#port.submit(operation, keyId, numbers, common, item);
    return Buffer.isBuffer(reply) ? reply : this.#only(operation, reply);
  }

  #only(operation: HsmOperation, reply: PortReply): Buffer {
    const [output] = this.#checked(operation, reply);
    if (output === undefined) throw new Error(`keywright: ${operation} of a token has no output`);
    return output;
  }

  async #outputs(
    operation: HsmOperation,
    keyId: Uint8Array,
    numbers: readonly number[],
    common: Uint8Array,
    items?: Uint8Array | readonly Uint8Array[],
  ): Promise<readonly Buffer[]> {
    return this.#checked(operation, await this.#port.submit(operation, keyId, numbers, common, items));
  }

  /** Of a batch whose items fail singly. */
  async #each(
    operation: HsmOperation,
    keyId: Uint8Array,
    numbers: readonly number[],
    common: Uint8Array,
    items: readonly Uint8Array[],
  ): Promise<readonly (Buffer | Pkcs11Error)[]> {
    if (items.length === 0) return [];
    return this.#itemsOf(operation, await this.#port.submit(operation, keyId, numbers, common, items));
  }

  async #verdict(
    operation: HsmOperation,
    keyId: Uint8Array,
    numbers: readonly number[],
    common: Uint8Array,
    item: Uint8Array,
  ): Promise<boolean> {
    try {
      await this.#outputs(operation, keyId, numbers, common, item);
      return true;
    } catch (error) {
      if ((error as Partial<Pkcs11Error>).reason === 'authenticationFailed') return false;
      throw error;
    }
  }

  #itemsOf(operation: HsmOperation, reply: PortReply): readonly (Buffer | Pkcs11Error)[] {
    if (Buffer.isBuffer(reply)) return [reply];
    if (reply instanceof Uint32Array) throw errorOf(reply, this.#port.modulePath, operation);
    return reply.map((item) => (Buffer.isBuffer(item) ? item : errorOf(item, this.#port.modulePath, operation)));
  }

  #checked(operation: HsmOperation, reply: PortReply): readonly Buffer[] {
    return this.#itemsOf(operation, reply).map((item) => {
      if (Buffer.isBuffer(item)) return item;
      throw item;
    });
  }
}

function codeOf<Name extends string>(codes: Readonly<Record<Name, number>>, name: Name): number {
  if (!Object.hasOwn(codes, name)) throw invalidArgument(`no token knows ${JSON.stringify(name)}`);
  return codes[name];
}

function flagsOf(plan: HsmKeyPlan): number {
  return (
    (plan.isSession === true ? KEY_FLAGS.session : 0) |
    (plan.isExtractable === true ? KEY_FLAGS.extractable : 0) |
    (plan.needsTrustedWrap === true ? KEY_FLAGS.wrapWithTrusted : 0)
  );
}

function secretBytesOf(plan: HsmSecretKeyPlan): number {
  const lengthBytes = plan.lengthBytes ?? AES_KEY_BYTES;
  if (plan.type !== 'hmac' && lengthBytes !== AES_KEY_BYTES) throw invalidArgument('AES keys have 32 bytes');
  return lengthBytes;
}
