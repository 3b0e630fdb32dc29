/** Random cases, as our own code takes them. */
import { compilePolicy, type CompiledPolicy } from '../../src/policy/compile.ts';
import { decide, type AccessDecision, type AccessQuestion, type PolicySet } from '../../src/policy/decide.ts';
import { parsePolicyDocument, type PolicyKind } from '../../src/policy/policy-document.ts';
import type { PolicyJson, RandomPolicies, RandomRequest } from './random-policies.ts';
import { ACCOUNT, caller, values } from './support.ts';

/** Seed of a run, shown when it fails; KEYWRIGHT_TEST_SEED repeats it. */
export const SEED = Number(process.env['KEYWRIGHT_TEST_SEED'] ?? Date.now() % 0x7fffffff);

function compile(kind: PolicyKind, json: PolicyJson): CompiledPolicy {
  const parsed = parsePolicyDocument(JSON.stringify(json), kind);
  if (!parsed.ok) {
    throw new Error(`${parsed.problem} ${JSON.stringify(json)}`);
  }
  return compilePolicy(parsed.policy);
}

export function compileAll(policies: RandomPolicies): PolicySet {
  const compileOptional = (kind: PolicyKind, json: PolicyJson | undefined): CompiledPolicy | undefined =>
    json === undefined ? undefined : compile(kind, json);
  return {
    resource: compile('key', policies.resource),
    identity: policies.identity.map((json) => compile('identity', json)),
    boundary: compileOptional('boundary', policies.boundary),
    session: policies.session === undefined ? [] : [compile('session', policies.session)],
    vpcEndpoint: compileOptional('vpcEndpoint', policies.vpcEndpoint),
  };
}

/** The policies that are about a caller: a service has none of its own, and only sessions have session policies. */
export function policiesFor(principal: string, all: PolicySet): PolicySet {
  const isOfAccount = principal.startsWith('arn:');
  return {
    resource: all.resource,
    identity: isOfAccount ? all.identity : [],
    boundary: isOfAccount ? all.boundary : undefined,
    session: principal.includes(':assumed-role/') ? all.session : [],
    vpcEndpoint: all.vpcEndpoint,
  };
}

export function questionOf({ principal, action, resource, context }: RandomRequest): AccessQuestion {
  return { principal: caller(principal), action, resource, values: values(context), resourceAccountId: ACCOUNT };
}

export function decideOn(request: RandomRequest, all: PolicySet): AccessDecision {
  return decide(questionOf(request), policiesFor(request.principal, all));
}
