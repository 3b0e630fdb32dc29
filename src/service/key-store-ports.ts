/** What the service needs for custom key stores: where they are kept, and what stands behind them. */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { CryptoCore } from '../core/crypto-core.ts';
import type { ConnectionErrorCode, CustomKeyStore, KeyStoreType } from '../keys/key-store.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type { KeyMaterialProvider, KeyRequest, TokenSealer, WrappedMaterial } from './ports.ts';

/** Durable custom key stores. A change is on disk when the promise resolves. */
export interface KeyStoreRepository {
  find(region: string, storeId: string): Promise<CustomKeyStore | undefined>;
  /** All stores of the account, ten at most, in the order of their ids. */
  list(region: string, accountId: string): Promise<readonly CustomKeyStore[]>;
  /** The stores of all Regions that are CONNECTING or DISCONNECTING. */
  findUnsettled(): Promise<readonly CustomKeyStore[]>;
  /** The stores of all Regions and of one type that are CONNECTED. */
  findConnected(type: KeyStoreType): Promise<readonly CustomKeyStore[]>;
  /** @throws VersionConflictError when a store with one of its unique properties is there already */
  insert(store: CustomKeyStore): Promise<void>;
  /**
   * The store as it shall be, one version above the stored one.
   *
   * @throws VersionConflictError when the stored version is another, or one of its unique properties is taken
   */
  update(store: CustomKeyStore): Promise<void>;
  /** @throws VersionConflictError when the stored version is another, or there are keys in the store */
  delete(store: CustomKeyStore): Promise<void>;
  /** Whether there is any key in the store, whatever its state. */
  hasKeys(store: CustomKeyStore): Promise<boolean>;
  /** Whether a key of the store uses this key of the external key manager. */
  hasExternalKey(store: CustomKeyStore, xksKeyId: string): Promise<boolean>;
}

/** What a backend may ask about the stores that it serves. */
export interface KeyStoreDirectory {
  /** The store as it stands now. */
  find(region: string, storeId: string): Promise<CustomKeyStore | undefined>;
  /**
   * The password of `kmsuser`, or the secret of the proxy's credential, in UTF-8. Whoever asks overwrites it after use.
   *
   * @throws InvariantError when what is stored was not sealed for this store
   */
  secret(store: CustomKeyStore): MaybePromise<Uint8Array>;
}

/** What names a store among all Regions. */
export type StoreName = Pick<CustomKeyStore, 'region' | 'storeId'>;

export type ConnectOutcome =
  { readonly isConnected: true } | { readonly isConnected: false; readonly errorCode: ConnectionErrorCode };

/** Makes and opens the material of the keys in stores of one type; it is symmetric, and stays in its Region. */
export interface KeyStoreMaterials extends Pick<KeyMaterialProvider, 'openSymmetric'> {
  generate(key: KmsKey, nowMs: number, request: KeyRequest): MaybePromise<WrappedMaterial>;
  /** As {@link KeyMaterialProvider.destroy}; absent where nothing is kept outside of the store. */
  destroy?(key: KmsKey): MaybePromise<void>;
}

/** What the engine gives the backends that it works with. */
export interface BackendServices {
  readonly stores: KeyStoreDirectory;
  /** Material of the software, at rest in the store as that of other keys is; for what a backend does not keep. */
  readonly software: KeyStoreMaterials;
  /** The material of a key as it is stored. */
  readonly findMaterial: (key: KmsKey, materialId: string) => MaybePromise<WrappedMaterial | undefined>;
  /** Binds what a backend keeps to the row that it is kept in. */
  readonly sealer: TokenSealer;
  readonly core: CryptoCore;
  /** The time that signatures are made by. */
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * What stands behind the stores of one type. The state of a connection is in the store and holds for every process on
 * it, so {@link materials} of a process that did not connect the store itself opens its own way to it when needed.
 */
export interface KeyStoreBackend {
  /**
   * Looks whether a store that is about to be made or changed could be connected, where that is asked at this point.
   *
   * @throws KmsServiceError of the errors of a configuration
   */
  probe?(store: CustomKeyStore, request: KeyRequest): Promise<void>;
  /**
   * Tries whether the store can be used. May be called again for a store that another process is connecting, or was.
   * What it throws counts as INTERNAL_ERROR, unless `signal` was aborted: then the outcome is of no interest any more.
   */
  connect(store: CustomKeyStore, signal: AbortSignal): Promise<ConnectOutcome>;
  /**
   * Lets go of the store, which this process may not have connected itself. What it throws is logged, and the store is
   * disconnected all the same.
   */
  disconnect(store: StoreName): Promise<void>;
  /**
   * Looks now and then whether a connected store still works, which also opens this process's way to it before a
   * request needs that. Whatever is found is logged, and the connection stays what it is.
   */
  checkHealth?(store: CustomKeyStore): Promise<void>;
  readonly materials: KeyStoreMaterials;
  /** Lets go of everything, when nothing is under way any more. May be called again. */
  close?(): Promise<void>;
}

export interface CloudHsmBackend extends KeyStoreBackend {
  /** Random bytes out of the cluster. */
  randomBytes(store: CustomKeyStore, length: number): MaybePromise<Uint8Array>;
}

export interface KeyStoreBackends {
  readonly AWS_CLOUDHSM: CloudHsmBackend;
  readonly EXTERNAL_KEY_STORE: KeyStoreBackend;
}

/** Carries connections on in the background, from CONNECTING and DISCONNECTING to where they lead. */
export interface KeyStoreConnector {
  /** Takes up the state that the store was just brought into; what was under way for it is given up. */
  advance(store: CustomKeyStore): void;
}
