import type { Log } from '../base/log.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { Pkcs11Error, type Pkcs11Token, type Pkcs11TokenOptions } from '../pkcs11/token.ts';
import type { ClusterConfiguration, ClusterMemberConfiguration } from './cluster-configuration.ts';
import { tokenOptions, readPinFile } from './token-options.ts';
import { isTokenFailure } from './token-failures.ts';

/** How a token is opened. */
export type OpenToken = (options: Pkcs11TokenOptions) => Promise<Pkcs11Token>;

/** What members need besides their configuration. */
export interface MemberSupport {
  readonly openToken: OpenToken;
  /** The PIN of members without a PIN file; whoever asks overwrites it after use. */
  readonly pin: () => MaybePromise<Uint8Array>;
  readonly log: Log;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;

/**
 * One HSM of a cluster. A member that cannot be reached is opened again when it is asked for, in growing intervals; one
 * that refuses the PIN is left alone, because every try may count against the user.
 */
export class ClusterMember {
  readonly name: string;
  readonly #configuration: ClusterMemberConfiguration;
  readonly #options: Omit<Pkcs11TokenOptions, 'pin'>;
  readonly #support: MemberSupport;
  #token: Pkcs11Token | undefined;
  #opening: Promise<void> | undefined;
  #failure: Pkcs11Error | undefined;
  #retryAtMs = 0;
  #retryMs = FIRST_RETRY_MS;
  #isClosed = false;

  constructor(member: ClusterMemberConfiguration, cluster: ClusterConfiguration, support: MemberSupport) {
    this.name = member.name;
    this.#configuration = member;
    this.#support = support;
    this.#options = tokenOptions(member, cluster);
  }

  /** The token, unless it is not open, or is not to be asked at present. */
  get token(): Pkcs11Token | undefined {
    return this.#token?.state().circuit === 'closed' ? this.#token : undefined;
  }

  /** Why it could not be opened the last time; undefined when it could. */
  get failure(): Pkcs11Error | undefined {
    return this.#failure;
  }

  /** Requests that are at work or wait. */
  get load(): number {
    const state = this.#token?.state();
    return state === undefined ? 0 : state.active + state.queued;
  }

  /** Opens the token unless it is open, was just tried, or must not be tried. {@link failure} tells how it went. */
  open(): Promise<void> {
    if (this.#token !== undefined || this.#isClosed || this.#failure?.reason === 'pinRefused') {
      return Promise.resolve();
    }
    if (this.#opening === undefined && Date.now() < this.#retryAtMs) {
      return Promise.resolve();
    }
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** Ends the sessions; the member is not opened again. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#opening;
    const token = this.#token;
    this.#token = undefined;
    await token?.close();
  }

  async #open(): Promise<void> {
    try {
      const pin = await this.#readPin();
      try {
        this.#token = await this.#support.openToken({ ...this.#options, pin });
      } finally {
        pin.fill(0);
      }
      this.#failure = undefined;
      this.#retryMs = FIRST_RETRY_MS;
      this.#support.log.info('member of a cluster opened', { member: this.name, token: this.#token.info.label });
    } catch (error) {
      this.#failure = isTokenFailure(error) ? error : new Pkcs11Error('unavailable', 0, String(error));
      this.#retryAtMs = Date.now() + this.#retryMs;
      this.#retryMs = Math.min(LAST_RETRY_MS, 2 * this.#retryMs);
      const { message } = this.#failure;
      this.#support.log.error('a member of a cluster cannot be opened', { member: this.name, error: message });
    }
  }

  /** @returns bytes that the caller overwrites */
  async #readPin(): Promise<Uint8Array> {
    const { pinFile } = this.#configuration;
    if (pinFile !== undefined) {
      return readPinFile(pinFile);
    }
    const password = await this.#support.pin();
    if (this.#options.profile !== 'cloudhsm') {
      return password;
    }
    const pin = Buffer.concat([Buffer.from('kmsuser:'), password]);
    password.fill(0);
    return pin;
  }
}
