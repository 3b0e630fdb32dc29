import { parseArgs } from 'node:util';
import { Engine } from '../engine/engine.ts';
import { TestPowers } from '../engine/test-powers/test-powers.ts';
import { HttpServer } from '../server/http-server.ts';
import { ConfigError, readServerConfig, SETTINGS, type ServerConfig } from './config.ts';
import { ensureCredentials, type FirstCredentials } from './first-credentials.ts';
import { applySeedFile } from './seed-command.ts';
import { createStderrLog } from './stderr-log.ts';

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
  const log = createStderrLog();
  const { dataDirectory, store, regions, attestationRoots } = config;
  const engine = await Engine.open({
    dataDirectory,
    regions,
    log,
    ...(store === undefined ? {} : { store }),
    ...(attestationRoots === undefined ? {} : { attestationRoots }),
    ...(config.hasTestPowers ? { testPowers: new TestPowers() } : {}),
  });
  let server: HttpServer;
  let credentials: FirstCredentials;
  try {
    if (config.seed !== undefined) {
      process.stdout.write(await applySeedFile(engine, dataDirectory, config.seed));
    }
    credentials = await ensureCredentials(engine, config);
    server = await HttpServer.listen({ engine, log, host: config.host, port: config.port });
  } catch (error) {
    await engine.close();
    throw explainListenError(error, config);
  }
  process.stdout.write(greeting(config, server.port, credentials, engine.core.info().binding === 'wasm'));
  const signal = await nextSignal();
  log.info('stopping', { signal });
  await server.close();
  await engine.close();
  log.info('stopped');
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      // A second signal ends the process at once, as the default action does.
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      resolve(signal);
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}

function explainListenError(error: unknown, { host, port }: ServerConfig): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  const address = `${host}:${String(port)}`;
  if (code === 'EADDRINUSE') {
    return new ConfigError(`something else listens on ${address}: stop it, or choose another KEYWRIGHT_LISTEN`);
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    return new ConfigError(`this process may not listen on ${address}: choose another KEYWRIGHT_LISTEN`);
  }
  return error;
}

function greeting(config: ServerConfig, port: number, credentials: FirstCredentials, isSlow: boolean): string {
  const { host, regions, dataDirectory } = config;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
  const region = regions.includes('us-east-1') ? 'us-east-1' : (regions[0] ?? '');
  return `
Keywright listens on ${url}
  Regions: ${regions.length > 3 ? `${String(regions.length)}, told apart by the signature` : regions.join(', ')}
  Data:    ${dataDirectory}
${isSlow ? SLOW_CORE_NOTE : ''}${config.hasTestPowers ? TEST_POWERS_NOTE : ''}
Call it with the AWS CLI:

${credentialLines(credentials)
  .map((line) => `  ${line}\n`)
  .join('')}  export AWS_DEFAULT_REGION=${region}
  aws --endpoint-url ${url} kms create-key
  aws --endpoint-url ${url} kms list-keys

Press Ctrl-C to stop.
`;
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
