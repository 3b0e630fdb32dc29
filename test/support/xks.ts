/** Both ends of the external key store proxy API, over real TLS on loopback. */
import { createPrivateKey, createHash, createHmac, webcrypto } from 'node:crypto';
import { createServer, request as httpsRequest, type RequestOptions } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SILENT_LOG, type Log } from '../../src/base/log.ts';
import { loadCore } from '../../src/core/index.ts';
import type { XksNetworkSettings } from '../../src/xks/https-caller.ts';
import { XksProxy, type ProxySettings } from '../../src/xks/proxy/proxy-server.ts';
import { SoftwareKey, SoftwareKeyManager } from '../../src/xks/proxy/software-key.ts';
import type { ServedKey } from '../../src/xks/proxy/external-key.ts';
import { CREDENTIAL } from './key-store-requests.ts';
import { REGION } from './doors.ts';
import { x509 } from './x509.ts';

export const PROXY_HOST = 'proxy.example.com';
export const PROXY_ENDPOINT = `https://${PROXY_HOST}`;
export const PROXY_PATH = '/kms/xks/v1';
/** Long enough for a machine that is busy with other things. */
export const PATIENT_MS = 20_000;

const core = loadCore();
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A certificate with its private key; both PEM. */
export interface Identity {
  readonly certificate: string;
  readonly privateKey: string;
}

/** An authority that certifies whom a test names. */
export class Authority {
  readonly #name: string;
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #certificate: InstanceType<typeof x509.X509Certificate>;

  private constructor(
    name: string,
    keys: webcrypto.CryptoKeyPair,
    certificate: typeof Authority.prototype.certificate,
  ) {
    this.#name = name;
    this.#keys = keys;
    this.#certificate = certificate;
  }

  static async create(name = 'Test authority'): Promise<Authority> {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned(
      {
        ...validity(),
        name: `CN=${name}`,
        keys,
        signingAlgorithm: ALGORITHM,
        extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
      },
      webcrypto,
    );
    return new Authority(name, keys, certificate);
  }

  get certificate(): InstanceType<typeof x509.X509Certificate> {
    return this.#certificate;
  }

  get pem(): string {
    return this.#certificate.toString('pem');
  }

  async issue(commonName: string): Promise<Identity> {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.create(
      {
        ...validity(),
        subject: `CN=${commonName}`,
        issuer: `CN=${this.#name}`,
        publicKey: keys.publicKey,
        signingKey: this.#keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: commonName }])],
      },
      webcrypto,
    );
    const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    return {
      certificate: certificate.toString('pem'),
      privateKey: String(privateKey.export({ format: 'pem', type: 'pkcs8' })),
    };
  }
}

function validity(): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(Date.now() - 86_400_000), notAfter: new Date(Date.now() + 86_400_000) };
}

/** A fresh software key that is served without conditions, unless the test has some. */
export function softwareKey(conditions: Partial<ServedKey> = {}): ServedKey {
  const key = new SoftwareKey(core, core.generateKey('backing'));
  return { key, usage: ['ENCRYPT', 'DECRYPT'], isEnabled: true, allow: undefined, ...conditions };
}

export function proxySettings(identity: Identity, changes: Partial<ProxySettings> = {}): ProxySettings {
  const { AccessKeyId: accessKeyId, RawSecretAccessKey: secret } = CREDENTIAL;
  return {
    pathPrefix: '',
    regions: new Set([REGION]),
    fleetSize: 1,
    managers: [new SoftwareKeyManager(core)],
    credentials: new Map([[accessKeyId, credentialOf(accessKeyId, secret)]]),
    keys: new Map([['key-1', softwareKey()]]),
    tls: { ...identity, clients: undefined },
    ...changes,
  };
}

export function credentialOf(
  accessKeyId: string,
  secret: string,
): NonNullable<ReturnType<ProxySettings['credentials']['get']>> {
  const handle = core.importKey('hmac', Buffer.from(`AWS4${secret}`));
  return { accessKeyId, secret: handle, isActive: true, identity: undefined };
}

export function startProxy(settings: ProxySettings, log: Log = SILENT_LOG): Promise<XksProxy> {
  return XksProxy.listen({ core, clock: { nowMs: () => Date.now() }, log, host: '127.0.0.1', port: 0, settings });
}

/** Settings of a client that finds {@link PROXY_HOST} at this port and trusts the authority. */
export function networkTo(port: number, authority: Authority, timeoutMs = PATIENT_MS): XksNetworkSettings {
  return {
    addresses: new Map([[PROXY_HOST, { host: '127.0.0.1', port }]]),
    authorities: authority.pem,
    timeoutMs,
  };
}

/** A request by hand, signed with nothing of ours. */
export interface RawRequest {
  readonly port: number;
  readonly ca: string;
  readonly path: string;
  readonly body?: unknown;
  readonly method?: string;
  /** Instead of now, in milliseconds since 1970. */
  readonly signedMs?: number;
  readonly region?: string;
  readonly service?: string;
  readonly credential?: { readonly AccessKeyId: string; readonly RawSecretAccessKey: string };
  /** Sent instead of what was signed. */
  readonly sentBody?: string;
  readonly isSigned?: boolean;
  readonly options?: RequestOptions;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** An empty object for what is no JSON. */
  readonly json: Readonly<Partial<Record<'errorName' | 'errorMessage', unknown>>>;
}

export function sendRaw(raw: RawRequest): Promise<RawAnswer> {
  const body = typeof raw.body === 'string' ? raw.body : JSON.stringify(raw.body ?? {});
  const headers = raw.isSigned === false ? {} : signByHand(raw, body);
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port: raw.port,
        servername: PROXY_HOST,
        ca: raw.ca,
        method: raw.method ?? 'POST',
        path: raw.path,
        agent: false,
        headers: { host: PROXY_HOST, 'content-type': 'application/json', ...headers },
        ...raw.options,
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) });
        });
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(raw.method === 'GET' ? undefined : (raw.sentBody ?? body));
  });
}

function parse(text: string): object {
  try {
    return JSON.parse(text) as object;
  } catch {
    return {};
  }
}

/** @source the specification, Appendix A */
function signByHand(raw: RawRequest, body: string): Record<string, string> {
  const { credential = CREDENTIAL, region = REGION, service = 'kms-xks-proxy', signedMs = Date.now() } = raw;
  const timestamp = new Date(signedMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const date = timestamp.slice(0, 8);
  const scope = `${date}/${region}/${service}/aws4_request`;
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const signedHeaders = 'host;x-amz-date';
  const canonical = [
    raw.method ?? 'POST',
    raw.path,
    '',
    `host:${PROXY_HOST}`,
    `x-amz-date:${timestamp}`,
    '',
    signedHeaders,
    sha256(raw.method === 'GET' ? '' : body),
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', timestamp, scope, sha256(canonical)].join('\n');
  const dateKey = hmac(`AWS4${credential.RawSecretAccessKey}`, date);
  const key = [region, service, 'aws4_request'].reduce<Buffer>(hmac, dateKey);
  const signature = hmac(key, toSign).toString('hex');
  return {
    'x-amz-date': timestamp,
    authorization:
      `AWS4-HMAC-SHA256 Credential=${credential.AccessKeyId}/${scope}, ` +
      `SignedHeaders=${signedHeaders}, Signature=${signature}`,
  };
}

/** What a proxy that a test made up does with a request. */
export type FakeAnswer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export interface FakeProxy {
  readonly port: number;
  /** Replaces the answers to calls that `path` ends with; `/health` is healthy at first. */
  answer(path: string, answer: FakeAnswer): void;
  close(): Promise<void>;
}

export const HEALTHY = {
  xksProxyFleetSize: 1,
  xksProxyVendor: 'Test',
  xksProxyModel: 'Fake',
  ekmVendor: 'Test',
  ekmFleetDetails: [{ id: '1', model: 'Fake', healthStatus: 'ACTIVE' }],
};

/** Answers JSON with a status. */
export function json(status: number, content: unknown): FakeAnswer {
  return (_request, response) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(text);
  };
}

export async function startFakeProxy(identity: Identity, options: object = {}): Promise<FakeProxy> {
  const answers = new Map<string, FakeAnswer>([['/health', json(200, HEALTHY)]]);
  const server = createServer({ cert: identity.certificate, key: identity.privateKey, ...options });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const [, answer = json(404, { errorName: 'InvalidUriPathException' })] =
        [...answers].find(([path]) => request.url?.endsWith(path)) ?? [];
      answer(request, response, body);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    answer: (path, answer) => answers.set(path, answer),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
