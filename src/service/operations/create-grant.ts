import { KmsServiceError } from '../../base/errors.ts';
import type { KmsKey } from '../../keys/kms-key.ts';
import {
  findConstraintProblem,
  GRANT_OPERATIONS,
  grantFingerprint,
  isGrantable,
  type Grant,
  type GrantParty,
} from '../../policy/grant.ts';
import { requireIdentified, requireParty, sealGrantToken } from '../grants.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey, type OperationContext } from '../operation.ts';
import { enumeration, list, optional, required, string, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

const GRANT_ID_BYTES = 32;

export const createGrantInput = structure({
  KeyId: required(shapes.keyId),
  GranteePrincipal: optional(shapes.principal),
  RetiringPrincipal: optional(shapes.principal),
  Operations: required(list(enumeration(GRANT_OPERATIONS))),
  Constraints: optional(
    structure({
      EncryptionContextSubset: optional(shapes.encryptionContext),
      EncryptionContextEquals: optional(shapes.encryptionContext),
      SourceArn: optional(
        string({ min: 20, max: 512, pattern: '^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$' }),
      ),
    }),
  ),
  GrantTokens: optional(shapes.grantTokens),
  Name: optional(shapes.grantName),
  DryRun: optional(shapes.dryRun),
  GranteeServicePrincipal: optional(shapes.servicePrincipal),
  RetiringServicePrincipal: optional(shapes.servicePrincipal),
});
export type CreateGrantInput = ReturnType<(typeof createGrantInput)['parse']>;

/**
 * Gives a principal permissions on one key. The same name and parameters again are the same grant, with another token.
 *
 * @source KMS API Reference, CreateGrant
 */
export const createGrant = defineOperation({
  name: 'CreateGrant',
  input: createGrantInput,
  errors: [
    ...MANAGEMENT_ERRORS,
    'DisabledException',
    'DryRunOperationException',
    'InvalidGrantTokenException',
    'LimitExceededException',
  ],
  allowsCrossAccount: true,
  resolve: onKey({ action: 'kms:CreateGrant', forms: 'idOrArn', rule: 'offline' }),
  async execute(authorized, request, context) {
    const { key } = authorized.targets[0];
    const planned = await planGrant(request, key, context);
    const fingerprint = grantFingerprint(planned);
    // Only a name makes a repeated call the same grant.
    const same =
      planned.name === undefined ? undefined : await context.grants.findSame(key.region, key.keyId, fingerprint);
    const grant = same ?? planned;
    if (same === undefined) {
      if ((await context.grants.countOfKey(key.region, key.keyId)) >= context.resourceQuotas.grantsPerKey) {
        throw new KmsServiceError('LimitExceededException', `${key.arn} has too many grants.`);
      }
      if (request.DryRun !== true) {
        await context.grants.insert(planned, fingerprint);
      }
    }
    return { GrantId: grant.grantId, GrantToken: await sealGrantToken(context, grant) };
  },
});

/**
 * The grant as requested.
 *
 * @throws KmsServiceError ValidationException, InvalidArnException
 */
export async function planGrant(
  request: CreateGrantInput,
  key: KmsKey,
  context: Pick<OperationContext, 'caller' | 'nowMs' | 'random' | 'principals'>,
): Promise<Grant> {
  const grantee = requireParty('Grantee', request.GranteePrincipal, request.GranteeServicePrincipal);
  if (grantee === undefined) {
    throw new KmsServiceError('ValidationException', 'You must specify a GranteePrincipal or GranteeServicePrincipal.');
  }
  const retiring = requireParty('Retiring', request.RetiringPrincipal, request.RetiringServicePrincipal);
  requireServiceGrantComplete(grantee, retiring, request.Constraints?.SourceArn);
  requireOperations(request, key);
  const problem =
    request.Constraints === undefined ? undefined : findConstraintProblem(request.Constraints, key.keySpec);
  if (problem !== undefined) {
    throw new KmsServiceError('ValidationException', problem);
  }
  return {
    region: key.region,
    keyId: key.keyId,
    grantId: Buffer.from(context.random.randomBytes(GRANT_ID_BYTES)).toString('hex'),
    name: request.Name,
    grantee: await requireIdentified(grantee, context.principals),
    retiring: retiring && (await requireIdentified(retiring, context.principals)),
    issuingAccountId: context.caller.accountId,
    operations: [...new Set(request.Operations)],
    constraints: request.Constraints,
    createdMs: context.nowMs,
  };
}

function requireServiceGrantComplete(
  grantee: GrantParty,
  retiring: GrantParty | undefined,
  sourceArn: string | undefined,
): void {
  if (grantee.kind === 'service' && (retiring === undefined || sourceArn === undefined)) {
    throw new KmsServiceError(
      'ValidationException',
      'A grant for a service principal needs a SourceArn constraint and a retiring principal.',
    );
  }
}

function requireOperations(request: CreateGrantInput, key: KmsKey): void {
  if (request.Operations.length === 0) {
    throw new KmsServiceError('ValidationException', 'Operations must not be empty.');
  }
  const unfit = request.Operations.find((operation) => !isGrantable(operation, key.keySpec, key.keyUsage));
  if (unfit !== undefined) {
    throw new KmsServiceError(
      'ValidationException',
      `Operation ${unfit} is not valid for a grant on a key of spec ${key.keySpec} and usage ${key.keyUsage}.`,
    );
  }
}
