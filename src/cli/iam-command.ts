import { parseArgs } from 'node:util';
import type { PrincipalKind, PrincipalRecord } from '../base/stored-records.ts';
import { Engine } from '../engine/engine.ts';
import { IdentityError } from '../iam/identity-error.ts';
import { callerOf, type Identities, type PrincipalName, type PrincipalSettings } from '../iam/identities.ts';
import { showPrincipals } from '../service/principal-names.ts';
import { pairsOf, readText } from './arguments.ts';
import { ConfigError, readServerConfig } from './config.ts';
import { readRootKeyOptions } from './root-keys.ts';

const HELP = `Usage: keywright iam <command> [options]

Manages who may call, in the store of the data directory (KEYWRIGHT_DATA, KEYWRIGHT_STORE). A server that runs on the
same store sees every change within milliseconds. Answers are JSON.

Commands:
  account create [ID]                  make an account with an administrator, and credentials for it
  list [--account ID]                  all principals
  user|role|service create NAME        make a principal; a service is named by a DNS name such as s3.amazonaws.com
  user|role|service show NAME
  user|role|service update NAME        change what the options below say, and nothing else
  user|role|service delete NAME        with its access keys; its sessions end
  access-key create|list NAME          of a user, or with --service of a service; the secret is shown once
  access-key activate|deactivate|delete KEY-ID

Options:
  --account ID             12 digits; needed for everything that has a NAME
  --policy NAME=FILE       inline policy (JSON), may be repeated
  --remove-policy NAME     may be repeated
  --boundary FILE          permissions boundary; "none" removes it
  --trust FILE             who may assume the role
  --max-session SECONDS    longest session of the role, 3600 to 43200
  --tag KEY=VALUE          may be repeated
  --untag KEY              may be repeated
  -h, --help               print this help
`;

const OPTIONS = {
  account: { type: 'string' },
  policy: { type: 'string', multiple: true },
  'remove-policy': { type: 'string', multiple: true },
  boundary: { type: 'string' },
  trust: { type: 'string' },
  'max-session': { type: 'string' },
  tag: { type: 'string', multiple: true },
  untag: { type: 'string', multiple: true },
  service: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Values = ReturnType<typeof parse>['values'];

const parse = (args: readonly string[]) => parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });

type Option = keyof typeof OPTIONS;

const CREATE_OPTIONS: readonly Option[] = ['account', 'policy', 'boundary', 'tag'];
const UPDATE_OPTIONS: readonly Option[] = [...CREATE_OPTIONS, 'remove-policy', 'untag'];
const ROLE_OPTIONS: readonly Option[] = ['trust', 'max-session'];

/** @throws ConfigError for a command line that cannot be used, or a change that cannot be made */
export async function runIam(args: readonly string[]): Promise<void> {
  const { values, positionals } = parse(args);
  if (values.help === true) {
    process.stdout.write(HELP);
    return;
  }
  const command = findCommand(positionals, values);
  if (command === undefined) {
    throw new ConfigError(`unknown command "iam ${positionals.join(' ')}"; keywright iam --help lists them`);
  }
  requireOptions(values, optionsOf(positionals));
  const { dataDirectory, store } = readServerConfig(process.env);
  const engine = await Engine.open({
    dataDirectory,
    ...readRootKeyOptions(process.env),
    ...(store === undefined ? {} : { store }),
  });
  try {
    const answer = await command(engine);
    if (answer !== undefined) {
      process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
    }
  } catch (error) {
    throw error instanceof IdentityError ? new ConfigError(error.message) : error;
  } finally {
    await engine.close();
  }
}

/** The options that a command looks at; any other one would be ignored. */
function optionsOf([thing, verb]: readonly string[]): readonly Option[] {
  if (thing === 'account') {
    return [];
  }
  if (thing === 'access-key') {
    return verb === 'create' || verb === 'list' ? ['account', 'service'] : [];
  }
  const own = verb === 'create' ? CREATE_OPTIONS : verb === 'update' ? UPDATE_OPTIONS : undefined;
  return own === undefined ? ['account'] : [...own, ...(thing === 'role' ? ROLE_OPTIONS : [])];
}

function requireOptions(values: Values, options: readonly Option[]): void {
  const idle = Object.keys(values).find((name) => !(options as readonly string[]).includes(name));
  if (idle !== undefined) {
    throw new ConfigError(`this command does not take --${idle}; keywright iam --help lists them`);
  }
}

type Command = (engine: Engine) => Promise<unknown>;

function findCommand([thing, verb, name, ...rest]: readonly string[], values: Values): Command | undefined {
  if (thing === 'list' && verb === undefined) {
    const account = values.account === undefined ? undefined : requireAccount(values);
    return async ({ identities }) =>
      Promise.all((await identities.list(account)).map((principal) => show(identities, principal)));
  }
  if (rest.length > 0 || verb === undefined) {
    return undefined;
  }
  if (thing === 'account' && verb === 'create') {
    return (engine) => createAccount(engine, name);
  }
  if (thing === 'access-key' && name !== undefined) {
    return accessKeyCommand(verb, name, values);
  }
  if ((thing === 'user' || thing === 'role' || thing === 'service') && name !== undefined) {
    return principalCommand(verb, thing, name, values);
  }
  return undefined;
}

async function createAccount(engine: Engine, accountId = engine.newAccountId()): Promise<unknown> {
  const administrator = await engine.identities.ensureAdministrator(accountId);
  return { accountId, user: administrator.arn, ...(await engine.accessKeys.create(callerOf(administrator))) };
}

function principalCommand(verb: string, kind: PrincipalKind, name: string, values: Values): Command | undefined {
  const wanted = (): PrincipalName => ({ kind, name, accountId: requireAccount(values) });
  switch (verb) {
    case 'create':
      return async ({ identities }) =>
        show(identities, await identities.create(wanted(), settingsOf(values, undefined)));
    case 'show':
      return async ({ identities }) => show(identities, await identities.get(wanted()));
    case 'update':
      return async ({ identities }) =>
        show(identities, await identities.update(wanted(), (principal) => settingsOf(values, principal)));
    case 'delete':
      return ({ identities }) => identities.delete(wanted());
    default:
      return undefined;
  }
}

function accessKeyCommand(verb: string, name: string, values: Values): Command | undefined {
  const kind = values.service === true ? 'service' : 'user';
  const owner = (engine: Engine): Promise<PrincipalRecord> =>
    engine.identities.get({ kind, name, accountId: requireAccount(values) });
  const requireFound = (isFound: boolean): void => {
    if (!isFound) {
      throw new ConfigError(`there is no access key ${name}`);
    }
  };
  switch (verb) {
    case 'create':
      return async (engine) => engine.accessKeys.create(callerOf(await owner(engine)));
    case 'list':
      return async (engine) => engine.accessKeys.list((await owner(engine)).uniqueId);
    case 'activate':
    case 'deactivate':
      return async ({ accessKeys }) => {
        requireFound(await accessKeys.setActive(name, verb === 'activate'));
      };
    case 'delete':
      return async ({ accessKeys }) => {
        requireFound(await accessKeys.delete(name));
      };
    default:
      return undefined;
  }
}

/** The settings of the command line on top of those that are there. */
function settingsOf(values: Values, stored: PrincipalRecord | undefined): PrincipalSettings {
  const policies = new Map(stored?.policies);
  const missing = values['remove-policy']?.find((policy) => !policies.has(policy));
  if (missing !== undefined) {
    throw new ConfigError(`there is no policy ${missing} to remove`);
  }
  for (const [policy, file] of pairsOf(values.policy, '--policy', 'NAME=FILE')) {
    policies.set(policy, readText(file));
  }
  values['remove-policy']?.forEach((policy) => policies.delete(policy));
  const tags = new Map(stored?.tags);
  for (const [key, value] of pairsOf(values.tag, '--tag', 'KEY=VALUE')) {
    tags.set(key, value);
  }
  values.untag?.forEach((key) => tags.delete(key));
  const { boundary, trust } = values;
  const seconds = values['max-session'];
  return {
    policies,
    tags,
    ...(boundary === undefined ? {} : { permissionsBoundary: boundary === 'none' ? undefined : readText(boundary) }),
    ...(trust === undefined ? {} : { trustPolicy: readText(trust) }),
    ...(seconds === undefined ? {} : { maxSessionSeconds: Number(seconds) }),
  };
}

function requireAccount({ account }: Values): string {
  if (account === undefined || !/^\d{12}$/.test(account)) {
    throw new ConfigError(
      `--account must be the 12 digits of the account${account === undefined ? '' : `, not "${account}"`}`,
    );
  }
  return account;
}

async function show({ names }: Identities, principal: PrincipalRecord): Promise<unknown> {
  const { uniqueId, kind, accountId, name, arn, policies, permissionsBoundary, tags } = principal;
  const { trustPolicy: stored } = principal;
  const trustPolicy = stored === undefined ? undefined : await showPrincipals(stored, names);
  return {
    accountId,
    kind,
    name,
    arn,
    uniqueId,
    created: new Date(principal.createdMs).toISOString(),
    policies: Object.fromEntries([...policies].map(([policy, text]) => [policy, JSON.parse(text) as unknown])),
    ...(permissionsBoundary === undefined ? {} : { permissionsBoundary: JSON.parse(permissionsBoundary) as unknown }),
    ...(trustPolicy === undefined ? {} : { trustPolicy: JSON.parse(trustPolicy) as unknown }),
    ...(principal.maxSessionSeconds === undefined ? {} : { maxSessionSeconds: principal.maxSessionSeconds }),
    tags: Object.fromEntries(tags),
  };
}
