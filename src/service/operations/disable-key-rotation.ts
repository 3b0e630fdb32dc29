import { changeSharedProperty } from '../change-key.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { requireRotatable } from '../rotate-key.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Switches automatic rotation off; what was rotated stays. @source KMS API Reference, DisableKeyRotation */
export const disableKeyRotation = defineOperation({
  name: 'DisableKeyRotation',
  input: structure({ KeyId: required(shapes.keyId) }),
  errors: [...MANAGEMENT_ERRORS, 'DisabledException', 'UnsupportedOperationException'],
  allowsCrossAccount: false,
  resolve: onKey({ action: 'kms:DisableKeyRotation', forms: 'idOrArn', rule: 'rotationSchedule' }),
  async execute(authorized, _input, { keys }) {
    const { key } = authorized.targets[0];
    requireRotatable(key, 'AUTOMATIC');
    if (key.rotation !== undefined) {
      await changeSharedProperty(keys, key, { rotation: undefined });
    }
  },
});
