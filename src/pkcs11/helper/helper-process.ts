import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { DEFAULTS, openingMs } from '../defaults.ts';
import { failureOf } from '../failure.ts';
import type { PortReply, TokenPort } from '../token-port.ts';
import { Pkcs11Error, type Pkcs11TokenInfo, type Pkcs11TokenOptions, type Pkcs11TokenState } from '../token.ts';
import { FrameChannel, frameBytes, MAX_FRAME_BYTES, type Frame } from './frames.ts';
import { MESSAGES, openFrame, readOpened, readRefused, readReply, readState, submitFrame } from './messages.ts';

// As Node.js runs it, from src as from dist.
const PROGRAM = fileURLToPath(new URL('../../../dist/pkcs11/helper/main.js', import.meta.url));
const STDERR = 2;
const CHANNEL = 3;
/** How much later than its own timeouts a helper may answer, in milliseconds, before it counts as stuck. */
const LATE_MS = 2_000;
/** How long the end of a killed process is waited for: the system may hold it in a call of a driver. */
const BURIAL_MS = 2_000;
const LARGEST_NUMBER = 0xffff_ffff;

interface Pending {
  readonly resolve: (reply: PortReply) => void;
  readonly deadlineMs: number;
}

/** One helper process, from its start to its end. */
export class HelperProcess {
  /** Rejects with a Pkcs11Error when the token cannot be opened. */
  readonly opened: Promise<Pkcs11TokenInfo>;
  /** Resolves when nothing can be asked of it any more, with the reason when it refused to open the token. */
  readonly ended: Promise<Pkcs11Error | undefined>;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  readonly #modulePath: string;
  readonly #timeoutMs: number;
  readonly #mostPending: number;
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #socket: Socket | undefined;
  #channel: FrameChannel | undefined;
  #refusal: Pkcs11Error | undefined;
  #settleOpened: { resolve: (info: Pkcs11TokenInfo) => void; reject: (error: Pkcs11Error) => void } | undefined;
  #settleEnded: ((refusal: Pkcs11Error | undefined) => void) | undefined;
  #settleGone: (() => void) | undefined;
  #state: Pkcs11TokenState | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastRequest = 0;
  #phase: 'opening' | 'open' | 'closing' | 'ended' = 'opening';

  /** Starts it. The PIN is copied. */
  constructor(options: Pkcs11TokenOptions) {
    const { modulePath, environment = {}, queueLength = DEFAULTS.queueLength, sessions = DEFAULTS.sessions } = options;
    this.#modulePath = modulePath;
    this.#timeoutMs = options.timeoutMs ?? DEFAULTS.timeoutMs;
    // The helper has its own queue and rules of fairness; this one bounds what is on the way to it.
    this.#mostPending = 2 * (queueLength + sessions);
    this.opened = new Promise((resolve, reject) => {
      this.#settleOpened = { resolve, reject };
    });
    this.ended = new Promise((resolve) => {
      this.#settleEnded = resolve;
    });
    this.gone = new Promise((resolve) => {
      this.#settleGone = resolve;
    });
    this.#child = spawn(process.execPath, [PROGRAM], {
      env: { ...passedOn(process.env), ...environment },
      stdio: ['ignore', STDERR, STDERR, 'pipe'],
    });
    this.#listen();
    this.#connect(options);
  }

  get isOpen(): boolean {
    return this.#phase === 'open';
  }

  /** As the helper said last; undefined before it said anything, and after its end. */
  get state(): Pkcs11TokenState | undefined {
    return this.isOpen ? this.#state : undefined;
  }

  /** Requests that were not answered yet. */
  get load(): number {
    return this.#pending.size;
  }

  /** Lets this process end while nothing is asked of the helper. */
  unref(): void {
    this.#child.unref();
    this.#socket?.unref();
  }

  /** As {@link TokenPort.submit}. What is under way when the helper ends is answered with `helperEnded`. */
  submit(submission: Parameters<TokenPort['submit']>): PortReply | Promise<PortReply> {
    if (this.#phase === 'closing') return failureOf('closed');
    if (this.#phase !== 'open') return failureOf('unavailable');
    if (this.#pending.size >= this.#mostPending) return failureOf('queueFull');
    const request = this.#nextRequest();
    const frame = submitFrame(request, submission);
    if (frame === undefined) return failureOf('invalidArgument');
    if (frameBytes(frame) > MAX_FRAME_BYTES) return failureOf('tooLong');
    this.#channel?.send(frame);
    if (this.#pending.size === 0) this.#socket?.ref();
    this.#watch(this.#timeoutMs + LATE_MS);
    return new Promise((resolve) => {
      this.#pending.set(request, { resolve, deadlineMs: performance.now() + this.#timeoutMs + LATE_MS });
    });
  }

  /** Ends it: after the answers to what is at work when it is open, else at once. Resolves when it is gone. */
  async close(): Promise<void> {
    this.#child.ref();
    if (this.#phase === 'open') {
      this.#phase = 'closing';
      this.#socket?.ref();
      this.#channel?.send({ numbers: [MESSAGES.close], parts: [] });
      this.#killLater('it did not close', this.#timeoutMs + LATE_MS);
    } else if (this.#phase === 'opening') {
      this.#kill('it was closed');
    }
    await this.gone;
  }

  #listen(): void {
    // Not at its exit: answers may still lie in the socket, which what the module started may hold open, though.
    this.#child.once('exit', () => setTimeout(() => this.#socket?.destroy(), LATE_MS).unref());
    this.#child.once('close', (status, signal) => {
      this.#end(signal ?? `status ${String(status)}`);
      this.#settleGone?.();
    });
    this.#child.once('error', (error) => {
      this.#end(error.message);
      if (this.#child.pid === undefined) this.#settleGone?.();
    });
  }

  #connect(options: Pkcs11TokenOptions): void {
    // There are no pipes at all when the system could not make another process.
    const socket = (this.#child.stdio as ChildProcess['stdio'] | undefined)?.[CHANNEL];
    if (!(socket instanceof Socket)) return;
    this.#socket = socket;
    this.#channel = new FrameChannel(
      socket,
      (frame) => this.#receive(frame),
      (error) => {
        // When the process is at its end, that says more.
        if (error !== undefined) this.#kill(error.message);
        else this.#killLater('it closed its socket', LATE_MS);
      },
    );
    this.#channel.send(openFrame(options));
    const opening = setTimeout(
      () => this.#kill('it did not open the token in time'),
      openingMs(this.#timeoutMs) + LATE_MS,
    );
    const stop = (): void => clearTimeout(opening);
    this.opened.then(stop, stop);
  }

  #receive(frame: Frame): void {
    switch (frame.numbers[0] ?? 0) {
      case MESSAGES.opened:
        this.#state = readState(frame);
        this.#phase = 'open';
        this.#settleOpened?.resolve(readOpened(frame));
        return;
      case MESSAGES.refused:
        this.#refusal = readRefused(frame, this.#modulePath);
        this.#end('it refused');
        this.#killLater('it refused', LATE_MS);
        return;
      case MESSAGES.state:
        this.#state = readState(frame);
        return;
      case MESSAGES.reply:
        this.#state = readState(frame);
        this.#answer(frame);
        return;
      default:
        throw new RangeError('no message of a helper');
    }
  }

  #answer(frame: Frame): void {
    const { request, reply } = readReply(frame);
    const pending = this.#pending.get(request);
    if (pending === undefined) throw new RangeError('a reply to nothing');
    this.#pending.delete(request);
    if (this.#pending.size === 0 && this.#phase === 'open') this.#socket?.unref();
    pending.resolve(reply);
  }

  #nextRequest(): number {
    do {
      this.#lastRequest = this.#lastRequest === LARGEST_NUMBER ? 1 : this.#lastRequest + 1;
    } while (this.#pending.has(this.#lastRequest));
    return this.#lastRequest;
  }

  /** Kills the helper when it does not answer, though the module's timeouts are its own to tell. */
  #watch(delayMs: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const [oldest] = this.#pending.entries();
      if (oldest === undefined) return;
      const [request, { deadlineMs }] = oldest;
      const leftMs = deadlineMs - performance.now();
      if (leftMs > 0) this.#watch(leftMs);
      // Its answers may lie in the socket, when it was this process that stood still.
      else setImmediate(() => (this.#pending.has(request) ? this.#kill('it did not answer') : this.#watch(1)));
    }, delayMs).unref();
  }

  #killLater(why: string, delayMs: number): void {
    setTimeout(() => this.#kill(why), delayMs).unref();
  }

  #kill(why: string): void {
    this.#end(why);
    this.#child.kill('SIGKILL');
    setTimeout(() => this.#settleGone?.(), BURIAL_MS).unref();
  }

  /** Answers everything that is under way. */
  #end(why: string): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    clearTimeout(this.#timer);
    const text = `PKCS#11 module ${this.#modulePath}: its helper process ended before the token was open (${why})`;
    this.#settleOpened?.reject(this.#refusal ?? new Pkcs11Error('helperEnded', 0, text));
    for (const { resolve } of this.#pending.values()) resolve(failureOf('helperEnded'));
    this.#pending.clear();
    this.#socket?.destroy();
    this.#settleEnded?.(this.#refusal);
  }
}

/** The environment without Keywright's own settings. */
function passedOn(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('KEYWRIGHT_')));
}
