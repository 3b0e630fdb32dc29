import type { MaybePromise } from '../../base/maybe-promise.ts';
import { asOf } from '../../keys/imported-materials.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { invalidOrigin, refuseCustomKeyStore } from '../key-origin.ts';
import { defineOperation, onKey } from '../operation.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

export interface GetKeyRotationStatusOutput {
  readonly KeyId: string;
  readonly KeyRotationEnabled: boolean;
  readonly RotationPeriodInDays?: number;
  readonly NextRotationDate?: Date;
}

/**
 * Tells whether and when a key rotates. Keys that never rotate automatically answer "no", and those of a custom key
 * store an error.
 *
 * @source KMS API Reference, GetKeyRotationStatus
 */
export const getKeyRotationStatus = defineOperation({
  name: 'GetKeyRotationStatus',
  input: structure({ KeyId: required(shapes.keyId) }),
  errors: [...MANAGEMENT_ERRORS, 'UnsupportedOperationException'],
  allowsCrossAccount: true,
  resolve: onKey({ action: 'kms:GetKeyRotationStatus', forms: 'idOrArn', rule: 'any' }),
  execute(authorized, _input, { nowMs }): MaybePromise<GetKeyRotationStatusOutput> {
    const { key } = authorized.targets[0];
    refuseCustomKeyStore(key);
    if (asOf(key, nowMs).state === 'PendingImport') {
      throw invalidOrigin(key);
    }
    const isPending = key.state === 'PendingDeletion' || key.state === 'PendingReplicaDeletion';
    if (key.rotation === undefined || isPending) {
      return { KeyId: key.keyId, KeyRotationEnabled: false };
    }
    return {
      KeyId: key.keyId,
      KeyRotationEnabled: true,
      RotationPeriodInDays: key.rotation.periodDays,
      NextRotationDate: new Date(key.rotation.nextMs),
    };
  },
});
