import type { Log } from '../base/log.ts';
import { Pkcs11Error, type Pkcs11Token } from '../pkcs11/token.ts';
import { CLUSTER_WRAPPING_KEY_ID, movesKeys, type ClusterConfiguration } from './cluster-configuration.ts';
import { ClusterMember, type MemberSupport } from './cluster-member.ts';
import { isFailureOf, isTokenFailure, mayAnotherDo } from './token-failures.ts';

/** A key in a cluster, as the store knows it. */
export interface ClusterKey {
  /** CKA_ID of its object on every member. */
  readonly id: Uint8Array;
  readonly label: string;
  /** The key under the cluster's wrapping key, for members that do not have it; empty where keys do not travel. */
  readonly wrapped: Uint8Array;
}

/** Fewer members are at work than a key must be on. */
export class TooFewMembersError extends Error {
  override readonly name = 'TooFewMembersError';
}

const NO_BYTES = new Uint8Array(0);
const TRANSIENT_ID_BYTES = 16;

/**
 * The HSMs behind one custom key store. A request goes to the member with the least to do, and to the next one when
 * that fails. Where the module does not keep members in step, a key is made on one member, leaves it only under the
 * cluster's wrapping key, and is unwrapped on all others; a member that lacks a key gets it when it is first asked for
 * it.
 */
export class HsmCluster {
  readonly #configuration: ClusterConfiguration;
  readonly #members: readonly ClusterMember[];
  readonly #log: Log;
  readonly #randomBytes: (length: number) => Uint8Array;

  constructor(
    configuration: ClusterConfiguration,
    support: MemberSupport & { readonly randomBytes: (length: number) => Uint8Array },
  ) {
    this.#configuration = configuration;
    this.#members = configuration.members.map((member) => new ClusterMember(member, configuration, support));
    this.#log = support.log;
    this.#randomBytes = support.randomBytes;
  }

  /**
   * Opens all members that can be opened.
   *
   * @throws Pkcs11Error when none can, or one refuses the PIN, which is the same for all, or lacks the wrapping key
   */
  async open(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.open()));
    const failures = this.#members.flatMap(({ failure }) => failure ?? []);
    const refusal = failures.find(({ reason }) => reason === 'pinRefused');
    if (refusal !== undefined || failures.length === this.#members.length) {
      throw refusal ?? failures[0] ?? new Pkcs11Error('closed', 0, 'the cluster was closed');
    }
    if (movesKeys(this.#configuration)) {
      await Promise.all(this.#usable().map(({ token }) => requireWrappingKey(token)));
    }
  }

  /** Ends all sessions. */
  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.close()));
  }

  /** Random bytes of one of the HSMs. @throws Pkcs11Error */
  randomBytes(length: number): Promise<Buffer> {
    return this.#first((token) => token.generateRandom(length));
  }

  /**
   * Makes an AES-256 key that is on as many members as the configuration asks for when the promise resolves.
   *
   * @returns the key under the cluster's wrapping key; empty where keys do not travel
   * @throws TooFewMembersError; Pkcs11Error
   */
  async createKey(id: Uint8Array, label: string): Promise<Uint8Array> {
    if (!movesKeys(this.#configuration)) {
      // The id is random: when there is a key with it, an attempt whose answer was lost has made it.
      await this.#first((token) => unlessThere(token.generateSecretKey({ type: 'aesGcm', id, label })));
      return NO_BYTES;
    }
    await this.#openAll();
    const members = this.#usable();
    if (members.length < this.#configuration.copies) {
      throw new TooFewMembersError(
        `${String(members.length)} members of ${this.#configuration.clusterId} are at work, ` +
          `and a key must be on ${String(this.#configuration.copies)}`,
      );
    }
    const wrapped = await this.#first((token) => this.#makeWrapped(token, label));
    const results = await Promise.allSettled(members.map(({ token }) => addKey(token, { id, label, wrapped })));
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [toError(result.reason)] : []));
    const [failure] = failures;
    if (failure !== undefined && members.length - failures.length < this.#configuration.copies) {
      await this.destroyKey({ id, label });
      throw failure;
    }
    return wrapped;
  }

  /**
   * Removes the key from every member that can be reached; what remains elsewhere is logged. An object with another
   * label is another key's, and stays.
   */
  async destroyKey(key: Pick<ClusterKey, 'id' | 'label'>): Promise<void> {
    await this.#openAll();
    await Promise.all(this.#members.map((member) => this.#destroyOn(member, key)));
  }

  async #destroyOn(
    { name, token, failure }: ClusterMember,
    { id, label }: Pick<ClusterKey, 'id' | 'label'>,
  ): Promise<void> {
    try {
      if (token === undefined) {
        throw failure ?? unavailable();
      }
      const found = await token.findKeys(id);
      if (found.some((each) => each.label !== label)) {
        throw new Pkcs11Error('invalidArgument', 0, 'the object with this id has the label of another key');
      }
      if (found.length > 0) {
        await token.destroyKey(id);
      }
    } catch (error) {
      if (!isTokenFailure(error)) {
        throw error;
      }
      const fields = { member: name, id: Buffer.from(id).toString('hex'), error: error.message };
      this.#log.error('a key stays in an HSM', fields);
    }
  }

  /** IV ‖ ciphertext ‖ tag. @throws Pkcs11Error */
  encrypt(key: ClusterKey, plaintext: Uint8Array, aad: Uint8Array): Promise<Buffer> {
    return this.#withKey(key, (token) => token.encryptGcm(key.id, plaintext, aad));
  }

  /** @throws Pkcs11Error, with the reason `authenticationFailed` for what does not open */
  decrypt(key: ClusterKey, sealed: Uint8Array, aad: Uint8Array): Promise<Buffer> {
    return this.#withKey(key, (token) => token.decryptGcm(key.id, sealed, aad));
  }

  /** Does it where the key is, or can be brought. */
  #withKey<T>(key: ClusterKey, work: (token: Pkcs11Token) => Promise<T>): Promise<T> {
    return this.#first(async (token) => {
      try {
        return await work(token);
      } catch (error) {
        if (!isFailureOf(error, 'keyNotFound') || key.wrapped.length === 0) {
          throw error;
        }
        await addKey(token, key);
        return work(token);
      }
    });
  }

  /** Asks the member with the least to do, then the others, until one does it. Everything here may be done twice. */
  async #first<T>(work: (token: Pkcs11Token) => Promise<T>): Promise<T> {
    let failure: Pkcs11Error | undefined;
    for (const isLastRound of [false, true]) {
      for (const { token } of this.#usable()) {
        try {
          return await work(token);
        } catch (error) {
          if (!mayAnotherDo(error)) {
            throw error;
          }
          failure = error;
        }
      }
      if (!isLastRound) {
        await this.#openAll();
      }
    }
    throw failure ?? this.#members.find((member) => member.failure !== undefined)?.failure ?? unavailable();
  }

  /** Members that are at work, the idlest first; those that are not are tried again beside. */
  #usable(): readonly { readonly token: Pkcs11Token }[] {
    const found = this.#members.flatMap((member) => {
      const { token } = member;
      if (token === undefined) {
        void member.open();
        return [];
      }
      return [{ token, load: member.load }];
    });
    return found.sort((left, right) => left.load - right.load);
  }

  async #openAll(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.open()));
  }

  async #makeWrapped(token: Pkcs11Token, label: string): Promise<Buffer> {
    const id = this.#randomBytes(TRANSIENT_ID_BYTES);
    await token.generateSecretKey({ type: 'aesGcm', id, label, isSession: true, isExtractable: true });
    try {
      return await token.wrapKey(CLUSTER_WRAPPING_KEY_ID, 'aesKw', id);
    } finally {
      await token.destroyKey(id);
    }
  }
}

/** Another request may have brought the key meanwhile. */
function addKey(token: Pkcs11Token, { id, label, wrapped }: ClusterKey): Promise<void> {
  return unlessThere(token.unwrapKey(CLUSTER_WRAPPING_KEY_ID, 'aesKw', wrapped, { type: 'aesGcm', id, label }));
}

async function unlessThere(making: Promise<void>): Promise<void> {
  try {
    await making;
  } catch (error) {
    if (!isFailureOf(error, 'keyExists')) {
      throw error;
    }
  }
}

async function requireWrappingKey(token: Pkcs11Token): Promise<void> {
  const found = await token.findKeys(CLUSTER_WRAPPING_KEY_ID);
  if (found.length === 0) {
    throw new Pkcs11Error(
      'keyNotFound',
      0,
      `token ${token.info.label} has no wrapping key of the cluster: run "keywright hsm join-cluster" first`,
    );
  }
}

function unavailable(): Pkcs11Error {
  return new Pkcs11Error('unavailable', 0, 'no member of the cluster is at work');
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
