/** What `keywright policy` prints: for people as text, for programs as JSON. */
import type { Candidate, SimulatedAnswer } from '../engine/access-simulation.ts';
import type { AccessDecision, DecidingPolicy, Opinion, Opinions, Permission, PolicyType } from '../policy/decide.ts';
import type { StatementReference } from '../policy/compile.ts';

const NAMES: Readonly<Record<PolicyType, string>> = {
  'resource-based policy': 'key policy',
  'identity-based policy': 'identity policy',
  'permissions boundary': 'permissions boundary',
  'session policy': 'session policy',
  'VPC endpoint policy': 'VPC endpoint policy',
};

const DIRECTNESS = { self: 'names the caller', issuer: 'names the role', account: 'names the account' } as const;

export function describeAnswer(
  action: string,
  { caller, resourceArn, decision, opinions, message }: SimulatedAnswer,
): string {
  const lines = [
    `${word(decision)}: ${action} on ${resourceArn} for ${caller.arn}`,
    `  ${reasonOf(decision)}`,
    ...(message === undefined ? [] : [`  caller reads: ${message}`]),
    'what each policy says',
  ];
  for (const opinion of inOrder(opinions)) {
    lines.push(`  ${NAMES[opinion.type].padEnd(COLUMN)}${describeOpinion(opinion)}`);
  }
  return lines.join('\n');
}

function inOrder({ resource, identity, boundary, session, vpcEndpoint }: Opinions): readonly Opinion[] {
  return [resource, identity, boundary, session, vpcEndpoint];
}

/** Wide enough for the longest of {@link NAMES} and a gap. */
const COLUMN = 22;

function describeOpinion({ isGiven, policyName, verdict }: Opinion): string {
  if (!isGiven) {
    return 'none applies';
  }
  if (verdict.effect === 'none') {
    return 'says nothing';
  }
  const where = `${policyName === undefined ? '' : `${policyName}, `}${describeStatement(verdict.statement)}`;
  return verdict.effect === 'deny' ? `denies: ${where}` : `allows: ${where}${directness(verdict)}`;
}

function directness({ names }: { readonly names: keyof typeof DIRECTNESS }): string {
  return names === 'self' ? '' : ` (${DIRECTNESS[names]})`;
}

function word({ effect }: AccessDecision): 'allowed' | 'denied' {
  return effect === 'allow' ? 'allowed' : 'denied';
}

function reasonOf(decision: AccessDecision): string {
  if (decision.effect === 'allow') {
    return `by ${describePermission(decision.by)}`;
  }
  return decision.by === undefined ? decision.reason : `by ${describePermission(decision.by)}`;
}

function describePermission(by: Permission): string {
  if (by.type === 'grant') {
    return `grant ${by.grant.name === undefined ? '' : `${by.grant.name}, `}${by.grant.grantId}`;
  }
  return by.type === 'root user' ? 'being the root user' : describePolicy(by);
}

function describePolicy({ type, policyName, statement }: DecidingPolicy): string {
  return `${NAMES[type]}${policyName === undefined ? '' : ` ${policyName}`}, ${describeStatement(statement)}`;
}

function describeStatement({ index, sid }: StatementReference): string {
  return `statement ${String(index)}${sid === undefined || sid === '' ? '' : ` (${sid})`}`;
}

export function describeCandidates(candidates: readonly Candidate[]): string {
  const width = Math.max(0, ...candidates.map(({ principal }) => principal.length));
  return candidates
    .map(({ principal, answer }) => {
      const verdict = answer === undefined ? 'absent' : word(answer.decision);
      const reason = answer === undefined ? 'named, but not in this store' : reasonOf(answer.decision);
      return `${principal.padEnd(width)}  ${verdict.padEnd('allowed'.length)}  ${reason}`;
    })
    .join('\n');
}

/** As JSON: the decision, the words that a denied caller reads, what decided, and what each policy says. */
export function showAnswer(
  action: string,
  { caller, resourceArn, decision, opinions, message }: SimulatedAnswer,
): unknown {
  return {
    decision: word(decision),
    principal: caller.arn,
    action,
    resource: resourceArn,
    reason: reasonOf(decision),
    ...(message === undefined ? {} : { message }),
    ...(decision.by === undefined ? {} : { by: showPermission(decision.by) }),
    policies: inOrder(opinions).map(showOpinion),
  };
}

function showPermission(by: Permission): unknown {
  if (by.type === 'grant') {
    return { type: 'grant', grantId: by.grant.grantId, name: by.grant.name };
  }
  return by.type === 'root user' ? by : { type: NAMES[by.type], name: by.policyName, statement: by.statement };
}

function showOpinion({ type, isGiven, policyName, verdict }: Opinion): unknown {
  return {
    type: NAMES[type],
    applies: isGiven,
    effect: verdict.effect,
    ...(verdict.effect === 'none' ? {} : { name: policyName, statement: verdict.statement }),
    ...(verdict.effect === 'allow' && type === 'resource-based policy' ? { how: DIRECTNESS[verdict.names] } : {}),
  };
}

export function showCandidate(action: string, { principal, answer }: Candidate): unknown {
  return answer === undefined
    ? { principal, decision: 'absent' }
    : { ...(showAnswer(action, answer) as object), principal };
}
