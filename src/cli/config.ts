import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { parseTrustedRoots } from '../attestation/trusted-roots.ts';
import { findAccessKeyIdProblem } from '../iam/access-keys.ts';
import type { QuotaSettings } from '../quotas/request-quotas.ts';
import { DEFAULT_RATES } from '../service/quota-groups.ts';
import type { ResourceQuotas } from '../service/resource-quotas.ts';
import { COMMERCIAL_REGIONS, REGION_PATTERN } from '../base/regions.ts';

/** A setting that cannot be used; its text names the setting and what it must look like. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Undefined when there are none. */
export type QuotaConfig = QuotaSettings | undefined;

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
}

export interface TlsConfig {
  /** Undefined when only listeners of VPC endpoints speak TLS. */
  readonly address: Address | undefined;
  /** Names and addresses that the certificate is for, besides those of this machine. */
  readonly names: readonly string[];
  /** Certificate and key of the operator; otherwise they are made. */
  readonly own: { readonly certificateFile: string; readonly keyFile: string } | undefined;
}

export interface ServerConfig {
  readonly address: Address;
  readonly tls: TlsConfig;
  /** Path of the file that describes the listeners of VPC endpoints. */
  readonly vpcEndpoints: string | undefined;
  readonly quotas: QuotaConfig;
  readonly resourceQuotas: Partial<ResourceQuotas>;
  readonly dataDirectory: string;
  readonly store: string | undefined;
  readonly regions: readonly string[];
  readonly credentials:
    | { readonly accessKeyId: string; readonly secretAccessKey: string; readonly accountId: string | undefined }
    | undefined;
  readonly accountId: string | undefined;
  /** PEM text. */
  readonly attestationRoots: string | undefined;
  /** Path of the seed file that is applied before the server listens. */
  readonly seed: string | undefined;
  /** Whether the listener has the control endpoint for tests. */
  readonly hasTestPowers: boolean;
}

/** Every variable, for `--help` and the documentation. */
export const SETTINGS: readonly (readonly [name: string, help: string])[] = [
  ['KEYWRIGHT_LISTEN', 'address of the HTTP listener (default http://127.0.0.1:4599)'],
  ['KEYWRIGHT_TLS_LISTEN', 'address of the TLS listener, for example https://0.0.0.0:4600 (default: none)'],
  ['KEYWRIGHT_TLS_NAMES', 'DNS names and IP addresses for its certificate, besides those of this machine'],
  ['KEYWRIGHT_TLS_CERT', 'PEM file of its certificate, instead of one that is made; together with'],
  ['KEYWRIGHT_TLS_KEY', '  the PEM file of its private key'],
  ['KEYWRIGHT_VPC_ENDPOINTS', 'YAML file with listeners that are VPC endpoints'],
  ['KEYWRIGHT_QUOTAS', 'request quotas: aws (default), off, or aws with other rates: CreateKey=50,…'],
  ['KEYWRIGHT_RESOURCE_QUOTAS', 'resource quotas other than those of AWS: KeysPerAccount=200000,…'],
  ['KEYWRIGHT_DATA', 'data directory (default ./data)'],
  ['KEYWRIGHT_STORE', 'store URL, sqlite:PATH (default: keywright.db in the data directory)'],
  ['KEYWRIGHT_REGIONS', 'Regions to serve, separated by commas (default: all commercial AWS Regions)'],
  ['KEYWRIGHT_ACCESS_KEY_ID', 'first credentials, instead of random ones; together with'],
  ['KEYWRIGHT_SECRET_ACCESS_KEY', '  the secret, and optionally'],
  ['KEYWRIGHT_ACCOUNT_ID', '  the account, 12 digits (default: random on first start)'],
  ['KEYWRIGHT_ATTESTATION_ROOTS', 'PEM file of roots that attest recipients, besides the root of AWS Nitro'],
  ['KEYWRIGHT_SEED', 'YAML file of accounts, keys, aliases and grants to make where they are missing'],
  ['KEYWRIGHT_ROOT_KEY', 'where a new store has its root key: passphrase-file (default) or pkcs11, with'],
  ['KEYWRIGHT_PKCS11_MODULE', '  the module of an HSM, and the other settings of keywright hsm --help'],
  ['KEYWRIGHT_PKCS11_PROFILE', '  and how it is spoken to: generic (default), softhsm, cloudhsm or nss'],
  ['KEYWRIGHT_HSM_CLUSTERS', 'YAML file of the HSMs behind CloudHSM key stores'],
  ['KEYWRIGHT_XKS_CONNECT', 'where proxies of external key stores are: proxy.example.com=10.0.0.5:8443,…'],
  ['KEYWRIGHT_XKS_CA', 'PEM file of authorities that their certificates may be from, besides public ones'],
  ['KEYWRIGHT_XKS_CERT', 'PEM file of the certificate that is shown to proxies which ask; together with'],
  ['KEYWRIGHT_XKS_KEY', '  the PEM file of its private key'],
  ['KEYWRIGHT_XKS_TIMEOUT_MS', 'milliseconds that a proxy has for a call (default 250, as at AWS)'],
  ['KEYWRIGHT_TEST_POWERS', 'set to 1 to let tests move the clock and inject faults; on loopback only'],
  ['KEYWRIGHT_PLAIN_HTTP', 'set to "anywhere" to let the listener leave loopback without TLS'],
];

const LISTEN = /^(https?:\/\/)?(\[[0-9a-f:.]+\]|[a-z0-9.-]*):(\d{1,5})\/?$/i;
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/i;

/**
 * Reads the settings from the environment, and the file that one of them names.
 *
 * @throws ConfigError for the first one that cannot be used
 */
export function readServerConfig(environment: NodeJS.ProcessEnv): ServerConfig {
  const get = (name: string): string | undefined => (environment[name] === '' ? undefined : environment[name]);
  const address = parseHttpListen(get('KEYWRIGHT_LISTEN') ?? 'http://127.0.0.1:4599', get('KEYWRIGHT_PLAIN_HTTP'));
  const seed = get('KEYWRIGHT_SEED');
  return {
    address,
    tls: parseTls(get),
    vpcEndpoints: get('KEYWRIGHT_VPC_ENDPOINTS'),
    quotas: parseQuotas(get('KEYWRIGHT_QUOTAS')),
    resourceQuotas: parseResourceQuotas(get('KEYWRIGHT_RESOURCE_QUOTAS')),
    seed: seed === undefined ? undefined : resolve(seed),
    hasTestPowers: parseTestPowers(get('KEYWRIGHT_TEST_POWERS'), address.host),
    dataDirectory: resolve(get('KEYWRIGHT_DATA') ?? 'data'),
    store: parseStore(get('KEYWRIGHT_STORE')),
    regions: parseRegions(get('KEYWRIGHT_REGIONS')),
    credentials: parseCredentials(
      get('KEYWRIGHT_ACCESS_KEY_ID'),
      get('KEYWRIGHT_SECRET_ACCESS_KEY'),
      get('KEYWRIGHT_ACCOUNT_ID'),
    ),
    accountId: get('KEYWRIGHT_ACCOUNT_ID'),
    attestationRoots: readAttestationRoots(get('KEYWRIGHT_ATTESTATION_ROOTS')),
  };
}

/** @throws ConfigError for what is no address of the scheme, or would send plaintext keys over a network */
export function parseListen(name: string, text: string, plainHttp: string | undefined): Address {
  const match = LISTEN.exec(text);
  const port = Number(match?.[3] ?? Number.NaN);
  if (match === null || !(port <= 65_535)) {
    throw new ConfigError(`${name} must look like http://127.0.0.1:4599 or https://0.0.0.0:4600, not "${text}"`);
  }
  const host = (match[2] === '' ? '127.0.0.1' : (match[2] ?? '')).replace(/^\[|\]$/g, '');
  const isTls = match[1]?.toLowerCase() === 'https://';
  if (plainHttp !== undefined && plainHttp !== 'anywhere') {
    throw new ConfigError('KEYWRIGHT_PLAIN_HTTP can only be "anywhere"');
  }
  if (!isTls && !LOOPBACK.test(host) && plainHttp !== 'anywhere') {
    throw new ConfigError(
      `${name}=${text} would send plaintext keys over the network: listen on 127.0.0.1 and use TLS for everyone else ` +
        '(KEYWRIGHT_TLS_LISTEN), or set KEYWRIGHT_PLAIN_HTTP=anywhere where the network itself is trusted',
    );
  }
  return { host, port, isTls };
}

function parseHttpListen(text: string, plainHttp: string | undefined): Address {
  const address = parseListen('KEYWRIGHT_LISTEN', text, plainHttp);
  if (address.isTls) {
    throw new ConfigError(`KEYWRIGHT_LISTEN=${text}: the TLS listener is set with KEYWRIGHT_TLS_LISTEN`);
  }
  return address;
}

/** `aws`, `off`, or a comma list of quota=rate on top of AWS's defaults. */
function parseQuotas(text = 'aws'): QuotaConfig {
  if (text === 'off') {
    return undefined;
  }
  const rates = text === 'aws' ? [] : text.split(',').map((part) => part.trim().split('='));
  for (const [quota = '', rate = '', ...rest] of rates) {
    if (!DEFAULT_RATES.has(quota) || rest.length > 0 || !(/^\d{1,9}(?:\.\d+)?$/.test(rate) && Number(rate) > 0)) {
      throw new ConfigError(
        'KEYWRIGHT_QUOTAS must be aws, off, or a comma list such as CreateKey=50,CryptographicOperationsRsa=2000; ' +
          `"${quota}=${rate}" is no quota with a rate`,
      );
    }
  }
  return { rates: new Map(rates.map(([quota = '', rate]) => [quota, Number(rate)])) };
}

const RESOURCE_QUOTAS: ReadonlyMap<string, keyof ResourceQuotas> = new Map([
  ['KeysPerAccount', 'keysPerAccount'],
  ['KeyStoresPerAccount', 'keyStoresPerAccount'],
  ['AliasesPerKey', 'aliasesPerKey'],
  ['GrantsPerKey', 'grantsPerKey'],
]);

/** A comma list of quota=number on top of AWS's defaults. */
function parseResourceQuotas(text: string | undefined): Partial<ResourceQuotas> {
  const parts = text === undefined ? [] : text.split(',').map((part) => part.trim().split('='));
  return Object.fromEntries(
    parts.map(([name = '', number = '', ...rest]) => {
      const quota = RESOURCE_QUOTAS.get(name);
      if (quota === undefined || rest.length > 0 || !/^[1-9]\d{0,8}$/.test(number)) {
        throw new ConfigError(
          `KEYWRIGHT_RESOURCE_QUOTAS must be a comma list out of ${[...RESOURCE_QUOTAS.keys()].join(', ')}, each ` +
            `with a whole number such as KeysPerAccount=200000; "${name}=${number}" is none`,
        );
      }
      return [quota, Number(number)];
    }),
  );
}

function parseTls(get: (name: string) => string | undefined): TlsConfig {
  const text = get('KEYWRIGHT_TLS_LISTEN');
  const certificateFile = get('KEYWRIGHT_TLS_CERT');
  const keyFile = get('KEYWRIGHT_TLS_KEY');
  if ((certificateFile === undefined) !== (keyFile === undefined)) {
    throw new ConfigError('KEYWRIGHT_TLS_CERT and KEYWRIGHT_TLS_KEY must be set together');
  }
  const names = (get('KEYWRIGHT_TLS_NAMES') ?? '').split(',').map((name) => name.trim());
  const bad = names.find(
    (name) => name !== '' && isIP(name) === 0 && !/^(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i.test(name),
  );
  if (bad !== undefined) {
    throw new ConfigError(
      `KEYWRIGHT_TLS_NAMES must be a comma list of DNS names and IP addresses; "${bad}" is neither`,
    );
  }
  const own = certificateFile === undefined || keyFile === undefined ? undefined : { certificateFile, keyFile };
  const base = { names: names.filter((name) => name !== ''), own };
  if (text === undefined && own !== undefined && get('KEYWRIGHT_VPC_ENDPOINTS') === undefined) {
    throw new ConfigError('KEYWRIGHT_TLS_CERT needs a listener that shows it: set KEYWRIGHT_TLS_LISTEN as well');
  }
  if (text === undefined) {
    return { ...base, address: undefined };
  }
  const withScheme = text.includes('://') ? text : `https://${text}`;
  if (!/^https:/i.test(withScheme)) {
    throw new ConfigError(`KEYWRIGHT_TLS_LISTEN must look like https://0.0.0.0:4600, not "${text}"`);
  }
  return { ...base, address: parseListen('KEYWRIGHT_TLS_LISTEN', withScheme, undefined) };
}

/** Whoever reaches the control endpoint needs no signature: it must not be in reach of a network. */
function parseTestPowers(text: string | undefined, host: string): boolean {
  if (text !== undefined && text !== '1') {
    throw new ConfigError('KEYWRIGHT_TEST_POWERS can only be 1');
  }
  if (text === '1' && !LOOPBACK.test(host)) {
    throw new ConfigError(
      'KEYWRIGHT_TEST_POWERS lets anybody who reaches the listener move its clock: ' +
        `it needs a loopback address, not ${host}`,
    );
  }
  return text === '1';
}

function parseStore(url: string | undefined): string | undefined {
  if (url !== undefined && !/^sqlite:.+/.test(url)) {
    throw new ConfigError('KEYWRIGHT_STORE must have the form sqlite:PATH (other stores are not supported yet)');
  }
  return url;
}

function parseRegions(text: string | undefined): readonly string[] {
  if (text === undefined) {
    return COMMERCIAL_REGIONS;
  }
  const regions = text
    .split(',')
    .map((region) => region.trim())
    .filter((region) => region !== '');
  const bad = regions.find((region) => !REGION_PATTERN.test(region));
  if (regions.length === 0 || bad !== undefined) {
    throw new ConfigError(
      `KEYWRIGHT_REGIONS must be a comma list such as eu-central-1,us-east-1; "${bad ?? ''}" is none`,
    );
  }
  return regions;
}

function parseCredentials(
  accessKeyId: string | undefined,
  secretAccessKey: string | undefined,
  accountId: string | undefined,
): ServerConfig['credentials'] {
  if (accountId !== undefined && !/^\d{12}$/.test(accountId)) {
    throw new ConfigError('KEYWRIGHT_ACCOUNT_ID must be 12 digits');
  }
  if (accessKeyId === undefined && secretAccessKey === undefined) {
    return undefined;
  }
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new ConfigError('KEYWRIGHT_ACCESS_KEY_ID and KEYWRIGHT_SECRET_ACCESS_KEY must be set together');
  }
  const problem = findAccessKeyIdProblem(accessKeyId);
  if (problem !== undefined) {
    throw new ConfigError(`KEYWRIGHT_ACCESS_KEY_ID ${problem}`);
  }
  return { accessKeyId, secretAccessKey, accountId };
}

function readAttestationRoots(path: string | undefined): string | undefined {
  if (path === undefined) {
    return undefined;
  }
  try {
    const pem = readFileSync(path, 'utf8');
    parseTrustedRoots(pem);
    return pem;
  } catch (error) {
    throw new ConfigError(`KEYWRIGHT_ATTESTATION_ROOTS=${path} cannot be used: ${(error as Error).message}`);
  }
}
