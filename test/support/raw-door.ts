/** The HTTP door without an SDK: requests that no SDK sends, and answers as they are on the wire. */
import { SignatureV4 } from '@smithy/signature-v4';
import { SILENT_LOG } from '../../src/base/log.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { HttpServer } from '../../src/server/http-server.ts';
import type { TestClock } from './test-clock.ts';
import { ACCOUNT, openEngine, OTHER_ACCOUNT, REGION } from './doors.ts';
import { NodeSha256 } from './node-sha256.ts';

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
  /** The JSON body; empty when there is none. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface RawOptions {
  /** By default ACCOUNT. */
  readonly account?: string;
  /** By default REGION. */
  readonly region?: string;
}

export interface RawDoor {
  readonly clock: TestClock;
  /** Sends one signed request: a text as it is, anything else as JSON. */
  call(operation: string, body: unknown, options?: RawOptions): Promise<RawAnswer>;
  /** The same for a request that must succeed. */
  answer(operation: string, body: unknown, options?: RawOptions): Promise<RawAnswer['body']>;
  close(): Promise<void>;
}

export async function openRawDoor(): Promise<RawDoor> {
  const { engine, clock, remove } = await openEngine();
  const server = await HttpServer.listen({ engine, log: SILENT_LOG, host: '127.0.0.1', port: 0 });
  const credentials = new Map([
    [ACCOUNT, await engine.accessKeys.create(rootOf(ACCOUNT))],
    [OTHER_ACCOUNT, await engine.accessKeys.create(rootOf(OTHER_ACCOUNT))],
  ]);
  const call: RawDoor['call'] = async (operation, body, { account = ACCOUNT, region = REGION } = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const host = `127.0.0.1:${String(server.port)}`;
    const headers = { host, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${operation}` };
    const made = credentials.get(account);
    if (made === undefined) {
      throw new Error(`no credentials for account ${account}`);
    }
    const signer = new SignatureV4({ service: 'kms', region, credentials: made, sha256: NodeSha256 });
    const request = { method: 'POST', protocol: 'http:', hostname: host, path: '/', headers, body: text };
    const { headers: signed } = await signer.sign(request, { signingDate: new Date(clock.nowMs()) });
    delete signed['host'];
    const response = await fetch(`http://${host}/`, { method: 'POST', headers: signed, body: text });
    const received = await response.text();
    const parsed = (received === '' ? {} : JSON.parse(received)) as RawAnswer['body'];
    return { status: response.status, text: received, body: parsed };
  };
  return {
    clock,
    call,
    answer: async (operation, body, options) => {
      const { status, text, body: answered } = await call(operation, body, options);
      if (status !== 200) {
        throw new Error(`${operation} answered ${String(status)}: ${text}`);
      }
      return answered;
    },
    close: async () => {
      await server.close();
      await engine.close();
      remove();
    },
  };
}
