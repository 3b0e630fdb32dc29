import type { CryptoCore, KeyHandle } from '../core/crypto-core.ts';
import type { Caller, CallerSession } from '../base/caller.ts';
import type { Clock } from '../base/clock.ts';
import { EntityCache } from '../base/entity-cache.ts';
import { encodeFields } from '../base/fields.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { AccessKeyRecord, AccessKeyRecords, TemporaryCredential } from '../base/stored-records.ts';
import { IdentityError } from './identity-error.ts';
import { randomId } from './unique-ids.ts';

/** An access key in use. */
export interface AccessKey {
  readonly accessKeyId: string;
  /** `hmac` handle over "AWS4" and the secret: the start of the signing-key chain. */
  readonly secret: KeyHandle;
  readonly isActive: boolean;
  readonly identity: Caller;
  /** SHA-256 of the session token; for temporary credentials only. */
  readonly sessionTokenDigest: Uint8Array | undefined;
  readonly expiresAtMs: number | undefined;
}

/** An access key that was just made; the only time that its secret is seen. */
export interface NewAccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Ends a sentence about an id that no access key can have; undefined for one that can be used. */
export function findAccessKeyIdProblem(accessKeyId: string): string | undefined {
  if (!/^[\w-]{3,128}$/.test(accessKeyId)) {
    return 'must be 3 to 128 letters, digits, "_" or "-"';
  }
  return accessKeyId.startsWith('ASIA') ? 'must not start with ASIA: those are temporary credentials' : undefined;
}

/** Credentials of a session that was just made; the only time that secret and token are seen. */
export interface TemporaryCredentials extends NewAccessKey {
  readonly sessionToken: string;
  readonly expiresMs: number;
}

/** What lists show of an access key. */
export interface AccessKeySummary {
  readonly accessKeyId: string;
  readonly isActive: boolean;
  readonly createdMs: number;
}

const MAX_CACHED_ACCESS_KEYS = 10_000;
const SECRET_BYTES = 30;
const SESSION_TOKEN_BYTES = 96;

/** The access keys of all accounts; secrets are handles in the core while in use and wrapped at rest. */
export class AccessKeys {
  readonly #core: CryptoCore;
  readonly #records: AccessKeyRecords;
  readonly #kek: KeyHandle;
  readonly #clock: Clock;
  readonly #cache = new EntityCache<AccessKey>(MAX_CACHED_ACCESS_KEYS);

  constructor(core: CryptoCore, records: AccessKeyRecords, globalKey: KeyHandle, clock: Clock) {
    this.#core = core;
    this.#records = records;
    this.#kek = core.deriveKey(globalKey, Buffer.from('keywright/access-keys/v1'), new Uint8Array(0), 'backing');
    this.#clock = clock;
    records.onChange((accessKeyId) => {
      this.#cache.drop(accessKeyId);
    });
  }

  find(accessKeyId: string): MaybePromise<AccessKey | undefined> {
    const lookUp = (): MaybePromise<AccessKey | undefined> =>
      this.#cache.get(accessKeyId, () => this.#load(accessKeyId));
    const waiting = this.#records.confirm();
    return waiting === undefined ? lookUp() : waiting.then(lookUp);
  }

  /** Whether there is any access key, or any of one account. */
  hasAny(accountId?: string): Promise<boolean> {
    return this.#records.hasAny(accountId);
  }

  /** Makes an access key with random id and secret for `owner`. @throws IdentityError NoSuchEntity when that is gone */
  async create(owner: Caller): Promise<NewAccessKey> {
    const made = { accessKeyId: randomId(this.#core, 'AKIA'), secretAccessKey: this.#newSecret() };
    await this.put(made, owner);
    return made;
  }

  /** Stores an access key that was made elsewhere, or changes secret and owner of a stored one. */
  put(accessKey: NewAccessKey, owner: Caller): Promise<void> {
    return this.#store(accessKey, owner, undefined);
  }

  /** Makes credentials for the session that `identity` carries; from `expiresMs` on they are refused. */
  async createTemporary(identity: Caller, expiresMs: number): Promise<TemporaryCredentials> {
    const made = { accessKeyId: randomId(this.#core, 'ASIA'), secretAccessKey: this.#newSecret() };
    const sessionToken = this.#core.randomBytes(SESSION_TOKEN_BYTES).toString('base64');
    const tokenDigest = this.#core.digest('SHA-256', Buffer.from(sessionToken, 'latin1'));
    await this.#store(made, identity, { tokenDigest, expiresMs });
    return { ...made, sessionToken, expiresMs };
  }

  /** The long-term access keys of a principal, oldest first. */
  async list(principalId: string): Promise<readonly AccessKeySummary[]> {
    const records = await this.#records.listOfPrincipal(principalId);
    return records.map(({ accessKeyId, isActive, createdMs }) => ({ accessKeyId, isActive, createdMs }));
  }

  /** Lets an access key be used, or no longer; false when there is none. */
  setActive(accessKeyId: string, isActive: boolean): Promise<boolean> {
    return this.#records.setActive(accessKeyId, isActive);
  }

  /** Returns false when there was no such access key. */
  delete(accessKeyId: string): Promise<boolean> {
    return this.#records.delete(accessKeyId);
  }

  #newSecret(): string {
    return this.#core.randomBytes(SECRET_BYTES).toString('base64');
  }

  async #store(
    { accessKeyId, secretAccessKey }: NewAccessKey,
    identity: Caller,
    temporary: TemporaryCredential | undefined,
  ): Promise<void> {
    const secret = this.#importSecret(secretAccessKey);
    const wrapped = this.#core.wrapKey(this.#kek, secret, secretAad(accessKeyId, identity, temporary));
    secret.destroy();
    const isStored = await this.#records.put({
      accessKeyId,
      identity,
      secret: wrapped,
      isActive: true,
      createdMs: this.#clock.nowMs(),
      temporary,
    });
    if (!isStored) {
      throw new IdentityError('NoSuchEntity', `The principal ${identity.arn} cannot be found.`);
    }
  }

  /** Whether `secretAccessKey` is the secret of an access key. */
  hasSecret({ secret }: AccessKey, secretAccessKey: string): boolean {
    const given = this.#importSecret(secretAccessKey);
    const probe = Buffer.from('keywright/compare-secrets/v1');
    const isSame = this.#core.hmacVerify(secret, 'SHA-256', probe, this.#core.hmac(given, 'SHA-256', probe));
    given.destroy();
    return isSame;
  }

  #importSecret(secretAccessKey: string): KeyHandle {
    const bytes = Buffer.from(`AWS4${secretAccessKey}`, 'utf8');
    try {
      return this.#core.importKey('hmac', bytes);
    } finally {
      bytes.fill(0);
    }
  }

  async #load(accessKeyId: string): Promise<AccessKey | undefined> {
    const record = await this.#records.find(accessKeyId);
    return record === undefined ? undefined : this.#open(record);
  }

  #open({ accessKeyId, identity, secret, isActive, temporary }: AccessKeyRecord): AccessKey {
    return {
      accessKeyId,
      secret: this.#core.unwrapKey(this.#kek, secret, secretAad(accessKeyId, identity, temporary), 'hmac'),
      isActive,
      identity,
      sessionTokenDigest: temporary?.tokenDigest,
      expiresAtMs: temporary?.expiresMs,
    };
  }
}

/** Binds a stored secret to whom it stands for: with another identity, session or expiry it does not open. */
function secretAad(accessKeyId: string, identity: Caller, temporary: TemporaryCredential | undefined): Buffer {
  const { accountId, arn, principalId, session } = identity;
  return encodeFields(
    'keywright/access-key-secret/v1',
    accessKeyId,
    accountId,
    arn,
    principalId,
    session === undefined ? '' : encodeSession(session),
    temporary === undefined
      ? ''
      : `${Buffer.from(temporary.tokenDigest).toString('hex')} ${String(temporary.expiresMs)}`,
  );
}

/** The members by name: they come from the store in another order than they were made in. */
function encodeSession(session: CallerSession): string {
  const entries = Object.entries({ ...session, tags: [...session.tags] }).filter(([, value]) => value !== undefined);
  return JSON.stringify(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}
