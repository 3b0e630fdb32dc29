import type { RootKeyProvider } from '../base/root-key.ts';
import { TOKEN_PROVIDER, TokenRootKeyProvider } from '../hsm/token-root-key.ts';
import { PASSPHRASE_FILE_PROVIDER } from '../materials/passphrase-file.ts';
import { PROFILE_CODES, type Pkcs11ProfileName } from '../pkcs11/codes.ts';
import { openPkcs11Token } from '../pkcs11/index.ts';
import type { Pkcs11Token } from '../pkcs11/token.ts';
import { ConfigError } from './config.ts';
import { readModuleSettings, readPin, readTokenChoice, USER_PIN } from './hsm-settings.ts';

export const ROOT_KEY_PROVIDERS = [PASSPHRASE_FILE_PROVIDER, TOKEN_PROVIDER] as const;
export type RootKeyProviderName = (typeof ROOT_KEY_PROVIDERS)[number];

/** What an engine needs to find its root key; for all commands that open one. */
export interface RootKeyOptions {
  readonly rootKeyProviders: readonly RootKeyProvider[];
  readonly firstRootKey: RootKeyProviderName;
}

/** @throws ConfigError for a provider that there is not */
export function readRootKeyOptions(environment: NodeJS.ProcessEnv): RootKeyOptions {
  const name = environment['KEYWRIGHT_ROOT_KEY'] ?? '';
  return {
    rootKeyProviders: [new TokenRootKeyProvider(() => openConfiguredToken(environment))],
    firstRootKey: name === '' ? PASSPHRASE_FILE_PROVIDER : requireProvider(name, 'KEYWRIGHT_ROOT_KEY'),
  };
}

/** @throws ConfigError */
export function requireProvider(name: string, where: string): RootKeyProviderName {
  const found = ROOT_KEY_PROVIDERS.find((provider) => provider === name);
  if (found === undefined) {
    throw new ConfigError(`${where} must be ${ROOT_KEY_PROVIDERS.join(' or ')}, not "${name}"`);
  }
  return found;
}

/** The token that the settings KEYWRIGHT_PKCS11_… name; only asked for when a root key is in it. */
async function openConfiguredToken(environment: NodeJS.ProcessEnv): Promise<Pkcs11Token> {
  const { modulePath, initArgs } = readModuleSettings({});
  const { slot, tokenLabel } = readTokenChoice({});
  if ((slot === undefined) === (tokenLabel === undefined)) {
    throw new ConfigError('set KEYWRIGHT_PKCS11_TOKEN_LABEL, or KEYWRIGHT_PKCS11_SLOT, to the token of the root key');
  }
  const pin = Buffer.from(await readPin(USER_PIN, {}, false), 'utf8');
  try {
    return await openPkcs11Token({
      modulePath,
      token: tokenLabel === undefined ? { slotId: slot ?? 0 } : { label: tokenLabel },
      pin,
      profile: readProfile(environment['KEYWRIGHT_PKCS11_PROFILE'] ?? ''),
      // Region keys pass one at a time, when a Region is first used.
      sessions: 1,
      ...(initArgs === undefined ? {} : { initArgs }),
    });
  } finally {
    pin.fill(0);
  }
}

function readProfile(name: string): Pkcs11ProfileName {
  if (name === '') {
    return 'generic';
  }
  if (!Object.hasOwn(PROFILE_CODES, name)) {
    const known = Object.keys(PROFILE_CODES).join(', ');
    throw new ConfigError(`KEYWRIGHT_PKCS11_PROFILE must be one of ${known}, not "${name}"`);
  }
  return name as Pkcs11ProfileName;
}
