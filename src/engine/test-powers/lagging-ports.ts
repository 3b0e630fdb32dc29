import { chain, type MaybePromise } from '../../base/maybe-promise.ts';
import type { Alias } from '../../keys/alias.ts';
import type { KmsKey } from '../../keys/kms-key.ts';
import { partyId, type Grant, type GrantParty } from '../../policy/grant.ts';
import type { ServicePorts } from '../../service/pipeline.ts';
import type {
  AliasRepository,
  GrantDemand,
  GrantFilter,
  GrantRepository,
  KeyRepository,
  Page,
  PageRequest,
} from '../../service/ports.ts';
import type { KeyLookups } from '../../service/resolve-key.ts';
import type { OperationName } from '../../service/registry.ts';
import { History, type Lag } from './lag.ts';

/** Operations that only look or use; all others change something. */
export const LOOKS_OR_USES =
  /^(?:Decapsulate|Decrypt|DeriveSharedSecret|Describe|Encapsulate|Encrypt|Generate|Get|List|ReEncrypt|Sign|Verify)/;

/**
 * The ports of the service with changes that take effect late, as at AWS: an operation that looks at or uses a key
 * finds what was committed before the lag. One that changes something works on the present state, so that no change is
 * lost, but does not find what was made only just now. Changes by other processes, by maintenance and by seed files are
 * not delayed.
 */
export class LaggingPorts {
  readonly #looking: ServicePorts;
  readonly #changing: ServicePorts;

  constructor(ports: ServicePorts, lag: Lag) {
    const keys = new History<KmsKey>(lag);
    const aliases = new History<Alias>(lag);
    const recording = {
      ...ports,
      keys: recordKeys(ports.keys, keys),
      aliases: recordAliases(ports.aliases, aliases),
      grants: new LaggingGrants(ports.grants, lag),
    };
    const lookups = (isShown: (past: { readonly value: unknown }) => boolean): KeyLookups => ({
      keys: {
        find: (region, keyId) => {
          const past = keys.shown(`${region}/${keyId}`);
          return past !== undefined && isShown(past) ? past.value : ports.keys.find(region, keyId);
        },
      },
      aliases: {
        find: (region, accountId, name) => {
          const past = aliases.shown(`${region}/${accountId}:${name}`);
          return past !== undefined && isShown(past) ? past.value : ports.aliases.find(region, accountId, name);
        },
      },
    });
    this.#looking = { ...recording, lookups: lookups(() => true) };
    this.#changing = { ...recording, lookups: lookups(({ value }) => value === undefined) };
  }

  for(operation: OperationName): ServicePorts {
    return LOOKS_OR_USES.test(operation) ? this.#looking : this.#changing;
  }
}

/** AWS managed keys come into being by being looked at, and are there at once. */
function recordKeys(inner: KeyRepository, history: History<KmsKey>): KeyRepository {
  return {
    find: (region, keyId) => inner.find(region, keyId),
    list: (region, accountId, page) => inner.list(region, accountId, page),
    countCustomerManaged: (region, accountId) => inner.countCustomerManaged(region, accountId),
    listMaterials: (key, after, limit) => inner.listMaterials(key, after, limit),
    findDeletionDue: (nowMs, limit) => inner.findDeletionDue(nowMs, limit),
    findRotationDue: (nowMs, limit) => inner.findRotationDue(nowMs, limit),
    findMaterialExpiryDue: (nowMs, limit) => inner.findMaterialExpiryDue(nowMs, limit),
    findMaterial: (key, materialId) => inner.findMaterial(key, materialId),
    commit: async (changes) => {
      const changed = changes.filter(({ key }) => key.manager === 'CUSTOMER');
      const previous = await Promise.all(changed.map(async ({ key }) => inner.find(key.region, key.keyId)));
      await inner.commit(changes);
      changed.forEach(({ key }, index) => {
        history.record(`${key.region}/${key.keyId}`, previous[index]);
      });
    },
  };
}

function recordAliases(inner: AliasRepository, history: History<Alias>): AliasRepository {
  const record = async (alias: Alias, change: () => Promise<boolean>): Promise<boolean> => {
    const { region, accountId, name } = alias;
    const previous = await inner.find(region, accountId, name);
    const isChanged = await change();
    if (isChanged) {
      history.record(`${region}/${accountId}:${name}`, previous);
    }
    return isChanged;
  };
  return {
    find: (region, accountId, name) => inner.find(region, accountId, name),
    list: (region, accountId, targetKeyId, page) => inner.list(region, accountId, targetKeyId, page),
    countOfKey: (region, targetKeyId) => inner.countOfKey(region, targetKeyId),
    insert: (alias) => record(alias, () => inner.insert(alias)),
    update: (alias) => record(alias, () => inner.update(alias)),
    delete: (alias) => record(alias, () => inner.delete(alias)),
  };
}

/** Grants whose making and end show late. Whoever has the token or id of a grant finds it at once. */
class LaggingGrants implements GrantRepository {
  readonly #inner: GrantRepository;
  readonly #history: History<Grant>;

  constructor(inner: GrantRepository, lag: Lag) {
    this.#inner = inner;
    this.#history = new History(lag);
  }

  find(region: string, keyId: string, grantId: string): Promise<Grant | undefined> {
    return this.#inner.find(region, keyId, grantId);
  }

  findSame(region: string, keyId: string, fingerprint: string): Promise<Grant | undefined> {
    return this.#inner.findSame(region, keyId, fingerprint);
  }

  countOfKey(region: string, keyId: string): Promise<number> {
    return this.#inner.countOfKey(region, keyId);
  }

  findUsable(key: KmsKey, demand: GrantDemand): MaybePromise<readonly Grant[]> {
    return chain(this.#inner.findUsable(key, demand), (grants) => {
      const ended = this.#ended().filter(
        (grant) =>
          grant.region === key.region &&
          grant.keyId === key.keyId &&
          grant.grantee.kind === demand.kind &&
          demand.grantees.includes(partyId(grant.grantee)) &&
          grant.operations.includes(demand.operation),
      );
      return [...grants.filter(({ grantId }) => this.#history.shown(grantId) === undefined), ...ended];
    });
  }

  async insert(grant: Grant, fingerprint: string): Promise<void> {
    await this.#inner.insert(grant, fingerprint);
    this.#history.record(grant.grantId, undefined);
  }

  async delete(grant: Grant): Promise<boolean> {
    const isDeleted = await this.#inner.delete(grant);
    if (isDeleted) {
      this.#history.record(grant.grantId, grant);
    }
    return isDeleted;
  }

  /** A page with the grants that ended only just now, and without those that were only just made. */
  async list(region: string, filter: GrantFilter, page: PageRequest): Promise<Page<Grant>> {
    const { items, isTruncated } = await this.#inner.list(region, filter, page);
    const last = isTruncated ? items.at(-1)?.grantId : undefined;
    const ended = this.#ended()
      .filter((grant) => grant.region === region && matches(grant, filter))
      .filter(({ grantId }) => grantId > (page.after ?? '') && (last === undefined || grantId <= last));
    const present = items.filter(({ grantId }) => this.#history.shown(grantId) === undefined);
    const shown = [...present, ...ended].sort((left, right) => (left.grantId < right.grantId ? -1 : 1));
    return { items: shown, isTruncated };
  }

  /** Grants that ended only just now. */
  #ended(): Grant[] {
    return this.#history
      .allShown()
      .map(({ value }) => value)
      .filter((grant) => grant !== undefined);
  }
}

function matches(grant: Grant, { keyId, grantId, grantee, retiring }: GrantFilter): boolean {
  return (
    (keyId === undefined || keyId === grant.keyId) &&
    (grantId === undefined || grantId === grant.grantId) &&
    (grantee === undefined || isSameParty(grantee, grant.grantee)) &&
    (retiring === undefined || isSameParty(retiring, grant.retiring))
  );
}

function isSameParty(left: GrantParty, right: GrantParty | undefined): boolean {
  return left.kind === right?.kind && partyId(left) === partyId(right);
}
