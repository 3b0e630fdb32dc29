import {
  DEFAULT_ROTATION_PERIOD_DAYS,
  MAX_ROTATION_PERIOD_DAYS,
  MIN_ROTATION_PERIOD_DAYS,
  startSchedule,
} from '../../keys/rotation.ts';
import { changeSharedProperty } from '../change-key.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { requireRotatable } from '../rotate-key.ts';
import { integer, optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * Switches automatic rotation on, or changes its period; counted from now. @source KMS API Reference, EnableKeyRotation
 */
export const enableKeyRotation = defineOperation({
  name: 'EnableKeyRotation',
  input: structure({
    KeyId: required(shapes.keyId),
    RotationPeriodInDays: optional(integer({ min: MIN_ROTATION_PERIOD_DAYS, max: MAX_ROTATION_PERIOD_DAYS })),
  }),
  errors: [...MANAGEMENT_ERRORS, 'DisabledException', 'UnsupportedOperationException'],
  allowsCrossAccount: false,
  resolve: onKey({ action: 'kms:EnableKeyRotation', forms: 'idOrArn', rule: 'rotationSchedule' }),
  async execute(authorized, input, { keys, nowMs }) {
    const { key } = authorized.targets[0];
    requireRotatable(key, 'AUTOMATIC');
    const periodDays = input.RotationPeriodInDays ?? DEFAULT_ROTATION_PERIOD_DAYS;
    await changeSharedProperty(keys, key, { rotation: startSchedule(periodDays, nowMs) });
  },
});
