import { KmsServiceError } from '../base/errors.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import { isRefusedOnAwsManagedKeys } from '../policy/aws-managed-policy.ts';
import type { RequestContext, Target } from './target.ts';
import type { AccessControl, ConditionValues, Decision } from './ports.ts';

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

/** @throws KmsServiceError AccessDeniedException for the first target that is not allowed */
export function authorize<Name extends string, Targets extends readonly Target[]>(
  access: AccessControl,
  request: RequestContext,
  operation: { readonly name: Name; readonly allowsCrossAccount: boolean },
  targets: Targets,
  attested: ConditionValues,
): MaybePromise<Authorized<Name, Targets>> {
  const next = (index: number): MaybePromise<Authorized<Name, Targets>> => {
    const target = targets[index];
    if (target === undefined) {
      return new AuthorizedRequest(operation.name, targets);
    }
    if (!operation.allowsCrossAccount && target.resourceAccountId !== request.caller.accountId) {
      throw accessDenied(request, target, FOREIGN_REASON);
    }
    if (target.key?.manager === 'AWS' && isRefusedOnAwsManagedKeys(target.action)) {
      throw accessDenied(request, target, `no resource-based policy allows the ${target.action} action`);
    }
    const decision = access.decide({
      caller: request.caller,
      action: target.action,
      resourceArn: target.resourceArn,
      resourceAccountId: target.resourceAccountId,
      attested,
    });
    return chain(decision, (made: Decision) => {
      if (made.effect === 'deny') {
        throw accessDenied(request, target, made.reason);
      }
      return next(index + 1);
    });
  };
  return next(0);
}

const FOREIGN_REASON =
  'the resource does not exist in this Region, no resource-based policies allow access, ' +
  'or a resource-based policy explicitly denies access';

/**
 * The refusal in the words of AWS. To a caller of another account it neither names the resource nor tells whether it
 * exists.
 */
export function accessDenied(
  request: RequestContext,
  target: Pick<Target, 'action' | 'resourceArn' | 'resourceAccountId' | 'denial'>,
  reason: string,
): KmsServiceError {
  const isForeign = target.resourceAccountId !== request.caller.accountId;
  const subject = isForeign ? 'this resource' : `resource: ${target.resourceArn}`;
  const text =
    `User: ${request.caller.arn} is not authorized to perform: ${target.action} on ${subject} ` +
    `because ${isForeign ? FOREIGN_REASON : reason}`;
  return new KmsServiceError('AccessDeniedException', target.denial ?? text);
}
