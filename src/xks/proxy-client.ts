import { KmsServiceError } from '../base/errors.ts';
import { wipeAfter } from '../base/wipe.ts';
import type { KeyHandle } from '../core/crypto-core.ts';
import type { CustomKeyStore, XksBacking } from '../keys/key-store.ts';
import type { BackendServices } from '../service/key-store-ports.ts';
import { parseRequest, type Schema } from '../service/schema.ts';
import { signRequest } from '../sigv4/index.ts';
import { XksFailure } from './failures.ts';
import { HttpsCaller, type HttpsAnswer, type XksNetworkSettings } from './https-caller.ts';
import {
  CONTENT_TYPE,
  decryptAnswer,
  encryptAnswer,
  ENCRYPTION_ALGORITHM,
  healthAnswer,
  INTEGRITY_ALGORITHM,
  integrityValue,
  isIvLength,
  isXksErrorName,
  metadataAnswer,
  XKS_SERVICE,
  type ExternalCiphertext,
  type HealthAnswer,
  type MetadataAnswer,
} from './proxy-api.ts';

/** Calls to one store that may be under way or wait for a connection; the next one is refused at once. */
const MAX_CALLS_PER_STORE = 256;
/** Of what a proxy writes in `errorMessage`, this much goes to the log. */
const MAX_LOGGED_LENGTH = 512;

const NOTHING = new Uint8Array(0);

/** What a proxy is told of the request that a call is for; member names are those of the API. */
export type RequestMetadata = Readonly<Record<string, string>>;

/** An external key of a store. */
export interface ExternalKeyName {
  readonly store: CustomKeyStore;
  readonly xksKeyId: string;
}

/** The four calls of the proxy API, signed, in time, and checked against the specification. */
export class ProxyClient {
  readonly #services: BackendServices;
  readonly #caller: HttpsCaller;
  /** Calls under way by store. */
  readonly #underWay = new Map<string, number>();

  /** @throws Error when the PEM of the settings cannot be used */
  constructor(services: BackendServices, settings: XksNetworkSettings) {
    this.#services = services;
    this.#caller = new HttpsCaller(settings);
  }

  /** GetHealthStatus. @throws XksFailure; KmsServiceError ThrottlingException when too many calls are under way */
  health(store: CustomKeyStore, requestMetadata: RequestMetadata): Promise<HealthAnswer> {
    return this.#call(store, '/health', { requestMetadata }, healthAnswer);
  }

  /** GetKeyMetadata. @throws as {@link health} */
  keyMetadata({ store, xksKeyId }: ExternalKeyName, requestMetadata: RequestMetadata): Promise<MetadataAnswer> {
    return this.#call(store, `/keys/${xksKeyId}/metadata`, { requestMetadata }, metadataAnswer);
  }

  /** Encrypt, with a data integrity value that must be right. @throws as {@link health} */
  async encrypt(
    { store, xksKeyId }: ExternalKeyName,
    requestMetadata: RequestMetadata,
    plaintext: Uint8Array,
    additionalData: Uint8Array,
  ): Promise<ExternalCiphertext> {
    const request = {
      requestMetadata,
      plaintext: toBase64(plaintext),
      encryptionAlgorithm: ENCRYPTION_ALGORITHM,
      additionalAuthenticatedData: toBase64(additionalData),
      ciphertextDataIntegrityValueAlgorithm: INTEGRITY_ALGORITHM,
    };
    const answer = await this.#call(store, `/keys/${xksKeyId}/encrypt`, request, encryptAnswer);
    const { ciphertext, initializationVector: iv, authenticationTag: tag } = answer;
    const made = { ciphertext, iv, tag, metadata: answer.ciphertextMetadata ?? NOTHING };
    if (ciphertext.length !== plaintext.length || !isIvLength(iv.length)) {
      throw new XksFailure('malformed', 'ciphertext or initialization vector has a wrong length');
    }
    if (!integrityValue(this.#services.core, additionalData, made).equals(answer.ciphertextDataIntegrityValue)) {
      throw new XksFailure('malformed', 'the ciphertext data integrity value is wrong');
    }
    return made;
  }

  /** Decrypt. @throws as {@link health} */
  async decrypt(
    { store, xksKeyId }: ExternalKeyName,
    requestMetadata: RequestMetadata,
    { ciphertext, iv, tag, metadata }: ExternalCiphertext,
    additionalData: Uint8Array,
  ): Promise<Uint8Array> {
    const request = {
      requestMetadata,
      ciphertext: toBase64(ciphertext),
      ...(metadata.length === 0 ? {} : { ciphertextMetadata: toBase64(metadata) }),
      encryptionAlgorithm: ENCRYPTION_ALGORITHM,
      additionalAuthenticatedData: toBase64(additionalData),
      initializationVector: toBase64(iv),
      authenticationTag: toBase64(tag),
    };
    const { plaintext } = await this.#call(store, `/keys/${xksKeyId}/decrypt`, request, decryptAnswer);
    if (plaintext.length !== ciphertext.length) {
      throw new XksFailure('malformed', 'the plaintext has a wrong length');
    }
    return plaintext;
  }

  /** Closes the connections. */
  close(): void {
    this.#caller.close();
  }

  async #call<T>(store: CustomKeyStore, resource: string, request: object, schema: Schema<T>): Promise<T> {
    const id = `${store.region}/${store.storeId}`;
    const underWay = this.#underWay.get(id) ?? 0;
    if (underWay >= MAX_CALLS_PER_STORE) {
      throw new KmsServiceError(
        'ThrottlingException',
        `Too many requests for custom key store ${store.storeId} are under way. Reduce the frequency of your calls.`,
      );
    }
    this.#underWay.set(id, underWay + 1);
    try {
      return readAnswer(await this.#post(store, resource, request), schema);
    } finally {
      const left = (this.#underWay.get(id) ?? 1) - 1;
      if (left === 0) {
        this.#underWay.delete(id);
      } else {
        this.#underWay.set(id, left);
      }
    }
  }

  async #post(store: CustomKeyStore, resource: string, request: object): Promise<HttpsAnswer> {
    const { core, clock, stores } = this.#services;
    const { uriEndpoint, uriPath, accessKeyId } = store.backing as XksBacking;
    const host = uriEndpoint.slice('https://'.length);
    const path = `${uriPath}${resource}`;
    const body = Buffer.from(JSON.stringify(request), 'utf8');
    const key = await wipeAfter(await stores.secret(store), (secret) => this.#importSecret(secret));
    try {
      const signer = { accessKeyId, secret: key, region: store.region, service: XKS_SERVICE };
      const signature = signRequest(core, { method: 'POST', path, host, body }, signer, clock.nowMs());
      return await this.#caller.post({ host, path, headers: { ...signature, 'content-type': CONTENT_TYPE }, body });
    } finally {
      key.destroy();
    }
  }

  #importSecret(secret: Uint8Array): KeyHandle {
    const bytes = Buffer.concat([Buffer.from('AWS4'), secret]);
    try {
      return this.#services.core.importKey('hmac', bytes);
    } finally {
      bytes.fill(0);
    }
  }
}

/** @throws XksFailure for an answer that is an error, or not as specified */
function readAnswer<T>({ status, body }: HttpsAnswer, schema: Schema<T>): T {
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new XksFailure('malformed', `the answer with status ${String(status)} is not JSON`);
  }
  if (status !== 200) {
    throw failureOf(status, content);
  }
  try {
    return parseRequest(schema, content, 'json');
  } catch (error) {
    // What the schema says may repeat parts of the answer: none of it goes further.
    throw new XksFailure('malformed', `the answer breaks the specification: ${(error as Error).name}`);
  }
}

function failureOf(status: number, content: unknown): XksFailure {
  const { errorName, errorMessage } = (content ?? {}) as Readonly<Record<string, unknown>>;
  if (!isXksErrorName(errorName)) {
    return new XksFailure('malformed', `an answer with status ${String(status)} and no known error`);
  }
  const message = typeof errorMessage === 'string' ? errorMessage.slice(0, MAX_LOGGED_LENGTH) : '';
  return new XksFailure(errorName, message.replaceAll(/[^\x20-\x7e]/g, '?'));
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}
