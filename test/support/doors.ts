/**
 * The two doors of an engine, behind one shape: the AWS SDK calling in process, and the AWS SDK calling a server over
 * HTTP with signed requests. The conformance suite runs on both.
 */
import { KMSClient } from '@aws-sdk/client-kms';
import { createRequestHandler } from '../../src/client/index.ts';
import type { Caller } from '../../src/base/caller.ts';
import { Engine, type EngineOptions } from '../../src/engine/engine.ts';
import { callerOf } from '../../src/iam/identities.ts';
import type { RequestOrigin, VpcEndpoint } from '../../src/service/target.ts';
import type { NewAccessKey } from '../../src/iam/access-keys.ts';
import { HttpServer } from '../../src/server/http-server.ts';
import { SILENT_LOG } from '../../src/base/log.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { TestClock } from './test-clock.ts';

export const ACCOUNT = '111122223333';
export const OTHER_ACCOUNT = '444455556666';
export const REGION = 'eu-central-1';
export const OTHER_REGION = 'us-east-1';

/** How requests come: through a VPC endpoint, or with what a service says of its errand. */
export type Way = Pick<RequestOrigin, 'vpcEndpoint' | 'sourceArn' | 'sourceAccount'>;

export interface Door {
  readonly engine: Engine;
  readonly clock: TestClock;
  /** The data directory of the engine. */
  readonly folder: string;
  /** A client of the administrator of an account; by default of ACCOUNT in REGION. */
  client(options?: { readonly account?: string; readonly region?: string }): KMSClient;
  /** A client of any other principal. */
  clientAs(caller: Caller, region?: string, way?: Way): Promise<KMSClient>;
  /** A client of a service, such as `s3`, that hands on requests of the administrator of ACCOUNT. */
  clientVia(service: string): Promise<KMSClient>;
  close(): Promise<void>;
}

/** Options of the engine that a door does not set itself. */
export type DoorOptions = Pick<EngineOptions, 'attestationRoots' | 'keyStoreBackends' | 'resourceQuotas'>;

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

async function administrators(engine: Engine): Promise<(account: string) => Caller> {
  const callers = new Map<string, Caller>();
  for (const account of [ACCOUNT, OTHER_ACCOUNT]) {
    callers.set(account, callerOf(await engine.identities.ensureAdministrator(account)));
  }
  return (account) => required(callers.get(account), account);
}

function required<T>(value: T | undefined, account: string): T {
  if (value === undefined) {
    throw new Error(`no credentials for account ${account}`);
  }
  return value;
}

export const openInProcess: OpenDoor = async (options) => {
  const { engine, clock, folder, remove } = await openEngine(options);
  const administratorOf = await administrators(engine);
  const clientOf = (caller: Caller, region: string, origin: RequestOrigin = {}): KMSClient =>
    new KMSClient({
      region,
      credentials: { accessKeyId: 'unused', secretAccessKey: 'unused' },
      requestHandler: createRequestHandler(engine, { caller, region, origin }),
      maxAttempts: 1,
    });
  return {
    engine,
    clock,
    folder,
    client: ({ account = ACCOUNT, region = REGION } = {}) => clientOf(administratorOf(account), region),
    clientAs: (caller, region = REGION, way = {}) => Promise.resolve(clientOf(caller, region, way)),
    clientVia: (viaService) => Promise.resolve(clientOf(administratorOf(ACCOUNT), REGION, { viaService })),
    close: async () => {
      await engine.close();
      remove();
    },
  };
};

export const openOverHttp: OpenDoor = async (options) => {
  const { engine, clock, folder, remove } = await openEngine(options);
  const listen = (vpcEndpoint?: VpcEndpoint): Promise<HttpServer> =>
    HttpServer.listen({ engine, log: SILENT_LOG, host: '127.0.0.1', port: 0, vpcEndpoint });
  const servers = [await listen()];
  const [server] = servers as [HttpServer];
  const administratorOf = await administrators(engine);
  const credentials = new Map<string, NewAccessKey>();
  for (const account of [ACCOUNT, OTHER_ACCOUNT]) {
    credentials.set(account, await engine.accessKeys.create(administratorOf(account)));
  }
  const clientOf = (made: NewAccessKey, region: string, { port } = server): KMSClient =>
    new KMSClient({
      region,
      endpoint: `http://127.0.0.1:${String(port)}`,
      credentials: made,
      // The clock of the tests moves, and with it the time that requests must be signed at.
      systemClockOffset: clock.nowMs() - Date.now(),
      maxAttempts: 1,
    });
  return {
    engine,
    clock,
    folder,
    client: ({ account = ACCOUNT, region = REGION } = {}) =>
      clientOf(required(credentials.get(account), account), region),
    clientAs: async (caller, region = REGION, { vpcEndpoint, sourceArn, sourceAccount } = {}) => {
      const door = vpcEndpoint === undefined ? server : await listen(vpcEndpoint);
      servers.push(door);
      const client = clientOf(await engine.accessKeys.create(caller), region, door);
      addHeaders(client, { 'x-amz-source-arn': sourceArn, 'x-amz-source-account': sourceAccount });
      return client;
    },
    clientVia: async (service) => {
      const wanted = { accountId: ACCOUNT, kind: 'service', name: `${service}.amazonaws.com` } as const;
      const principal = (await engine.identities.findByName(wanted)) ?? (await engine.identities.create(wanted));
      const client = clientOf(await engine.accessKeys.create(callerOf(principal)), REGION);
      addHeaders(client, { 'x-keywright-on-behalf-of': administratorOf(ACCOUNT).arn });
      return client;
    },
    close: async () => {
      await Promise.all([...new Set(servers)].map((each) => each.close()));
      await engine.close();
      remove();
    },
  };
};

/** Headers that go with every request, under its signature. */
function addHeaders(client: KMSClient, headers: Readonly<Record<string, string | undefined>>): void {
  const given = Object.entries(headers).filter(([, value]) => value !== undefined);
  client.middlewareStack.add(
    (next) => (handed) => {
      Object.assign((handed.request as { headers: object }).headers, Object.fromEntries(given));
      return next(handed);
    },
    { step: 'build' },
  );
}

export const DOORS: readonly (readonly [name: string, open: OpenDoor])[] = [
  ['in process', openInProcess],
  ['over HTTP', openOverHttp],
];
