import { parseArgs } from 'node:util';
import { initToken } from '../hsm/provisioning/init-token.ts';
import { listKeys } from '../hsm/provisioning/key-listing.ts';
import { runSelfTest } from '../hsm/provisioning/self-test.ts';
import { readStatus } from '../hsm/provisioning/status.ts';
import { movesKeys } from '../hsm/cluster-configuration.ts';
import { joinMembers } from '../hsm/join-members.ts';
import { readClusterFile } from './hsm-clusters.ts';
import { PROFILE_CODES } from '../pkcs11/codes.ts';
import { ConfigError } from './config.ts';
import { benchToken } from './hsm-bench.ts';
import { describeKeys, describeResults, describeSpeeds, describeStatus } from './hsm-report.ts';
import { HSM_SETTINGS, readModuleSettings, readPin, readTokenChoice, SO_PIN, USER_PIN } from './hsm-settings.ts';

const HELP = `Usage: keywright hsm <command> [options]

Provisions a token of a hardware security module, and tells what it can do, through its PKCS#11 module.

Commands:
  init       initialise a token: label, PIN of the security officer, PIN of the user
  status     what the library, the slots and the token say of themselves, and what Keywright can use; needs no PIN
  keys       the keys that are on the token
  join-cluster  give the HSMs of a cluster the wrapping key that keys travel under between them
  test       try every mechanism that Keywright has a use for; leaves nothing on the token
  bench      how fast the token is, with keys that end with the login; leaves nothing on the token

Settings come from options or from the environment; PINs from the environment, from files or from the terminal:

${HSM_SETTINGS.map(([name, text]) => `  ${name.padEnd(30)} ${text}`).join('\n')}

Options:
  --module FILE            these five in place of the variables above
  --init-args TEXT
  --slot NUMBER
  --token-label LABEL      for init: the label that the token gets
  --pin-file FILE
  --so-pin-file FILE       for init
  --erase                  for init: with --slot, initialise a token anew and lose every key on it
  --clusters FILE          for join-cluster: the file of KEYWRIGHT_HSM_CLUSTERS, with
  --cluster ID             the cluster; the PIN is the password of the key store
  --profile NAME           for bench: whose quirks the module has: ${Object.keys(PROFILE_CODES).join(', ')}
  --sessions NUMBER        for bench: sessions that work at the same time; default: 4
  --in-flight NUMBERS      for bench: requests that are under way at the same time; default: 1,4,16,64
  --helper                 for bench: run the module in a helper process
  --seconds NUMBER         for bench: how long each measurement lasts; default: 0.5
  --json                   answer as JSON
  -h, --help               print this help

Exit status: 0 done (test: nothing FAILED), 1 the module or the token refuses, 2 a check FAILED, 64 a command line or a
setting that cannot be used.
`;

const OPTIONS = {
  module: { type: 'string' },
  'init-args': { type: 'string' },
  slot: { type: 'string' },
  'token-label': { type: 'string' },
  'pin-file': { type: 'string' },
  'so-pin-file': { type: 'string' },
  erase: { type: 'boolean' },
  clusters: { type: 'string' },
  cluster: { type: 'string' },
  profile: { type: 'string' },
  sessions: { type: 'string' },
  'in-flight': { type: 'string' },
  helper: { type: 'boolean' },
  seconds: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const parse = (args: readonly string[]) => parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });

type Values = ReturnType<typeof parse>['values'];

/** Exit status when the module works, and a check of it does not. */
const CHECK_FAILED = 2;

interface Answer {
  readonly data: unknown;
  readonly text: string;
  readonly status?: number;
}

interface Command {
  /** Options besides those that name module and token, `json` and `help`. */
  readonly takes: readonly (keyof typeof OPTIONS)[];
  run(values: Values): Promise<Answer>;
}

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['init', { takes: ['pin-file', 'so-pin-file', 'erase'], run: init }],
  ['status', { takes: [], run: status }],
  ['keys', { takes: ['pin-file'], run: keys }],
  ['join-cluster', { takes: ['pin-file', 'clusters', 'cluster'], run: joinCluster }],
  ['test', { takes: ['pin-file'], run: test }],
  ['bench', { takes: ['pin-file', 'profile', 'sessions', 'in-flight', 'helper', 'seconds'], run: bench }],
]);

const COMMON: readonly (keyof typeof OPTIONS)[] = ['module', 'init-args', 'slot', 'token-label', 'json', 'help'];

/** @returns the exit status @throws ConfigError for what cannot be asked, HsmError for what the HSM refuses */
export async function runHsm(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const command = positionals.length === 1 ? COMMANDS.get(positionals[0] ?? '') : undefined;
  if (command === undefined) {
    throw new ConfigError(`unknown command "hsm ${positionals.join(' ')}"; keywright hsm --help lists them`);
  }
  const idle = Object.keys(values).find(
    (name) => ![...COMMON, ...command.takes].includes(name as keyof typeof OPTIONS),
  );
  if (idle !== undefined) {
    throw new ConfigError(`hsm ${positionals.join(' ')} does not take --${idle}`);
  }
  const { data, text, status: exitStatus = 0 } = await command.run(values);
  process.stdout.write(`${values.json === true ? JSON.stringify(data, null, 2) : text}\n`);
  return exitStatus;
}

async function init(values: Values): Promise<Answer> {
  const settings = readModuleSettings(values);
  const { slot, tokenLabel: label } = readTokenChoice(values);
  if (label === undefined) {
    throw new ConfigError('how shall the token be called? Set --token-label');
  }
  const isErasing = values.erase === true;
  if (isErasing && slot === undefined) {
    throw new ConfigError('--erase needs --slot: which token shall lose its keys');
  }
  const soPin = await readPin(SO_PIN, values, !isErasing);
  const userPin = await readPin(USER_PIN, values, true);
  const made = initToken(settings, { label, slot, isErasing, soPin, userPin });
  return {
    data: made,
    text: `token "${made.label}" is ready in slot ${made.slot}, serial number ${made.serialNumber}`,
  };
}

async function status(values: Values): Promise<Answer> {
  const found = readStatus(readModuleSettings(values), readTokenChoice(values));
  return { data: found, text: describeStatus(found) };
}

async function keys(values: Values): Promise<Answer> {
  const [settings, choice] = [readModuleSettings(values), readTokenChoice(values)];
  const listed = listKeys(settings, choice, await readPin(USER_PIN, values, false));
  return { data: listed, text: describeKeys(listed) };
}

async function test(values: Values): Promise<Answer> {
  const [settings, choice] = [readModuleSettings(values), readTokenChoice(values)];
  const results = runSelfTest(settings, choice, await readPin(USER_PIN, values, false));
  const hasFailed = results.some(({ outcome }) => outcome === 'FAILED');
  return { data: results, text: describeResults(results), ...(hasFailed ? { status: CHECK_FAILED } : {}) };
}

async function joinCluster(values: Values): Promise<Answer> {
  const file = values.clusters ?? process.env['KEYWRIGHT_HSM_CLUSTERS'] ?? '';
  if (file === '' || values.cluster === undefined) {
    throw new ConfigError('join-cluster needs --cluster, and --clusters or KEYWRIGHT_HSM_CLUSTERS');
  }
  const cluster = readClusterFile(file).find(({ clusterId }) => clusterId === values.cluster);
  if (cluster === undefined || !movesKeys(cluster)) {
    throw new ConfigError(`${file} has no cluster ${values.cluster} whose keys Keywright moves between members`);
  }
  const pin = Buffer.from(await readPin(USER_PIN, values, false), 'utf8');
  try {
    const isNew = await joinMembers(cluster, pin);
    const names = cluster.members.map(({ name }) => name).join(', ');
    const text = `${names}: ${isNew ? 'the wrapping key is in place' : 'they have the wrapping key already'}`;
    return { data: { clusterId: cluster.clusterId, members: cluster.members.length, isNew }, text };
  } finally {
    pin.fill(0);
  }
}

async function bench(values: Values): Promise<Answer> {
  const rows = await benchToken(values);
  return { data: rows, text: describeSpeeds(rows) };
}
