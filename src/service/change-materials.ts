import { KmsServiceError } from '../base/errors.ts';
import {
  asOf,
  importedMaterialsOf,
  pendingMaterial,
  sharedMaterials,
  withMaterials,
  type ImportedMaterial,
} from '../keys/imported-materials.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import { findRelatedKeys, nextVersion, type KeyPatch } from './change-key.ts';
import type { KeyChange, KeyRepository, WrappedMaterial } from './ports.ts';

/**
 * Gives an imported key other materials, perhaps with the bytes of one of them. What related multi-Region keys share
 * goes from a primary to its replicas in the same commit; a replica changes alone.
 *
 * @throws VersionConflictError when one of the keys changed meanwhile
 */
export async function changeMaterials(
  keys: KeyRepository,
  key: KmsKey,
  materials: readonly ImportedMaterial[],
  { arrived, shared = {} }: { readonly arrived?: WrappedMaterial; readonly shared?: KeyPatch } = {},
): Promise<void> {
  const change = (member: KmsKey, list: readonly ImportedMaterial[]): KmsKey =>
    withMaterials(nextVersion(member, shared), list);
  const changed = change(key, materials);
  const replicas = key.multiRegion?.type === 'PRIMARY' ? await findRelatedKeys(keys, key) : [];
  await keys.commit([
    { kind: 'update', key: changed, ...(arrived === undefined ? {} : { materials: [{ material: arrived }] }) },
    ...replicas.map((replica): KeyChange => ({
      kind: 'update',
      key: change(replica, sharedMaterials(changed, replica)),
    })),
  ]);
}

/** Deletes the materials of a key that have expired. @throws VersionConflictError when the key changed meanwhile */
export async function expireMaterials(keys: KeyRepository, key: KmsKey, nowMs: number): Promise<void> {
  await changeMaterials(keys, key, importedMaterialsOf(asOf(key, nowMs)));
}

/**
 * Makes the pending material of a key the current one, in every Region that has the key.
 *
 * @throws KmsServiceError KMSInvalidStateException when there is none, or when a Region does not have it yet;
 *   VersionConflictError when one of the keys changed meanwhile
 */
export async function rotateToPendingMaterial(keys: KeyRepository, stored: KmsKey, nowMs: number): Promise<void> {
  const key = asOf(stored, nowMs);
  const pending = pendingMaterial(key);
  if (pending === undefined || !isEverywhere(pending, [key, ...(await findRelatedKeys(keys, key))], nowMs)) {
    throw new KmsServiceError(
      'KMSInvalidStateException',
      `No available key material pending rotation for the key: ${key.arn}.`,
    );
  }
  const materials = importedMaterialsOf(key).map((material) =>
    material.isPending ? { ...material, isPending: false, rotatedMs: nowMs } : material,
  );
  await changeMaterials(keys, key, materials, { shared: { onDemandRotations: key.onDemandRotations + 1 } });
}

/** True when every key of the family has the bytes of the material. */
export function isEverywhere({ materialId }: ImportedMaterial, family: readonly KmsKey[], nowMs: number): boolean {
  return family.every((member) =>
    importedMaterialsOf(asOf(member, nowMs)).some(
      (material) => material.materialId === materialId && material.presence !== undefined,
    ),
  );
}
