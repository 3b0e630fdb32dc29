import { chain } from '../../base/maybe-promise.ts';
import { trackingStartMs, type TrackedOperation } from '../../keys/last-use.ts';
import { defineOperation, onKey } from '../operation.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * The `KeyLastUsageData` structure of the API; empty for a key that was never used. `CloudTrailEventId` stays away: it
 * is the id of a record of the audit log, and there is none.
 */
export interface KeyLastUsageData {
  readonly Operation?: TrackedOperation;
  readonly Timestamp?: Date;
  readonly KmsRequestId?: string;
}

/**
 * Tells which cryptographic operation a key was last used for, and when. Works in every key state; related multi-Region
 * keys have uses of their own.
 *
 * @source KMS API Reference, GetKeyLastUsage; KMS Developer Guide, "Determine past usage of a KMS key", whose example
 *   has the bare key id, and the empty structure for an unused key
 */
export const getKeyLastUsage = defineOperation({
  name: 'GetKeyLastUsage',
  input: structure({ KeyId: required(shapes.keyId) }),
  errors: ['DependencyTimeoutException', 'InvalidArnException', 'KMSInternalException', 'NotFoundException'],
  allowsCrossAccount: false,
  resolve: onKey({ action: 'kms:GetKeyLastUsage', forms: 'idOrArn', rule: 'any' }),
  execute(authorized, _input, { lastUses }) {
    const { key } = authorized.targets[0];
    return chain(lastUses.find(key), (use) => {
      const lastUsage: KeyLastUsageData =
        use === undefined
          ? {}
          : { Operation: use.operation, Timestamp: new Date(use.atMs), KmsRequestId: use.requestId };
      return {
        KeyId: key.keyId,
        KeyLastUsage: lastUsage,
        TrackingStartDate: new Date(trackingStartMs(key)),
        KeyCreationDate: new Date(key.createdMs),
      };
    });
  },
});
