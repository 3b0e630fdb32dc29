/** What a process asks of the proxies of connected stores by itself. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Engine, type CallContext } from '../../src/engine/engine.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { XksBackend } from '../../src/xks/xks-backend.ts';
import { ACCOUNT, REGION } from '../support/doors.ts';
import { vpcXksStore, xksStore } from '../support/key-store-requests.ts';
import { eventually } from '../support/memory-backend.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import {
  Authority,
  HEALTHY,
  json,
  networkTo,
  PROXY_ENDPOINT,
  PROXY_HOST,
  startFakeProxy,
  type FakeAnswer,
  type FakeProxy,
} from '../support/xks.ts';

const context: CallContext = { caller: rootOf(ACCOUNT), region: REGION };

let authority: Authority;
let proxy: FakeProxy;
let folder: ReturnType<typeof temporaryFolder>;
let logged: string;
const engines: Engine[] = [];

beforeEach(async () => {
  folder = temporaryFolder();
  logged = '';
  authority = await Authority.create();
  proxy = await startFakeProxy(await authority.issue(PROXY_HOST));
});

afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
  await proxy.close();
  folder.remove();
});

async function open(): Promise<Engine> {
  const note = (message: string, fields?: object): void => {
    logged += `${message} ${JSON.stringify(fields)}\n`;
  };
  const engine = await Engine.open({
    dataDirectory: folder.path,
    regions: [REGION],
    log: { info: note, error: note },
    keyStoreBackends: (services) => ({
      EXTERNAL_KEY_STORE: new XksBackend(services, networkTo(proxy.port, authority)),
    }),
  });
  engines.push(engine);
  return engine;
}

async function create(engine: Engine, input: object): Promise<string> {
  return (await engine.call('CreateCustomKeyStore', input as never, context)).CustomKeyStoreId;
}

async function inState(engine: Engine, CustomKeyStoreId: string, state: string): Promise<void> {
  await eventually(async () => {
    const { CustomKeyStores } = await engine.call('DescribeCustomKeyStores', { CustomKeyStoreId }, context);
    return CustomKeyStores[0]?.ConnectionState === state ? true : undefined;
  });
}

async function connect(engine: Engine, CustomKeyStoreId: string): Promise<void> {
  await engine.call('ConnectCustomKeyStore', { CustomKeyStoreId }, context);
  await inState(engine, CustomKeyStoreId, 'CONNECTED');
}

async function createConnected(engine: Engine): Promise<string> {
  const id = await create(engine, xksStore({ XksProxyUriEndpoint: PROXY_ENDPOINT }));
  await connect(engine, id);
  return id;
}

/** The operations that health was asked for. */
function countHealth(answer: FakeAnswer = json(200, HEALTHY)): string[] {
  const asked: string[] = [];
  proxy.answer('/health', (request, response, body) => {
    asked.push((JSON.parse(body) as { requestMetadata: { kmsOperation: string } }).requestMetadata.kmsOperation);
    answer(request, response, body);
  });
  return asked;
}

it('health checks come with every round of maintenance, and when another process starts', async () => {
  const engine = await open();
  await createConnected(engine);
  const asked = countHealth();
  await engine.runMaintenance();
  await eventually(() => Promise.resolve(asked.length === 1 ? true : undefined));
  await open();
  await eventually(() => Promise.resolve(asked.length === 2 ? true : undefined));
  expect(asked).toEqual(['KmsHealthCheck', 'KmsHealthCheck']);
});

it('health checks are logged when they fail, and leave the store connected', async () => {
  const engine = await open();
  const CustomKeyStoreId = await createConnected(engine);
  countHealth(json(500, { errorName: 'InternalException' }));
  await engine.runMaintenance();
  await eventually(() => Promise.resolve(/KmsHealthCheck.*InternalException/.test(logged) ? true : undefined));
  const { CustomKeyStores } = await engine.call('DescribeCustomKeyStores', { CustomKeyStoreId }, context);
  expect(CustomKeyStores[0]?.ConnectionState).toBe('CONNECTED');
});

it('health checks are not made for a store that is not connected', async () => {
  const engine = await open();
  const CustomKeyStoreId = await createConnected(engine);
  await create(engine, vpcXksStore());
  await engine.call('DisconnectCustomKeyStore', { CustomKeyStoreId }, context);
  await inState(engine, CustomKeyStoreId, 'DISCONNECTED');
  const asked = countHealth();
  await engine.runMaintenance();
  await connect(engine, CustomKeyStoreId);
  expect(asked).toEqual(['ConnectCustomKeyStore']);
});
