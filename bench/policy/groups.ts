import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compilePolicy, type CompiledPolicy } from '#policy/compile';
import { decide, type AccessQuestion, type PolicySet } from '#policy/decide';
import { parsePolicyDocument, type PolicyKind } from '#policy/policy-document';
import { principalOf } from '#policy/principal';
import type { Group, Row } from '../lib/group.ts';
import { inProcess } from '../lib/loop.ts';
import { ALLOWED, NO_LIMITS, type PolicyWorkload } from './workload.ts';

// Not compiled: it is where it was written, and this file is in build/bench/policy.
const ORACLE = fileURLToPath(new URL('../../../bench/policy/oracle.mjs', import.meta.url));

export const DECIDE = 'decide, policies compiled';
const ORACLE_ROW = 'iam-simulate, policies loaded';

/** One decision over a key policy and identity policies. */
export function decisionGroup(name: string, workload: PolicyWorkload): Group {
  const open = (): Row[] => {
    const compiled = compileAll(workload);
    const question = questionOf(workload);
    const answer = decide(question, compiled);
    if (answer.effect !== 'allow') throw new Error(`${name}: ${answer.reason}`);
    return [
      inProcess(DECIDE, 1, () => decide(question, compiled)),
      inProcess('decide, policies parsed and compiled each time', 1, () => decide(question, compileAll(workload))),
      { name: ORACLE_ROW, measure: (minimumMs, samples) => measureOracle(workload, minimumMs, samples) },
    ];
  };
  return { name, sizeBytes: 0, baseline: ORACLE_ROW, open };
}

function compile(kind: PolicyKind, json: object): CompiledPolicy {
  const parsed = parsePolicyDocument(JSON.stringify(json), kind);
  if (!parsed.ok) throw new Error(parsed.problem);
  return compilePolicy(parsed.policy);
}

function compileAll({ policies }: PolicyWorkload): PolicySet {
  const resource = compile('key', policies.resource);
  return { ...NO_LIMITS, resource, identity: policies.identity.map((json) => compile('identity', json)) };
}

function questionOf({ request }: PolicyWorkload): AccessQuestion {
  const { action, resource, accountId, principal: arn, context } = request;
  const byKey = new Map(Object.entries(context));
  return {
    principal: principalOf({ accountId, arn, principalId: 'AIDAEXAMPLE' }),
    action,
    resource,
    resourceAccountId: accountId,
    values: { get: (key) => byKey.get(key) },
  };
}

/** In a process of its own, which starts anew and warms up for every measurement. */
function measureOracle(workload: PolicyWorkload, minimumMs: number, samples: number): number[] {
  const input = JSON.stringify({ ...workload, expected: ALLOWED, minimumMs, samples });
  return JSON.parse(execFileSync(process.execPath, [ORACLE], { input, encoding: 'utf8' })) as number[];
}
