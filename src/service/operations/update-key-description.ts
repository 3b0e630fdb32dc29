import { changeKey } from '../change-key.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Replaces the description of a key. @source KMS API Reference, UpdateKeyDescription */
export const updateKeyDescription = defineOperation({
  name: 'UpdateKeyDescription',
  input: structure({ KeyId: required(shapes.keyId), Description: required(shapes.description) }),
  errors: MANAGEMENT_ERRORS,
  allowsCrossAccount: false,
  resolve: onKey({ action: 'kms:UpdateKeyDescription', forms: 'idOrArn', rule: 'describe' }),
  async execute(authorized, input, { keys }) {
    const { key } = authorized.targets[0];
    await changeKey(keys, key, { description: input.Description });
  },
});
