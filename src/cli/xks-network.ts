import { createSecureContext } from 'node:tls';
import type { NetworkAddress, XksNetworkSettings } from '../xks/https-caller.ts';
import { readText } from './arguments.ts';
import { ConfigError } from './config.ts';

const ROUTE = /^([a-z0-9.-]+)=(\[[0-9a-f:.]+\]|[a-z0-9.-]+):(\d{1,5})$/i;
const MAX_TIMEOUT_MS = 60_000;

/**
 * Reads how proxies of external key stores are reached: the settings KEYWRIGHT_XKS_….
 *
 * @throws ConfigError for the first one that cannot be used
 */
export function readXksNetwork(environment: NodeJS.ProcessEnv): XksNetworkSettings {
  const get = (name: string): string | undefined => (environment[name] === '' ? undefined : environment[name]);
  const authorities = get('KEYWRIGHT_XKS_CA');
  const timeout = get('KEYWRIGHT_XKS_TIMEOUT_MS');
  const clientCertificate = readClientCertificate(get('KEYWRIGHT_XKS_CERT'), get('KEYWRIGHT_XKS_KEY'));
  return {
    addresses: parseRoutes(get('KEYWRIGHT_XKS_CONNECT')),
    ...(authorities === undefined ? {} : { authorities: readAuthorities(authorities) }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(timeout === undefined ? {} : { timeoutMs: parseTimeout(timeout) }),
  };
}

function parseRoutes(text: string | undefined): ReadonlyMap<string, NetworkAddress> {
  const routes = new Map<string, NetworkAddress>();
  for (const route of text?.split(',') ?? []) {
    const [, name = '', host = '', digits = ''] = ROUTE.exec(route.trim()) ?? [];
    const port = Number(digits);
    if (!(port >= 1 && port <= 65_535)) {
      throw new ConfigError(
        `KEYWRIGHT_XKS_CONNECT must be a comma list such as proxy.example.com=10.0.0.5:8443; "${route}" is none`,
      );
    }
    if (routes.has(name.toLowerCase())) {
      throw new ConfigError(`KEYWRIGHT_XKS_CONNECT has the host ${name} twice`);
    }
    routes.set(name.toLowerCase(), { host: host.replace(/^\[|\]$/g, ''), port });
  }
  return routes;
}

function readAuthorities(path: string): string {
  const pem = readText(path);
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) {
    throw new ConfigError(`KEYWRIGHT_XKS_CA=${path} holds no certificate in PEM`);
  }
  try {
    createSecureContext({ ca: pem });
  } catch (error) {
    throw new ConfigError(`KEYWRIGHT_XKS_CA=${path} cannot be used: ${(error as Error).message}`);
  }
  return pem;
}

function readClientCertificate(
  certificateFile: string | undefined,
  keyFile: string | undefined,
): XksNetworkSettings['clientCertificate'] {
  if (certificateFile === undefined && keyFile === undefined) {
    return undefined;
  }
  if (certificateFile === undefined || keyFile === undefined) {
    throw new ConfigError('KEYWRIGHT_XKS_CERT and KEYWRIGHT_XKS_KEY must be set together');
  }
  const read = { certificate: readText(certificateFile), privateKey: readText(keyFile) };
  try {
    createSecureContext({ cert: read.certificate, key: read.privateKey });
  } catch (error) {
    throw new ConfigError(`KEYWRIGHT_XKS_CERT and KEYWRIGHT_XKS_KEY cannot be used: ${(error as Error).message}`);
  }
  return read;
}

function parseTimeout(text: string): number {
  const milliseconds = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (milliseconds < 1 || milliseconds > MAX_TIMEOUT_MS) {
    throw new ConfigError(`KEYWRIGHT_XKS_TIMEOUT_MS must be 1 to ${String(MAX_TIMEOUT_MS)} milliseconds`);
  }
  return milliseconds;
}
