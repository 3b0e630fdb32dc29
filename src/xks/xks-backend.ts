import { randomUUID } from 'node:crypto';
import { InvariantError } from '../base/errors.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { CustomKeyStore } from '../keys/key-store.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type {
  BackendServices,
  ConnectOutcome,
  KeyStoreBackend,
  KeyStoreMaterials,
} from '../service/key-store-ports.ts';
import type { KeyRequest, SymmetricMaterial, WrappedMaterial } from '../service/ports.ts';
import { DoublyEncrypted, type ExternalKeyUse } from './doubly-encrypted.ts';
import { toConnectionErrorCode, toServiceError, XksFailure, type FailedOperation } from './failures.ts';
import type { XksNetworkSettings } from './https-caller.ts';
import type { HealthAnswer, MetadataAnswer } from './proxy-api.ts';
import { ProxyClient, type ExternalKeyName } from './proxy-client.ts';
import { healthMetadata, keyMetadataMetadata, useMetadata } from './request-metadata.ts';

/** External key stores: keys whose every use needs a key that stands behind a proxy of somebody else. */
export class XksBackend implements KeyStoreBackend {
  readonly #services: BackendServices;
  readonly #client: ProxyClient;
  #isClosed = false;

  /** @throws Error when the PEM of the settings cannot be used */
  constructor(services: BackendServices, settings: XksNetworkSettings = {}) {
    this.#services = services;
    this.#client = new ProxyClient(services, settings);
  }

  readonly materials: KeyStoreMaterials = {
    generate: (key, nowMs, request) => this.#generate(key, nowMs, request),
    openSymmetric: (key, materialId, request) => this.#open(key, materialId, request),
  };

  /** What is behind a VPC endpoint service is looked at only when it is connected, as AWS does it. */
  async probe(store: CustomKeyStore, request: KeyRequest): Promise<void> {
    if (store.backing.type === 'EXTERNAL_KEY_STORE' && store.backing.connectivity === 'PUBLIC_ENDPOINT') {
      await this.#attempt('configuration', store, request, () => this.#checkHealth(store, request));
    }
  }

  async connect(store: CustomKeyStore): Promise<ConnectOutcome> {
    // The request that began it may have been answered long ago, and by another process.
    const request = { operation: 'ConnectCustomKeyStore', requestId: randomUUID() };
    try {
      await this.#checkHealth(store, request);
      return { isConnected: true };
    } catch (error) {
      if (!(error instanceof XksFailure)) {
        throw error;
      }
      this.#note(error, store, request);
      return { isConnected: false, errorCode: toConnectionErrorCode(error) };
    }
  }

  /** @source the specification, GetHealthStatus: KMS asks every few minutes, as the operation KmsHealthCheck */
  async checkHealth(store: CustomKeyStore): Promise<void> {
    const request = { operation: 'KmsHealthCheck', requestId: randomUUID() };
    try {
      await this.#checkHealth(store, request);
    } catch (error) {
      if (this.#isClosed) {
        return;
      }
      if (error instanceof XksFailure) {
        this.#note(error, store, request);
      } else {
        const fields = { store: store.storeId, error: String(error) };
        this.#services.log.error('the health of an external key store was not asked for', fields);
      }
    }
  }

  /** There is nothing to let go of: a connection may serve other stores, and idle ones are closed anyway. */
  disconnect(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#client.close();
    return Promise.resolve();
  }

  async #checkHealth(store: CustomKeyStore, request: Pick<KeyRequest, 'operation' | 'requestId'>): Promise<void> {
    const health = await this.#client.health(store, healthMetadata(request));
    if (!isServing(health)) {
      throw new XksFailure('unavailable', 'every external key manager is unavailable');
    }
  }

  /** The KMS key gets material of its own; of the external key it only learns that it can be used. */
  async #generate(key: KmsKey, nowMs: number, request: KeyRequest): Promise<WrappedMaterial> {
    const name = await this.#externalKey(key);
    await this.#attempt('createKey', name.store, request, async () => {
      if (!isUsable(await this.#client.keyMetadata(name, keyMetadataMetadata(request)))) {
        throw new XksFailure('unusableKey', 'spec, usage or status of the external key');
      }
    });
    return this.#services.software.generate(key, nowMs, request);
  }

  #open(key: KmsKey, materialId: string, request: KeyRequest): MaybePromise<SymmetricMaterial | undefined> {
    const metadata = useMetadata(request, key);
    const use = async <T>(call: (name: ExternalKeyName) => Promise<T>): Promise<T> => {
      const name = await this.#externalKey(key);
      return this.#attempt('cryptographic', name.store, request, () => call(name));
    };
    const external: ExternalKeyUse = {
      encrypt: (plaintext, data) => use((name) => this.#client.encrypt(name, metadata, plaintext, data)),
      decrypt: (sealed, data) => use((name) => this.#client.decrypt(name, metadata, sealed, data)),
    };
    return chain(this.#services.software.openSymmetric(key, materialId, request), (material) =>
      material === undefined ? undefined : new DoublyEncrypted(this.#services.core, material, external),
    );
  }

  /** Where the external key of a KMS key is, by the configuration of the store at this moment. */
  async #externalKey({ arn, region, keyStore }: KmsKey): Promise<ExternalKeyName> {
    const store = keyStore === undefined ? undefined : await this.#services.stores.find(region, keyStore.storeId);
    if (store?.backing.type !== 'EXTERNAL_KEY_STORE' || keyStore?.xksKeyId === undefined) {
      throw new InvariantError(`${arn} is in no external key store`);
    }
    return { store, xksKeyId: keyStore.xksKeyId };
  }

  /** @throws KmsServiceError what AWS KMS answers when `call` fails in an operation of this kind */
  async #attempt<T>(
    operation: FailedOperation,
    store: CustomKeyStore,
    request: KeyRequest,
    call: () => Promise<T>,
  ): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (error instanceof XksFailure) {
        this.#note(error, store, request);
        throw toServiceError(error, operation);
      }
      throw error;
    }
  }

  #note({ kind, message }: XksFailure, { storeId }: CustomKeyStore, request: Partial<KeyRequest>): void {
    const { operation, requestId } = request;
    this.#services.log.error('an external key store proxy did not serve a request', {
      store: storeId,
      operation,
      requestId,
      failure: kind,
      detail: message,
    });
  }
}

function isServing({ ekmFleetDetails: managers }: HealthAnswer): boolean {
  return managers.some(({ healthStatus }) => healthStatus !== 'UNAVAILABLE');
}

/** @source the specification, GetKeyMetadata, KMS Considerations */
function isUsable({ keySpec, keyUsage, keyStatus }: MetadataAnswer): boolean {
  return (
    keySpec === 'AES_256' && keyUsage.includes('ENCRYPT') && keyUsage.includes('DECRYPT') && keyStatus === 'ENABLED'
  );
}
