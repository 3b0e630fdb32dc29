import { InvariantError, KmsServiceError } from '../../base/errors.ts';
import { chain, type MaybePromise } from '../../base/maybe-promise.ts';
import type { KmsKey, MultiRegionConfiguration } from '../../keys/kms-key.ts';
import { findRelatedKeys, nextVersion } from '../change-key.ts';
import { defineOperation } from '../operation.ts';
import type { KeyChange } from '../ports.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';
import type { KeyTarget } from '../target.ts';

/**
 * Makes a replica the primary and the primary a replica, in one commit: there are never two primaries, and the state
 * `Updating` that AWS shows for some seconds is not seen.
 *
 * @source KMS API Reference, UpdatePrimaryRegion
 */
export const updatePrimaryRegion = defineOperation({
  name: 'UpdatePrimaryRegion',
  input: structure({ KeyId: required(shapes.keyId), PrimaryRegion: required(shapes.region) }),
  errors: [
    'DisabledException',
    'InvalidArnException',
    'KMSInternalException',
    'KMSInvalidStateException',
    'NotFoundException',
    'UnsupportedOperationException',
  ],
  allowsCrossAccount: false,
  resolve: (input, resolver) =>
    chain(
      resolver.key(input.KeyId, { action: 'kms:UpdatePrimaryRegion', forms: 'idOrArn', rule: 'use' }),
      (primary): MaybePromise<readonly [KeyTarget, ...KeyTarget[]]> =>
        primary.key.multiRegion?.replicaRegions.includes(input.PrimaryRegion) === true
          ? chain(
              resolver.relatedKey(primary.key, input.PrimaryRegion, 'kms:UpdatePrimaryRegion'),
              (replica) => [primary, replica] as const,
            )
          : [primary],
    ),
  async execute(authorized, input, { keys }) {
    const { key } = authorized.targets[0];
    const { multiRegion } = key;
    if (multiRegion?.type !== 'PRIMARY') {
      throw new KmsServiceError('UnsupportedOperationException', `${key.arn} is not a multi-region primary key.`);
    }
    if (!multiRegion.replicaRegions.includes(input.PrimaryRegion)) {
      throw new KmsServiceError(
        'UnsupportedOperationException',
        `${key.arn} has no replica in ${input.PrimaryRegion} that could become its primary key.`,
      );
    }
    const family = [key, ...(await findRelatedKeys(keys, key))];
    await keys.commit(
      family.map((member): KeyChange => ({
        kind: 'update',
        key: nextVersion(member, { multiRegion: withPrimary(member, input.PrimaryRegion) }),
      })),
    );
  },
});

function withPrimary({ region, arn, multiRegion }: KmsKey, primaryRegion: string): MultiRegionConfiguration {
  if (multiRegion === undefined) {
    throw new InvariantError(`key ${arn} is related to a multi-Region key and is none`);
  }
  const replicaRegions = multiRegion.replicaRegions.map((replica) =>
    replica === primaryRegion ? multiRegion.primaryRegion : replica,
  );
  return { type: region === primaryRegion ? 'PRIMARY' : 'REPLICA', primaryRegion, replicaRegions };
}
