import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseKmsArn } from '../base/arn.ts';
import { KmsServiceError } from '../base/errors.ts';
import {
  canBeGiven,
  findCaller,
  findWhoCan,
  isOnKey,
  isSimulated,
  simulateAccess,
  takesContext,
  type SimulatedRequest,
} from '../engine/access-simulation.ts';
import { Engine } from '../engine/engine.ts';
import { ALIAS_PREFIX } from '../keys/alias.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import { parsePolicyDocument, type PolicyKind } from '../policy/policy-document.ts';
import type { RequestOrigin } from '../service/target.ts';
import { pairsOf, readText } from './arguments.ts';
import { ConfigError, readServerConfig } from './config.ts';
import { readRootKeyOptions } from './root-keys.ts';
import { describeAnswer, describeCandidates, showAnswer, showCandidate } from './policy-report.ts';
import { readVpcEndpoints } from './vpc-endpoints.ts';

const HELP = `Usage: keywright policy <command> [options]

Asks the policies and grants in the store of the data directory (KEYWRIGHT_DATA, KEYWRIGHT_STORE), as a server on that
store decides. Asking changes no policy and uses no key.

Commands:
  simulate --principal P --action kms:A [--key K]   may P do A, and which statement says so
  who-can --action kms:A --key K                    the same for everybody who could be meant
  check FILE --kind KIND                            the grammar of a policy document

Options:
  --principal P        ARN of a user, role, session or root user, or the name of a service such as s3.amazonaws.com;
                       a role stands for a session of it
  --action kms:A       one action; ReEncrypt has two, kms:ReEncryptFrom and kms:ReEncryptTo
  --key K              key id, key ARN, alias or alias ARN; not for actions without a key, such as kms:CreateKey
  --region R           where K is no ARN (default: AWS_REGION, then AWS_DEFAULT_REGION)
  --context K=V        pair of the encryption context, may be repeated; for kms:CreateGrant that of the constraint
  --value KEY=V        value of a condition key, may be repeated, also for one key with several values
  --source-ip IP       address that the request comes from
  --via-service S      the service that hands the request on, for example s3
  --vpc-endpoint ID    one of KEYWRIGHT_VPC_ENDPOINTS that the request comes through
  --grant-token T      may be repeated
  --json               answer as JSON
  --kind KIND          key, identity, boundary, session, trust or vpc-endpoint
  -h, --help           print this help

Exit status: 0 allowed (who-can: answered; check: good), 2 denied, 64 the question cannot be asked, 65 a bad document.
`;

const OPTIONS = {
  principal: { type: 'string' },
  action: { type: 'string' },
  key: { type: 'string' },
  region: { type: 'string' },
  context: { type: 'string', multiple: true },
  value: { type: 'string', multiple: true },
  'source-ip': { type: 'string' },
  'via-service': { type: 'string' },
  'vpc-endpoint': { type: 'string' },
  'grant-token': { type: 'string', multiple: true },
  json: { type: 'boolean' },
  kind: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Values = ReturnType<typeof parse>['values'];

const parse = (args: readonly string[]) => parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });

/** Exit status of a question whose answer is no. */
const DENIED = 2;
/** Exit status for a document that is bad, as in sysexits.h. */
const BAD_DOCUMENT = 65;

const KINDS: ReadonlyMap<string, PolicyKind> = new Map([
  ['key', 'key'],
  ['identity', 'identity'],
  ['boundary', 'boundary'],
  ['session', 'session'],
  ['trust', 'trust'],
  ['vpc-endpoint', 'vpcEndpoint'],
]);

/** @returns the exit status @throws ConfigError for a question that cannot be asked */
export async function runPolicy(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const [command = '', ...rest] = positionals;
  if (command === 'check' && rest.length === 1) {
    return check(rest[0] ?? '', values);
  }
  if ((command !== 'simulate' && command !== 'who-can') || rest.length > 0) {
    throw new ConfigError(`unknown command "policy ${positionals.join(' ')}"; keywright policy --help lists them`);
  }
  if (values.kind !== undefined) {
    throw new ConfigError('--kind is for check');
  }
  const { dataDirectory, store } = readServerConfig(process.env);
  if (store === undefined && !existsSync(join(dataDirectory, 'keywright.db'))) {
    throw new ConfigError(`there is no store in ${dataDirectory}: set KEYWRIGHT_DATA or KEYWRIGHT_STORE`);
  }
  const engine = await Engine.open({
    dataDirectory,
    ...readRootKeyOptions(process.env),
    ...(store === undefined ? {} : { store }),
  });
  try {
    return await (command === 'simulate' ? simulate(engine, values) : whoCan(engine, values));
  } catch (error) {
    throw error instanceof KmsServiceError ? new ConfigError(`${error.name}: ${error.message}`) : error;
  } finally {
    await engine.close();
  }
}

function check(file: string, { kind = '', ...others }: Values): number {
  const known = KINDS.get(kind);
  if (Object.keys(others).length > 0) {
    throw new ConfigError('check takes --kind and no other option');
  }
  if (known === undefined) {
    throw new ConfigError(`--kind must be one of ${[...KINDS.keys()].join(', ')}`);
  }
  const result = parsePolicyDocument(readText(file), known);
  if (!result.ok) {
    process.stderr.write(`keywright: ${file}: ${result.problem}\n`);
    return BAD_DOCUMENT;
  }
  process.stdout.write(`${file} is good\n`);
  return 0;
}

async function simulate(engine: Engine, values: Values): Promise<number> {
  const { principal } = values;
  if (principal === undefined) {
    throw new ConfigError('--principal is missing: who asks');
  }
  const caller = await findCaller(engine, principal);
  if (caller === undefined) {
    throw new ConfigError(`there is no principal ${principal} in this store`);
  }
  const answer = await simulateAccess(engine, caller, await readRequest(engine, values, caller.accountId));
  const { action = '' } = values;
  print(values.json === true ? showAnswer(action, answer) : describeAnswer(action, answer));
  return answer.decision.effect === 'allow' ? 0 : DENIED;
}

async function whoCan(engine: Engine, values: Values): Promise<number> {
  if (values.principal !== undefined) {
    throw new ConfigError('who-can asks for everybody: leave --principal out');
  }
  const request = await readRequest(engine, values, undefined);
  const { key } = request;
  if (key === undefined) {
    throw new ConfigError(`who-can needs an action on a key, and ${request.action} is on none`);
  }
  const candidates = await findWhoCan(engine, { ...request, key });
  print(
    values.json === true
      ? candidates.map((each) => showCandidate(request.action, each))
      : describeCandidates(candidates),
  );
  return 0;
}

function print(answer: unknown): void {
  process.stdout.write(`${typeof answer === 'string' ? answer : JSON.stringify(answer, null, 2)}\n`);
}

/** @param accountId whose aliases are meant by their names alone */
async function readRequest(engine: Engine, values: Values, accountId: string | undefined): Promise<SimulatedRequest> {
  const { action = '', key: name, context } = values;
  if (!isSimulated(action)) {
    throw new ConfigError(`--action must be kms: and an action other than kms:RetireGrant, not "${action}"`);
  }
  if ((name !== undefined) !== isOnKey(action)) {
    throw new ConfigError(
      `${action} is ${isOnKey(action) ? 'on a key: --key is missing' : 'on no key: leave --key out'}`,
    );
  }
  if (context !== undefined && !takesContext(action)) {
    throw new ConfigError(`${action} has no encryption context: leave --context out`);
  }
  const given = readValues(values.value ?? []);
  if (action === 'kms:CreateGrant' && !given.has('kms:grantoperations')) {
    throw new ConfigError('kms:CreateGrant needs what the grant is for: --value kms:GrantOperations=…');
  }
  const found = name === undefined ? undefined : await findKey(engine, name, values, accountId);
  return {
    action,
    region: found?.key.region ?? regionOf(values),
    key: found?.key,
    requestAlias: found?.alias,
    encryptionContext:
      context === undefined ? undefined : Object.fromEntries(pairsOf(context, '--context', 'NAME=VALUE')),
    values: given,
    origin: readOrigin(values),
    grantTokens: values['grant-token'] ?? [],
  };
}

async function findKey(
  { ports }: Engine,
  name: string,
  values: Values,
  accountId: string | undefined,
): Promise<{ readonly key: KmsKey; readonly alias: string | undefined }> {
  const arn = parseKmsArn(name);
  if (arn !== undefined && values.region !== undefined && values.region !== arn.region) {
    throw new ConfigError(`--region ${values.region} is not the Region of ${name}`);
  }
  const region = arn?.region ?? regionOf(values);
  const resource = arn?.resource ?? name;
  const isAlias = resource.startsWith(ALIAS_PREFIX);
  const owner = arn?.accountId ?? accountId;
  if (isAlias && owner === undefined) {
    throw new ConfigError(`whose alias ${name} is meant? Give --key its ARN`);
  }
  const keyId = isAlias
    ? (await ports.aliases.find(region, owner ?? '', resource))?.targetKeyId
    : resource.replace(/^key\//, '');
  const key = keyId === undefined ? undefined : await ports.keys.find(region, keyId);
  if (key === undefined || (arn !== undefined && key.accountId !== arn.accountId)) {
    throw new ConfigError(`there is no key ${name} in ${region}`);
  }
  return { key, alias: isAlias ? resource : undefined };
}

function regionOf({ region }: Values): string {
  const found = region ?? process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'];
  if (found === undefined) {
    throw new ConfigError('--region is missing');
  }
  return found;
}

function readValues(texts: readonly string[]): ReadonlyMap<string, string | readonly string[]> {
  const values = new Map<string, string | readonly string[]>();
  for (const [name, value] of pairsOf(texts, '--value', 'NAME=VALUE')) {
    const key = name.toLowerCase();
    if (!canBeGiven(key)) {
      throw new ConfigError(`--value ${name}: that follows from --principal, --key and --context`);
    }
    const earlier = values.get(key);
    values.set(key, earlier === undefined ? value : [earlier, value].flat());
  }
  return values;
}

function readOrigin(values: Values): RequestOrigin {
  const { 'source-ip': sourceIp, 'via-service': viaService, 'vpc-endpoint': endpointId } = values;
  if (endpointId === undefined) {
    return { sourceIp, viaService };
  }
  const file = readServerConfig(process.env).vpcEndpoints;
  const endpoints = file === undefined ? [] : readVpcEndpoints(file, process.env['KEYWRIGHT_PLAIN_HTTP']);
  const vpcEndpoint = endpoints.find((listener) => listener.vpcEndpoint.id === endpointId)?.vpcEndpoint;
  if (vpcEndpoint === undefined) {
    throw new ConfigError(`KEYWRIGHT_VPC_ENDPOINTS has no endpoint ${endpointId}`);
  }
  return { sourceIp, viaService, vpcEndpoint };
}
