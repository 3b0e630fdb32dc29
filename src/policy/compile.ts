/**
 * Policies, made ready to be evaluated: once per version of a policy, for any number of requests.
 *
 * @source IAM User Guide, "IAM JSON policy element reference"
 */
import { compileClause, type ConditionTest } from './condition-operators.ts';
import type { ConditionValues } from './condition-values.ts';
import type { PolicyDocument, PolicyKind, Statement } from './policy-document.ts';
import type { Principal } from './principal.ts';
import {
  notPrincipalMatcher,
  principalMatcher,
  type PrincipalMatch,
  type PrincipalMatcher,
} from './principal-element.ts';
import { resourceMatcher, type TextMatcher } from './template.ts';
import { matchesWildcard, wildcardPattern } from './wildcard.ts';

/** What policies decide about. */
export interface PolicyRequest {
  readonly principal: Principal;
  /** `kms:<Action>`, in any letter case. */
  readonly action: string;
  /** ARN, or `*` for actions without a resource. */
  readonly resource: string;
  readonly values: ConditionValues;
}

/** A statement, as audit records and simulations name it. */
export interface StatementReference {
  /** Position in the policy, from 0. */
  readonly index: number;
  readonly sid: string | undefined;
}

/** What one policy says about a request; `none`: it says nothing. */
export type Verdict =
  | { readonly effect: 'none' }
  | { readonly effect: 'deny'; readonly statement: StatementReference }
  | {
      readonly effect: 'allow';
      readonly statement: StatementReference;
      /** The most direct way in which the policy names the caller; `self` in policies without principals. */
      readonly names: NonNullable<PrincipalMatch>;
    };

/** A policy that is ready to be evaluated. */
export interface CompiledPolicy {
  readonly kind: PolicyKind;
  /** ARN or other name of the policy, for audit; undefined for the only one of its kind. */
  readonly name: string | undefined;
  /** @param isBounded whether the caller has a permissions boundary, which NotPrincipal with Deny looks at */
  evaluate(request: PolicyRequest, isBounded?: boolean): Verdict;
}

interface CompiledStatement {
  readonly reference: StatementReference;
  readonly effect: Statement['effect'];
  readonly coversAction: (lowerAction: string) => boolean;
  readonly matchPrincipal: PrincipalMatcher;
  readonly coversResource: TextMatcher;
  readonly conditions: readonly ConditionTest[];
}

/** Statements that are about one action. */
interface Candidates {
  readonly denies: readonly CompiledStatement[];
  readonly allows: readonly CompiledStatement[];
}

/** Actions whose statements are remembered, per policy: there are fewer actions in KMS, in two letter cases. */
const MAX_REMEMBERED_ACTIONS = 256;

const NONE: Verdict = { effect: 'none' };

/** @param name of the policy, for audit */
export function compilePolicy(document: PolicyDocument, name?: string): CompiledPolicy {
  const statements = document.statements.map((statement, index) => compileStatement(statement, index, document));
  const byAction = new Map<string, Candidates>();
  const candidatesFor = (action: string): Candidates => {
    const known = byAction.get(action);
    if (known !== undefined) {
      return known;
    }
    const candidates = selectCandidates(statements, action.toLowerCase());
    if (byAction.size < MAX_REMEMBERED_ACTIONS) {
      byAction.set(action, candidates);
    }
    return candidates;
  };
  const evaluate: CompiledPolicy['evaluate'] = (request, isBounded = false) =>
    evaluateCandidates(candidatesFor(request.action), request, isBounded);
  return { kind: document.kind, name, evaluate };
}

function selectCandidates(statements: readonly CompiledStatement[], lowerAction: string): Candidates {
  const covering = statements.filter(({ coversAction }) => coversAction(lowerAction));
  return {
    denies: covering.filter(({ effect }) => effect === 'Deny'),
    allows: covering.filter(({ effect }) => effect === 'Allow'),
  };
}

function evaluateCandidates({ denies, allows }: Candidates, request: PolicyRequest, isBounded: boolean): Verdict {
  for (const statement of denies) {
    if (statement.matchPrincipal(request.principal, isBounded) !== undefined && applies(statement, request)) {
      return { effect: 'deny', statement: statement.reference };
    }
  }
  let best: CompiledStatement | undefined;
  let names: PrincipalMatch;
  for (const statement of allows) {
    const match = statement.matchPrincipal(request.principal, isBounded);
    if (match !== undefined && isMoreDirect(match, names) && applies(statement, request)) {
      best = statement;
      names = match;
      if (match === 'self') {
        break;
      }
    }
  }
  return best === undefined || names === undefined ? NONE : { effect: 'allow', statement: best.reference, names };
}

function applies({ coversResource, conditions }: CompiledStatement, { resource, values }: PolicyRequest): boolean {
  return coversResource(resource, values) && conditions.every((holds) => holds(values));
}

const DIRECTNESS = { self: 3, issuer: 2, account: 1 } as const;

/** Whether the first way of naming a caller says more than the second. */
function isMoreDirect(match: NonNullable<PrincipalMatch>, than: PrincipalMatch): boolean {
  return than === undefined || DIRECTNESS[match] > DIRECTNESS[than];
}

function compileStatement(
  statement: Statement,
  index: number,
  { kind, hasVariables }: PolicyDocument,
): CompiledStatement {
  return {
    reference: { index, sid: statement.sid },
    effect: statement.effect,
    coversAction: compileActions(statement),
    matchPrincipal: compilePrincipals(statement),
    // The resource of a trust policy is its role.
    coversResource: kind === 'trust' ? () => true : compileResources(statement, hasVariables),
    conditions: statement.conditions.map((clause) => compileClause(clause, hasVariables)),
  };
}

function compileActions({ actions, notActions }: Statement): (lowerAction: string) => boolean {
  const patterns = (actions ?? notActions ?? []).map((action) => wildcardPattern(action.toLowerCase()));
  const isListed = (lowerAction: string): boolean => patterns.some((pattern) => matchesWildcard(pattern, lowerAction));
  return notActions === undefined ? isListed : (lowerAction) => !isListed(lowerAction);
}

function compilePrincipals({ effect, principal, notPrincipal }: Statement): PrincipalMatcher {
  if (principal !== undefined) {
    return principalMatcher(principal);
  }
  return notPrincipal === undefined ? () => 'self' : notPrincipalMatcher(notPrincipal, effect);
}

function compileResources({ resources, notResources }: Statement, hasVariables: boolean): TextMatcher {
  const given = resources ?? notResources;
  const matchers = (given ?? []).map((resource) => resourceMatcher(resource, hasVariables));
  const isListed: TextMatcher = (resource, values) => matchers.some((matches) => matches(resource, values));
  return notResources === undefined ? isListed : (resource, values) => !isListed(resource, values);
}
