import { KmsServiceError } from '../base/errors.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import { isRefusedOnAwsManagedKeys } from '../policy/aws-managed-policy.ts';
import { isGrantOperation } from '../policy/grant.ts';
import { isFreeOfContext } from '../policy/grant-matching.ts';
import { selectorsFor } from '../policy/grant-selector.ts';
import { requestConditions } from './conditions.ts';
import type { GrantReference } from './grants.ts';
import { operationConditions, type OperationConditions } from './operation-conditions.ts';
import type { AccessControl, AccessRequest, AliasRepository, Decision, GrantRepository, LastUses } from './ports.ts';
import type { AttestedValues } from './recipient.ts';
import type { RequestContext, Target } from './target.ts';

/**
 * Proof that the caller may perform operation `Name` on `targets`. Its class stays inside this module, so that only
 * {@link authorize} makes one, and an operation cannot be executed without it.
 */
class AuthorizedRequest<Name extends string, Targets extends readonly Target[]> {
  readonly #operation: Name;
  readonly targets: Targets;

  constructor(operation: Name, targets: Targets) {
    this.#operation = operation;
    this.targets = targets;
  }

  get operation(): Name {
    return this.#operation;
  }
}

export type Authorized<Name extends string, Targets extends readonly Target[]> = AuthorizedRequest<Name, Targets>;

/** Who decides. */
export type Decider = Pick<AccessControl, 'decide' | 'decideOnRetirement'>;

/** What authorization works with. */
export interface AuthorizationPorts {
  readonly access: Decider;
  readonly aliases: AliasRepository;
  readonly grants: GrantRepository;
  readonly lastUses: LastUses;
}

/** A request on its way to be authorized. */
export interface RequestToAuthorize {
  readonly context: RequestContext;
  /** The parsed body. */
  readonly input: unknown;
  /** The grants whose tokens came with it. */
  readonly grantReferences: readonly GrantReference[];
  /** What the attestation document of the request says. */
  readonly attested: AttestedValues;
}

/** @throws KmsServiceError AccessDeniedException for the first target that is not allowed */
export function authorize<Name extends string, Targets extends readonly Target[]>(
  ports: AuthorizationPorts,
  request: RequestToAuthorize,
  operation: { readonly name: Name; readonly allowsCrossAccount: boolean },
  targets: Targets,
): MaybePromise<Authorized<Name, Targets>> {
  const { context } = request;
  const isForeign = ({ resourceAccountId }: Target): boolean => resourceAccountId !== context.caller.accountId;
  if (!operation.allowsCrossAccount) {
    // Before all else: a resource of another account that does not exist was refused before, too.
    const foreign = targets.find(isForeign);
    if (foreign !== undefined) {
      throw accessDenied(context, foreign, FOREIGN_REASON);
    }
  }
  // What another account has comes first: the refusal of something else would tell that it is there.
  const ordered = targets.some(isForeign)
    ? [...targets.filter(isForeign), ...targets.filter((target) => !isForeign(target))]
    : targets;
  const next = (index: number): MaybePromise<Authorized<Name, Targets>> => {
    const target = ordered[index];
    if (target === undefined) {
      return new AuthorizedRequest(operation.name, targets);
    }
    if (target.refusal !== undefined) {
      throw target.refusal;
    }
    const refusal = findRefusal(operation, context, target);
    if (refusal !== undefined) {
      throw accessDenied(context, target, refusal);
    }
    return chain(decideOn(ports, request, target, targets), (made) => {
      if (made.effect === 'deny') {
        throw accessDenied(context, target, made.reason);
      }
      return next(index + 1);
    });
  };
  return next(0);
}

/** Why nobody may do this, whatever policies say; undefined when policies decide. */
export function findRefusal(
  operation: { readonly allowsCrossAccount: boolean },
  { caller }: Pick<RequestContext, 'caller'>,
  target: Target,
): string | undefined {
  if (!operation.allowsCrossAccount && target.resourceAccountId !== caller.accountId) {
    return FOREIGN_REASON;
  }
  return target.key?.manager === 'AWS' && isRefusedOnAwsManagedKeys(target.action)
    ? `because no resource-based policy allows the ${target.action} action`
    : undefined;
}

function decideOn(
  ports: AuthorizationPorts,
  request: RequestToAuthorize,
  target: Target,
  targets: readonly Target[],
): MaybePromise<Decision> {
  return chain(describeAccess(ports, request, target, targets), (question) =>
    target.retires === undefined
      ? ports.access.decide(question)
      : ports.access.decideOnRetirement(question, target.retires),
  );
}

/** What policies and grants are asked about one target of a request. */
export function describeAccess(
  ports: Omit<AuthorizationPorts, 'access'>,
  { context, input, grantReferences, attested }: RequestToAuthorize,
  target: Target,
  targets: readonly Target[],
): MaybePromise<AccessRequest> {
  const source = { input, request: context, targets, target, lastUses: ports.lastUses };
  return chain(operationConditions(source), (conditions): AccessRequest => ({
    caller: context.caller,
    action: target.action,
    resourceArn: target.resourceArn,
    resourceAccountId: target.resourceAccountId,
    // A key that an action is about without being its resource only selects.
    resourcePolicy: target.resourceArn === target.key?.arn ? target.key.policy.compiled : undefined,
    endpointPolicy: context.origin.vpcEndpoint?.policy.compiled,
    values: requestConditions(context, target, conditions, attested),
    encryptionContext: conditions.encryptionContext,
    newGrant: conditions.newGrant,
    findGrants: grantFinder(ports.grants, target, conditions, grantReferences),
    findAliases: aliasFinder(ports.aliases, target),
  }));
}

const ACTION_PREFIX = 'kms:';
/** More than a key has where quotas are AWS's; where they are not, a policy must see every name all the same. */
const ALIASES_AT_ONCE = 100;

/** How to find the grants on the target's key that a caller may use for the action; undefined when none could be. */
function grantFinder(
  grants: GrantRepository,
  { key, action }: Target,
  { encryptionContext }: OperationConditions,
  references: readonly GrantReference[],
): AccessRequest['findGrants'] {
  const operation = action.slice(ACTION_PREFIX.length);
  if (key === undefined || !isGrantOperation(operation)) {
    return undefined;
  }
  return (kind, grantees) => {
    const selectors =
      encryptionContext === undefined || isFreeOfContext(operation) ? undefined : selectorsFor(encryptionContext);
    const ofTokens = references.filter((reference) => reference.keyId === key.keyId);
    return chain(grants.findUsable(key, { kind, grantees, operation, selectors }), (usable) =>
      ofTokens.length === 0
        ? usable
        : // A token makes its grant known where the news of it has not come yet.
          Promise.all(ofTokens.map(({ grantId }) => grants.find(key.region, key.keyId, grantId))).then((found) => [
            ...found.filter((grant) => grant !== undefined),
            ...usable,
          ]),
    );
  };
}

function aliasFinder(aliases: AliasRepository, { key }: Target): AccessRequest['findAliases'] {
  return key === undefined
    ? undefined
    : async () => {
        const names: string[] = [];
        for (let isTruncated = true; isTruncated;) {
          const page = { after: names.at(-1), limit: ALIASES_AT_ONCE };
          const found = await aliases.list(key.region, key.accountId, key.keyId, page);
          names.push(...found.items.map(({ name }) => name));
          ({ isTruncated } = found);
        }
        return names;
      };
}

const FOREIGN_REASON =
  'because the resource does not exist in this Region, no resource-based policies allow access, ' +
  'or a resource-based policy explicitly denies access';

/** What is only said of a resource whose own policies, or a grant, let the caller in. */
const REASON_OF_THE_INVITED = /^because no (?:identity-based policy|permissions boundary|session policy) /;

/**
 * The refusal in the words of AWS. To a caller of another account it neither names the resource nor tells whether it
 * exists: also a Deny of the caller's own, and the policy of the endpoint, decide only about what there is.
 *
 * @param reason the end of the sentence, from "because" or "with" on
 */
export function accessDenied(
  request: RequestContext,
  target: Pick<Target, 'action' | 'resourceArn' | 'resourceAccountId' | 'denial'>,
  reason: string,
): KmsServiceError {
  const isForeign = target.resourceAccountId !== request.caller.accountId;
  const subject = isForeign ? 'this resource' : `resource: ${target.resourceArn}`;
  const end = isForeign && !REASON_OF_THE_INVITED.test(reason) ? FOREIGN_REASON : reason;
  const text = `User: ${request.caller.arn} is not authorized to perform: ${target.action} on ${subject} ${end}`;
  return new KmsServiceError('AccessDeniedException', target.denial ?? text);
}
