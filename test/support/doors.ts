/**
 * The two doors of an engine, behind one shape: the AWS SDK calling in process, and the AWS SDK calling a server over
 * HTTP with signed requests. The conformance suite runs on both.
 */
import { KMSClient } from '@aws-sdk/client-kms';
import { createRequestHandler } from '../../src/client/index.ts';
import { administratorOf, Engine, type EngineOptions } from '../../src/engine/engine.ts';
import { HttpServer } from '../../src/server/http-server.ts';
import { SILENT_LOG } from '../../src/base/log.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { TestClock } from './test-clock.ts';

export const ACCOUNT = '111122223333';
export const OTHER_ACCOUNT = '444455556666';
export const REGION = 'eu-central-1';
export const OTHER_REGION = 'us-east-1';

export interface Door {
  readonly engine: Engine;
  readonly clock: TestClock;
  /** A client of the administrator of an account; by default of ACCOUNT in REGION. */
  client(options?: { readonly account?: string; readonly region?: string }): KMSClient;
  close(): Promise<void>;
}

/** Options of the engine that a door does not set itself. */
export type DoorOptions = Pick<EngineOptions, 'attestationRoots' | 'keyStoreBackends'>;

export type OpenDoor = (options?: DoorOptions) => Promise<Door>;

export interface OpenEngine {
  readonly engine: Engine;
  readonly clock: TestClock;
  /** Its data directory. */
  readonly folder: string;
  readonly remove: () => void;
}

/** An engine of both Regions on a store of its own, with a clock that tests move. */
export async function openEngine(options: DoorOptions = {}): Promise<OpenEngine> {
  const folder = temporaryFolder();
  const clock = new TestClock();
  const engine = await Engine.open({
    dataDirectory: folder.path,
    regions: [REGION, OTHER_REGION],
    clock,
    log: SILENT_LOG,
    ...options,
  });
  return {
    engine,
    clock,
    folder: folder.path,
    remove: () => {
      folder.remove();
    },
  };
}

export const openInProcess: OpenDoor = async (options) => {
  const { engine, clock, remove } = await openEngine(options);
  return {
    engine,
    clock,
    client: ({ account = ACCOUNT, region = REGION } = {}) =>
      new KMSClient({
        region,
        credentials: { accessKeyId: 'unused', secretAccessKey: 'unused' },
        requestHandler: createRequestHandler(engine, { caller: administratorOf(account), region }),
        maxAttempts: 1,
      }),
    close: async () => {
      await engine.close();
      remove();
    },
  };
};

export const openOverHttp: OpenDoor = async (options) => {
  const { engine, clock, remove } = await openEngine(options);
  const server = await HttpServer.listen({ engine, log: SILENT_LOG, host: '127.0.0.1', port: 0 });
  const credentials = new Map(
    await Promise.all(
      [ACCOUNT, OTHER_ACCOUNT].map(
        async (account) => [account, await engine.accessKeys.create(administratorOf(account))] as const,
      ),
    ),
  );
  return {
    engine,
    clock,
    client: ({ account = ACCOUNT, region = REGION } = {}) => {
      const made = credentials.get(account);
      if (made === undefined) {
        throw new Error(`no credentials for account ${account}`);
      }
      return new KMSClient({
        region,
        endpoint: `http://127.0.0.1:${String(server.port)}`,
        credentials: made,
        // The clock of the tests moves, and with it the time that requests must be signed at.
        systemClockOffset: clock.nowMs() - Date.now(),
        maxAttempts: 1,
      });
    },
    close: async () => {
      await server.close();
      await engine.close();
      remove();
    },
  };
};

export const DOORS: readonly (readonly [name: string, open: OpenDoor])[] = [
  ['in process', openInProcess],
  ['over HTTP', openOverHttp],
];
