/** What a proxy serves, made from its configuration and the files that this names. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeNewFile } from '../base/new-file.ts';
import type { RootKey, RootKeyProvider } from '../base/root-key.ts';
import type { RootKeyRecord } from '../base/stored-records.ts';
import type { CryptoCore } from '../core/crypto-core.ts';
import { PassphraseFileProvider } from '../materials/passphrase-file.ts';
import type { Credential } from '../sigv4/index.ts';
import { AllowList } from '../xks/proxy/allow-list.ts';
import { KEY_USES, type ServedKey } from '../xks/proxy/external-key.ts';
import type { ProxySettings } from '../xks/proxy/proxy-server.ts';
import { createKeyFile, readKeyFile, SoftwareKey, SoftwareKeyManager } from '../xks/proxy/software-key.ts';
import { readText } from './arguments.ts';
import type { ProxyConfig } from './xks-proxy-config.ts';

/** The folder of a proxy: its root key, and the keys of the provider `software` under it. */
export class ProxyFolder {
  readonly #core: CryptoCore;
  readonly #path: string;
  readonly #root: RootKey;

  private constructor(core: CryptoCore, path: string, root: RootKey) {
    this.#core = core;
    this.#path = path;
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
    return join(this.#path, 'keys', `${id}.json`);
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

/** @throws ConfigError, KeyFileError for files that cannot be read */
export async function loadProxySettings(
  core: CryptoCore,
  config: ProxyConfig,
  folder: ProxyFolder,
): Promise<ProxySettings> {
  const { pathPrefix = '', regions, fleetSize = 1, tls, credentials, keys } = config;
  const served = new Map<string, ServedKey>();
  for (const key of keys) {
    served.set(key.id, await serve(key, folder));
  }
  return {
    pathPrefix,
    regions: new Set(regions),
    fleetSize,
    managers: [new SoftwareKeyManager(core)],
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

async function serve(
  { id, usage = KEY_USES, enabled = true, allow }: ProxyConfig['keys'][number],
  folder: ProxyFolder,
): Promise<ServedKey> {
  return {
    key: await folder.readKey(id),
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
