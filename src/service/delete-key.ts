import { MS_PER_DAY } from '../base/clock.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import { findRelatedKeys, nextVersion } from './change-key.ts';
import type { OperationContext } from './operation.ts';
import type { KeyChange } from './ports.ts';

/**
 * Deletes a key for good, with what is kept of it outside of the store. The related keys of a replica learn that it is
 * gone, and a primary that waited for the last of its replicas begins its own waiting period.
 *
 * @throws VersionConflictError when one of the keys changed meanwhile
 * @source KMS Developer Guide, "Deleting multi-Region keys"
 */
export async function deleteKey(
  { keys, materials }: Pick<OperationContext, 'keys' | 'materials'>,
  key: KmsKey,
  nowMs: number,
): Promise<void> {
  const related = await findRelatedKeys(keys, key);
  const updates = related.map((member): KeyChange => ({
    kind: 'update',
    key: nextVersion(member, withoutReplica(member, key.region, nowMs)),
  }));
  await keys.commit([...updates, { kind: 'delete', key }]);
  // Not before: until then the deletion may still be cancelled.
  await materials.destroy(key);
}

function withoutReplica(key: KmsKey, region: string, nowMs: number): Partial<KmsKey> {
  if (key.multiRegion === undefined) {
    return {};
  }
  const replicaRegions = key.multiRegion.replicaRegions.filter((replica) => replica !== region);
  const multiRegion = { ...key.multiRegion, replicaRegions };
  const mayGo = key.state === 'PendingReplicaDeletion' && replicaRegions.length === 0;
  return mayGo && key.pendingWindowDays !== undefined
    ? {
        multiRegion,
        state: 'PendingDeletion',
        deletionMs: nowMs + key.pendingWindowDays * MS_PER_DAY,
        pendingWindowDays: undefined,
      }
    : { multiRegion };
}
