import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Log } from '../base/log.ts';
import type { Engine } from '../engine/engine.ts';
import { HttpServer, type HttpServerOptions } from '../server/http-server.ts';
import { ensureCertificates, type TlsCredentials } from '../server/tls-certificates.ts';
import { ConfigError, type Address, type ServerConfig } from './config.ts';
import { readVpcEndpoints, type VpcEndpointConfig } from './vpc-endpoints.ts';

const CERTIFICATE_CHECK_MS = 86_400_000;

/** Where the server can be called. */
export interface Listener {
  readonly url: string;
  /** Id of the VPC endpoint that the listener is the door of. */
  readonly vpcEndpointId: string | undefined;
}

/** The listeners of a server, opened and closed together. */
export interface OpenListeners {
  readonly all: readonly Listener[];
  /** Answers the requests under way, then closes all. */
  close(): Promise<void>;
}

/** The folder of our own certificate authority. */
export function tlsDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'tls');
}

/**
 * Opens the HTTP listener, the TLS listener and those of VPC endpoints, as far as they are configured.
 *
 * @throws ConfigError when an address cannot be had or certificates cannot be read; no listener stays open then
 */
export async function openListeners(
  engine: Engine,
  log: Log,
  config: ServerConfig,
  plainHttp: string | undefined,
): Promise<OpenListeners> {
  const endpoints = config.vpcEndpoints === undefined ? [] : readVpcEndpoints(config.vpcEndpoints, plainHttp);
  const wanted: readonly (VpcEndpointConfig | { readonly address: Address; readonly hasTestControl?: boolean })[] = [
    // The settings keep this one on loopback when there are test powers.
    { address: config.address, hasTestControl: config.hasTestPowers },
    ...(config.tls.address === undefined ? [] : [{ address: config.tls.address }]),
    ...endpoints,
  ];
  const hosts = wanted.filter(({ address }) => address.isTls).map(({ address }) => address.host);
  const loadTls = (): Promise<TlsCredentials> => loadCredentials(config, hosts);
  const tls = hosts.length > 0 ? await loadTls() : undefined;
  const servers: { readonly server: HttpServer; readonly listener: Listener; readonly isTls: boolean }[] = [];
  const closeAll = async (): Promise<void> => {
    await Promise.all(servers.map(({ server }) => server.close()));
  };
  try {
    for (const { address, ...rest } of wanted) {
      const options = { engine, log, host: address.host, port: address.port, ...rest };
      const server = await listen(address.isTls ? { ...options, tls } : options);
      const vpcEndpointId = 'vpcEndpoint' in rest ? rest.vpcEndpoint.id : undefined;
      const listener = { url: urlOf(address, server.port), vpcEndpointId };
      servers.push({ server, listener, isTls: address.isTls });
    }
  } catch (error) {
    await closeAll();
    throw error;
  }
  const renew = async (): Promise<void> => {
    const renewed = await loadTls();
    servers
      .filter(({ isTls }) => isTls)
      .forEach(({ server }) => {
        server.useCredentials(renewed);
      });
  };
  const timer = setInterval(() => {
    renew().catch((error: unknown) => {
      log.error('the TLS certificate could not be checked', { error: String(error) });
    });
  }, CERTIFICATE_CHECK_MS).unref();
  return {
    all: servers.map(({ listener }) => listener),
    close: async () => {
      clearInterval(timer);
      await closeAll();
    },
  };
}

async function loadCredentials(config: ServerConfig, hosts: readonly string[]): Promise<TlsCredentials> {
  const { own, names } = config.tls;
  if (own === undefined) {
    const reachable = hosts.filter((host) => !/^(?:0\.0\.0\.0|::)$/.test(host));
    return ensureCertificates(tlsDirectory(config.dataDirectory), [...names, ...reachable], Date.now());
  }
  try {
    return {
      certificate: readFileSync(own.certificateFile, 'utf8'),
      privateKey: readFileSync(own.keyFile, 'utf8'),
    };
  } catch (error) {
    throw new ConfigError(`KEYWRIGHT_TLS_CERT and KEYWRIGHT_TLS_KEY: ${(error as Error).message}`);
  }
}

async function listen(options: HttpServerOptions): Promise<HttpServer> {
  try {
    return await HttpServer.listen(options);
  } catch (error) {
    throw explainListenError(error, `${options.host}:${String(options.port)}`);
  }
}

/** Why a listener could not start, as a {@link ConfigError} where the settings are to blame. */
export function explainListenError(error: unknown, address: string): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'EADDRINUSE') {
    return new ConfigError(`something else listens on ${address}: stop it, or choose another address`);
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    return new ConfigError(`this process may not listen on ${address}: choose another address`);
  }
  if (code.startsWith('ERR_OSSL') || code.startsWith('ERR_TLS')) {
    return new ConfigError(`the TLS certificate or its key cannot be used: ${(error as Error).message}`);
  }
  return error;
}

function urlOf({ host, isTls }: Address, port: number): string {
  return `${isTls ? 'https' : 'http'}://${isIP(host) === 6 ? `[${host}]` : host}:${String(port)}`;
}
