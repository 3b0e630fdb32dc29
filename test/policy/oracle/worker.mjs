/**
 * Answers for the oracle, in a process of its own: one JSON line with policies and requests in, one JSON line with the
 * results (`Allowed`, `ExplicitlyDenied`, `ImplicitlyDenied`, or `error: ...`) out, until standard input ends.
 *
 * The first request of a set goes through the public function, which validates the policies. The others go to the engine
 * behind it, which is many times as fast; that both agree on the first one is checked.
 */
import { createInterface } from 'node:readline';
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { askEngine, isOfAccount, isSession, loadAll } from './engine.mjs';

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
