/** The engine behind the oracle's public function, for policies that were loaded once and are known to be valid. */
import { loadPolicy } from '@cloud-copilot/iam-policy';

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

export const isOfAccount = ({ principal }) => principal.startsWith('arn:');
export const isSession = ({ principal }) => principal.includes(':assumed-role/');
const load = (policy) => (policy ? loadPolicy(policy, { name: '' }) : undefined);
export const loadAll = (policies) => ({
  resource: load(policies.resource),
  identity: policies.identity.map(load),
  boundary: load(policies.boundary),
  session: load(policies.session),
  vpcEndpoint: load(policies.vpcEndpoint),
});
const fullAccess = { orgIdentifier: 'all', policies: [load(FULL_ACCESS)] };

export function askEngine(policies, request) {
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
