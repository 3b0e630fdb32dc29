import { changeKey } from '../change-key.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Makes a key usable. An enabled key stays as it is. @source KMS API Reference, EnableKey */
export const enableKey = defineOperation({
  name: 'EnableKey',
  input: structure({ KeyId: required(shapes.keyId) }),
  errors: [...MANAGEMENT_ERRORS, 'LimitExceededException'],
  allowsCrossAccount: false,
  resolve: onKey({ action: 'kms:EnableKey', forms: 'idOrArn', rule: 'change' }),
  async execute(authorized, _input, { keys }) {
    const { key } = authorized.targets[0];
    if (key.state !== 'Enabled') {
      await changeKey(keys, key, { state: 'Enabled' });
    }
  },
});
