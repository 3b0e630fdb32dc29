import { MS_PER_DAY } from '../../base/clock.ts';
import { KmsServiceError } from '../../base/errors.ts';
import { changeKey } from '../change-key.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { integer, optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

const MIN_WINDOW_DAYS = 7;
const MAX_WINDOW_DAYS = 30;

/**
 * Takes a key out of use at once and deletes it for good after 7 to 30 days. @source KMS API Reference,
 * ScheduleKeyDeletion
 */
export const scheduleKeyDeletion = defineOperation({
  name: 'ScheduleKeyDeletion',
  input: structure({
    KeyId: required(shapes.keyId),
    PendingWindowInDays: optional(integer({ min: 1, max: 365 })),
  }),
  errors: MANAGEMENT_ERRORS,
  allowsCrossAccount: false,
  resolve: onKey({ action: 'kms:ScheduleKeyDeletion', forms: 'idOrArn', rule: 'schedule' }),
  async execute(authorized, input, { keys, nowMs }) {
    const { key } = authorized.targets[0];
    const pendingWindowDays = input.PendingWindowInDays ?? MAX_WINDOW_DAYS;
    if (pendingWindowDays < MIN_WINDOW_DAYS || pendingWindowDays > MAX_WINDOW_DAYS) {
      throw new KmsServiceError(
        'ValidationException',
        `PendingWindowInDays must be between ${String(MIN_WINDOW_DAYS)} and ${String(MAX_WINDOW_DAYS)} inclusive.`,
      );
    }
    const { multiRegion } = key;
    if (multiRegion?.type === 'PRIMARY' && multiRegion.replicaRegions.length > 0) {
      await changeKey(keys, key, { state: 'PendingReplicaDeletion', pendingWindowDays });
      return {
        KeyId: key.arn,
        KeyState: 'PendingReplicaDeletion' as const,
        PendingWindowInDays: pendingWindowDays,
      };
    }
    const deletionMs = nowMs + pendingWindowDays * MS_PER_DAY;
    await changeKey(keys, key, { state: 'PendingDeletion', deletionMs });
    return {
      KeyId: key.arn,
      DeletionDate: new Date(deletionMs),
      KeyState: 'PendingDeletion' as const,
      PendingWindowInDays: pendingWindowDays,
    };
  },
});
