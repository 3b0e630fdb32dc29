import { changeKey } from '../change-key.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * Stops every use of a key until it is enabled again. A disabled key stays as it is. @source KMS API Reference,
 * DisableKey
 */
export const disableKey = defineOperation({
  name: 'DisableKey',
  input: structure({ KeyId: required(shapes.keyId) }),
  errors: MANAGEMENT_ERRORS,
  allowsCrossAccount: false,
  resolve: onKey({ action: 'kms:DisableKey', forms: 'idOrArn', rule: 'change' }),
  async execute(authorized, _input, { keys }) {
    const { key } = authorized.targets[0];
    if (key.state !== 'Disabled') {
      await changeKey(keys, key, { state: 'Disabled' });
    }
  },
});
