import { measureToken, type OperationMissing, type TokenSpeed } from '../hsm/benchmark/measure-token.ts';
import { HsmError } from '../hsm/provisioning/hsm-error.ts';
import { PROFILE_CODES, type Pkcs11ProfileName } from '../pkcs11/codes.ts';
import { openPkcs11Token } from '../pkcs11/index.ts';
import { Pkcs11Error, type Pkcs11TokenOptions } from '../pkcs11/token.ts';
import { ConfigError } from './config.ts';
import { readModuleSettings, readPin, readTokenChoice, USER_PIN, type HsmOptions } from './hsm-settings.ts';

export interface BenchOptions extends HsmOptions {
  readonly profile?: string;
  readonly sessions?: string;
  readonly 'in-flight'?: string;
  readonly helper?: boolean;
  readonly seconds?: string;
}

const DEFAULTS = { sessions: '4', inFlight: '1,4,16,64', seconds: '0.5' } as const;
const MAX_IN_FLIGHT = 1024;
const MAX_SESSIONS = 64;
const MAX_SECONDS = 600;

export type BenchRow = TokenSpeed | OperationMissing;

/** Measures a token. @throws ConfigError for settings that cannot be used, HsmError for what the token refuses */
export async function benchToken(options: BenchOptions): Promise<readonly BenchRow[]> {
  const inFlight = (options['in-flight'] ?? DEFAULTS.inFlight)
    .split(',')
    .map((text) => whole('--in-flight', text, MAX_IN_FLIGHT));
  const seconds = Number(options.seconds ?? DEFAULTS.seconds);
  if (!(seconds > 0 && seconds <= MAX_SECONDS)) {
    throw new ConfigError(`--seconds must be a number above 0, up to ${MAX_SECONDS}`);
  }
  const settings = tokenOptions(options);
  const pin = Buffer.from(await readPin(USER_PIN, options, false));
  try {
    const token = await openPkcs11Token({ ...settings, pin });
    try {
      return await measureToken(token, { inFlight, milliseconds: seconds * 1000 });
    } finally {
      await token.close();
    }
  } catch (error) {
    throw error instanceof Pkcs11Error ? new HsmError(error.message, { cause: error }) : error;
  } finally {
    pin.fill(0);
  }
}

function tokenOptions(options: BenchOptions): Omit<Pkcs11TokenOptions, 'pin'> {
  const { modulePath, initArgs } = readModuleSettings(options);
  const { slot, tokenLabel } = readTokenChoice(options);
  if (slot === undefined && tokenLabel === undefined) {
    throw new ConfigError('which token? Set --token-label or --slot');
  }
  return {
    modulePath,
    token: slot === undefined ? { label: tokenLabel ?? '' } : { slotId: slot },
    profile: profileOf(options.profile ?? 'generic'),
    sessions: whole('--sessions', options.sessions ?? DEFAULTS.sessions, MAX_SESSIONS),
    process: options.helper === true ? 'helper' : 'this',
    ...(initArgs === undefined ? {} : { initArgs }),
  };
}

function profileOf(name: string): Pkcs11ProfileName {
  if (!Object.hasOwn(PROFILE_CODES, name)) {
    throw new ConfigError(`--profile must be one of ${Object.keys(PROFILE_CODES).join(', ')}, not "${name}"`);
  }
  return name as Pkcs11ProfileName;
}

function whole(option: string, text: string, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text.trim()) || value < 1 || value > most) {
    throw new ConfigError(`${option} takes whole numbers from 1 to ${most}, not "${text}"`);
  }
  return value;
}
