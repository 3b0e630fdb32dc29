import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import { authorize, type Decider } from './authorize.ts';
import type { Operation, OperationContext } from './operation.ts';
import type { Target } from './target.ts';

const EVERYTHING: Decider = {
  decide: () => ({ effect: 'allow' }),
  decideOnRetirement: () => ({ effect: 'allow' }),
};

/**
 * Executes an operation that nobody has to be allowed, in whatever state its key is: for what the one orders who holds
 * the data directory. Never for a request.
 *
 * @throws KmsServiceError what the operation itself refuses
 */
export function executeTrusted<Name extends string, Input, Targets extends readonly Target[], Output>(
  operation: Operation<Name, Input, Targets, Output>,
  targets: Targets,
  input: NoInfer<Input>,
  context: OperationContext,
): MaybePromise<Output> {
  const request = { context, input, grantReferences: [], attested: {} };
  return chain(authorize({ ...context, access: EVERYTHING }, request, operation, targets), (authorized) =>
    operation.execute(authorized, input, context),
  );
}
