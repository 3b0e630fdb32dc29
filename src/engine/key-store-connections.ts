import type { Log } from '../base/log.ts';
import type { CustomKeyStore } from '../keys/key-store.ts';
import type {
  ConnectOutcome,
  KeyStoreBackend,
  KeyStoreBackends,
  KeyStoreConnector,
  KeyStoreRepository,
  StoreName,
} from '../service/key-store-ports.ts';
import { VersionConflictError } from '../service/ports.ts';

/** The work on one store; what is behind it waits for it to end. */
interface Run {
  readonly ended: Promise<void>;
  readonly abort: AbortController;
}

/**
 * Connects and disconnects custom key stores in the background, one step at a time for each. Where a store stands is in
 * the store's row alone: a step that was cut off, by the end of the process too, is done again by {@link resume}.
 */
export class KeyStoreConnections implements KeyStoreConnector {
  readonly #stores: KeyStoreRepository;
  readonly #backends: KeyStoreBackends;
  readonly #log: Log;
  readonly #runs = new Map<string, Run>();
  /** Stores that others changed and that are looked at. */
  readonly #looks = new Set<Promise<void>>();
  #isStopped = false;

  constructor(stores: KeyStoreRepository, backends: KeyStoreBackends, log: Log) {
    this.#stores = stores;
    this.#backends = backends;
    this.#log = log;
  }

  advance({ region, storeId }: CustomKeyStore): void {
    if (this.#isStopped) {
      return;
    }
    const id = `${region}/${storeId}`;
    const before = this.#runs.get(id);
    before?.abort.abort();
    const abort = new AbortController();
    const ended = Promise.resolve(before?.ended)
      .then(() => this.#settle(region, storeId, abort.signal))
      .catch((error: unknown) => {
        this.#log.error('a custom key store could not be carried on; it will be tried again', {
          store: storeId,
          error: String(error),
        });
      })
      .finally(() => {
        if (this.#runs.get(id)?.abort === abort) {
          this.#runs.delete(id);
        }
      });
    this.#runs.set(id, { ended, abort });
  }

  /** Lets go of a store that is not connected any more; for changes that any process made. */
  follow(name: StoreName): void {
    if (this.#isStopped) {
      return;
    }
    const look = this.#releaseUnlessConnected(name)
      .catch((error: unknown) => {
        this.#log.error('a custom key store was not looked at', { store: name.storeId, error: String(error) });
      })
      .finally(() => {
        this.#looks.delete(look);
      });
    this.#looks.add(look);
  }

  /** Takes up every store that is on its way and that nothing here is at work on. */
  async resume(): Promise<void> {
    for (const store of await this.#stores.findUnsettled()) {
      if (!this.#runs.has(`${store.region}/${store.storeId}`)) {
        this.advance(store);
      }
    }
  }

  /** Looks after the stores that are connected; nobody waits for what comes of it. */
  async checkHealth(): Promise<void> {
    for (const type of ['AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'] as const) {
      const backend: KeyStoreBackend = this.#backends[type];
      const stores = backend.checkHealth === undefined ? [] : await this.#stores.findConnected(type);
      for (const store of stores) {
        void backend.checkHealth?.(store);
      }
    }
  }

  /** Gives up what is under way, which stays to be resumed, and waits for its end. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const runs = [...this.#runs.values()];
    for (const { abort } of runs) {
      abort.abort();
    }
    await Promise.all([...runs.map(({ ended }) => ended), ...this.#looks]);
  }

  async #releaseUnlessConnected(name: StoreName): Promise<void> {
    const store = await this.#stores.find(name.region, name.storeId);
    if (store === undefined) {
      const { AWS_CLOUDHSM: cluster, EXTERNAL_KEY_STORE: external } = this.#backends;
      await Promise.all([this.#disconnect(cluster, name), this.#disconnect(external, name)]);
    } else if (store.connectionState === 'DISCONNECTED' || store.connectionState === 'FAILED') {
      await this.#disconnect(this.#backends[store.backing.type], store);
    }
  }

  async #settle(region: string, storeId: string, signal: AbortSignal): Promise<void> {
    const store = signal.aborted ? undefined : await this.#stores.find(region, storeId);
    if (store === undefined) {
      return;
    }
    const backend: KeyStoreBackend = this.#backends[store.backing.type];
    if (store.connectionState === 'CONNECTING') {
      const outcome = await this.#connect(backend, store, signal);
      if (!signal.aborted) {
        await this.#conclude(store, outcome);
      }
    } else if (store.connectionState === 'DISCONNECTING') {
      await this.#disconnect(backend, store);
      await this.#conclude(store, undefined);
    }
  }

  async #connect(backend: KeyStoreBackend, store: CustomKeyStore, signal: AbortSignal): Promise<ConnectOutcome> {
    try {
      return await backend.connect(store, signal);
    } catch (error) {
      if (!signal.aborted) {
        this.#log.error('a custom key store failed to connect', { store: store.storeId, error: String(error) });
      }
      return { isConnected: false, errorCode: 'INTERNAL_ERROR' };
    }
  }

  async #disconnect(backend: KeyStoreBackend, store: StoreName): Promise<void> {
    try {
      await backend.disconnect(store);
    } catch (error) {
      this.#log.error('a custom key store was not left in order', { store: store.storeId, error: String(error) });
    }
  }

  /** Writes what the step led to, unless the store was brought elsewhere meanwhile. */
  async #conclude(store: CustomKeyStore, outcome: ConnectOutcome | undefined): Promise<void> {
    const settled: Pick<CustomKeyStore, 'connectionState' | 'connectionErrorCode'> =
      outcome === undefined
        ? { connectionState: 'DISCONNECTED', connectionErrorCode: undefined }
        : outcome.isConnected
          ? { connectionState: 'CONNECTED', connectionErrorCode: undefined }
          : { connectionState: 'FAILED', connectionErrorCode: outcome.errorCode };
    try {
      await this.#stores.update({ ...store, ...settled, version: store.version + 1 });
      this.#log.info('custom key store settled', { store: store.storeId, state: settled.connectionState });
    } catch (error) {
      if (!(error instanceof VersionConflictError)) {
        throw error;
      }
    }
  }
}
