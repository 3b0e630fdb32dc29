import type { ModuleSettings } from '../hsm/provisioning/module.ts';
import type { TokenChoice } from '../hsm/provisioning/slots.ts';
import { readText } from './arguments.ts';
import { askHidden, canAsk } from './ask-pin.ts';
import { ConfigError } from './config.ts';

/** The variables of the environment that name a token, for `--help`. PINs have no options: all see command lines. */
export const HSM_SETTINGS: readonly (readonly [name: string, help: string])[] = [
  ['KEYWRIGHT_PKCS11_MODULE', 'path of the PKCS#11 module, a shared library (--module)'],
  ['KEYWRIGHT_PKCS11_INIT_ARGS', 'text that the module is initialised with; NSS needs one (--init-args)'],
  ['KEYWRIGHT_PKCS11_SLOT', 'number of the slot (--slot), or'],
  ['KEYWRIGHT_PKCS11_TOKEN_LABEL', '  label of the token (--token-label)'],
  ['KEYWRIGHT_PKCS11_PIN', 'PIN of the user, or'],
  ['KEYWRIGHT_PKCS11_PIN_FILE', '  path of a file with it (--pin-file)'],
  ['KEYWRIGHT_PKCS11_SO_PIN', 'PIN of the security officer, for init, or'],
  ['KEYWRIGHT_PKCS11_SO_PIN_FILE', '  path of a file with it (--so-pin-file)'],
];

export interface HsmOptions {
  readonly module?: string;
  readonly 'init-args'?: string;
  readonly slot?: string;
  readonly 'token-label'?: string;
  readonly 'pin-file'?: string;
  readonly 'so-pin-file'?: string;
}

/** An option, else the variable of the environment; empty ones count as none. */
function pick(option: string | undefined, name: string): string | undefined {
  const value = option ?? process.env[name];
  return value === '' ? undefined : value;
}

/** @throws ConfigError when no module is named */
export function readModuleSettings(options: HsmOptions): ModuleSettings {
  const modulePath = pick(options.module, 'KEYWRIGHT_PKCS11_MODULE');
  if (modulePath === undefined) {
    throw new ConfigError('which HSM? Set KEYWRIGHT_PKCS11_MODULE, or --module, to the path of its PKCS#11 module');
  }
  return { modulePath, initArgs: pick(options['init-args'], 'KEYWRIGHT_PKCS11_INIT_ARGS') };
}

/** @throws ConfigError for a slot that is no number. An option replaces slot and label of the environment. */
export function readTokenChoice(options: HsmOptions): TokenChoice {
  const hasOption = options.slot !== undefined || options['token-label'] !== undefined;
  const slot = hasOption ? options.slot : pick(undefined, 'KEYWRIGHT_PKCS11_SLOT');
  const tokenLabel = hasOption ? options['token-label'] : pick(undefined, 'KEYWRIGHT_PKCS11_TOKEN_LABEL');
  if (slot !== undefined && !(/^(?:\d+|0x[0-9a-f]+)$/i.test(slot) && Number.isSafeInteger(Number(slot)))) {
    throw new ConfigError(`the slot must be a number such as 0 or 0x1a, not "${slot}"`);
  }
  return { slot: slot === undefined ? undefined : Number(slot), tokenLabel };
}

/** Which PIN, in the names of settings and options and in questions. */
export interface PinKind {
  readonly variable: 'KEYWRIGHT_PKCS11_PIN' | 'KEYWRIGHT_PKCS11_SO_PIN';
  readonly option: 'pin-file' | 'so-pin-file';
  readonly question: string;
}

export const USER_PIN: PinKind = {
  variable: 'KEYWRIGHT_PKCS11_PIN',
  option: 'pin-file',
  question: 'PIN of the user',
};

export const SO_PIN: PinKind = {
  variable: 'KEYWRIGHT_PKCS11_SO_PIN',
  option: 'so-pin-file',
  question: 'PIN of the security officer',
};

/**
 * A PIN out of the environment or a file (up to its first line end; an empty file is an empty PIN), else out of the
 * terminal.
 *
 * @param isNew whether it is being chosen, and is asked for twice
 * @throws ConfigError when there is none, two at once, or two answers that differ
 */
export async function readPin(kind: PinKind, options: HsmOptions, isNew: boolean): Promise<string> {
  const pin = pick(undefined, kind.variable);
  const file = pick(options[kind.option], `${kind.variable}_FILE`);
  if (pin !== undefined && file !== undefined) {
    throw new ConfigError(`there are two PINs: one in ${kind.variable}, one in the file ${file}`);
  }
  if (file !== undefined) {
    return readText(file).split(/\r?\n/, 1)[0] ?? '';
  }
  if (pin !== undefined) {
    return pin;
  }
  if (!canAsk()) {
    throw new ConfigError(
      `the ${kind.question} is missing: set ${kind.variable} or ${kind.variable}_FILE, or run this at a terminal`,
    );
  }
  const answer = await askHidden(kind.question);
  if (isNew && (await askHidden(`${kind.question}, again`)) !== answer) {
    throw new ConfigError('the two answers differ');
  }
  return answer;
}
