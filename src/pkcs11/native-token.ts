/** Tokens over the native addon, in this process. */
import { KEY_TYPE_CODES } from '../core/codes.ts';
import type { KeyHandle, KeyType } from '../core/key-handle.ts';
import { loadAddon } from '../core/load-addon.ts';
import type { NativeBinding } from '../core/native-binding.ts';
import { NativeKey } from '../core/native-key.ts';
import { check } from '../core/native-support.ts';
import { BIND_CODES, PROFILE_CODES, type HsmOperation } from './codes.ts';
import { DEFAULTS, openingMs } from './defaults.ts';
import { errorOf, invalidArgument } from './failure.ts';
import { NativeMail } from './native-mail.ts';
import type { NativePkcs11Binding, OpenReply } from './native-binding.ts';
import type { FailureNumbers, PortReply, TokenPort } from './token-port.ts';
import type { Pkcs11TokenInfo, Pkcs11TokenOptions, Pkcs11TokenState } from './token.ts';

const USER_TYPES = { securityOfficer: 0, user: 1 } as const;

/** Opens a token in this process. @throws Pkcs11Error `noModule`, `noToken`, `pinRefused`, `timedOut`, and others */
export async function openNativePort(options: Pkcs11TokenOptions): Promise<TokenPort> {
  return new NativePort(options.modulePath, await open(options));
}

/** The addon has both. */
type Binding = NativeBinding & NativePkcs11Binding;

interface Opened {
  readonly native: Binding;
  readonly handle: number;
  readonly mail: NativeMail;
  readonly info: Pkcs11TokenInfo;
}

async function open(options: Pkcs11TokenOptions): Promise<Opened> {
  const native = loadAddon() as Binding;
  const { token } = options;
  const label = 'label' in token ? token.label : '';
  if ('label' in token && label === '') throw invalidArgument('a label is not empty');
  const timeoutMs = options.timeoutMs ?? DEFAULTS.timeoutMs;
  const profile = options.profile ?? 'generic';
  const numbers = [
    'label' in token ? 0 : token.slotId,
    PROFILE_CODES[profile],
    options.sessions ?? DEFAULTS.sessions,
    options.queueLength ?? DEFAULTS.queueLength,
    timeoutMs,
    openingMs(timeoutMs),
    BIND_CODES[options.bind ?? 'default'],
    USER_TYPES[options.user ?? 'user'],
  ];
  const wrong = numbers.find((number) => !Number.isInteger(number) || number < 0 || number > 0xffff_ffff);
  if (wrong !== undefined) throw invalidArgument(`${wrong} is no option of a token`);
  let handle = 0;
  const mail = new NativeMail((requests) => native.pkcs11Submit(handle, requests));
  const reply: OpenReply = await native.pkcs11Open(
    Buffer.from(options.modulePath),
    Buffer.from(label),
    options.pin,
    Buffer.from(options.initArgs ?? ''),
    Uint32Array.from(numbers),
    mail.receive,
  );
  if (reply instanceof Uint32Array) throw errorOf(reply, options.modulePath, 'open');
  handle = Number(reply[0]);
  return { native, handle, mail, info: infoOf(reply, profile) };
}

function infoOf(facts: readonly (number | string)[], profile: Pkcs11TokenInfo['profile']): Pkcs11TokenInfo {
  const text = (index: number): string => String(facts[index]).replace(/[ \0]+$/, '');
  return {
    profile,
    libraryDescription: text(4),
    libraryVersion: `${facts[2]}.${facts[3]}`,
    slotId: Number(facts[1]),
    label: text(5),
    manufacturer: text(6),
    model: text(7),
    serialNumber: text(8),
    mechanisms: facts
      .slice(9)
      .map(Number)
      .sort((a, b) => a - b),
  };
}

class NativePort implements TokenPort {
  readonly modulePath: string;
  readonly info: Pkcs11TokenInfo;
  readonly #native: Binding;
  readonly #handle: number;
  readonly #mail: NativeMail;
  // Read by the binding before it returns.
  readonly #state = new Uint32Array(5);

  constructor(modulePath: string, { native, handle, mail, info }: Opened) {
    this.modulePath = modulePath;
    this.#native = native;
    this.#handle = handle;
    this.#mail = mail;
    this.info = info;
  }

  submit(
    operation: HsmOperation,
    keyId: Uint8Array,
    numbers: readonly number[],
    common: Uint8Array,
    items?: Uint8Array | readonly Uint8Array[],
  ): Promise<PortReply> {
    return new Promise((resolve) => {
      this.#mail.post(operation, keyId, numbers, common, items, resolve);
    });
  }

  async sealKey(keyId: Uint8Array, key: KeyHandle, aad: Uint8Array): Promise<PortReply> {
    const code = handleOf(key);
    this.#mail.flush();
    return new Promise((resolve) => {
      const ticket = this.#mail.expect(resolve, false);
      const failure = this.#native.pkcs11SealKey(this.#handle, ticket, keyId, code, aad);
      if (failure !== undefined) this.#mail.settle(ticket, failure);
    });
  }

  async openKey(
    keyId: Uint8Array,
    sealed: Uint8Array,
    aad: Uint8Array,
    type: KeyType,
  ): Promise<KeyHandle | FailureNumbers> {
    const code = KEY_TYPE_CODES[type];
    this.#mail.flush();
    const opened = await this.#native.pkcs11OpenKey(this.#handle, keyId, sealed, aad, code);
    if (opened instanceof Uint32Array) return opened;
    return new NativeKey(type, check(opened), (handle) => this.#native.destroyKey(handle));
  }

  state(): Pkcs11TokenState {
    this.#mail.flush();
    const found = this.#native.pkcs11State(this.#handle, this.#state) >= 0;
    if (!found) return { circuit: 'open', sessions: 0, active: 0, queued: 0, logins: 0 };
    const [isOpen, sessions = 0, active = 0, queued = 0, logins = 0] = this.#state;
    return { circuit: isOpen === 0 ? 'closed' : 'open', sessions, active, queued, logins };
  }

  async close(): Promise<void> {
    this.#mail.flush();
    await this.#native.pkcs11Close(this.#handle);
  }
}

function handleOf(key: KeyHandle): number {
  try {
    return NativeKey.handleOf(key);
  } catch {
    throw invalidArgument('this is no key of the core');
  }
}
