import { parseArgs } from 'node:util';
import { moveRootKey, readRootKeyStatus, type RootKeyPlace, type RootKeyStatus } from '../engine/root-key-move.ts';
import { ConfigError, readServerConfig } from './config.ts';
import { readRootKeyOptions, requireProvider, ROOT_KEY_PROVIDERS } from './root-keys.ts';

const HELP = `Usage: keywright root-key status
       keywright root-key move --to PROVIDER

Tells where the root key of a store is, or makes a new one elsewhere and puts all region keys under it. Keys,
ciphertexts and access keys stay as they are. Servers may run meanwhile: give them the settings of the new provider
first, because they open the new root key when they are started again, or use a Region for the first time.

Providers:
  passphrase-file   the file root-key in the data directory
  pkcs11            a key in the HSM that KEYWRIGHT_PKCS11_MODULE, KEYWRIGHT_PKCS11_TOKEN_LABEL (or _SLOT) and
                    KEYWRIGHT_PKCS11_PIN_FILE (or _PIN) name; keywright hsm --help tells more

What the old root key was in is not removed: keep it until no backup of the store from before needs it.

Settings: KEYWRIGHT_DATA, KEYWRIGHT_STORE and those of the providers.

Options:
  --to PROVIDER   ${ROOT_KEY_PROVIDERS.join(' or ')}
  -h, --help      print this help
`;

/** @throws ConfigError; RootKeyError when a root key cannot be had */
export async function runRootKey(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, to: { type: 'string' } },
  });
  const [command, ...rest] = positionals;
  if (values.help === true) {
    process.stdout.write(HELP);
  } else if (command === 'status' && rest.length === 0 && values.to === undefined) {
    process.stdout.write(describe(await readRootKeyStatus(readPlace())));
  } else if (command === 'move' && rest.length === 0 && values.to !== undefined) {
    const to = requireProvider(values.to, '--to');
    process.stdout.write(describe(await moveRootKey(readPlace(), to, Date.now())));
  } else {
    throw new ConfigError(`root-key takes "status", or "move" with --to; see keywright root-key --help`);
  }
}

function readPlace(): RootKeyPlace {
  const { dataDirectory, store } = readServerConfig(process.env);
  const { rootKeyProviders } = readRootKeyOptions(process.env);
  return { dataDirectory, rootKeyProviders, ...(store === undefined ? {} : { store }) };
}

function describe({ version, provider, createdMs, regionKeys }: RootKeyStatus): string {
  const made = `version ${String(version)}, ${provider}, made ${new Date(createdMs).toISOString()}`;
  return `root key: ${made}; ${String(regionKeys)} region keys under it\n`;
}
