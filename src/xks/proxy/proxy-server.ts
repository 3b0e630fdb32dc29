import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { closeServer } from '../../base/close-server.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { CryptoCore } from '../../core/crypto-core.ts';
import { SigningKeys, splitUrl, toSignedRequest, verifyRequest, type Credential } from '../../sigv4/index.ts';
import { API_PATH, CONTENT_TYPE, TLS_CIPHERS, XKS_SERVICE } from '../proxy-api.ts';
import { ProxyError } from './proxy-error.ts';
import {
  answerHealth,
  answerKeyOperation,
  KEY_OPERATIONS,
  type KeyOperation,
  type ServedKeys,
} from './proxy-operations.ts';

/** Twice the largest request that the specification asks for: 4300 bytes of data and 8192 of additional data. */
const MAX_BODY_BYTES = 65_536;
const HANDSHAKE_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Longer than a client of ours keeps an idle connection, so that the proxy is not the one that closes first. */
const KEEP_ALIVE_TIMEOUT_MS = 60_000;
/** How long a shutdown waits for requests that are under way. */
const DRAIN_TIMEOUT_MS = 5_000;
/** Of what a request says of itself, this much of each member goes to the log: ARNs have at most as many characters. */
const MAX_LOGGED_LENGTH = 2_048;
const LOGGED_MEMBERS = ['kmsRequestId', 'kmsOperation', 'awsPrincipalArn', 'kmsKeyArn', 'kmsViaService'] as const;

export interface ProxyTls {
  /** PEM: the certificate and what leads to its root. */
  readonly certificate: string;
  /** PEM. */
  readonly privateKey: string;
  /** Present when clients must show a certificate of this common name, from one of these authorities (PEM). */
  readonly clients: { readonly authorities: string; readonly commonName: string } | undefined;
}

/** Everything about a proxy that can change while it runs, except whether clients must show a certificate. */
export interface ProxySettings extends ServedKeys {
  /** What stands in front of `/kms/xks/v1`; empty, or begins with `/` and does not end with one. */
  readonly pathPrefix: string;
  /** KMS Regions whose requests are served. */
  readonly regions: ReadonlySet<string>;
  /** By access key id; several, so that they can be changed one after the other. */
  readonly credentials: ReadonlyMap<string, Credential<undefined>>;
  readonly tls: ProxyTls;
}

export interface ProxyOptions {
  readonly core: CryptoCore;
  readonly clock: Clock;
  readonly log: Log;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly settings: ProxySettings;
}

/** What a URI of the API is about. */
type Route = { readonly operation: 'health' } | { readonly operation: KeyOperation; readonly keyId: string };

/** An external key store proxy: version 1 of the API over HTTPS. @source the specification */
export class XksProxy {
  readonly #core: CryptoCore;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #server: Server;
  readonly #signingKeys: SigningKeys;
  #settings: ProxySettings;
  #isClosing = false;

  private constructor({ core, clock, log, settings }: ProxyOptions) {
    this.#core = core;
    this.#clock = clock;
    this.#log = log;
    this.#settings = settings;
    this.#signingKeys = new SigningKeys(core);
    const asksForCertificate = settings.tls.clients !== undefined;
    this.#server = createServer({
      ...secureContext(settings.tls),
      requestCert: asksForCertificate,
      rejectUnauthorized: asksForCertificate,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: 1_000,
      noDelay: true,
    });
    // In front of the one that reads HTTP.
    this.#server.prependListener('secureConnection', (socket: TLSSocket) => {
      this.#checkClient(socket);
    });
    this.#server.on('request', (request, response) => {
      void this.#handle(request, response);
    });
  }

  /** Starts to listen. @throws Error with code EADDRINUSE, EACCES … or ERR_OSSL… when TLS files cannot be used */
  static async listen(options: ProxyOptions): Promise<XksProxy> {
    const proxy = new XksProxy(options);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen({ host: options.host, port: options.port }, () => {
        proxy.#server.off('error', reject);
        resolve();
      });
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Serves by other settings from now on; requests under way end by the old ones. @throws Error for bad TLS files */
  use(settings: ProxySettings): void {
    this.#server.setSecureContext(secureContext(settings.tls));
    this.#settings = settings;
  }

  /** Takes no new requests, answers those under way (for 5 s at most), then closes. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await closeServer(this.#server, DRAIN_TIMEOUT_MS);
    this.#signingKeys.destroy();
  }

  /** The chain was checked in the handshake, the subject was not. */
  #checkClient(socket: TLSSocket): void {
    const { clients } = this.#settings.tls;
    const peer: Partial<PeerCertificate> = socket.getPeerCertificate();
    if (clients !== undefined && peer.subject?.CN !== clients.commonName) {
      this.#log.error('a client with the certificate of somebody else was turned away', { peer: socket.remoteAddress });
      socket.destroy();
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path } = splitUrl(request);
    if (request.method === 'GET' && path === '/healthz') {
      this.#send(response, this.#isClosing ? 503 : 200, undefined);
      return;
    }
    const startedMs = performance.now();
    const entry: Record<string, unknown> = { path: path.slice(0, MAX_LOGGED_LENGTH) };
    try {
      const route = findRoute(this.#settings.pathPrefix, path);
      if (route !== undefined && request.method !== 'POST') {
        response.setHeader('Allow', 'POST');
        this.#send(response, 405, undefined);
        return;
      }
      const answer = await this.#answer(route, request, entry);
      this.#report(entry, 200, startedMs);
      this.#send(response, 200, answer);
    } catch (error) {
      if (!request.complete && request.destroyed) {
        return;
      }
      const refusal = this.#toRefusal(error);
      const { name, message, cause } = refusal;
      const fields = { error: name, reason: message, ...(cause instanceof Error ? { cause: cause.message } : {}) };
      this.#report({ ...entry, ...fields }, refusal.status, startedMs);
      this.#send(response, refusal.status, { errorName: refusal.name, errorMessage: refusal.message });
    }
  }

  async #answer(route: Route | undefined, request: IncomingMessage, entry: Record<string, unknown>): Promise<object> {
    if (route === undefined) {
      throw new ProxyError('InvalidUriPathException', 'There is no such path.');
    }
    const settings = this.#settings;
    const body = await readBody(request);
    await this.#authenticate(settings, request, body);
    const content = parseJson(body);
    Object.assign(entry, loggedFacts(content));
    return route.operation === 'health'
      ? answerHealth(settings, content)
      : answerKeyOperation(this.#core, settings, route, content);
  }

  /** @throws ProxyError AuthenticationFailedException */
  async #authenticate({ regions, credentials }: ProxySettings, request: IncomingMessage, body: Buffer): Promise<void> {
    const verdict = await verifyRequest(toSignedRequest(request, body), {
      nowMs: this.#clock.nowMs(),
      service: XKS_SERVICE,
      regions,
      core: this.#core,
      credentials: (accessKeyId) => credentials.get(accessKeyId),
      signingKeys: this.#signingKeys,
    });
    if (!verdict.ok) {
      throw new ProxyError('AuthenticationFailedException', verdict.error.message);
    }
  }

  #toRefusal(error: unknown): ProxyError {
    if (error instanceof ProxyError) {
      return error;
    }
    this.#log.error('request failed inside', { error: error instanceof Error ? error.stack : String(error) });
    return new ProxyError('InternalException', 'An internal error occurred.');
  }

  #report(entry: Readonly<Record<string, unknown>>, status: number, startedMs: number): void {
    this.#log.info('request', { ...entry, status, durationMs: Math.round(performance.now() - startedMs) });
  }

  #send(response: ServerResponse, status: number, content: object | undefined): void {
    const body = content === undefined ? '' : JSON.stringify(content);
    // A request that was refused before its end must not be read as the next one.
    if (this.#isClosing || !response.req.complete) {
      response.setHeader('Connection', 'close');
    }
    response.writeHead(status, { 'Content-Type': CONTENT_TYPE, 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
  }
}

function secureContext({ certificate, privateKey, clients }: ProxyTls): {
  readonly minVersion: 'TLSv1.2';
  readonly ciphers: string;
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
} {
  return {
    minVersion: 'TLSv1.2',
    ciphers: TLS_CIPHERS,
    cert: certificate,
    key: privateKey,
    ...(clients === undefined ? {} : { ca: clients.authorities }),
  };
}

const KEY_RESOURCE = /^\/keys\/([a-zA-Z0-9._-]{1,128})\/([a-z]+)$/;

function findRoute(prefix: string, path: string): Route | undefined {
  const base = `${prefix}${API_PATH}`;
  if (!path.startsWith(base)) {
    return undefined;
  }
  const resource = path.slice(base.length);
  if (resource === '/health') {
    return { operation: 'health' };
  }
  const [, keyId, name] = KEY_RESOURCE.exec(resource) ?? [];
  const operation = KEY_OPERATIONS.find((each) => each === name);
  return keyId === undefined || operation === undefined ? undefined : { operation, keyId };
}

/** @throws ProxyError UnsupportedOperationException for more than 65,536 bytes; the rest is then not read */
function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) {
        request.removeAllListeners('data').resume();
        const text = `The request is larger than ${String(MAX_BODY_BYTES)} bytes.`;
        reject(new ProxyError('UnsupportedOperationException', text));
      } else {
        chunks.push(chunk);
      }
    });
    request.on('end', () => {
      resolve(Buffer.concat(chunks));
    });
    request.on('close', () => {
      reject(new Error('the client went away'));
    });
  });
}

/** Undefined for what is no JSON, which no schema takes. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

function loggedFacts(content: unknown): Readonly<Record<string, string>> {
  const metadata = (content as { readonly requestMetadata?: unknown } | null | undefined)?.requestMetadata;
  if (typeof metadata !== 'object' || metadata === null) {
    return {};
  }
  const facts = metadata as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    LOGGED_MEMBERS.flatMap((name) => {
      const value = facts[name];
      return typeof value === 'string' ? [[name, value.slice(0, MAX_LOGGED_LENGTH)] as const] : [];
    }),
  );
}
