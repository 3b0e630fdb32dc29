/** What a proxy serves, made from its configuration and the files that this names. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvariantError } from '../base/errors.ts';
import { writeNewFile } from '../base/new-file.ts';
import type { RootKey, RootKeyProvider } from '../base/root-key.ts';
import type { RootKeyRecord } from '../base/stored-records.ts';
import type { CryptoCore } from '../core/crypto-core.ts';
import { PassphraseFileProvider } from '../materials/passphrase-file.ts';
import { openPkcs11Token } from '../pkcs11/index.ts';
import type { Pkcs11Token } from '../pkcs11/token.ts';
import type { Credential } from '../sigv4/index.ts';
import { AllowList } from '../xks/proxy/allow-list.ts';
import { KEY_USES, type ExternalKey, type ExternalKeyManager, type ServedKey } from '../xks/proxy/external-key.ts';
import type { ProxySettings } from '../xks/proxy/proxy-server.ts';
import { createKeyFile, readKeyFile, SoftwareKey, SoftwareKeyManager } from '../xks/proxy/software-key.ts';
import { createTokenKey, findTokenKey, TokenKeyManager } from '../xks/proxy/token-key.ts';
import { readText } from './arguments.ts';
import { readPin, USER_PIN } from './hsm-settings.ts';
import type { ProxyConfig, ProxyToken } from './xks-proxy-config.ts';

type KeyConfig = ProxyConfig['keys'][number];

/** Where the keys of a proxy are, each place opened when the first key in it is asked for. */
export class KeyPlaces {
  readonly #core: CryptoCore;
  readonly #config: ProxyConfig;
  #folder: Promise<ProxyFolder> | undefined;
  #token: Promise<Pkcs11Token> | undefined;

  constructor(core: CryptoCore, config: ProxyConfig) {
    this.#core = core;
    this.#config = config;
  }

  /**
   * Makes a key that is not there yet.
   *
   * @returns the place, for people
   * @throws KeyFileError, RootKeyError; TokenKeyError, Pkcs11Error
   */
  async create({ provider, id }: KeyConfig): Promise<string> {
    if (provider === 'software') {
      const folder = await this.#openFolder();
      await folder.createKey(id);
      return folder.path;
    }
    const token = await this.#openToken();
    await createTokenKey(this.#core, token, id);
    return `token ${token.info.label}`;
  }

  /** @throws as {@link create} */
  async find({ provider, id }: KeyConfig): Promise<ExternalKey> {
    return provider === 'software'
      ? (await this.#openFolder()).readKey(id)
      : findTokenKey(this.#core, await this.#openToken(), id);
  }

  /** One for each place that has keys; the core for a proxy without any. */
  async managers(keys: readonly KeyConfig[]): Promise<readonly ExternalKeyManager[]> {
    const hasTokenKeys = keys.some(({ provider }) => provider === 'pkcs11');
    const isSoftware = !hasTokenKeys || keys.some(({ provider }) => provider === 'software');
    return [
      ...(isSoftware ? [new SoftwareKeyManager(this.#core)] : []),
      ...(hasTokenKeys ? [new TokenKeyManager(await this.#openToken())] : []),
    ];
  }

  async close(): Promise<void> {
    await (await this.#token)?.close();
  }

  #openFolder(): Promise<ProxyFolder> {
    this.#folder ??= ProxyFolder.open(this.#core, requirePlace(this.#config.data));
    return this.#folder;
  }

  #openToken(): Promise<Pkcs11Token> {
    this.#token ??= openToken(requirePlace(this.#config.token)).catch((error: unknown) => {
      // A configuration that is read again may find it.
      this.#token = undefined;
      throw error;
    });
    return this.#token;
  }
}

/** The configuration has the place of every provider that it names. */
function requirePlace<T>(place: T | undefined): T {
  if (place === undefined) {
    throw new InvariantError('a key without a place');
  }
  return place;
}

async function openToken({ options, pinFile }: ProxyToken): Promise<Pkcs11Token> {
  const pinOptions = pinFile === undefined ? {} : { 'pin-file': pinFile };
  const pin = Buffer.from(await readPin(USER_PIN, pinOptions, false), 'utf8');
  try {
    return await openPkcs11Token({ ...options, pin });
  } finally {
    pin.fill(0);
  }
}

/** The folder of a proxy: its root key, and the keys of the provider `software` under it. */
class ProxyFolder {
  readonly path: string;
  readonly #core: CryptoCore;
  readonly #root: RootKey;

  private constructor(core: CryptoCore, path: string, root: RootKey) {
    this.#core = core;
    this.path = path;
    this.#root = root;
  }

  /** Makes folder and root key when there are none. @throws RootKeyError */
  static async open(core: CryptoCore, path: string): Promise<ProxyFolder> {
    mkdirSync(join(path, 'keys'), { recursive: true, mode: 0o700 });
    const provider = new PassphraseFileProvider(core, join(path, 'root-key'));
    return new ProxyFolder(core, path, await openRootKey(provider, join(path, 'root-key.json')));
  }

  /** @throws KeyFileError when there is such a key already */
  async createKey(id: string): Promise<void> {
    await createKeyFile(this.#core, this.#root, this.#keyPath(id), id);
  }

  /** @throws KeyFileError */
  async readKey(id: string): Promise<SoftwareKey> {
    return new SoftwareKey(this.#core, await readKeyFile(this.#root, this.#keyPath(id), id));
  }

  #keyPath(id: string): string {
    return join(this.path, 'keys', `${id}.json`);
  }
}

/** The root key whose record is in a file; both are made when there is no such file. */
async function openRootKey(provider: RootKeyProvider, path: string): Promise<RootKey> {
  if (existsSync(path)) {
    return provider.open(JSON.parse(readFileSync(path, 'utf8')) as RootKeyRecord);
  }
  const { record, key } = await provider.create(1, Date.now());
  writeNewFile(path, `${JSON.stringify(record)}\n`);
  return key;
}

/** @throws ConfigError for files that cannot be read; as {@link KeyPlaces.find} for keys */
export async function loadProxySettings(
  core: CryptoCore,
  config: ProxyConfig,
  places: KeyPlaces,
): Promise<ProxySettings> {
  const { pathPrefix = '', regions, fleetSize = 1, tls, credentials, keys } = config;
  const served = new Map<string, ServedKey>();
  for (const key of keys) {
    served.set(key.id, await serve(key, places));
  }
  return {
    pathPrefix,
    regions: new Set(regions),
    fleetSize,
    managers: await places.managers(keys),
    credentials: new Map(credentials.map((each) => [each.accessKeyId, importCredential(core, each)])),
    keys: served,
    tls: {
      certificate: readText(tls.certificate),
      privateKey: readText(tls.key),
      clients:
        tls.clients === undefined
          ? undefined
          : { authorities: readText(tls.clients.authorities), commonName: tls.clients.commonName },
    },
  };
}

async function serve(key: KeyConfig, places: KeyPlaces): Promise<ServedKey> {
  const { usage = KEY_USES, enabled = true, allow } = key;
  return {
    key: await places.find(key),
    usage,
    isEnabled: enabled,
    allow: allow === undefined ? undefined : new AllowList(allow),
  };
}

function importCredential(
  core: CryptoCore,
  { accessKeyId, secretAccessKey }: ProxyConfig['credentials'][number],
): Credential<undefined> {
  const bytes = Buffer.from(`AWS4${secretAccessKey}`);
  try {
    return { accessKeyId, secret: core.importKey('hmac', bytes), isActive: true, identity: undefined };
  } finally {
    bytes.fill(0);
  }
}
