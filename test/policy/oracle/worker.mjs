/**
 * Answers for the oracle, in a process of its own: one JSON line with policies and requests in, one JSON line with the
 * results (`Allowed`, `ExplicitlyDenied`, `ImplicitlyDenied`, or `error: ...`) out, until standard input ends.
 *
 * The first request of a set goes through the public function, which validates the policies. The others go to the engine
 * behind it, which is many times as fast; that both agree on the first one is checked.
 */
import { createInterface } from 'node:readline';
import { loadPolicy } from '@cloud-copilot/iam-policy';
import { runSimulation } from '@cloud-copilot/iam-simulate';

const internal = (path) => import(new URL(path, import.meta.resolve('@cloud-copilot/iam-simulate')).href);
const { authorize } = await internal('core_engine/CoreSimulatorEngine.js');
const { AwsRequestImpl } = await internal('request/request.js');
const { RequestContextImpl } = await internal('requestContext.js');
const { DiscoveryContextKeyConstraints } = await internal('context_keys/discoveryContextKeyConstraints.js');

const simulationParameters = {
  simulationMode: 'Strict',
  discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([]),
};
/** Resource control policies always begin with this one. */
const FULL_ACCESS = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }],
};

const isOfAccount = ({ principal }) => principal.startsWith('arn:');
const isSession = ({ principal }) => principal.includes(':assumed-role/');
const named = (policies) => policies.map((policy, index) => ({ name: String(index), policy }));

async function askPublicly(policies, request) {
  const { principal, action, resource, accountId, context } = request;
  const outcome = await runSimulation(
    {
      request: { principal, action, resource: { resource, accountId }, contextVariables: context },
      identityPolicies: isOfAccount(request) ? named(policies.identity) : [],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: policies.resource,
      ...(isSession(request) && policies.session ? { sessionPolicy: policies.session } : {}),
      ...(isOfAccount(request) && policies.boundary ? { permissionBoundaryPolicies: named([policies.boundary]) } : {}),
      ...(policies.vpcEndpoint ? { vpcEndpointPolicies: named([policies.vpcEndpoint]) } : {}),
    },
    {},
  );
  return outcome.resultType === 'error' ? `error: ${JSON.stringify(outcome.errors)}` : outcome.overallResult;
}

const load = (policy) => (policy ? loadPolicy(policy, { name: '' }) : undefined);
const loadAll = (policies) => ({
  resource: load(policies.resource),
  identity: policies.identity.map(load),
  boundary: load(policies.boundary),
  session: load(policies.session),
  vpcEndpoint: load(policies.vpcEndpoint),
});
const fullAccess = { orgIdentifier: 'all', policies: [load(FULL_ACCESS)] };

function askEngine(policies, request) {
  const { principal, action, resource, accountId, context } = request;
  return authorize({
    request: new AwsRequestImpl(principal, { resource, accountId }, action, new RequestContextImpl(context), false),
    identityPolicies: isOfAccount(request) ? policies.identity : [],
    serviceControlPolicies: [],
    resourceControlPolicies: [fullAccess],
    resourcePolicy: policies.resource,
    sessionPolicy: isSession(request) ? policies.session : undefined,
    permissionBoundaries: isOfAccount(request) && policies.boundary ? [policies.boundary] : undefined,
    vpcEndpointPolicies: policies.vpcEndpoint ? [policies.vpcEndpoint] : undefined,
    simulationParameters,
    serviceSettings: { s3: {} },
  }).result;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { policies, requests } = JSON.parse(line);
  const loaded = loadAll(policies);
  const results = requests.map((request) => askEngine(loaded, request));
  const first = await askPublicly(policies, requests[0]);
  if (first !== results[0]) {
    results[0] = first.startsWith('error') ? first : `error: ${first} by the public function, ${results[0]} else`;
  }
  process.stdout.write(`${JSON.stringify(results)}\n`);
}
