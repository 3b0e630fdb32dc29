import { KmsServiceError } from '../base/errors.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import { advanceSchedule, rotationObstacle, type RotationType } from '../keys/rotation.ts';
import { invalidOrigin } from './key-origin.ts';
import { findRelatedKeys, nextVersion } from './change-key.ts';
import type { KeyChange, KeyMaterialProvider, KeyRepository } from './ports.ts';

/**
 * Gives a key fresh material, which becomes the current one; the older ones go on decrypting what they encrypted.
 * Related multi-Region keys get the same material in the same commit.
 *
 * @throws VersionConflictError when one of the keys changed meanwhile
 */
export async function rotateKey(
  ports: { readonly keys: KeyRepository; readonly materials: KeyMaterialProvider },
  key: KmsKey,
  type: RotationType,
  nowMs: number,
): Promise<void> {
  const fresh = await ports.materials.generate(key, nowMs);
  const rotation = { type, atMs: nowMs };
  const patch = {
    currentMaterialId: fresh.materialId,
    rotation: type === 'AUTOMATIC' && key.rotation !== undefined ? advanceSchedule(key.rotation, nowMs) : key.rotation,
    onDemandRotations: key.onDemandRotations + (type === 'ON_DEMAND' ? 1 : 0),
  };
  const changes: KeyChange[] = [
    { kind: 'update', key: nextVersion(key, patch), materials: [{ material: fresh, rotation }] },
  ];
  for (const related of await findRelatedKeys(ports.keys, key)) {
    const material = await ports.materials.copy(key, fresh, related);
    changes.push({ kind: 'update', key: nextVersion(related, patch), materials: [{ material, rotation }] });
  }
  await ports.keys.commit(changes);
}

/** @throws KmsServiceError UnsupportedOperationException for a key that cannot be rotated in this way */
export function requireRotatable(key: KmsKey, type: RotationType): void {
  switch (rotationObstacle(key, type)) {
    case undefined:
      return;
    case 'spec':
      throw new KmsServiceError('UnsupportedOperationException');
    case 'origin':
      throw invalidOrigin(key);
    case 'replica':
      throw new KmsServiceError('UnsupportedOperationException', `${key.arn} is not a multi-region primary key.`);
  }
}
