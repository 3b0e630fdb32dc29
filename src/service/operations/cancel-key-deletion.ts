import { asOf, stateAfterCancellation } from '../../keys/imported-materials.ts';
import { changeKey } from '../change-key.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * Takes a key back from its scheduled deletion; it is then disabled, or waits for imported material that it lacks.
 *
 * @source KMS API Reference, CancelKeyDeletion
 */
export const cancelKeyDeletion = defineOperation({
  name: 'CancelKeyDeletion',
  input: structure({ KeyId: required(shapes.keyId) }),
  errors: MANAGEMENT_ERRORS,
  allowsCrossAccount: false,
  resolve: onKey({ action: 'kms:CancelKeyDeletion', forms: 'idOrArn', rule: 'cancel' }),
  async execute(authorized, _input, { keys, nowMs }) {
    const { key } = authorized.targets[0];
    const state = stateAfterCancellation(asOf(key, nowMs));
    await changeKey(keys, key, { state, deletionMs: undefined, pendingWindowDays: undefined });
    return { KeyId: key.arn };
  },
});
