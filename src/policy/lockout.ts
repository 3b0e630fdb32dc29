import type { Caller } from '../base/caller.ts';
import type { PolicyDocument, PrincipalElement, Statement } from './policy-document.ts';

const GUARDED_ACTION = 'kms:putkeypolicy';

/**
 * The lockout safety check: whether the caller could still replace this policy, by a statement that names the caller or
 * the caller's account, with no Deny in the way. Conditions are not evaluated, in the caller's favour: an Allow counts
 * whatever its conditions, a Deny only without any.
 *
 * @source KMS API Reference, PutKeyPolicy, BypassPolicyLockoutSafetyCheck
 */
export function allowsPolicyUpdateBy(policy: PolicyDocument, caller: Caller): boolean {
  const applies = (statement: Statement): boolean => coversAction(statement) && coversCaller(statement, caller);
  return (
    policy.statements.some((statement) => statement.effect === 'Allow' && applies(statement)) &&
    !policy.statements.some((statement) => statement.effect === 'Deny' && !statement.hasCondition && applies(statement))
  );
}

function coversAction({ actions, notActions }: Statement): boolean {
  if (actions !== undefined) {
    return actions.some((pattern) => matchesWildcard(pattern.toLowerCase(), GUARDED_ACTION));
  }
  return (
    notActions !== undefined && !notActions.some((pattern) => matchesWildcard(pattern.toLowerCase(), GUARDED_ACTION))
  );
}

function coversCaller({ principal, notPrincipal }: Statement, caller: Caller): boolean {
  if (principal !== undefined) {
    return names(principal, caller);
  }
  return notPrincipal !== undefined && !names(notPrincipal, caller);
}

function names(element: PrincipalElement, caller: Caller): boolean {
  if (element === '*') {
    return true;
  }
  const principals = element['AWS'] ?? [];
  return principals.some(
    (principal) =>
      principal === '*' ||
      principal === caller.arn ||
      principal === caller.accountId ||
      (principal.endsWith(`:iam::${caller.accountId}:root`) && principal.startsWith('arn:aws')),
  );
}

/** Matches `*` (any run of characters) and `?` (one character) without backtracking beyond the last `*`. */
export function matchesWildcard(pattern: string, text: string): boolean {
  let patternIndex = 0;
  let textIndex = 0;
  let starIndex = -1;
  let resumeAt = 0;
  while (textIndex < text.length) {
    const symbol = pattern[patternIndex];
    if (symbol === '*') {
      starIndex = patternIndex++;
      resumeAt = textIndex;
    } else if (symbol === '?' || symbol === text[textIndex]) {
      patternIndex++;
      textIndex++;
    } else if (starIndex >= 0) {
      patternIndex = starIndex + 1;
      textIndex = ++resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[patternIndex] === '*') {
    patternIndex++;
  }
  return patternIndex === pattern.length;
}
