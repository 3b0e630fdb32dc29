/**
 * Who a statement is about: the elements Principal and NotPrincipal.
 *
 * @source IAM User Guide, "AWS JSON policy elements: Principal" and "AWS JSON policy elements: NotPrincipal"
 */
import { isGrantPrincipal } from './grant.ts';
import type { Principal } from './principal.ts';

/** The members of the elements Principal and NotPrincipal. */
export const PRINCIPAL_TYPES = ['AWS', 'Service', 'Federated', 'CanonicalUser'];

/** `*` stands for everyone; otherwise lists by type of principal, of which there are {@link PRINCIPAL_TYPES}. */
export type PrincipalElement = '*' | Readonly<Record<string, readonly string[]>>;

/** What AWS KMS says about a principal that it does not take. */
export const INVALID_PRINCIPALS = 'Policy contains a statement with one or more invalid principals.';

const ACCOUNT_ID = /^\d{12}$/;
/** Unique ids of users and roles, which take the place of their ARNs when a policy is stored; also of role sessions. */
const UNIQUE_ID = /^A[A-Z0-9]{15,}(?::[\w+=,.@-]{2,64})?$/;
const SERVICE_NAME = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/;
const ROOT_ARN = /^arn:aws[a-z-]*:iam::(\d{12}):root$/;

/** Whether a policy may name this principal. The only wildcard is a `*` that stands alone. */
export function isPolicyPrincipal([type, names]: readonly [type: string, names: readonly string[]]): boolean {
  return names.every((name) => {
    switch (type) {
      case 'AWS':
        return name === '*' || ACCOUNT_ID.test(name) || UNIQUE_ID.test(name) || isGrantPrincipal(name);
      case 'Service':
        return SERVICE_NAME.test(name);
      default:
        return name !== '' && !name.includes('*');
    }
  });
}

/**
 * How directly an element names a caller:
 * - `self`: everyone, or this user, session or service;
 * - `issuer`: the role of a session, or the user of a federated session;
 * - `account`: the account, which leaves it to the account's own policies.
 */
export type PrincipalMatch = 'self' | 'issuer' | 'account' | undefined;

/** `isBounded` tells whether the caller has a permissions boundary. */
export type PrincipalMatcher = (caller: Principal, isBounded: boolean) => PrincipalMatch;

function namesEveryone(element: PrincipalElement): boolean {
  return element === '*' || element['AWS']?.includes('*') === true;
}

/** Compiles the element Principal. */
export function principalMatcher(element: PrincipalElement): (caller: Principal) => PrincipalMatch {
  if (element === '*' || namesEveryone(element)) {
    return () => 'self';
  }
  const names = new Set(element['AWS'] ?? []);
  const accounts = new Set([...names].map((name) => ROOT_ARN.exec(name)?.[1] ?? name).filter(isAccountId));
  const services = new Set(element['Service'] ?? []);
  const providers = new Set(element['Federated'] ?? []);
  return (caller) => {
    switch (caller.kind) {
      case 'service':
        return services.has(caller.arn) ? 'self' : undefined;
      case 'provider':
        return providers.has(caller.arn) ? 'self' : undefined;
      case 'root':
      case 'user':
      case 'role-session':
      case 'federated-user':
        if (names.size === 0) {
          return undefined;
        }
        if (caller.kind !== 'root' && (names.has(caller.arn) || names.has(caller.principalId))) {
          return 'self';
        }
        if (caller.issuer !== undefined && (names.has(caller.issuer.arn) || names.has(caller.issuer.principalId))) {
          return 'issuer';
        }
        return accounts.has(caller.accountId) ? 'account' : undefined;
    }
  };
}

const isAccountId = (text: string): boolean => ACCOUNT_ID.test(text);

/**
 * Compiles the element NotPrincipal, which counts against the caller where names are missing: an Allow is for those of
 * whom nothing is listed, and only they escape a Deny of whom everything is listed: the account, and the user, or the
 * role and its session. Nobody with a permissions boundary escapes a Deny.
 *
 * @source IAM User Guide, "Permissions boundaries for IAM entities", on NotPrincipal
 */
export function notPrincipalMatcher(element: PrincipalElement, effect: 'Allow' | 'Deny'): PrincipalMatcher {
  const match = principalMatcher(element);
  if (effect === 'Allow') {
    return (caller) => (match(caller) === undefined ? 'self' : undefined);
  }
  const isEveryone = namesEveryone(element);
  return (caller, isBounded) => (!isBounded && (isEveryone || isListedWholly(caller, match)) ? undefined : 'self');
}

function isListedWholly(caller: Principal, match: (caller: Principal) => PrincipalMatch): boolean {
  if (caller.kind === 'service' || caller.kind === 'provider') {
    return match(caller) === 'self';
  }
  const { issuer } = caller;
  return (
    match({ ...caller, kind: 'root', issuer: undefined }) === 'account' &&
    (caller.kind === 'root' || match(caller) === 'self') &&
    (issuer === undefined || match({ ...caller, ...issuer, issuer: undefined }) === 'self')
  );
}
