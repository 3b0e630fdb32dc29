import { KmsServiceError } from '../../base/errors.ts';
import { chain, type MaybePromise } from '../../base/maybe-promise.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { defineOperation } from '../operation.ts';
import type { KeyTarget } from '../target.ts';
import type { KeyResolver } from '../resolve-key.ts';
import { optional, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

const input = structure({
  GrantToken: optional(shapes.grantToken),
  KeyId: optional(shapes.keyId),
  GrantId: optional(shapes.grantId),
  DryRun: optional(shapes.dryRun),
});
type Input = ReturnType<(typeof input)['parse']>;

/**
 * Ends a grant that is no longer needed, named by its token or by key and id. @source KMS API Reference, RetireGrant
 */
export const retireGrant = defineOperation({
  name: 'RetireGrant',
  input,
  errors: [...MANAGEMENT_ERRORS, 'DryRunOperationException', 'InvalidGrantIdException', 'InvalidGrantTokenException'],
  allowsCrossAccount: true,
  resolve: (request, resolver) =>
    chain(resolveGrant(request, resolver), ({ target, grantId }) =>
      chain(resolver.grant(target, grantId), (retires) => [{ ...target, retires }] as const),
    ),
  async execute(authorized, request, { grants }) {
    const [{ retires }] = authorized.targets;
    if (request.DryRun !== true) {
      await grants.delete(retires);
    }
  },
});

interface ResolvedGrant {
  readonly target: KeyTarget;
  readonly grantId: string;
}

function resolveGrant(
  { GrantToken: token, KeyId: keyId, GrantId: grantId }: Input,
  resolver: KeyResolver,
): MaybePromise<ResolvedGrant> {
  const demands = { action: 'kms:RetireGrant', rule: 'any' } as const;
  if (token !== undefined && keyId === undefined && grantId === undefined) {
    return chain(resolver.grantToken(token), (reference) =>
      chain(resolver.keyOfAnyAccount(reference.keyId), (key) => {
        if (key === undefined) {
          throw new KmsServiceError('NotFoundException', `Grant ID ${reference.grantId} not found`);
        }
        return { target: resolver.target(key, demands), grantId: reference.grantId };
      }),
    );
  }
  if (token === undefined && keyId !== undefined && grantId !== undefined) {
    return chain(resolver.key(keyId, { ...demands, forms: 'idOrArn' }), (target) => ({ target, grantId }));
  }
  throw new KmsServiceError('ValidationException', 'You must specify either GrantToken, or KeyId and GrantId.');
}
