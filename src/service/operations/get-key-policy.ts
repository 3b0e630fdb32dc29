import { requireDefaultPolicyName } from './put-key-policy.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import { showPrincipals } from '../principal-names.ts';
import * as shapes from '../shapes.ts';

/** Returns the text of a key's policy. @source KMS API Reference, GetKeyPolicy */
export const getKeyPolicy = defineOperation({
  name: 'GetKeyPolicy',
  input: structure({ KeyId: required(shapes.keyId), PolicyName: optional(shapes.policyName) }),
  errors: MANAGEMENT_ERRORS,
  allowsCrossAccount: false,
  resolve: onKey({ action: 'kms:GetKeyPolicy', forms: 'idOrArn', rule: 'any' }),
  async execute(authorized, input, { principals }) {
    requireDefaultPolicyName(input.PolicyName);
    const { policy } = authorized.targets[0].key;
    return { Policy: await showPrincipals(policy.text, principals), PolicyName: 'default' };
  },
});
