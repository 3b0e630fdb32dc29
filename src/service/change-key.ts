import { InvariantError } from '../base/errors.ts';
import { relatedRegions, type KmsKey } from '../keys/kms-key.ts';
import type { KeyChange, KeyRepository } from './ports.ts';

/** What may change in the life of a key. */
export type KeyPatch = Partial<Omit<KmsKey, 'region' | 'accountId' | 'keyId' | 'arn' | 'version'>>;

/** The key with `patch`, as its next version. */
export function nextVersion(key: KmsKey, patch: KeyPatch): KmsKey {
  return { ...key, ...patch, version: key.version + 1 };
}

/** Changes one key, and none that is related to it. @throws VersionConflictError */
export async function changeKey(keys: KeyRepository, key: KmsKey, patch: KeyPatch): Promise<void> {
  await keys.commit([{ kind: 'update', key: nextVersion(key, patch) }]);
}

/** Changes what related multi-Region keys share, in all of them at once. @throws VersionConflictError */
export async function changeSharedProperty(
  keys: KeyRepository,
  key: KmsKey,
  patch: Pick<KeyPatch, 'rotation' | 'onDemandRotations'>,
): Promise<void> {
  const family = [key, ...(await findRelatedKeys(keys, key))];
  await keys.commit(family.map((member): KeyChange => ({ kind: 'update', key: nextVersion(member, patch) })));
}

/** The related multi-Region keys in the other Regions; none for a single-Region key. */
export async function findRelatedKeys(keys: KeyRepository, key: KmsKey): Promise<readonly KmsKey[]> {
  const others = relatedRegions(key).filter((region) => region !== key.region);
  return Promise.all(
    others.map(async (region) => {
      const related = await keys.find(region, key.keyId);
      if (related === undefined) {
        throw new InvariantError(`key ${key.arn} has no related key in ${region}`);
      }
      return related;
    }),
  );
}
