import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { closeServer } from '../base/close-server.ts';
import { KmsServiceError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Engine } from '../engine/engine.ts';
import type { TestPowers } from '../engine/test-powers/test-powers.ts';
import type { VpcEndpoint } from '../service/target.ts';
import { encodeError, encodeOutput, JSON_CONTENT_TYPE } from '../base/json-protocol.ts';
import { Authenticator } from './authenticate.ts';
import { KmsEndpoint } from './kms-endpoint.ts';
import { readBody } from './request-body.ts';
import { answerTestControl, TEST_CONTROL_PREFIX } from './test-control.ts';
import type { TlsCredentials } from './tls-certificates.ts';
import { isQueryRequest, StsEndpoint, XML_CONTENT_TYPE } from './sts-endpoint.ts';

/** From the first byte of a request to its last. */
const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 10_000;
/** Longer than the idle time of AWS SDKs, so that the server is not the one that closes first. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** How long a shutdown waits for requests that are under way. */
const DRAIN_TIMEOUT_MS = 10_000;

const LOOPBACK_HOST = /^(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])(?::\d+)?$/i;
const HTTP_OPTIONS: ServerOptions = {
  requestTimeout: REQUEST_TIMEOUT_MS,
  headersTimeout: HEADERS_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  connectionsCheckingInterval: 5_000,
  noDelay: true,
};
/** The shutdown does not see connections that have not shaken hands yet: they must not last. */
const TLS_OPTIONS = { minVersion: 'TLSv1.2', handshakeTimeout: HEADERS_TIMEOUT_MS } as const;

export interface HttpServerOptions {
  readonly engine: Engine;
  readonly log: Log;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Present for a listener that speaks TLS 1.2 or 1.3 only. */
  readonly tls?: TlsCredentials | undefined;
  /** Present for a listener that is the door of a VPC endpoint. */
  readonly vpcEndpoint?: VpcEndpoint | undefined;
  /** Whether the listener has the control endpoint of an engine with test powers: only where no network gets at it. */
  readonly hasTestControl?: boolean | undefined;
}

/** The HTTP door of an engine. */
export class HttpServer {
  readonly #engine: Engine;
  readonly #testPowers: TestPowers | undefined;
  readonly #kms: KmsEndpoint;
  readonly #sts: StsEndpoint;
  readonly #log: Log;
  readonly #server: Server;
  #isClosing = false;

  private constructor(options: HttpServerOptions) {
    this.#engine = options.engine;
    this.#testPowers = options.hasTestControl === true ? options.engine.testPowers : undefined;
    const authenticator = new Authenticator(options.engine, options.vpcEndpoint);
    this.#kms = new KmsEndpoint(options.engine, authenticator);
    this.#sts = new StsEndpoint(options.engine, authenticator);
    this.#log = options.log;
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      this.#handle(request, response).catch((error: unknown) => {
        this.#log.error('request failed outside the engine', { error: String(error) });
        response.destroy();
      });
    };
    this.#server =
      options.tls === undefined
        ? createServer(HTTP_OPTIONS, listener)
        : createTlsServer(
            { ...HTTP_OPTIONS, ...TLS_OPTIONS, cert: options.tls.certificate, key: options.tls.privateKey },
            listener,
          );
  }

  /** Starts to listen. @throws Error with code EADDRINUSE, EACCES … when the address cannot be had */
  static async listen(options: HttpServerOptions): Promise<HttpServer> {
    const server = new HttpServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject);
      server.#server.listen({ host: options.host, port: options.port }, () => {
        server.#server.off('error', reject);
        resolve();
      });
    });
    return server;
  }

  /** Shows other certificates to connections that begin from now on. */
  useCredentials({ certificate, privateKey }: TlsCredentials): void {
    if (this.#server instanceof TlsServer) {
      this.#server.setSecureContext({ ...TLS_OPTIONS, cert: certificate, key: privateKey });
    }
  }

  /** The port that the server listens on. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes no new requests, answers those under way (for 10 s at most), then closes. The engine stays open. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await closeServer(this.#server, DRAIN_TIMEOUT_MS);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET' && request.url === '/healthz') {
      sendText(response, 200, 'ok\n');
    } else if (request.method === 'GET' && request.url === '/readyz') {
      await this.#sendReadiness(response);
    } else if (this.#testPowers !== undefined && request.url?.startsWith(TEST_CONTROL_PREFIX) === true) {
      await this.#sendControlAnswer(this.#testPowers, request, response);
    } else {
      await this.#sendAnswer(request, response);
    }
  }

  async #sendControlAnswer(powers: TestPowers, request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A page in a browser that gave its own name the address of this listener says that name here.
    if (!LOOPBACK_HOST.test(request.headers.host ?? '')) {
      sendText(response, 403, 'the control endpoint is for loopback addresses\n');
      return;
    }
    const { method = '', url = '' } = request;
    const body = await readBody(request);
    const answer = await answerTestControl(this.#engine, powers, {
      method,
      path: url.slice(TEST_CONTROL_PREFIX.length),
      body,
    });
    const text = `${JSON.stringify(answer.body)}\n`;
    response.writeHead(answer.status, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(text),
    });
    response.end(text);
  }

  async #sendReadiness(response: ServerResponse): Promise<void> {
    if (this.#isClosing) {
      sendText(response, 503, 'shutting down\n');
      return;
    }
    try {
      await this.#engine.checkReady();
      sendText(response, 200, 'ready\n');
    } catch (error) {
      this.#log.error('the store does not answer', { error: String(error) });
      sendText(response, 503, 'the store does not answer\n');
    }
  }

  async #sendAnswer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomUUID();
    try {
      const body = await readBody(request);
      if (isQueryRequest(request)) {
        const { status, body: text } = await this.#sts.answer(request, body, requestId);
        this.#send(response, requestId, status, XML_CONTENT_TYPE, text);
      } else {
        const output = await this.#kms.answer(request, body, requestId);
        this.#send(response, requestId, 200, JSON_CONTENT_TYPE, encodeOutput(output));
      }
    } catch (error) {
      this.#sendError(request, response, requestId, error);
    }
  }

  #sendError(request: IncomingMessage, response: ServerResponse, requestId: string, error: unknown): void {
    if (request.destroyed && !request.complete) {
      return;
    }
    const answer = this.#toServiceError(error);
    if (answer.name === 'RequestEntityTooLargeException') {
      // The rest of the body is not worth reading.
      response.setHeader('Connection', 'close');
    }
    if (isQueryRequest(request)) {
      const { status, body } = this.#sts.encodeError(answer, requestId);
      this.#send(response, requestId, status, XML_CONTENT_TYPE, body);
    } else {
      this.#send(response, requestId, answer.httpStatus, JSON_CONTENT_TYPE, encodeError(answer));
    }
  }

  #toServiceError(error: unknown): KmsServiceError {
    if (error instanceof KmsServiceError) {
      return error;
    }
    this.#log.error('request failed outside the engine', {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    return new KmsServiceError('KMSInternalException', 'An internal error occurred.', error);
  }

  #send(response: ServerResponse, requestId: string, status: number, contentType: string, body: string): void {
    if (this.#isClosing) {
      // Now, and not when the request came: it may have begun before the shutdown did.
      response.setHeader('Connection', 'close');
    }
    response.writeHead(status, {
      'x-amzn-RequestId': requestId,
      'Cache-Control': 'no-cache, no-store, must-revalidate, private',
      Expires: '0',
      Pragma: 'no-cache',
      'Content-Type': contentType,
      'Content-Length': Buffer.byteLength(body),
      // The time that signatures are held against: SDKs correct their own clock by it.
      Date: new Date(this.#engine.clock.nowMs()).toUTCString(),
    });
    response.end(body);
  }
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': text.length });
  response.end(text);
}
