import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** A real process, started as users start it. */
export interface KeywrightProcess {
  readonly pid: number;
  /** Everything that it printed on stdout until now. */
  readonly output: () => string;
  /** Everything that it printed on stderr until now. */
  readonly errors: () => string;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>;
  /** Asks it to stop; resolves with its exit status. */
  stop(): Promise<number | null>;
}

export interface ServerProcess extends KeywrightProcess {
  readonly url: string;
}

export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `keywright` with arguments to its end. */
export async function runKeywright(
  dataDirectory: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'], KEYWRIGHT_DATA: dataDirectory, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, 'close');
  return { status: child.exitCode, stdout, stderr };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts `keywright server` and waits until it greets. The server that is tested is the built one, dist/.
 *
 * @param runner a program that becomes the server, with its arguments
 */
export async function startServer(
  dataDirectory: string,
  port: number,
  environment: Readonly<Record<string, string>> = {},
  runner: readonly string[] = [],
): Promise<ServerProcess> {
  const url = `http://127.0.0.1:${String(port)}`;
  const settings = { KEYWRIGHT_DATA: dataDirectory, KEYWRIGHT_LISTEN: url, ...environment };
  return { url, ...(await startKeywright(['server'], settings, runner)) };
}

/** Starts a command of `keywright` that runs until it is stopped, and waits until it greets. */
export async function startKeywright(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  runner: readonly string[] = [],
): Promise<KeywrightProcess> {
  if (!existsSync(MAIN)) {
    throw new Error('dist/ is not built: run script/test, or npm run build');
  }
  const [program = '', ...rest] = [...runner, process.execPath, MAIN, ...args];
  const child = spawn(program, rest, {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', () => {
      if (output.includes('Press Ctrl-C to stop.')) {
        resolve();
      }
    });
    child.once('exit', (status) => {
      reject(new Error(`keywright ${args.join(' ')} ended with status ${String(status)}: ${errors}`));
    });
  });
  return {
    pid: child.pid ?? 0,
    output: () => output,
    errors: () => errors,
    signal: (signal) => {
      child.kill(signal);
    },
    kill: async () => {
      await endWith(child, 'SIGKILL');
    },
    stop: () => endWith(child, 'SIGTERM'),
  };
}

async function endWith(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
  return child.exitCode;
}
