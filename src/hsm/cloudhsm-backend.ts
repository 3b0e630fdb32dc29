import { X509Certificate } from 'node:crypto';
import { EntityCache } from '../base/entity-cache.ts';
import { KmsServiceError } from '../base/errors.ts';
import type { CustomKeyStore } from '../keys/key-store.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type {
  BackendServices,
  CloudHsmBackend,
  ConnectOutcome,
  KeyStoreMaterials,
  StoreName,
} from '../service/key-store-ports.ts';
import type { KeyRequest, SymmetricMaterial, WrappedMaterial } from '../service/ports.ts';
import { openPkcs11Token } from '../pkcs11/index.ts';
import { bindClusterKey, openBoundKey } from './bound-keys.ts';
import { CloudHsmMaterial } from './cloudhsm-material.ts';
import type { ClusterConfiguration } from './cluster-configuration.ts';
import type { OpenToken } from './cluster-member.ts';
import { HsmCluster, TooFewMembersError, type ClusterKey } from './hsm-cluster.ts';
import {
  connectionErrorOf,
  isTokenFailure,
  keySubject,
  outageOf,
  serviceErrorOf,
  storeSubject,
  type FailedSubject,
} from './token-failures.ts';

const MATERIAL_ID_BYTES = 32;
const MAX_KNOWN_KEYS = 20_000;

/**
 * Custom key stores of the type AWS_CLOUDHSM, on whatever PKCS#11 tokens the configuration puts behind a cluster id.
 * Keys are AES-256 objects of the tokens, named by their material id, and do all of their work there.
 *
 * @source KMS Developer Guide, "AWS CloudHSM key stores"
 */
export class ConfiguredClusters implements CloudHsmBackend {
  readonly #configurations: ReadonlyMap<string, ClusterConfiguration>;
  readonly #services: BackendServices;
  readonly #openToken: OpenToken;
  /** By Region and store. A store that another process connected is opened when one of its keys is used. */
  readonly #open = new Map<string, Promise<HsmCluster>>();
  /** The only material of a key never changes. */
  readonly #keys = new EntityCache<ClusterKey>(MAX_KNOWN_KEYS);

  constructor(
    configurations: readonly ClusterConfiguration[],
    services: BackendServices,
    openToken: OpenToken = openPkcs11Token,
  ) {
    this.#configurations = new Map(configurations.map((cluster) => [cluster.clusterId, cluster]));
    this.#services = services;
    this.#openToken = openToken;
  }

  readonly materials: KeyStoreMaterials = {
    generate: (key, nowMs) => this.#generate(key, nowMs),
    openSymmetric: (key, materialId) => this.#openSymmetric(key, materialId),
    destroy: (key) => this.#destroy(key),
  };

  /**
   * Looks whether the cluster is configured, and whether the store names its trust anchor.
   *
   * @throws KmsServiceError CloudHsmClusterNotFoundException; IncorrectTrustAnchorException, or
   *   CloudHsmClusterNotRelatedException when a store, which keeps its anchor, shall get another cluster
   */
  probe({ backing }: CustomKeyStore, { operation }: Pick<KeyRequest, 'operation'>): Promise<void> {
    const clusterId = backing.type === 'AWS_CLOUDHSM' ? backing.clusterId : '';
    const configuration = this.#configurations.get(clusterId);
    if (configuration === undefined) {
      throw new KmsServiceError('CloudHsmClusterNotFoundException', `Cluster ${clusterId} is not configured here.`);
    }
    const { trustAnchor } = configuration;
    if (backing.type === 'AWS_CLOUDHSM' && trustAnchor !== undefined) {
      requireTrustAnchor(backing.trustAnchorCertificate, trustAnchor, operation);
    }
    return Promise.resolve();
  }

  async connect(store: CustomKeyStore, signal: AbortSignal): Promise<ConnectOutcome> {
    await this.disconnect(store);
    try {
      await this.#clusterOf(store);
      if (signal.aborted) {
        await this.disconnect(store);
      }
      return { isConnected: true };
    } catch (error) {
      if (error instanceof UnknownClusterError) {
        return { isConnected: false, errorCode: 'CLUSTER_NOT_FOUND' };
      }
      if (!isTokenFailure(error)) {
        throw error;
      }
      this.#services.log.error('a cluster cannot be connected', { store: store.storeId, error: error.message });
      return { isConnected: false, errorCode: connectionErrorOf(error) };
    }
  }

  async disconnect({ region, storeId }: StoreName): Promise<void> {
    const id = `${region}/${storeId}`;
    const cluster = this.#open.get(id);
    this.#open.delete(id);
    await (await cluster?.catch(() => undefined))?.close();
  }

  randomBytes(store: CustomKeyStore, length: number): Promise<Uint8Array> {
    return this.#translate(storeSubject(store.storeId), async () => (await this.#clusterOf(store)).randomBytes(length));
  }

  /** Ends all sessions of this process. */
  async close(): Promise<void> {
    const clusters = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(clusters.map(async (cluster) => (await cluster.catch(() => undefined))?.close()));
  }

  async #generate(key: KmsKey, nowMs: number): Promise<WrappedMaterial> {
    const subject = storeSubject(key.keyStore?.storeId ?? '');
    const cluster = await this.#clusterOfKey(key, subject);
    const id = this.#services.core.randomBytes(MATERIAL_ID_BYTES);
    const materialId = Buffer.from(id).toString('hex');
    const wrapped = await this.#translate(subject, () => cluster.createKey(id, key.arn));
    const bound = await bindClusterKey(this.#services.sealer, key, materialId, wrapped);
    // The version of the region key is in what was sealed.
    return { materialId, wrapped: bound, regionKeyVersion: 0, createdMs: nowMs };
  }

  async #destroy(key: KmsKey): Promise<void> {
    const { region, keyId, currentMaterialId: materialId } = key;
    if (materialId === undefined) {
      return;
    }
    this.#keys.drop(`${region}/${keyId}/${materialId}`);
    try {
      const cluster = await this.#clusterOfKey(key, keySubject(key));
      await cluster.destroyKey({ id: Buffer.from(materialId, 'hex'), label: key.arn });
    } catch (error) {
      const fields = { key: key.arn, id: materialId, error: String(error) };
      this.#services.log.error('a key that was deleted stays in its HSMs', fields);
    }
  }

  async #openSymmetric(key: KmsKey, materialId: string): Promise<SymmetricMaterial | undefined> {
    const found = await this.#keys.get(`${key.region}/${key.keyId}/${materialId}`, () => this.#load(key, materialId));
    if (found === undefined) {
      return undefined;
    }
    const subject = keySubject(key);
    return new CloudHsmMaterial(await this.#clusterOfKey(key, subject), found, subject);
  }

  async #load(key: KmsKey, materialId: string): Promise<ClusterKey | undefined> {
    const { findMaterial, sealer } = this.#services;
    const stored = await findMaterial(key, materialId);
    return stored === undefined
      ? undefined
      : { id: Buffer.from(materialId, 'hex'), label: key.arn, wrapped: await openBoundKey(sealer, key, stored) };
  }

  async #clusterOfKey({ region, keyStore }: KmsKey, subject: FailedSubject): Promise<HsmCluster> {
    const storeId = keyStore?.storeId ?? '';
    const open = this.#open.get(`${region}/${storeId}`);
    if (open !== undefined) {
      return this.#translate(subject, () => open);
    }
    const store = await this.#services.stores.find(region, storeId);
    if (store?.connectionState !== 'CONNECTED') {
      throw outageOf(subject, 'the custom key store is not connected.');
    }
    return this.#translate(subject, () => this.#clusterOf(store));
  }

  #clusterOf(store: CustomKeyStore): Promise<HsmCluster> {
    const id = `${store.region}/${store.storeId}`;
    const found = this.#open.get(id);
    if (found !== undefined) {
      return found;
    }
    const opening = this.#openCluster(store);
    this.#open.set(id, opening);
    opening.catch(() => {
      if (this.#open.get(id) === opening) {
        this.#open.delete(id);
      }
    });
    return opening;
  }

  async #openCluster(store: CustomKeyStore): Promise<HsmCluster> {
    const clusterId = store.backing.type === 'AWS_CLOUDHSM' ? store.backing.clusterId : '';
    const configuration = this.#configurations.get(clusterId);
    if (configuration === undefined) {
      throw new UnknownClusterError(`nothing is configured for ${clusterId}`);
    }
    const { core, log, stores } = this.#services;
    const cluster = new HsmCluster(configuration, {
      openToken: this.#openToken,
      randomBytes: (length) => core.randomBytes(length),
      log,
      pin: () => stores.secret(store),
    });
    try {
      await cluster.open();
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  /** Turns what an HSM cannot do into what AWS KMS says then. */
  async #translate<T>(subject: FailedSubject, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof TooFewMembersError) {
        throw new KmsServiceError('CloudHsmClusterInvalidConfigurationException', `${error.message}.`, error);
      }
      if (error instanceof UnknownClusterError) {
        throw outageOf(subject, `${error.message}.`, error);
      }
      throw isTokenFailure(error) ? serviceErrorOf(error, subject) : error;
    }
  }
}

function requireTrustAnchor(pem: string, expected: X509Certificate, operation: string): void {
  if (new X509Certificate(pem).fingerprint256 !== expected.fingerprint256) {
    throw new KmsServiceError(
      operation === 'UpdateCustomKeyStore' ? 'CloudHsmClusterNotRelatedException' : 'IncorrectTrustAnchorException',
      'The trust anchor certificate is not that of the CloudHSM cluster.',
    );
  }
}

class UnknownClusterError extends Error {
  override readonly name = 'UnknownClusterError';
}
