import { KmsServiceError } from '../base/errors.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import { advanceSchedule, rotationObstacle, type RotationType } from '../keys/rotation.ts';
import type { KeyMaterialProvider, KeyRepository } from './ports.ts';

/**
 * Gives a key fresh material, which becomes the current one; the older ones go on decrypting what they encrypted.
 *
 * @throws VersionConflictError when the key changed meanwhile
 */
export async function rotateKey(
  ports: { readonly keys: KeyRepository; readonly materials: KeyMaterialProvider },
  key: KmsKey,
  type: RotationType,
  nowMs: number,
): Promise<void> {
  const material = await ports.materials.generate(key, nowMs);
  const schedule =
    type === 'AUTOMATIC' && key.rotation !== undefined ? advanceSchedule(key.rotation, nowMs) : key.rotation;
  const changed: KmsKey = {
    ...key,
    currentMaterialId: material.materialId,
    rotation: schedule,
    onDemandRotations: key.onDemandRotations + (type === 'ON_DEMAND' ? 1 : 0),
    version: key.version + 1,
  };
  await ports.keys.rotate(changed, material, { type, atMs: nowMs });
}

/** @throws KmsServiceError UnsupportedOperationException for a key that cannot be rotated in this way */
export function requireRotatable(key: KmsKey, type: RotationType): void {
  switch (rotationObstacle(key, type)) {
    case undefined:
      return;
    case 'spec':
      throw new KmsServiceError('UnsupportedOperationException');
    case 'origin':
      throw new KmsServiceError(
        'UnsupportedOperationException',
        `${key.arn} origin is ${key.origin} which is not valid for this operation.`,
      );
    case 'replica':
      throw new KmsServiceError('UnsupportedOperationException', `${key.arn} is not a multi-region primary key.`);
  }
}
