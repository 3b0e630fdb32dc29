/** A token whose module runs in a helper process, which is started again when it ends. */
import { loadCore, type CryptoCore } from '../../core/index.ts';
import type { KeyHandle } from '../../core/key-handle.ts';
import { REASON_CODES } from '../codes.ts';
import { failureOf } from '../failure.ts';
import { NO_MECHANISM } from '../names.ts';
import type { FailureNumbers, PortReply, TokenPort } from '../token-port.ts';
import type { Pkcs11Error, Pkcs11TokenInfo, Pkcs11TokenOptions, Pkcs11TokenState } from '../token.ts';
import { HelperProcess } from './helper-process.ts';

const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 30_000;
/** A helper that worked for so long is started again as if it were the first. */
const STEADY_MS = 30_000;

/** As `openNativePort`, with the module in a helper process. @throws Pkcs11Error also with `helperEnded` */
export async function openHelperPort(options: Pkcs11TokenOptions): Promise<TokenPort> {
  const port = new HelperPort(options);
  await port.open(options.pin);
  return port;
}

class HelperPort implements TokenPort {
  readonly modulePath: string;
  readonly #options: Omit<Pkcs11TokenOptions, 'pin'>;
  readonly #pin: SealedPin;
  #info: Pkcs11TokenInfo | undefined;
  #helper: HelperProcess | undefined;
  /** What requests are told while no helper is open. */
  #failure: FailureNumbers = failureOf('unavailable');
  #openedAtMs = 0;
  #failedStarts = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor({ pin, ...options }: Pkcs11TokenOptions) {
    this.modulePath = options.modulePath;
    this.#options = options;
    this.#pin = new SealedPin(pin);
  }

  get info(): Pkcs11TokenInfo {
    if (this.#info === undefined) throw new Error('keywright: the token was not opened');
    return this.#info;
  }

  async open(pin: Uint8Array): Promise<void> {
    const helper = new HelperProcess({ ...this.#options, pin });
    this.#helper = helper;
    void helper.ended.then((refusal) => this.#onEnd(refusal));
    // Nobody waits for a helper that is started again.
    if (this.#info !== undefined) helper.unref();
    try {
      const info = await helper.opened;
      this.#info ??= info;
      this.#openedAtMs = performance.now();
      helper.unref();
    } catch (error) {
      await helper.gone;
      throw error;
    }
  }

  async submit(...submission: Parameters<TokenPort['submit']>): Promise<PortReply> {
    return this.#helper?.isOpen === true ? this.#helper.submit(submission) : this.#failure;
  }

  state(): Pkcs11TokenState {
    const state = this.#helper?.state ?? { circuit: 'open', sessions: 0, active: 0, queued: 0, logins: 0 };
    // This process knows better than the helper's last answer how much is under way.
    const load = this.#helper?.load ?? 0;
    const active = Math.min(load, state.sessions);
    return { ...state, active, queued: load - active };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#failure = failureOf('closed');
    clearTimeout(this.#timer);
    await this.#helper?.close();
    this.#pin.destroy();
  }

  /** Starts another one: at once when the last one worked, and in growing intervals while none does. */
  #onEnd(refusal: Pkcs11Error | undefined): void {
    if (this.#isClosed || this.#info === undefined) return;
    if (refusal?.reason === 'pinRefused') {
      // Not tried again: tokens lock.
      this.#failure = Uint32Array.of(REASON_CODES.pinRefused, refusal.rv, NO_MECHANISM);
      return;
    }
    if (performance.now() - this.#openedAtMs > STEADY_MS) this.#failedStarts = 0;
    const delayMs =
      this.#failedStarts === 0 ? 0 : Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#failedStarts - 1));
    this.#failedStarts++;
    this.#timer = setTimeout(() => void this.#openAgain(), delayMs).unref();
  }

  async #openAgain(): Promise<void> {
    const pin = this.#pin.open();
    // Its end, should it come, is noticed by itself.
    const opening = this.open(pin).catch(() => undefined);
    pin.fill(0);
    await opening;
  }
}

/** The PIN for the next start, which lies in memory only under a key of the core. */
class SealedPin {
  readonly #core: CryptoCore = loadCore();
  readonly #key: KeyHandle = this.#core.generateKey('aesGcm', 32);
  readonly #sealed: Buffer;

  constructor(pin: Uint8Array) {
    this.#sealed = this.#core.encrypt(this.#key, pin);
  }

  /** @returns bytes that the caller overwrites */
  open(): Buffer {
    return this.#core.decrypt(this.#key, this.#sealed);
  }

  destroy(): void {
    this.#key.destroy();
  }
}
