import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { createSecureContext, rootCertificates } from 'node:tls';
import { XksFailure, type FailureKind } from './failures.ts';
import { TLS_CIPHERS } from './proxy-api.ts';

/** AWS KMS gives a proxy this long for a call, connecting included. @source the specification, KMS Considerations */
export const CALL_TIMEOUT_MS = 250;

/** Connections to one proxy; more calls than that wait for one of them. At 35 ms a call they carry 1800 a second. */
const MAX_SOCKETS = 64;
/** Below the time after which common servers and load balancers drop idle connections. */
const IDLE_SOCKET_MS = 30_000;
/** So long a handshake may go on whose call ran out of time: the connection serves the next ones. */
const HANDSHAKE_MS = 2_000;
/** An encrypted data key with everything around it has some kilobytes. */
const MAX_ANSWER_BYTES = 65_536;

/** Where a host is reached when that is not what DNS says, with port 443. */
export interface NetworkAddress {
  readonly host: string;
  readonly port: number;
}

/** How this process reaches proxies: settings of its operator, the same for all stores. */
export interface XksNetworkSettings {
  /** By host name in lower case; the name itself stays what certificates and signatures are for. */
  readonly addresses?: ReadonlyMap<string, NetworkAddress>;
  /** PEM of authorities that certificates of proxies may come from, besides the public ones. */
  readonly authorities?: string;
  /** What this process shows to proxies that ask for a certificate; both PEM. */
  readonly clientCertificate?: { readonly certificate: string; readonly privateKey: string };
  /** Default: {@link CALL_TIMEOUT_MS}. */
  readonly timeoutMs?: number;
}

export interface HttpsCall {
  /** Host name of the proxy. */
  readonly host: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface HttpsAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** How far a call has got, which decides what its failure means. */
type Phase = 'waiting' | 'connecting' | 'handshake' | 'open';

/** Posts to proxies over connections that it keeps: TLS 1.2 or 1.3, HTTP/1.1, each call within a fixed time. */
export class HttpsCaller {
  readonly #agent: Agent;
  readonly #addresses: ReadonlyMap<string, NetworkAddress>;
  readonly #timeoutMs: number;

  /** @throws Error when the PEM of the settings cannot be used */
  constructor({ addresses, authorities, clientCertificate, timeoutMs = CALL_TIMEOUT_MS }: XksNetworkSettings) {
    this.#addresses = addresses ?? new Map();
    this.#timeoutMs = timeoutMs;
    this.#agent = new Agent({
      keepAlive: true,
      scheduling: 'lifo',
      maxSockets: MAX_SOCKETS,
      timeout: IDLE_SOCKET_MS,
      // A proxy with several addresses of which one is dead has the others tried within the same call.
      autoSelectFamilyAttemptTimeout: Math.max(10, Math.floor(timeoutMs / 4)),
      // Made once: the public authorities are many.
      secureContext: createSecureContext({
        minVersion: 'TLSv1.2',
        ciphers: TLS_CIPHERS,
        ...(authorities === undefined ? {} : { ca: [...rootCertificates, authorities] }),
        ...(clientCertificate === undefined
          ? {}
          : { cert: clientCertificate.certificate, key: clientCertificate.privateKey }),
      }),
    });
  }

  /** @throws XksFailure `unreachable`, `tls`, `timeout`, or `malformed` for an answer that is too long or cut off */
  post(call: HttpsCall): Promise<HttpsAnswer> {
    return new Promise((resolve, reject) => {
      const attempt = new Attempt(resolve, reject);
      attempt.timer = setTimeout(() => {
        attempt.fail(attempt.phase === 'connecting' ? 'unreachable' : 'timeout', `no answer while ${attempt.phase}`);
      }, this.#timeoutMs);
      this.#send(call, attempt);
    });
  }

  /** Closes every connection; calls under way fail. */
  close(): void {
    this.#agent.destroy();
  }

  #send(call: HttpsCall, attempt: Attempt): void {
    const { host, port } = this.#addresses.get(call.host.toLowerCase()) ?? { host: call.host, port: 443 };
    const request = httpsRequest(
      {
        agent: this.#agent,
        host,
        port,
        // An address is no name to ask for (RFC 6066 §3); its certificate is checked against the host then.
        servername: isIP(call.host) === 0 ? call.host : '',
        method: 'POST',
        path: call.path,
        headers: { ...call.headers, 'content-length': String(call.body.length) },
      },
      (response) => {
        collect(response, attempt);
      },
    );
    attempt.follow(request);
    request.on('error', (error: NodeJS.ErrnoException) => {
      // The proxy closed a kept connection at the moment at which it was taken. No call changes anything, so this one
      // may be made again; the time that it has stays the same.
      if (request.reusedSocket && error.code === 'ECONNRESET' && !attempt.isSettled) {
        this.#send(call, attempt);
      } else {
        attempt.fail(faultOf(error, attempt.phase), error.message, error);
      }
    });
    request.end(call.body);
  }
}

function faultOf({ code = '' }: NodeJS.ErrnoException, phase: Phase): FailureKind {
  // In TLS 1.3 the proxy refuses a client's certificate only when the client takes the connection for open.
  return phase === 'handshake' || code.startsWith('ERR_SSL_') ? 'tls' : 'unreachable';
}

/** One call until it is settled, over one connection or, when the first was stale, a second. */
class Attempt {
  phase: Phase = 'waiting';
  isSettled = false;
  timer: NodeJS.Timeout | undefined;
  #request: ClientRequest | undefined;
  readonly #resolve: (answer: HttpsAnswer) => void;
  readonly #reject: (failure: XksFailure) => void;

  constructor(resolve: (answer: HttpsAnswer) => void, reject: (failure: XksFailure) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  follow(request: ClientRequest): void {
    this.#request = request;
    this.phase = 'waiting';
    request.once('socket', (socket: Socket) => {
      if (request.reusedSocket || !socket.connecting) {
        this.phase = 'open';
        return;
      }
      this.phase = 'connecting';
      socket.once('connect', () => (this.phase = 'handshake'));
      socket.once('secureConnect', () => (this.phase = 'open'));
    });
  }

  succeed(answer: HttpsAnswer): void {
    if (!this.isSettled) {
      this.#settle();
      this.#resolve(answer);
    }
  }

  fail(kind: FailureKind, detail: string, cause?: unknown): void {
    if (!this.isSettled) {
      this.#settle();
      this.#reject(new XksFailure(kind, detail, cause));
      this.#end();
    }
  }

  /**
   * Many calls at once to a proxy without connections all wait for handshakes. Were these given up with their calls,
   * the next calls would find no connection either, and so on for as long as there are many.
   */
  #end(): void {
    const request = this.#request;
    if (request === undefined || this.phase !== 'handshake') {
      request?.destroy();
      return;
    }
    const timer = setTimeout(() => request.destroy(), HANDSHAKE_MS);
    request.once('close', () => {
      clearTimeout(timer);
    });
  }

  #settle(): void {
    this.isSettled = true;
    clearTimeout(this.timer);
  }
}

function collect(response: IncomingMessage, attempt: Attempt): void {
  if (attempt.isSettled) {
    // Too late, and read to its end because the connection is kept.
    response.resume();
    return;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
    chunks.push(chunk);
    if (length > MAX_ANSWER_BYTES) {
      attempt.fail('malformed', `the answer is longer than ${String(MAX_ANSWER_BYTES)} bytes`);
    }
  });
  response.on('end', () => {
    attempt.succeed({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
  });
  response.on('error', (error) => {
    attempt.fail('malformed', `the answer was cut off: ${error.message}`);
  });
}
