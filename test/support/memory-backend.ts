/** A backend of custom key stores for tests: keys in memory, and a connection that does what the test says. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { CustomKeyStore } from '../../src/keys/key-store.ts';
import type { KmsKey } from '../../src/keys/kms-key.ts';
import type {
  CloudHsmBackend,
  ConnectOutcome,
  KeyStoreDirectory,
  KeyStoreMaterials,
} from '../../src/service/key-store-ports.ts';
import type { SymmetricMaterial } from '../../src/service/ports.ts';

/** What opens every store, unless a test says otherwise. */
export const RIGHT_SECRET = 'Right/secret+of+every+store+in+these+tests+1234';

const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Blobs are at least as long as those of the software. */
const SALT_BYTES = 64;

export class MemoryBackend implements CloudHsmBackend {
  /** Replaces what connecting does; by default it looks at the store's secret. */
  onConnect: ((store: CustomKeyStore, signal: AbortSignal) => Promise<ConnectOutcome>) | undefined;
  /** Replaces what disconnecting does; by default nothing. */
  onDisconnect: (() => Promise<void>) | undefined;
  readonly #directory: KeyStoreDirectory;
  readonly #keys: Map<string, Buffer>;

  /** @param keys outlive the backend, as those of an HSM do */
  constructor(directory: KeyStoreDirectory, keys = new Map<string, Buffer>()) {
    this.#directory = directory;
    this.#keys = keys;
  }

  async connect(store: CustomKeyStore, signal: AbortSignal): Promise<ConnectOutcome> {
    if (this.onConnect !== undefined) {
      return this.onConnect(store, signal);
    }
    const secret = Buffer.from(await this.#directory.secret(store)).toString();
    return RIGHT_SECRET.startsWith(secret)
      ? { isConnected: true }
      : { isConnected: false, errorCode: 'INVALID_CREDENTIALS' };
  }

  async disconnect(): Promise<void> {
    await this.onDisconnect?.();
  }

  randomBytes(_store: CustomKeyStore, length: number): Uint8Array {
    return Buffer.alloc(length, 'HSM');
  }

  readonly materials: KeyStoreMaterials = {
    generate: ({ keyId }: KmsKey, nowMs: number) => {
      const materialId = randomBytes(32).toString('hex');
      this.#keys.set(`${keyId}/${materialId}`, randomBytes(32));
      return { materialId, wrapped: Buffer.from(keyId), regionKeyVersion: 0, createdMs: nowMs };
    },
    openSymmetric: ({ keyId }: KmsKey, materialId: string) => {
      const key = this.#keys.get(`${keyId}/${materialId}`);
      return key === undefined ? undefined : materialOf(key);
    },
  };
}

function materialOf(key: Buffer): SymmetricMaterial {
  const encrypt = (header: Uint8Array, context: Uint8Array, plaintext: Uint8Array): Buffer => {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(context);
    const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return Buffer.concat([header, randomBytes(SALT_BYTES), iv, cipher.getAuthTag(), body]);
  };
  const neverAsked = (): never => {
    throw new Error('keys in custom key stores make no data key pairs');
  };
  return {
    encrypt,
    decrypt: (headerLength, blob, context) => {
      const rest = Buffer.from(blob).subarray(headerLength + SALT_BYTES);
      const iv = rest.subarray(0, IV_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', key, iv).setAAD(context);
      decipher.setAuthTag(rest.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(rest.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
      } catch {
        return undefined;
      }
    },
    generateDataKey: (header, context, lengthBytes) => {
      const plaintext = randomBytes(lengthBytes);
      return { plaintext, blob: encrypt(header, context, plaintext) };
    },
    generateDataKeyWithoutPlaintext: (header, context, lengthBytes) =>
      encrypt(header, context, randomBytes(lengthBytes)),
    generateDataKeyPair: neverAsked,
    generateDataKeyPairWithoutPlaintext: neverAsked,
  };
}

/** Connects or disconnects never, until it is aborted: what a test does while a store is on its way. */
export async function untilAborted(_store: unknown, signal: AbortSignal): Promise<never> {
  await delay(2 ** 30, undefined, { signal });
  throw new Error('waited longer than any test');
}

/** Asks again and again until the answer is there. */
export async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) {
      return answer;
    }
    await delay(2);
  }
}
