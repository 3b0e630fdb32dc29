import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { CryptoCore } from '../core/crypto-core.ts';
import { loadCore } from '../core/index.ts';
import { API_PATH } from '../xks/proxy-api.ts';
import { XksProxy, type ProxyOptions, type ProxySettings } from '../xks/proxy/proxy-server.ts';
import { ConfigError } from './config.ts';
import { explainListenError } from './listeners.ts';
import { nextSignal } from './next-signal.ts';
import { createStderrLog } from './stderr-log.ts';
import { readProxyConfig, type ProxyConfig } from './xks-proxy-config.ts';
import { KeyPlaces, loadProxySettings } from './xks-proxy-settings.ts';

const HELP = `Usage: keywright xks-proxy --config FILE
       keywright xks-proxy create-key ID --config FILE
       keywright xks-proxy new-credential

Serves the keys that FILE names through the external key store proxy API, for AWS KMS or another Keywright, until it is
told to stop (SIGINT or SIGTERM). SIGHUP makes it read FILE again, with certificates, credentials and keys.

Commands:
  create-key       make a key that FILE names: in the data folder ("software"), or in the token ("pkcs11")
  new-credential   print an access key id and a secret, for FILE and for CreateCustomKeyStore

Options:
  --config FILE    the configuration, YAML; readable by its owner alone, because it holds secrets
  -h, --help       print this help

The PIN of the token comes from "pinFile" of FILE, KEYWRIGHT_PKCS11_PIN, KEYWRIGHT_PKCS11_PIN_FILE or the terminal.

The listener answers GET /healthz (the process lives) without a signature.
`;

const CLOCK: Clock = { nowMs: () => Date.now() };
/** 128 bits in the alphabet of access key ids, which is that of RFC 4648 base32. */
const ACCESS_KEY_ID_LENGTH = 26;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const SECRET_BYTES = 32;
const CREATE_TIMEOUT_MS = 10_000;

/** @throws ConfigError, SeedError, RootKeyError, KeyFileError, TokenKeyError, Pkcs11Error */
export async function runXksProxy(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' }, config: { type: 'string' } },
  });
  const [command, ...rest] = positionals;
  if (values.help === true) {
    process.stdout.write(HELP);
  } else if (command === 'new-credential' && rest.length === 0) {
    process.stdout.write(newCredential());
  } else if (values.config === undefined) {
    throw new ConfigError('xks-proxy needs --config FILE; see keywright xks-proxy --help');
  } else if (command === undefined) {
    await serve(values.config);
  } else if (command === 'create-key' && rest[0] !== undefined && rest.length === 1) {
    await createKey(values.config, rest[0]);
  } else {
    throw new ConfigError(`xks-proxy does not know "${positionals.join(' ')}"; see keywright xks-proxy --help`);
  }
}

function newCredential(): string {
  const letters = [...randomBytes(ACCESS_KEY_ID_LENGTH)].map((byte) => BASE32.charAt(byte % BASE32.length));
  return `accessKeyId: ${letters.join('')}\nsecretAccessKey: ${randomBytes(SECRET_BYTES).toString('base64')}\n`;
}

async function createKey(path: string, id: string): Promise<void> {
  const config = readProxyConfig(path);
  const key = config.keys.find((each) => each.id === id);
  if (key === undefined) {
    throw new ConfigError(`${path} does not name a key ${id}`);
  }
  const places = new KeyPlaces(loadCore(), withTimeForMaking(config));
  try {
    const place = await places.create(key);
    process.stdout.write(`Made the key ${id} in ${place}. Back that up: without it nothing under the key opens.\n`);
  } finally {
    await places.close();
  }
}

/** Nobody waits for 250 ms here, and a key may take longer to make than to use. */
function withTimeForMaking(config: ProxyConfig): ProxyConfig {
  const { token } = config;
  return token === undefined
    ? config
    : { ...config, token: { ...token, options: { ...token.options, timeoutMs: CREATE_TIMEOUT_MS } } };
}

async function serve(path: string): Promise<void> {
  const core = loadCore();
  const config = readProxyConfig(path);
  const places = new KeyPlaces(core, config);
  try {
    await serveFrom(places, core, path, config);
  } finally {
    await places.close();
  }
}

async function serveFrom(places: KeyPlaces, core: CryptoCore, path: string, config: ProxyConfig): Promise<void> {
  const log = createStderrLog();
  const load = (from: ProxyConfig): Promise<ProxySettings> => loadProxySettings(core, from, places);
  const { host, port } = config.address;
  const proxy = await listen({ core, clock: CLOCK, log, host, port, settings: await load(config) });
  const reload = (): void => {
    void reloadProxy(proxy, log, async () => load(requireSameListener(config, readProxyConfig(path))));
  };
  process.on('SIGHUP', reload);
  const { pathPrefix = '', keys } = config;
  process.stdout.write(
    `Keywright XKS proxy listens on https://${host}:${String(proxy.port)}${pathPrefix}${API_PATH}\n` +
      `  Keys: ${keys.map(({ id }) => id).join(', ')}\n\nPress Ctrl-C to stop.\n`,
  );
  const signal = await nextSignal();
  process.off('SIGHUP', reload);
  log.info('stopping', { signal });
  await proxy.close();
  log.info('stopped');
}

async function listen(options: ProxyOptions): Promise<XksProxy> {
  try {
    return await XksProxy.listen(options);
  } catch (error) {
    throw explainListenError(error, `${options.host}:${String(options.port)}`);
  }
}

/** A proxy whose configuration got an error goes on as it was. */
async function reloadProxy(proxy: XksProxy, log: Log, load: () => Promise<ProxySettings>): Promise<void> {
  try {
    proxy.use(await load());
    log.info('the configuration was read again');
  } catch (error) {
    log.error('the configuration was read again and cannot be used', { error: String(error) });
  }
}

/** @throws ConfigError when the two differ in what only a start can change */
function requireSameListener(running: ProxyConfig, changed: ProxyConfig): ProxyConfig {
  const { address, data, token, tls } = changed;
  const isSame =
    address.host === running.address.host &&
    address.port === running.address.port &&
    data === running.data &&
    isDeepStrictEqual(token, running.token) &&
    (tls.clients === undefined) === (running.tls.clients === undefined);
  if (!isSame) {
    throw new ConfigError(
      'listen, data, pkcs11, and whether there is tls.clients, change only when the proxy is started again',
    );
  }
  return changed;
}
