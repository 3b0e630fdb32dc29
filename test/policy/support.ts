import { compilePolicy, type CompiledPolicy, type PolicyRequest, type Verdict } from '../../src/policy/compile.ts';
import type { ConditionValue, ConditionValues } from '../../src/policy/condition-values.ts';
import { parsePolicyDocument, type PolicyDocument, type PolicyKind } from '../../src/policy/policy-document.ts';
import { principalOf, type Principal } from '../../src/policy/principal.ts';

export const ACCOUNT = '111122223333';
export const OTHER_ACCOUNT = '444455556666';
export const KEY = `arn:aws:kms:us-east-1:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;

const iam = (account: string, resource: string): string => `arn:aws:iam::${account}:${resource}`;
export const ROOT = iam(ACCOUNT, 'root');
export const OTHER_ROOT = iam(OTHER_ACCOUNT, 'root');
export const BOB = iam(ACCOUNT, 'user/bob');
export const ALICE = iam(ACCOUNT, 'user/alice');
export const STRANGER = iam(OTHER_ACCOUNT, 'user/stranger');
export const ROLE = iam(ACCOUNT, 'role/ops');
export const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/ops/deploy`;
export const FEDERATED = `arn:aws:sts::${ACCOUNT}:federated-user/guest`;
export const SERVICE = 's3.amazonaws.com';

/** The caller behind an ARN, or a service by its name. */
export function caller(arn: string, more: Partial<Principal> = {}): Principal {
  if (!arn.startsWith('arn:')) {
    return { kind: 'service', accountId: '', arn, principalId: arn, ...more };
  }
  const accountId = arn.split(':')[4]!;
  const principalId = arn.includes(':assumed-role/') ? 'AROAEXAMPLEOPSROLE00:deploy' : `AIDA${accountId}BOB0`;
  return { ...principalOf({ accountId, arn, principalId }), ...more };
}

/** Values by condition key, in any letter case. */
export function values(entries: Readonly<Record<string, ConditionValue>> = {}): ConditionValues {
  const byKey = new Map(Object.entries(entries).map(([key, value]) => [key.toLowerCase(), value]));
  return { get: (key) => byKey.get(key) };
}

export function document(kind: PolicyKind, statements: readonly object[], version = '2012-10-17'): PolicyDocument {
  const parsed = parsePolicyDocument(JSON.stringify({ Version: version, Statement: statements }), kind);
  if (!parsed.ok) {
    throw new Error(parsed.problem);
  }
  return parsed.policy;
}

export function policy(kind: PolicyKind, ...statements: readonly object[]): CompiledPolicy {
  return compilePolicy(document(kind, statements));
}

export const allow = (parts: object = {}): object => ({ Effect: 'Allow', Action: 'kms:*', Resource: '*', ...parts });
export const deny = (parts: object = {}): object => ({ ...allow(parts), Effect: 'Deny' });
/** Allows everything, to the principals of a key policy. */
export const allowTo = (principal: unknown, parts: object = {}): object => allow({ Principal: principal, ...parts });

export function request(parts: Partial<PolicyRequest> = {}): PolicyRequest {
  return { principal: caller(BOB), action: 'kms:Decrypt', resource: KEY, values: values(), ...parts };
}

export function effect(verdict: Verdict): Verdict['effect'] {
  return verdict.effect;
}

/** Whether one statement of an identity policy with this Condition applies. */
export function holds(condition: object, given: Readonly<Record<string, ConditionValue>>, version?: string): boolean {
  const compiled = compilePolicy(document('identity', [allow({ Condition: condition })], version));
  return compiled.evaluate(request({ values: values(given) })).effect === 'allow';
}
