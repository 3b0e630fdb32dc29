import { parseArgs } from 'node:util';
import { Engine } from '../engine/engine.ts';
import { TestPowers } from '../engine/test-powers/test-powers.ts';
import { caPath } from '../server/tls-certificates.ts';
import { ConfiguredClusters } from '../hsm/cloudhsm-backend.ts';
import { XksBackend } from '../xks/xks-backend.ts';
import { readServerConfig, SETTINGS, type ServerConfig } from './config.ts';
import { readClusters } from './hsm-clusters.ts';
import { ensureCredentials, type FirstCredentials } from './first-credentials.ts';
import { openListeners, tlsDirectory, type Listener, type OpenListeners } from './listeners.ts';
import { readRootKeyOptions } from './root-keys.ts';
import { applySeedFile } from './seed-command.ts';
import { nextSignal } from './next-signal.ts';
import { createStderrLog } from './stderr-log.ts';
import { readXksNetwork } from './xks-network.ts';

const HELP = `Usage: keywright server

Starts the key management service and serves the AWS KMS API over HTTP until it is told to stop
(SIGINT or SIGTERM): then it answers the requests that are under way and closes its store.

Settings come from the environment:

${SETTINGS.map(([name, text]) => `  ${name.padEnd(28)} ${text}`).join('\n')}

The listener answers GET /healthz (the process lives) and GET /readyz (the store answers) without a signature.
`;

const TEST_POWERS_NOTE =
  '  WARNING: test powers are on: whoever reaches this listener can move its clock and make its calls fail\n';
const SLOW_CORE_NOTE = '  Core:    WebAssembly: slow, its memory is not locked; script/addon builds the native one\n';

/** Runs until a signal. @throws ConfigError, RootKeyError or the error of a listener that cannot start */
export async function runServer(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { help: { type: 'boolean', short: 'h' } } });
  if (values.help === true) {
    process.stdout.write(HELP);
    return;
  }
  const config = readServerConfig(process.env);
  const xksNetwork = readXksNetwork(process.env);
  const clusters = readClusters(process.env);
  const log = createStderrLog();
  const { dataDirectory, store, regions, quotas, resourceQuotas, attestationRoots } = config;
  const engine = await Engine.open({
    dataDirectory,
    regions,
    log,
    resourceQuotas,
    ...readRootKeyOptions(process.env),
    keyStoreBackends: (services) => ({
      EXTERNAL_KEY_STORE: new XksBackend(services, xksNetwork),
      ...(clusters === undefined ? {} : { AWS_CLOUDHSM: new ConfiguredClusters(clusters, services) }),
    }),
    ...(quotas === undefined ? {} : { requestQuotas: quotas }),
    ...(store === undefined ? {} : { store }),
    ...(attestationRoots === undefined ? {} : { attestationRoots }),
    ...(config.hasTestPowers ? { testPowers: new TestPowers() } : {}),
  });
  let listeners: OpenListeners;
  let credentials: FirstCredentials;
  try {
    if (config.seed !== undefined) {
      process.stdout.write(await applySeedFile(engine, dataDirectory, config.seed));
    }
    // Several servers may start on a new store at once; only one of them makes the first account.
    credentials = await engine.exclusively(() => ensureCredentials(engine, config));
    listeners = await openListeners(engine, log, config, process.env['KEYWRIGHT_PLAIN_HTTP']);
  } catch (error) {
    await engine.close();
    throw error;
  }
  process.stdout.write(greeting(config, listeners.all, credentials, engine.core.info().binding === 'wasm'));
  const signal = await nextSignal();
  log.info('stopping', { signal });
  await listeners.close();
  await engine.close();
  log.info('stopped');
}

function greeting(
  config: ServerConfig,
  listeners: readonly Listener[],
  credentials: FirstCredentials,
  isSlow: boolean,
): string {
  const { regions, dataDirectory } = config;
  const url = listeners[0]?.url ?? '';
  const region = regions.includes('us-east-1') ? 'us-east-1' : (regions[0] ?? '');
  return `
Keywright listens on ${listeners.map(showListener).join('\n                     ')}
  Regions: ${regions.length > 3 ? `${String(regions.length)}, told apart by the signature` : regions.join(', ')}
  Data:    ${dataDirectory}
${trustLine(config)}${isSlow ? SLOW_CORE_NOTE : ''}${config.hasTestPowers ? TEST_POWERS_NOTE : ''}
Call it with the AWS CLI:

${credentialLines(credentials)
  .map((line) => `  ${line}\n`)
  .join('')}  export AWS_DEFAULT_REGION=${region}
  aws --endpoint-url ${url} kms create-key
  aws --endpoint-url ${url} kms list-keys

Press Ctrl-C to stop.
`;
}

function showListener({ url, vpcEndpointId }: Listener): string {
  return vpcEndpointId === undefined ? url : `${url} (${vpcEndpointId})`;
}

function trustLine({ tls, dataDirectory }: ServerConfig): string {
  const isOurs = tls.address !== undefined && tls.own === undefined;
  return isOurs ? `  CA:      ${caPath(tlsDirectory(dataDirectory))} (keywright trust tells how to use it)\n` : '';
}

function credentialLines(credentials: FirstCredentials): string[] {
  switch (credentials.kind) {
    case 'made':
      return [
        '# These credentials are shown once; they also stand in',
        `# ${credentials.file}, readable by you alone: remove it if you keep them elsewhere.`,
        `export AWS_ACCESS_KEY_ID=${credentials.accessKeyId}`,
        `export AWS_SECRET_ACCESS_KEY=${credentials.secretAccessKey}`,
      ];
    case 'given':
      return [
        'export AWS_ACCESS_KEY_ID="$KEYWRIGHT_ACCESS_KEY_ID"',
        'export AWS_SECRET_ACCESS_KEY="$KEYWRIGHT_SECRET_ACCESS_KEY"',
      ];
    case 'seeded':
      return [`# with an access key of ${credentials.file}`];
    case 'earlier':
      return credentials.file === undefined
        ? ['# with the credentials that the first start printed']
        : ['unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY', `export AWS_SHARED_CREDENTIALS_FILE=${credentials.file}`];
  }
}
