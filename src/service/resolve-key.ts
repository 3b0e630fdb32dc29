import { aliasArn, keyArn, parseKmsArn, partitionOf } from '../base/arn.ts';
import { InvariantError, KmsServiceError, type ErrorName } from '../base/errors.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import { ALIAS_PREFIX, type Alias } from '../keys/alias.ts';
import { serviceOfAlias } from '../keys/aws-managed.ts';
import { isKeyId, type KmsKey } from '../keys/kms-key.ts';
import { accessDenied } from './authorize.ts';
import { planAwsManagedKey } from './aws-managed-key.ts';
import type { Grant } from '../policy/grant.ts';
import { openGrantToken, type GrantReference } from './grants.ts';
import type { AliasTarget, KeyTarget, RequestContext, Target } from './target.ts';
import type { AliasRepository, GrantRepository, KeyRepository, RandomSource, TokenSealer } from './ports.ts';

/** Which forms of key identifier an operation takes: all four, or only key id and key ARN. */
export type KeyIdForms = 'any' | 'idOrArn';

/** What must hold of a key. */
export type TargetDemands = Pick<Target, 'action' | 'usage' | 'origin' | 'rule'>;

/** The demands on a key, and how it may be named. */
export type KeyDemands = Pick<Target, 'action' | 'usage' | 'origin' | 'rule'> & {
  readonly forms: KeyIdForms;
  /** True when a predefined alias of AWS that has no key yet gives a planned one. */
  readonly plansAwsManagedKey?: boolean;
};

/** Where keys and aliases are found. */
export interface KeyLookups {
  readonly keys: Pick<KeyRepository, 'find'>;
  readonly aliases: Pick<AliasRepository, 'find'>;
}

/**
 * Turns the key identifiers of one request into keys of its Region.
 *
 * @source KMS Developer Guide, "Key identifiers (KeyId)"; the error texts are those that AWS was seen to answer
 */
export class KeyResolver {
  readonly #request: RequestContext;
  readonly #operationErrors: readonly ErrorName[];
  readonly #keys: KeyLookups['keys'];
  readonly #aliases: KeyLookups['aliases'];
  readonly #tokens: TokenSealer;
  readonly #grants: GrantRepository;
  readonly #random: RandomSource;

  constructor(
    request: RequestContext,
    operationErrors: readonly ErrorName[],
    ports: KeyLookups & {
      readonly grants: GrantRepository;
      readonly tokens: TokenSealer;
      readonly random: RandomSource;
    },
  ) {
    this.#request = request;
    this.#operationErrors = operationErrors;
    this.#keys = ports.keys;
    this.#aliases = ports.aliases;
    this.#tokens = ports.tokens;
    this.#grants = ports.grants;
    this.#random = ports.random;
  }

  /** The account and Region of the request, as the target of an action that has no resource of its own. */
  account(action: Target['action']): Target {
    return { action, resourceArn: '*', resourceAccountId: this.#request.caller.accountId };
  }

  /**
   * @throws KmsServiceError NotFoundException, InvalidArnException or, for keys of another account,
   * AccessDeniedException
   */
  key(identifier: string, demands: KeyDemands): MaybePromise<KeyTarget> {
    if (identifier.startsWith('arn:')) {
      return this.#keyByArn(identifier, demands);
    }
    const { accountId } = this.#request.caller;
    if (identifier.startsWith(ALIAS_PREFIX) && demands.forms === 'any') {
      return this.#keyByAlias(accountId, identifier, demands);
    }
    if (!isKeyId(identifier)) {
      throw new KmsServiceError('NotFoundException', `Invalid keyId '${identifier}'`);
    }
    return this.#keyById(accountId, identifier, demands);
  }

  /**
   * A key that does not exist yet, as the target of an action on it: by default in the Region of the request, and under
   * a star, because its id is not known either.
   */
  newKey(action: Target['action'], at: { readonly region?: string; readonly keyId?: string } = {}): Target {
    const { accountId } = this.#request.caller;
    const { region = this.#request.region, keyId = '*' } = at;
    return { action, resourceArn: keyArn(region, accountId, keyId), resourceAccountId: accountId, region };
  }

  /** The related multi-Region key in another Region. */
  relatedKey({ keyId, accountId, arn }: KmsKey, region: string, action: Target['action']): MaybePromise<KeyTarget> {
    return chain(this.#keys.find(region, keyId), (related) => {
      if (related?.accountId !== accountId) {
        throw new InvariantError(`key ${arn} has no related key in ${region}`);
      }
      return { ...this.target(related, { action }), region };
    });
  }

  /** The key with this id, whoever owns it; undefined when this Region has none. For ids out of what we sealed. */
  keyOfAnyAccount(keyId: string): MaybePromise<KmsKey | undefined> {
    return this.#keys.find(this.#request.region, keyId);
  }

  /** @throws KmsServiceError InvalidGrantTokenException */
  grantToken(token: string): MaybePromise<GrantReference> {
    return openGrantToken({ region: this.#request.region, tokens: this.#tokens }, token);
  }

  /**
   * A grant on the key of a target.
   *
   * @throws KmsServiceError NotFoundException or, on a key of another account, AccessDeniedException
   */
  grant({ key, action }: KeyTarget, grantId: string): MaybePromise<Grant> {
    return chain(this.#grants.find(this.#request.region, key.keyId, grantId), (grant) => {
      if (grant === undefined) {
        this.#refuseStranger(key.accountId, key.arn, action);
        throw new KmsServiceError('NotFoundException', `Grant ID ${grantId} not found`);
      }
      return grant;
    });
  }

  target(key: KmsKey, { action, usage, origin, rule }: TargetDemands): KeyTarget {
    return { action, usage, origin, rule, key, resourceArn: key.arn, resourceAccountId: key.accountId };
  }

  /** @throws KmsServiceError NotFoundException */
  alias(name: string, action: Target['action']): MaybePromise<AliasTarget> {
    const { accountId } = this.#request.caller;
    return chain(this.#aliases.find(this.#request.region, accountId, name), (alias) => {
      if (alias === undefined) {
        throw this.#aliasNotFound(accountId, name);
      }
      return { ...this.newAlias(name, action), alias };
    });
  }

  /** An alias that need not exist yet, as the target of the action that makes it. */
  newAlias(name: string, action: Target['action']): Target {
    const { accountId } = this.#request.caller;
    const resourceArn = aliasArn(this.#request.region, accountId, name);
    return { action, resourceArn, resourceAccountId: accountId };
  }

  #keyByArn(text: string, demands: KeyDemands): MaybePromise<KeyTarget> {
    const arn = parseKmsArn(text);
    if (arn === undefined || arn.partition !== partitionOf(arn.region)) {
      throw this.#invalidArn(`Invalid arn ${text}`);
    }
    if (arn.region !== this.#request.region) {
      throw new KmsServiceError('NotFoundException', `Invalid arn ${arn.region}`);
    }
    if (arn.resource.startsWith(ALIAS_PREFIX)) {
      if (demands.forms !== 'any') {
        throw this.#invalidArn(`Invalid arn ${text}`);
      }
      return this.#keyByAlias(arn.accountId, arn.resource, demands);
    }
    return this.#keyById(arn.accountId, arn.resource.slice('key/'.length), demands);
  }

  #keyById(accountId: string, keyId: string, demands: KeyDemands): MaybePromise<KeyTarget> {
    return chain(this.#keys.find(this.#request.region, keyId), (key) => {
      if (key?.accountId === accountId) {
        return this.target(key, demands);
      }
      const arn = keyArn(this.#request.region, accountId, keyId);
      this.#refuseStranger(accountId, arn, demands.action);
      throw new KmsServiceError('NotFoundException', `Key '${arn}' does not exist`);
    });
  }

  #keyByAlias(accountId: string, name: string, demands: KeyDemands): MaybePromise<KeyTarget> {
    return chain(this.#aliases.find(this.#request.region, accountId, name), (alias: Alias | undefined) => {
      if (alias === undefined) {
        this.#refuseStranger(accountId, aliasArn(this.#request.region, accountId, name), demands.action);
        const service = demands.plansAwsManagedKey === true ? serviceOfAlias(name) : undefined;
        if (service !== undefined) {
          const planned = planAwsManagedKey(this.#request, service, this.#random);
          return { ...this.target(planned, demands), plannedAlias: name };
        }
        throw this.#aliasNotFound(accountId, name);
      }
      return chain(this.#keyById(accountId, alias.targetKeyId, demands), (target) => ({
        ...target,
        requestAlias: name,
      }));
    });
  }

  /** Another account does not learn which of our keys and aliases exist. */
  #refuseStranger(accountId: string, resourceArn: string, action: Target['action']): void {
    if (accountId !== this.#request.caller.accountId) {
      const target: Target = { action, resourceArn, resourceAccountId: accountId };
      throw accessDenied(this.#request, target, 'because no resource-based policy allows it');
    }
  }

  #aliasNotFound(accountId: string, name: string): KmsServiceError {
    const arn = aliasArn(this.#request.region, accountId, name);
    return new KmsServiceError('NotFoundException', `Alias ${arn} is not found.`);
  }

  #invalidArn(text: string): KmsServiceError {
    const isListed = this.#operationErrors.includes('InvalidArnException');
    return new KmsServiceError(isListed ? 'InvalidArnException' : 'NotFoundException', text);
  }
}
