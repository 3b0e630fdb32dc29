/** What a proxy serves, made from its configuration and the files that this names. */
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { writeNewFile } from '../base/new-file.ts';
import type { RootKeyRecord } from '../base/stored-records.ts';
import type { CryptoCore, KeyHandle } from '../core/crypto-core.ts';
import { openPassphraseFileRootKey, type RootKeyRecords } from '../materials/passphrase-file.ts';
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
  readonly #root: KeyHandle;

  private constructor(core: CryptoCore, path: string, root: KeyHandle) {
    this.#core = core;
    this.#path = path;
    this.#root = root;
  }

  /** Makes folder and root key when there are none. @throws RootKeyError */
  static async open(core: CryptoCore, path: string, clock: Clock): Promise<ProxyFolder> {
    mkdirSync(join(path, 'keys'), { recursive: true, mode: 0o700 });
    const records = new RootKeyFile(join(path, 'root-key.json'));
    const { handle } = await openPassphraseFileRootKey(core, records, join(path, 'root-key'), clock);
    return new ProxyFolder(core, path, handle);
  }

  /** @throws KeyFileError when there is such a key already */
  createKey(id: string): void {
    createKeyFile(this.#core, this.#root, this.#keyPath(id), id);
  }

  /** @throws KeyFileError */
  readKey(id: string): SoftwareKey {
    return new SoftwareKey(this.#core, readKeyFile(this.#core, this.#root, this.#keyPath(id), id));
  }

  #keyPath(id: string): string {
    return join(this.#path, 'keys', `${id}.json`);
  }
}

/** @throws ConfigError, KeyFileError for files that cannot be read */
export function loadProxySettings(core: CryptoCore, config: ProxyConfig, folder: ProxyFolder): ProxySettings {
  const { pathPrefix = '', regions, fleetSize = 1, tls, credentials, keys } = config;
  return {
    pathPrefix,
    regions: new Set(regions),
    fleetSize,
    managers: [new SoftwareKeyManager(core)],
    credentials: new Map(credentials.map((each) => [each.accessKeyId, importCredential(core, each)])),
    keys: new Map(keys.map((each) => [each.id, serve(each, folder)])),
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

function serve(
  { id, usage = KEY_USES, enabled = true, allow }: ProxyConfig['keys'][number],
  folder: ProxyFolder,
): ServedKey {
  return {
    key: folder.readKey(id),
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

/** The record of the root key in a file of its own. */
class RootKeyFile implements RootKeyRecords {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async findRootKey(): Promise<RootKeyRecord | undefined> {
    try {
      return JSON.parse(await readFile(this.#path, 'utf8')) as RootKeyRecord;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        return undefined;
      }
      throw error;
    }
  }

  async insertRootKey(record: RootKeyRecord): Promise<boolean> {
    try {
      writeNewFile(this.#path, `${JSON.stringify(record)}\n`);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
        return false;
      }
      throw error;
    }
  }
}
