import { requireGrant } from '../grants.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Takes a grant away from its grantee. @source KMS API Reference, RevokeGrant */
export const revokeGrant = defineOperation({
  name: 'RevokeGrant',
  input: structure({
    KeyId: required(shapes.keyId),
    GrantId: required(shapes.grantId),
    DryRun: optional(shapes.dryRun),
  }),
  errors: [...MANAGEMENT_ERRORS, 'DryRunOperationException', 'InvalidGrantIdException'],
  allowsCrossAccount: true,
  resolve: onKey({ action: 'kms:RevokeGrant', forms: 'idOrArn', rule: 'any' }),
  async execute(authorized, input, { grants, region }) {
    const { key } = authorized.targets[0];
    const grant = await requireGrant(grants, region, { keyId: key.keyId, grantId: input.GrantId });
    if (input.DryRun !== true) {
      await grants.delete(grant);
    }
  },
});
