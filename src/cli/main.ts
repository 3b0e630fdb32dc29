#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { loadCore } from '../core/index.ts';
import { RootKeyError } from '../base/root-key.ts';
import { Pkcs11Error } from '../pkcs11/token.ts';
import { KeyFileError } from '../xks/proxy/software-key.ts';
import { TokenKeyError } from '../xks/proxy/token-key.ts';
import { CeremonyError } from '../hsm/cluster-ceremony.ts';
import { HsmError } from '../hsm/provisioning/hsm-error.ts';
import { SeedError } from '../seed/seed-error.ts';
import { ConfigError } from './config.ts';
import { runHsm } from './hsm-command.ts';
import { runPolicy } from './policy-command.ts';
import { runSeed } from './seed-command.ts';
import { runIam } from './iam-command.ts';
import { runRootKey } from './root-key-command.ts';
import { runServer } from './server-command.ts';
import { runTrust } from './trust-command.ts';
import { runXksProxy } from './xks-proxy-command.ts';

const HELP = `Usage: keywright <command> [options]

Commands:
  server      start the key management service
  seed        make the accounts, principals, keys, aliases and grants of a file
  iam         manage accounts, users, roles, services and access keys
  policy      ask policies and grants who may do what, or check a policy document
  xks-proxy   serve keys of this machine to AWS KMS or another Keywright, as an external key store
  root-key    tell where the root key of a store is, or move it
  hsm         provision and examine a hardware security module
  trust       print where the certificate is that clients of the TLS listener must trust
  info        print version and cryptographic core of this installation, as JSON

Options:
  -h, --help     print this help, or that of a command
  --version      print the version
`;

/** Exit status for a command line or setting that cannot be used, and for a file that cannot, as in sysexits.h. */
const EXIT_USAGE = 64;
const EXIT_DATA = 65;

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

async function main([command = '', ...args]: readonly string[]): Promise<number> {
  switch (command) {
    case 'server':
      await runServer(args);
      return 0;
    case 'seed':
      await runSeed(args);
      return 0;
    case 'iam':
      await runIam(args);
      return 0;
    case 'policy':
      return runPolicy(args);
    case 'xks-proxy':
      await runXksProxy(args);
      return 0;
    case 'root-key':
      await runRootKey(args);
      return 0;
    case 'hsm':
      return runHsm(args);
    case 'trust':
      runTrust(args);
      return 0;
    case 'info':
      process.stdout.write(`${JSON.stringify({ version: readVersion(), core: loadCore().info() }, null, 2)}\n`);
      return 0;
    case '--version':
      process.stdout.write(`${readVersion()}\n`);
      return 0;
    case '-h':
    case '--help':
      process.stdout.write(HELP);
      return 0;
    default:
      process.stderr.write(command === '' ? HELP : `keywright: unknown command "${command}"\n\n${HELP}`);
      return EXIT_USAGE;
  }
}

function explain(error: unknown): number {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (error instanceof ConfigError || code.startsWith('ERR_PARSE_ARGS')) {
    process.stderr.write(`keywright: ${(error as Error).message}\n`);
    return EXIT_USAGE;
  }
  if (error instanceof SeedError) {
    process.stderr.write(`keywright: ${error.message}\n`);
    return EXIT_DATA;
  }
  const isExplained = [RootKeyError, KeyFileError, TokenKeyError, HsmError, CeremonyError, Pkcs11Error].some(
    (kind) => error instanceof kind,
  );
  const text = isExplained ? (error as Error).message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`keywright: ${text ?? ''}\n`);
  return 1;
}

process.exitCode = await main(process.argv.slice(2)).catch(explain);
