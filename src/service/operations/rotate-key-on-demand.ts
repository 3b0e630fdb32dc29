import { KmsServiceError } from '../../base/errors.ts';
import { AUTOMATIC_ROTATION_GUARD_MS, MAX_ON_DEMAND_ROTATIONS } from '../../keys/rotation.ts';
import { rotateToPendingMaterial } from '../change-materials.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { requireRotatable, rotateKey } from '../rotate-key.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * Rotates a key now, without touching its schedule; an imported key to the material that waits for it. AWS says that
 * this takes a while; here it is done when the answer comes.
 *
 * @source KMS API Reference, RotateKeyOnDemand
 */
export const rotateKeyOnDemand = defineOperation({
  name: 'RotateKeyOnDemand',
  input: structure({ KeyId: required(shapes.keyId) }),
  errors: [
    ...MANAGEMENT_ERRORS,
    'ConflictException',
    'DisabledException',
    'LimitExceededException',
    'UnsupportedOperationException',
  ],
  allowsCrossAccount: false,
  resolve: onKey({ action: 'kms:RotateKeyOnDemand', forms: 'idOrArn', rule: 'rotate' }),
  async execute(authorized, _input, context) {
    const { key } = authorized.targets[0];
    requireRotatable(key, 'ON_DEMAND');
    if (key.onDemandRotations >= MAX_ON_DEMAND_ROTATIONS) {
      throw new KmsServiceError(
        'LimitExceededException',
        'The on-demand rotations limit has been reached for the given keyId. ' +
          `No more on-demand rotations can be performed for this key: ${key.arn}`,
      );
    }
    if (key.rotation !== undefined && key.rotation.nextMs - context.nowMs <= AUTOMATIC_ROTATION_GUARD_MS) {
      throw new KmsServiceError('ConflictException', `An automatic rotation of ${key.arn} is due.`);
    }
    if (key.origin === 'EXTERNAL') {
      await rotateToPendingMaterial(context.keys, key, context.nowMs);
    } else {
      await rotateKey(context, key, 'ON_DEMAND', context.nowMs);
    }
    return { KeyId: key.keyId };
  },
});
