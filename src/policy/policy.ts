/**
 * The one place where policies are compiled: when one is stored, and when one is loaded into a cache. A decision gets
 * policies that are compiled, and has no means to do so itself.
 */
import { compilePolicy, type CompiledPolicy } from './compile.ts';
import { parsePolicyDocument, type PolicyKind } from './policy-document.ts';

/** A policy: what is stored of it, and what is evaluated. Immutable. */
export interface Policy {
  /** JSON. */
  readonly text: string;
  readonly compiled: CompiledPolicy;
}

/** The policy, or what is wrong with its text. */
export type PolicyResult =
  { readonly ok: true; readonly policy: Policy } | { readonly ok: false; readonly problem: string };

/** Policies kept ready, of each kind: many keys have the same one. */
const MAX_READY = 20_000;

const ready = new Map<PolicyKind, Map<string, Policy>>();

/**
 * Makes a policy of a text that is to be stored.
 *
 * @param name of the policy, for audit
 */
export function readPolicy(text: string, kind: PolicyKind, name?: string): PolicyResult {
  const ofKind = ready.get(kind) ?? new Map<string, Policy>();
  ready.set(kind, ofKind);
  const known = ofKind.get(text);
  if (known !== undefined && known.compiled.name === name) {
    return { ok: true, policy: known };
  }
  const parsed = parsePolicyDocument(text, kind);
  if (!parsed.ok) {
    return parsed;
  }
  const policy: Policy = { text, compiled: compilePolicy(parsed.policy, name) };
  if (ofKind.size >= MAX_READY) {
    ofKind.clear();
  }
  ofKind.set(text, policy);
  return { ok: true, policy };
}

/**
 * Makes a policy of a text that was checked when it was stored; one that is damaged nevertheless denies everything.
 *
 * @param name of the policy, for audit
 */
export function loadPolicy(text: string, kind: PolicyKind, name?: string): Policy {
  const result = readPolicy(text, kind, name);
  return result.ok ? result.policy : { ...denyAll(kind, name), text };
}

/** A policy that denies everything to everyone. */
export function denyAll(kind: PolicyKind, name?: string): Policy {
  const names = kind === 'identity' || kind === 'boundary' || kind === 'session' ? {} : { Principal: '*' };
  const target = kind === 'trust' ? {} : { Resource: '*' };
  return loadPolicy(JSON.stringify({ Statement: [{ Effect: 'Deny', ...names, Action: '*', ...target }] }), kind, name);
}
