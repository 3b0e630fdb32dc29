import type { CryptoCore, KeyHandle } from '../core/crypto-core.ts';
import type { Caller } from '../base/caller.ts';
import type { Clock } from '../base/clock.ts';
import { EntityCache } from '../base/entity-cache.ts';
import { encodeFields } from '../base/fields.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { AccessKeyRecords } from '../base/stored-records.ts';

/** An access key in use. */
export interface AccessKey {
  readonly accessKeyId: string;
  /** `hmac` handle over "AWS4" and the secret: the start of the signing-key chain. */
  readonly secret: KeyHandle;
  readonly isActive: boolean;
  readonly identity: Caller;
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

const MAX_CACHED_ACCESS_KEYS = 10_000;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The access keys of all accounts; secrets are handles in the core while in use and wrapped at rest. */
export class AccessKeys {
  readonly #core: CryptoCore;
  readonly #records: AccessKeyRecords;
  readonly #kek: KeyHandle;
  readonly #clock: Clock;
  readonly #cache = new EntityCache<AccessKey>(MAX_CACHED_ACCESS_KEYS);

  constructor(core: CryptoCore, records: AccessKeyRecords, rootKey: KeyHandle, clock: Clock) {
    this.#core = core;
    this.#records = records;
    this.#kek = core.deriveKey(rootKey, Buffer.from('keywright/access-keys/v1'), new Uint8Array(0), 'backing');
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

  /** Makes an access key with random id and secret for `owner`. */
  async create(owner: Caller): Promise<NewAccessKey> {
    const id = [...this.#core.randomBytes(16)].map((byte) => BASE32.charAt(byte % BASE32.length)).join('');
    const made = { accessKeyId: `AKIA${id}`, secretAccessKey: this.#core.randomBytes(30).toString('base64') };
    await this.put(made, owner);
    return made;
  }

  /** Stores an access key that was made elsewhere, or changes the secret of a stored one. */
  async put({ accessKeyId, secretAccessKey }: NewAccessKey, owner: Caller): Promise<void> {
    const secret = this.#importSecret(secretAccessKey);
    const wrapped = this.#core.wrapKey(this.#kek, secret, secretAad(accessKeyId, owner.accountId));
    secret.destroy();
    await this.#records.put({
      accessKeyId,
      accountId: owner.accountId,
      principalArn: owner.arn,
      principalId: owner.principalId,
      secret: wrapped,
      isActive: true,
      createdMs: this.#clock.nowMs(),
    });
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

  #load(accessKeyId: string): Promise<AccessKey | undefined> {
    return Promise.resolve(
      chain(this.#records.find(accessKeyId), (record) =>
        record === undefined
          ? undefined
          : {
              accessKeyId,
              secret: this.#core.unwrapKey(this.#kek, record.secret, secretAad(accessKeyId, record.accountId), 'hmac'),
              isActive: record.isActive,
              identity: { accountId: record.accountId, arn: record.principalArn, principalId: record.principalId },
            },
      ),
    );
  }
}

function secretAad(accessKeyId: string, accountId: string): Buffer {
  return encodeFields('keywright/access-key-secret/v1', accessKeyId, accountId);
}
