import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AWS_NITRO_ROOT, parseTrustedRoots } from '../attestation/trusted-roots.ts';
import { loadCore, type CryptoCore } from '../core/index.ts';
import type { Caller } from '../base/caller.ts';
import type { Clock } from '../base/clock.ts';
import { KmsServiceError } from '../base/errors.ts';
import { SILENT_LOG, type Log } from '../base/log.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { COMMERCIAL_REGIONS } from '../base/regions.ts';
import type { RootKeyProvider } from '../base/root-key.ts';
import { AccessKeys } from '../iam/access-keys.ts';
import { callerOf, Identities, nameOf, rootOf } from '../iam/identities.ts';
import { sessionArn } from '../iam/principal-names.ts';
import { PolicyAccess } from '../iam/policy-access.ts';
import { Sts } from '../iam/sts.ts';
import { AbsentBackend } from '../materials/absent-backend.ts';
import { PASSPHRASE_FILE_PROVIDER } from '../materials/passphrase-file.ts';
import { GLOBAL_REGION, RegionKeys } from '../materials/region-keys.ts';
import type { RootKeys } from '../materials/root-keys.ts';
import { RegionTokens } from '../materials/region-tokens.ts';
import { RoutedMaterials } from '../materials/routed-materials.ts';
import { SoftwareImport } from '../materials/software-import.ts';
import { SoftwareMaterials } from '../materials/software-materials.ts';
import { LeasedRequestQuotas, type QuotaSettings } from '../quotas/request-quotas.ts';
import type { BackendServices, KeyStoreBackends, KeyStoreDirectory } from '../service/key-store-ports.ts';
import { openStoreSecret } from '../service/key-store-secrets.ts';
import type { RequestContext, RequestOrigin } from '../service/target.ts';
import { runOperation, type ServicePorts } from '../service/pipeline.ts';
import { OPERATIONS, type OperationInput, type OperationName, type OperationOutput } from '../service/registry.ts';
import { completeQuotas, type ResourceQuotas } from '../service/resource-quotas.ts';
import type { RequestForm } from '../service/schema.ts';
import { openStore, type Store } from '../store/open-store.ts';
import { KeyStoreConnections } from './key-store-connections.ts';
import { openRootKeys } from './root-key-move.ts';
import type { TestPowers } from './test-powers/test-powers.ts';
import { TestedService } from './test-powers/tested-service.ts';
import { Maintenance, type MaintenanceReport } from './maintenance.ts';

export interface EngineOptions {
  /** Folder of the root key file and, unless `store` says otherwise, of the store; made with mode 0700 when missing. */
  readonly dataDirectory: string;
  /** `sqlite:PATH`; default: `keywright.db` in the data directory. */
  readonly store?: string;
  /** Regions that this engine serves; default: all commercial AWS Regions. */
  readonly regions?: readonly string[];
  /**
   * Makes what stands behind custom key stores, for each type of store; a store of a type that is left out cannot be
   * connected. All processes on one store have the same ones: each may finish what another began.
   */
  readonly keyStoreBackends?: (services: BackendServices) => Partial<KeyStoreBackends>;
  /**
   * PEM of root certificates that attestation documents may come from, besides the root of AWS Nitro: P-384 authorities
   * that may certify.
   */
  readonly attestationRoots?: string;
  /** Where root keys may come from, besides the passphrase file in the data directory. Closed with the engine. */
  readonly rootKeyProviders?: readonly RootKeyProvider[];
  /** Name of the provider that makes the root key of a new store; default: `passphrase-file`. */
  readonly firstRootKey?: string;
  readonly clock?: Clock;
  readonly log?: Log;
  /** What tests may do to this engine; its clock is then that of the service, and `clock` that of signatures. */
  readonly testPowers?: TestPowers;
  /** How much every account may have in a Region; default: as much as at AWS. */
  readonly resourceQuotas?: Partial<ResourceQuotas>;
  /** Request quotas that every account is held to; default: none. */
  readonly requestQuotas?: QuotaSettings;
}

/** Who calls, and in which Region; the time is the engine's, and so is the request id unless the caller has one. */
export type CallContext = Pick<RequestContext, 'caller' | 'region'> &
  Partial<Pick<RequestContext, 'origin' | 'requestId'>>;

/** A call inside the process came over no network. */
const NO_ORIGIN: RequestOrigin = {};

/** So long a client whose session expired is told so, and not that nobody knows its credentials. */
const EXPIRED_SESSION_KEPT_MS = 86_400_000;

const SYSTEM_CLOCK: Clock = { nowMs: () => Date.now() };

/**
 * The key management service inside a process: what the server serves over HTTP, and an application can call directly.
 * Several engines, also in other processes, may share one store; each sees the others' changes within 5 ms.
 */
export class Engine {
  readonly regions: ReadonlySet<string>;
  readonly core: CryptoCore;
  readonly identities: Identities;
  readonly accessKeys: AccessKeys;
  readonly access: PolicyAccess;
  readonly sts: Sts;
  /** The time that signatures are checked against; see {@link nowMs} for that of the service. */
  readonly clock: Clock;
  readonly testPowers: TestPowers | undefined;
  readonly #ports: ServicePorts;
  readonly #store: Store;
  readonly #tested: TestedService | undefined;
  readonly #maintenance: Maintenance;
  readonly #connections: KeyStoreConnections;
  readonly #rootKeys: RootKeys;
  readonly #log: Log;

  private constructor(parts: {
    core: CryptoCore;
    identities: Identities;
    accessKeys: AccessKeys;
    access: PolicyAccess;
    clock: Clock;
    ports: ServicePorts;
    connections: KeyStoreConnections;
    rootKeys: RootKeys;
    store: Store;
    log: Log;
    testPowers: TestPowers | undefined;
  }) {
    this.regions = parts.ports.regions;
    this.core = parts.core;
    this.identities = parts.identities;
    this.accessKeys = parts.accessKeys;
    this.access = parts.access;
    this.sts = new Sts(parts.identities, parts.accessKeys, parts.access, parts.clock, parts.ports.quotas);
    this.clock = parts.clock;
    this.#ports = parts.ports;
    this.#store = parts.store;
    this.#log = parts.log;
    this.#connections = parts.connections;
    this.#rootKeys = parts.rootKeys;
    this.testPowers = parts.testPowers;
    this.#tested = parts.testPowers === undefined ? undefined : new TestedService(parts.ports, parts.testPowers);
    const { keys, materials } = parts.ports;
    const clock = parts.testPowers?.clock ?? parts.clock;
    const catchUp = (): Promise<void> => parts.store.catchUp();
    // By the clock of signatures, which they expire by.
    const forgetSessions = (): Promise<number> =>
      parts.store.accessKeys.deleteExpired(parts.clock.nowMs() - EXPIRED_SESSION_KEPT_MS);
    this.#maintenance = new Maintenance(keys, materials, parts.connections, catchUp, forgetSessions, clock, parts.log);
    this.#maintenance.start();
  }

  /**
   * Opens the store and the root key, making both on the first start.
   *
   * @throws RootKeyError when the root key of an existing store cannot be had; AttestationError when
   *   `attestationRoots` cannot be used; Error when the store cannot be opened
   */
  static async open(options: EngineOptions): Promise<Engine> {
    const attestationRoots = [AWS_NITRO_ROOT, options.attestationRoots].flatMap((pem) =>
      pem === undefined ? [] : parseTrustedRoots(pem),
    );
    const { dataDirectory, log = SILENT_LOG, testPowers } = options;
    const signatureClock = options.clock ?? SYSTEM_CLOCK;
    const clock = testPowers?.clock ?? signatureClock;
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
    const core = loadCore();
    const store = await openStore(options.store ?? `sqlite:${join(dataDirectory, 'keywright.db')}`, clock, log);
    try {
      const rootKeys = openRootKeys(core, store, options);
      await store.exclusively(() => rootKeys.openOrCreate(options.firstRootKey ?? PASSPHRASE_FILE_PROVIDER, clock));
      const regionKeys = new RegionKeys(core, store.hierarchy, rootKeys, clock);
      const globalKey = await regionKeys.current(GLOBAL_REGION);
      const findMaterial: BackendServices['findMaterial'] = (key, materialId) =>
        store.keys.findMaterial(key, materialId);
      const software = new SoftwareMaterials(core, regionKeys, findMaterial);
      store.onKeyChange((region, keyId) => {
        software.forget(region, keyId);
      });
      const tokens = new RegionTokens(core, regionKeys);
      const services = { software, findMaterial, sealer: tokens, core, clock: signatureClock, log };
      const keyStoreBackends = makeBackends(options, store, tokens, services);
      const connections = new KeyStoreConnections(store.keyStores, keyStoreBackends, log);
      store.onKeyStoreChange((region, storeId) => {
        connections.follow({ region, storeId });
      });
      const identities = new Identities(core, store.principals, clock);
      const access = new PolicyAccess(identities);
      return new Engine({
        core,
        identities,
        access,
        accessKeys: new AccessKeys(core, store.accessKeys, globalKey.handle, clock),
        clock: signatureClock,
        testPowers,
        ports: {
          regions: new Set(options.regions ?? COMMERCIAL_REGIONS),
          keys: store.keys,
          resourceQuotas: completeQuotas(options.resourceQuotas),
          aliases: store.aliases,
          grants: store.grants,
          tokens,
          materials: new RoutedMaterials(software, keyStoreBackends),
          lastUses: store.lastUses,
          keyStores: store.keyStores,
          keyStoreBackends,
          keyStoreConnector: connections,
          imports: new SoftwareImport(core, regionKeys),
          access,
          principals: identities.names,
          quotas:
            options.requestQuotas === undefined
              ? undefined
              : new LeasedRequestQuotas(store.quotas(), SYSTEM_CLOCK, options.requestQuotas),
          random: core,
          envelopes: core,
          attestationRoots,
        },
        connections,
        rootKeys,
        store,
        log,
      });
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /**
   * Performs one operation of the KMS API. Request and response have the member names of the API; blobs are bytes and
   * timestamps are dates, as in the AWS SDK for JavaScript.
   *
   * @throws KmsServiceError what AWS would answer
   */
  async call<Name extends OperationName>(
    name: Name,
    input: OperationInput<Name>,
    context: CallContext,
  ): Promise<OperationOutput<Name>> {
    return (await this.dispatch(name, input, 'native', context)) as OperationOutput<Name>;
  }

  /**
   * The door for everything that carries requests: checks the Region, runs the operation, and turns whatever is not an
   * answer of the service into KMSInternalException, logged with its cause.
   *
   * @throws KmsServiceError at once, or through the promise
   */
  dispatch(name: OperationName, body: unknown, form: RequestForm, context: CallContext): MaybePromise<unknown> {
    if (!this.regions.has(context.region)) {
      throw new KmsServiceError('ValidationException', `Region ${context.region} is not served here.`);
    }
    const request: RequestContext = {
      caller: context.caller,
      region: context.region,
      requestId: context.requestId ?? randomUUID(),
      origin: context.origin ?? NO_ORIGIN,
      nowMs: this.nowMs(),
    };
    try {
      const answer: MaybePromise<unknown> =
        this.#tested === undefined
          ? runOperation(this.#ports, OPERATIONS[name] as never, body, form, request)
          : this.#tested.run(name, body, form, request);
      return answer instanceof Promise
        ? answer.catch((error: unknown) => {
            throw this.#toServiceError(name, error);
          })
        : answer;
    } catch (error) {
      throw this.#toServiceError(name, error);
    }
  }

  /**
   * What the operations work through, past authorization; for the parts of Keywright that stand above the engine.
   *
   * @internal
   */
  get ports(): ServicePorts {
    return this.#ports;
  }

  /**
   * A user, role or root user by its ARN, as the caller of a request; undefined for one that there is not. A role acts
   * in a session, which gets this name.
   */
  async findPrincipal(accountId: string, arn: string, sessionName: string): Promise<Caller | undefined> {
    if (arn === rootOf(accountId).arn) {
      return rootOf(accountId);
    }
    const name = nameOf(accountId, arn);
    const found = name === undefined ? undefined : await this.identities.findByName(name);
    if (found?.kind !== 'role') {
      return found === undefined ? undefined : callerOf(found);
    }
    return {
      accountId,
      arn: sessionArn(accountId, found.name, sessionName),
      principalId: `${found.uniqueId}:${sessionName}`,
    };
  }

  /** 12 random digits, the first one not zero: leading zeros are what tools lose. */
  newAccountId(): string {
    const number = this.core.randomBytes(6).readUIntBE(0, 6) % 900_000_000_000;
    return String(100_000_000_000 + number);
  }

  /** The time of the service in milliseconds since 1970: what keys, grants and schedules go by. */
  nowMs(): number {
    return (this.testPowers?.clock ?? this.clock).nowMs();
  }

  /**
   * Runs `work` while no other process on this store runs any: for what is made when it is missing. Calls do not nest.
   */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#store.exclusively(work);
  }

  /** Resolves when the store answers. */
  async checkReady(): Promise<void> {
    await this.#store.ping();
  }

  /** Does what fell due by time: deletions, expiries, rotations. Also runs by itself, at the start and every minute. */
  runMaintenance(): Promise<MaintenanceReport> {
    return this.#maintenance.run();
  }

  /**
   * Waits for maintenance that is under way, gives up connecting key stores until the next start, and closes the store.
   * Requests must have ended before.
   */
  async close(): Promise<void> {
    await this.#maintenance.stop();
    await this.#connections.stop();
    const { AWS_CLOUDHSM: cluster, EXTERNAL_KEY_STORE: external } = this.#ports.keyStoreBackends;
    await Promise.all([cluster.close?.(), external.close?.()]);
    await this.#store.close();
    await this.#rootKeys.close();
  }

  #toServiceError(operation: OperationName, error: unknown): KmsServiceError {
    if (error instanceof KmsServiceError) {
      return error;
    }
    this.#log.error('operation failed inside', {
      operation,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    return new KmsServiceError('KMSInternalException', 'An internal error occurred.', error);
  }
}

function makeBackends(
  options: EngineOptions,
  store: Store,
  tokens: RegionTokens,
  services: Omit<BackendServices, 'stores'>,
): KeyStoreBackends {
  const stores: KeyStoreDirectory = {
    find: (region, storeId) => store.keyStores.find(region, storeId),
    secret: (keyStore) => openStoreSecret(tokens, keyStore),
  };
  return {
    AWS_CLOUDHSM: new AbsentBackend('CLUSTER_NOT_FOUND'),
    EXTERNAL_KEY_STORE: new AbsentBackend('XKS_PROXY_NOT_REACHABLE'),
    ...options.keyStoreBackends?.({ stores, ...services }),
  };
}
