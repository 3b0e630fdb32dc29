import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { REGION_PATTERN } from '../base/regions.ts';
import { tokenOptions } from '../hsm/token-options.ts';
import type { Pkcs11TokenOptions } from '../pkcs11/token.ts';
import { flag, list, oneOf, optional, required, structure, text, wholeNumber } from '../seed/yaml-schema.ts';
import { YamlText } from '../seed/yaml-text.ts';
import { KEY_USES } from '../xks/proxy/external-key.ts';
import { readText } from './arguments.ts';
import { ConfigError, parseListen, type Address } from './config.ts';
import { atLeastOne, readTokenMembers, TOKEN_MEMBERS, USE_MEMBERS } from './token-members.ts';

const texts = list(text());

const credential = structure({
  accessKeyId: required(
    text('an access key id of 20 to 30 letters A to Z and digits 2 to 7', (value) => /^[A-Z2-7]{20,30}$/.test(value)),
  ),
  secretAccessKey: required(
    text('a secret of 43 to 64 characters of base64', (value) => /^[A-Za-z0-9/+=]{43,64}$/.test(value)),
  ),
});

const PROVIDERS = ['software', 'pkcs11'] as const;

const externalKey = structure({
  id: required(
    text('a key id of 1 to 128 letters, digits, ".", "_" or "-"', (value) => /^[a-zA-Z0-9._-]{1,128}$/.test(value)),
  ),
  provider: required(oneOf(PROVIDERS)),
  enabled: optional(flag),
  usage: optional(list(oneOf(KEY_USES))),
  allow: optional(
    structure({ awsPrincipalArn: optional(texts), kmsOperation: optional(texts), kmsKeyArn: optional(texts) }),
  ),
});

/** The configuration file of `keywright xks-proxy`; docs/guides/external-key-stores.md tells what its members mean. */
export const proxyConfigFile = structure({
  listen: required(text()),
  pathPrefix: optional(
    text('a path of letters, digits, "/", "-" and "_" that begins with "/" and does not end with it', (value) =>
      /^(?:\/[a-zA-Z0-9_-]+)+$/.test(value),
    ),
  ),
  regions: required(list(text('the name of a Region', (value) => REGION_PATTERN.test(value)))),
  data: optional(text()),
  pkcs11: optional(structure({ ...TOKEN_MEMBERS, ...USE_MEMBERS })),
  fleetSize: optional(wholeNumber),
  tls: required(
    structure({
      certificate: required(text()),
      key: required(text()),
      clients: optional(structure({ authorities: required(text()), commonName: required(text()) })),
    }),
  ),
  credentials: required(list(credential)),
  keys: required(list(externalKey)),
});

type ConfigFile = ReturnType<(typeof proxyConfigFile)['read']>;

/** The file with its paths resolved, each by the folder of the file. */
export interface ProxyConfig extends Omit<ConfigFile, 'listen' | 'pkcs11' | 'at'> {
  readonly address: Address;
  readonly token: ProxyToken | undefined;
}

/** The token of the provider `pkcs11`, without its PIN. */
export interface ProxyToken {
  readonly options: Omit<Pkcs11TokenOptions, 'pin'>;
  readonly pinFile: string | undefined;
}

/** KMS waits for 250 ms, the way there and back included: what takes longer would be done for nobody. */
const TOKEN_TIMEOUT_MS = 200;
/** Bits of a file mode that let anybody but the owner in. */
const OTHERS_MASK = 0o077;

/**
 * Reads the configuration of a proxy.
 *
 * @throws ConfigError for a file that others can read, because it holds secrets, or that says what cannot be;
 *   SeedError with the place of what has not the form of a configuration
 */
export function readProxyConfig(path: string): ProxyConfig {
  const source = readText(path);
  if ((statSync(path).mode & OTHERS_MASK) !== 0) {
    throw new ConfigError(`${path} holds secrets and is open to other users: run chmod 600 on it`);
  }
  const yaml = new YamlText(source, path);
  const file = proxyConfigFile.read(yaml.root, yaml, 'the file');
  const inFolder = (name: string): string => resolve(dirname(path), name);
  const { listen, data, tls, credentials, keys, fleetSize, pkcs11, ...others } = file;
  const address = parseListen('listen', listen, undefined);
  if (!address.isTls) {
    throw new ConfigError(`${path}: listen must begin with https://: proxies speak nothing else`);
  }
  if (credentials.length === 0 || file.regions.length === 0) {
    throw new ConfigError(`${path}: credentials and regions must have an entry each, or nobody could sign a request`);
  }
  if (fleetSize === 0) {
    throw new ConfigError(`${path}: fleetSize must be at least 1`);
  }
  refuseRepeated(
    path,
    'access key id',
    credentials.map(({ accessKeyId }) => accessKeyId),
  );
  refuseRepeated(
    path,
    'key',
    keys.map(({ id }) => id),
  );
  for (const [provider, place, name] of [
    ['software', data, 'data'],
    ['pkcs11', pkcs11, 'pkcs11'],
  ] as const) {
    if (place === undefined && keys.some((key) => key.provider === provider)) {
      throw new ConfigError(`${path}: keys of the provider ${provider} need the member ${name}`);
    }
  }
  return {
    ...others,
    credentials,
    keys,
    address,
    token: pkcs11 === undefined ? undefined : tokenOf(pkcs11, `${path}: pkcs11`, inFolder),
    ...(fleetSize === undefined ? {} : { fleetSize }),
    ...(data === undefined ? {} : { data: inFolder(data) }),
    tls: {
      ...tls,
      certificate: inFolder(tls.certificate),
      key: inFolder(tls.key),
      ...(tls.clients === undefined
        ? {}
        : { clients: { ...tls.clients, authorities: inFolder(tls.clients.authorities) } }),
    },
  };
}

function tokenOf(
  member: NonNullable<ConfigFile['pkcs11']>,
  where: string,
  inFolder: (name: string) => string,
): ProxyToken {
  const token = readTokenMembers(member, where, inFolder);
  const use = {
    profile: member.profile ?? 'generic',
    queueLength: atLeastOne(member.queueLength, `${where}: queueLength`),
    timeoutMs: atLeastOne(member.timeoutMs, `${where}: timeoutMs`) ?? TOKEN_TIMEOUT_MS,
  };
  return { pinFile: token.pinFile, options: tokenOptions(token, use) };
}

function refuseRepeated(path: string, what: string, names: readonly string[]): void {
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw new ConfigError(`${path} has the ${what} ${repeated} twice`);
  }
}
