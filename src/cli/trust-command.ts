import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { caPath } from '../server/tls-certificates.ts';
import { ConfigError, readServerConfig } from './config.ts';
import { tlsDirectory } from './listeners.ts';

const HELP = `Usage: keywright trust

Prints the path of the certificate authority that the TLS listener's certificate is from, in the data
directory (KEYWRIGHT_DATA). Clients that shall trust the listener take it like this:

  AWS CLI, boto3   export AWS_CA_BUNDLE="$(keywright trust)"
  Node.js          export NODE_EXTRA_CA_CERTS="$(keywright trust)"
  Go, cosign       export SSL_CERT_FILE="$(keywright trust)"
  curl             curl --cacert "$(keywright trust)" …
  Debian           cp "$(keywright trust)" /usr/local/share/ca-certificates/keywright.crt && update-ca-certificates
`;

/** @throws ConfigError when no TLS listener was started yet */
export function runTrust(args: readonly string[]): void {
  const { values } = parseArgs({ args: [...args], options: { help: { type: 'boolean', short: 'h' } } });
  if (values.help === true) {
    process.stdout.write(HELP);
    return;
  }
  const path = caPath(tlsDirectory(readServerConfig(process.env).dataDirectory));
  if (!existsSync(path)) {
    throw new ConfigError(`there is no ${path} yet: it is made when a server with KEYWRIGHT_TLS_LISTEN starts`);
  }
  process.stdout.write(`${path}\n`);
}
