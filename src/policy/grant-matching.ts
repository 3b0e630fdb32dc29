/**
 * Which grant lets a request in.
 *
 * @source KMS Developer Guide, "Grants in AWS KMS", "Using grant constraints", "Granting CreateGrant permission"
 */
import type { PolicyRequest } from './compile.ts';
import {
  isGrantOperation,
  partyId,
  type Grant,
  type GrantConstraints,
  type GrantOperation,
  type GrantParty,
} from './grant.ts';
import type { Principal } from './principal.ts';
import type { PrincipalMatch } from './principal-element.ts';

type Context = Readonly<Record<string, string>>;

/** What grants look at besides the caller and the action. */
export interface GrantSubject {
  /** Of the request; absent is the same as empty. */
  readonly encryptionContext?: Context | undefined;
  /** The grant that CreateGrant is to make. */
  readonly newGrant?: Pick<Grant, 'operations' | 'constraints'> | undefined;
}

/** A grant that allows a request, and how it names the caller. */
export interface GrantMatch {
  readonly grant: Grant;
  readonly names: NonNullable<PrincipalMatch>;
}

const ACTION_PREFIX = 'kms:';
/** Operations that the encryption context constraints of a grant do not limit. */
const WITHOUT_CONTEXT: readonly GrantOperation[] = ['DescribeKey', 'RetireGrant'];

/** Whether any grant of the operation may be used, whatever its encryption context constraint. */
export function isFreeOfContext(operation: GrantOperation): boolean {
  return operation === 'CreateGrant' || WITHOUT_CONTEXT.includes(operation);
}

/** The grants of `grants` that allow the request, as long as nothing denies it. */
export function matchGrants(grants: readonly Grant[], request: PolicyRequest, subject: GrantSubject): GrantMatch[] {
  const operation = request.action.slice(ACTION_PREFIX.length);
  if (!isGrantOperation(operation)) {
    return [];
  }
  return grants.flatMap((grant) => {
    const names = matchParty(grant.grantee, request.principal);
    const isAllowed =
      names !== undefined &&
      grant.operations.includes(operation) &&
      isFromSource(grant.constraints, operation, request) &&
      fitsContext(grant, operation, subject);
    return isAllowed ? [{ grant, names }] : [];
  });
}

const ROOT_ARN = /^arn:aws[a-z-]*:iam::(\d{12}):root$/;

/** How directly a party of a grant is the caller; an account as a party leaves it to the account's own policies. */
export function matchParty(party: GrantParty, caller: Principal): PrincipalMatch {
  if (party.kind === 'service' || caller.kind === 'service') {
    return party.kind === caller.kind && party.name === caller.arn ? 'self' : undefined;
  }
  if (caller.kind === 'provider') {
    return undefined;
  }
  if (ROOT_ARN.exec(party.name)?.[1] === caller.accountId) {
    return 'account';
  }
  const id = partyId(party);
  if (id === caller.arn || id === caller.principalId) {
    return 'self';
  }
  return id === caller.issuer?.arn || id === caller.issuer?.principalId ? 'issuer' : undefined;
}

/** The source is compared only for services that act for themselves, and not when a grant is retired. */
function isFromSource(
  constraints: GrantConstraints | undefined,
  operation: GrantOperation,
  { principal, values }: PolicyRequest,
): boolean {
  const source = constraints?.SourceArn;
  const isCompared = source !== undefined && principal.kind === 'service' && operation !== 'RetireGrant';
  return !isCompared || values.get('aws:sourcearn') === source;
}

function fitsContext(grant: Grant, operation: GrantOperation, { encryptionContext, newGrant }: GrantSubject): boolean {
  if (operation === 'CreateGrant') {
    return newGrant !== undefined && isNarrower(newGrant, grant);
  }
  if (WITHOUT_CONTEXT.includes(operation)) {
    return true;
  }
  const given = encryptionContext ?? {};
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = grant.constraints ?? {};
  return (
    (equals === undefined || (contains(given, equals) && contains(equals, given))) &&
    (subset === undefined || contains(given, subset))
  );
}

/** Whether a grant that another one let somebody make allows nothing that the other one does not. */
function isNarrower(child: Pick<Grant, 'operations' | 'constraints'>, parent: Grant): boolean {
  const inner = child.constraints ?? {};
  const outer = parent.constraints ?? {};
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = outer;
  const innerEquals = inner.EncryptionContextEquals;
  const innerAtLeast = innerEquals ?? inner.EncryptionContextSubset ?? {};
  return (
    child.operations.every((operation) => parent.operations.includes(operation)) &&
    (outer.SourceArn === undefined || inner.SourceArn === outer.SourceArn) &&
    (subset === undefined || contains(innerAtLeast, subset)) &&
    (equals === undefined ||
      (innerEquals !== undefined && contains(innerEquals, equals) && contains(equals, innerEquals)))
  );
}

function contains(outer: Context, inner: Context): boolean {
  return Object.entries(inner).every(([name, value]) => Object.hasOwn(outer, name) && outer[name] === value);
}
