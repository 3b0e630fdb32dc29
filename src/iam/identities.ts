import type { CryptoCore } from '../core/crypto-core.ts';
import type { Caller } from '../base/caller.ts';
import type { Clock } from '../base/clock.ts';
import { EntityCache } from '../base/entity-cache.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { PrincipalKind, PrincipalRecord, PrincipalRecords } from '../base/stored-records.ts';
import type { PolicyKind } from '../policy/policy-document.ts';
import { readPolicy } from '../policy/policy.ts';
import { identifyPrincipals } from '../service/principal-names.ts';
import { IdentityError } from './identity-error.ts';
import { loadPrincipal, type LoadedPrincipal } from './loaded-principal.ts';
import { PrincipalNames } from './principal-names.ts';
import { randomId } from './unique-ids.ts';

/** What names a principal: its account, its kind and its name there. */
export interface PrincipalName {
  readonly accountId: string;
  readonly kind: PrincipalKind;
  readonly name: string;
}

/** What can be said of a principal when it is made, and changed later. */
export type PrincipalSettings = Partial<
  Pick<PrincipalRecord, 'policies' | 'permissionsBoundary' | 'trustPolicy' | 'maxSessionSeconds' | 'tags'>
>;

/** The user that the first start makes in an account. */
export const ADMINISTRATOR = 'administrator';
export const ADMINISTRATOR_POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
});

const MAX_CACHED_PRINCIPALS = 10_000;
const MAX_ATTEMPTS = 5;
const DEFAULT_MAX_SESSION_SECONDS = 3600;
const MAX_TAGS = 50;
/** Of all inline policies of a user, without white space; a role may have 10,240. */
const MAX_POLICY_CHARACTERS: Readonly<Record<PrincipalKind, number>> = { user: 2_048, role: 10_240, service: 10_240 };

const ACCOUNT_ID = /^\d{12}$/;
const NAME = /^[\w+=,.@-]{1,64}$/;
const SERVICE_NAME = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/;
const POLICY_NAME = /^[\w+=,.@-]{1,128}$/;

/**
 * The users, roles and services of all accounts.
 *
 * @source IAM User Guide, "IAM and AWS STS quotas" for names and sizes
 */
export class Identities {
  readonly #core: CryptoCore;
  readonly #records: PrincipalRecords;
  readonly #clock: Clock;
  readonly #cache = new EntityCache<LoadedPrincipal>(MAX_CACHED_PRINCIPALS);
  /** The names that policies and grants have for users and roles. */
  readonly names: PrincipalNames;

  constructor(core: CryptoCore, records: PrincipalRecords, clock: Clock) {
    this.#core = core;
    this.#records = records;
    this.#clock = clock;
    this.names = new PrincipalNames({
      find: (uniqueId) => this.find(uniqueId),
      findByName: (accountId, kind, name) => records.findByName(accountId, kind, name),
      hasAny: (accountId) => records.hasAny(accountId),
    });
    records.onChange((uniqueId) => {
      this.#cache.drop(uniqueId);
    });
  }

  find(uniqueId: string): MaybePromise<PrincipalRecord | undefined> {
    return chain(this.load(uniqueId), (principal) => principal?.record);
  }

  /** The principal with its policies, ready to be evaluated; at once for one that was asked for before. */
  load(uniqueId: string): MaybePromise<LoadedPrincipal | undefined> {
    const lookUp = (): MaybePromise<LoadedPrincipal | undefined> =>
      this.#cache.get(uniqueId, async () => {
        const record = await this.#records.find(uniqueId);
        return record && loadPrincipal(record);
      });
    const waiting = this.#records.confirm();
    return waiting === undefined ? lookUp() : waiting.then(lookUp);
  }

  findByName({ accountId, kind, name }: PrincipalName): Promise<PrincipalRecord | undefined> {
    return this.#records.findByName(accountId, kind, name);
  }

  /** @throws IdentityError NoSuchEntity */
  async get(wanted: PrincipalName): Promise<PrincipalRecord> {
    const found = await this.findByName(wanted);
    if (found === undefined) {
      throw new IdentityError('NoSuchEntity', `The ${describe(wanted)} cannot be found.`);
    }
    return found;
  }

  /** All principals, or those of one account. */
  list(accountId?: string): Promise<readonly PrincipalRecord[]> {
    return this.#records.list(accountId);
  }

  /**
   * A principal as {@link create} would make it, which is nowhere yet.
   *
   * @throws IdentityError for settings that cannot be
   */
  plan(wanted: PrincipalName, settings: PrincipalSettings = {}): PrincipalRecord {
    const record: PrincipalRecord = {
      ...wanted,
      uniqueId: this.#newUniqueId(wanted),
      arn: arnOf(wanted),
      policies: new Map(),
      permissionsBoundary: undefined,
      trustPolicy: undefined,
      maxSessionSeconds: wanted.kind === 'role' ? DEFAULT_MAX_SESSION_SECONDS : undefined,
      tags: new Map(),
      ...settings,
      createdMs: this.#clock.nowMs(),
      version: 1,
    };
    requireValid(record);
    return record;
  }

  /** @throws IdentityError EntityAlreadyExists, or for settings that cannot be */
  async create(wanted: PrincipalName, settings: PrincipalSettings = {}): Promise<PrincipalRecord> {
    const record = await this.#identify(this.plan(wanted, settings));
    if (!(await this.#records.insert(record))) {
      throw new IdentityError('EntityAlreadyExists', `The ${describe(wanted)} already exists.`);
    }
    return record;
  }

  /**
   * Changes a principal: `change` gives the new settings for the stored ones.
   *
   * @throws IdentityError NoSuchEntity, or for settings that cannot be
   */
  async update(
    wanted: PrincipalName,
    change: (principal: PrincipalRecord) => PrincipalSettings,
  ): Promise<PrincipalRecord> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const stored = await this.get(wanted);
      const changed: PrincipalRecord = { ...stored, ...change(stored), version: stored.version + 1 };
      requireValid(changed);
      // A trust policy that stays keeps those whom it was written for, also when they are gone.
      const record = changed.trustPolicy === stored.trustPolicy ? changed : await this.#identify(changed);
      if (await this.#records.update(record)) {
        return record;
      }
    }
    throw new Error(`the ${describe(wanted)} changed ${String(MAX_ATTEMPTS)} times meanwhile`);
  }

  /** Deletes a principal with its access keys; its sessions end. @throws IdentityError NoSuchEntity */
  async delete(wanted: PrincipalName): Promise<void> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (await this.#records.delete(await this.get(wanted))) {
        return;
      }
    }
    throw new Error(`the ${describe(wanted)} changed ${String(MAX_ATTEMPTS)} times meanwhile`);
  }

  /** The administrator of an account, made when the account has none: a user who may do everything there. */
  async ensureAdministrator(accountId: string): Promise<PrincipalRecord> {
    const wanted: PrincipalName = { accountId, kind: 'user', name: ADMINISTRATOR };
    const found = await this.findByName(wanted);
    if (found !== undefined) {
      return found;
    }
    try {
      return await this.create(wanted, { policies: new Map([['AdministratorAccess', ADMINISTRATOR_POLICY]]) });
    } catch (error) {
      if (error instanceof IdentityError && error.code === 'EntityAlreadyExists') {
        return this.get(wanted);
      }
      throw error;
    }
  }

  /** The record with unique ids in its trust policy. @throws IdentityError MalformedPolicyDocument */
  async #identify(record: PrincipalRecord): Promise<PrincipalRecord> {
    if (record.trustPolicy === undefined) {
      return record;
    }
    const identified = await identifyPrincipals(record.trustPolicy, this.names);
    if (!identified.ok) {
      throw new IdentityError('MalformedPolicyDocument', `Invalid principal in policy: "AWS":"${identified.unknown}"`);
    }
    return { ...record, trustPolicy: identified.text };
  }

  /** Each account that lets a service in has a principal for it. */
  #newUniqueId({ kind, name, accountId }: PrincipalName): string {
    return kind === 'service' ? `${name}/${accountId}` : randomId(this.#core, kind === 'user' ? 'AIDA' : 'AROA');
  }
}

const PRINCIPAL_ARN = /^arn:aws:iam::\d{12}:(user|role)\/([^/]+)$/;

/** What an ARN names in an account; undefined for that of another account, and for what is no user or role. */
export function nameOf(accountId: string, arn: string): PrincipalName | undefined {
  const [, kind, name] = PRINCIPAL_ARN.exec(arn) ?? [];
  const wanted: PrincipalName = { accountId, kind: kind === 'role' ? 'role' : 'user', name: name ?? '' };
  return arnOf(wanted) === arn ? wanted : undefined;
}

/** The principal as the caller of a request with its long-term credentials. */
export function callerOf({ accountId, arn, uniqueId }: PrincipalRecord): Caller {
  return { accountId, arn, principalId: uniqueId };
}

/** The account itself, which is its root user: may do everything that the account may. */
export function rootOf(accountId: string): Caller {
  return { accountId, arn: `arn:aws:iam::${accountId}:root`, principalId: accountId };
}

/** ARN of a user or role, or the name of a service. */
export function arnOf({ accountId, kind, name }: PrincipalName): string {
  return kind === 'service' ? name : `arn:aws:iam::${accountId}:${kind}/${name}`;
}

function describe({ accountId, kind, name }: PrincipalName): string {
  return `${kind} with name ${name} of account ${accountId}`;
}

function requireValid(record: PrincipalRecord): void {
  const { accountId, kind, name } = record;
  requireMatch(accountId, ACCOUNT_ID, 'The account id must be 12 digits.');
  if (kind === 'service') {
    requireMatch(name, SERVICE_NAME, 'A service is named by a DNS name, for example s3.amazonaws.com.');
  } else {
    requireMatch(name, NAME, 'A name has 1 to 64 characters out of letters, digits and _+=,.@-');
  }
  requireValidPolicies(record);
  requireValidTags(record.tags);
  const seconds = record.maxSessionSeconds;
  if (kind !== 'role' && seconds !== undefined) {
    throw new IdentityError('InvalidInput', `A ${kind} has no longest session.`);
  }
  if (seconds !== undefined && !(Number.isInteger(seconds) && seconds >= 3600 && seconds <= 43_200)) {
    throw new IdentityError('InvalidInput', 'The longest session of a role has 3600 to 43200 seconds.');
  }
}

function requireValidPolicies({ kind, policies, permissionsBoundary, trustPolicy }: PrincipalRecord): void {
  let characters = 0;
  for (const [name, text] of policies) {
    requireMatch(name, POLICY_NAME, 'The name of a policy has 1 to 128 characters out of letters, digits and _+=,.@-');
    requirePolicy(text, 'identity', name);
    characters += text.replace(/\s/g, '').length;
  }
  if (characters > MAX_POLICY_CHARACTERS[kind]) {
    throw new IdentityError(
      'LimitExceeded',
      `The policies of a ${kind} have at most ${String(MAX_POLICY_CHARACTERS[kind])} characters, not counting ` +
        'white space.',
    );
  }
  if (permissionsBoundary !== undefined) {
    requirePolicy(permissionsBoundary, 'boundary');
  }
  if (kind === 'role' && trustPolicy === undefined) {
    throw new IdentityError('InvalidInput', 'A role needs a trust policy: who may assume it.');
  }
  if (trustPolicy !== undefined) {
    if (kind !== 'role') {
      throw new IdentityError('InvalidInput', `A ${kind} has no trust policy.`);
    }
    requirePolicy(trustPolicy, 'trust');
  }
}

function requireValidTags(tags: ReadonlyMap<string, string>): void {
  if (tags.size > MAX_TAGS) {
    throw new IdentityError('LimitExceeded', `A principal has at most ${String(MAX_TAGS)} tags.`);
  }
  for (const [key, value] of tags) {
    if (key.length < 1 || key.length > 128 || value.length > 256 || key.toLowerCase().startsWith('aws:')) {
      throw new IdentityError('InvalidInput', `The tag ${key} is too long, empty or reserved.`);
    }
  }
}

function requirePolicy(text: string, kind: PolicyKind, name?: string): void {
  const result = readPolicy(text, kind, name);
  if (!result.ok) {
    throw new IdentityError('MalformedPolicyDocument', result.problem);
  }
}

function requireMatch(text: string, pattern: RegExp, problem: string): void {
  if (!pattern.test(text)) {
    throw new IdentityError('InvalidInput', problem);
  }
}
