import { KmsServiceError } from '../../base/errors.ts';
import type { KmsKey } from '../../keys/kms-key.ts';
import { refuseCustomKeyStore } from '../key-origin.ts';
import { decodeMarker, pageEnd } from '../markers.ts';
import { defineOperation, onKey } from '../operation.ts';
import type { MaterialEntry } from '../ports.ts';
import { enumeration, optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

const DEFAULT_LIMIT = 100;

/**
 * Lists the completed rotations of a key, oldest first, or all of its materials. @source KMS API Reference,
 * ListKeyRotations
 */
export const listKeyRotations = defineOperation({
  name: 'ListKeyRotations',
  input: structure({
    KeyId: required(shapes.keyId),
    IncludeKeyMaterial: optional(enumeration(['ALL_KEY_MATERIAL', 'ROTATIONS_ONLY'])),
    Limit: optional(shapes.limit),
    Marker: optional(shapes.marker),
  }),
  errors: [
    'InvalidArnException',
    'InvalidMarkerException',
    'KMSInternalException',
    'KMSInvalidStateException',
    'NotFoundException',
    'UnsupportedOperationException',
  ],
  allowsCrossAccount: false,
  resolve: onKey({ action: 'kms:ListKeyRotations', forms: 'idOrArn', rule: 'any' }),
  async execute(authorized, input, { keys }) {
    const { key } = authorized.targets[0];
    refuseCustomKeyStore(key);
    if (key.keySpec !== 'SYMMETRIC_DEFAULT') {
      return { Rotations: [], Truncated: false };
    }
    // Every material but the first one came by a rotation.
    const first = input.IncludeKeyMaterial === 'ALL_KEY_MATERIAL' ? 0 : 1;
    const after = Math.max(first, requireSequence(decodeMarker(input.Marker)));
    const page = await keys.listMaterials(key, after, input.Limit ?? DEFAULT_LIMIT);
    return {
      Rotations: page.items.map((material) => rotationEntry(key, material)),
      ...pageEnd(page.isTruncated, page.items.at(-1)?.sequence.toString()),
    };
  },
});

function rotationEntry(key: KmsKey, { materialId, rotation }: MaterialEntry): RotationEntry {
  return {
    KeyId: key.keyId,
    KeyMaterialId: materialId,
    KeyMaterialState: materialId === key.currentMaterialId ? 'CURRENT' : 'NON_CURRENT',
    ...(rotation === undefined ? {} : { RotationDate: new Date(rotation.atMs), RotationType: rotation.type }),
  };
}

export interface RotationEntry {
  readonly KeyId: string;
  readonly KeyMaterialId: string;
  readonly KeyMaterialState: 'CURRENT' | 'NON_CURRENT';
  readonly RotationDate?: Date;
  readonly RotationType?: 'AUTOMATIC' | 'ON_DEMAND';
}

/** @throws KmsServiceError InvalidMarkerException */
function requireSequence(marker: string | undefined): number {
  const sequence = Number(marker ?? '0');
  if (!Number.isSafeInteger(sequence) || sequence < 0) {
    throw new KmsServiceError('InvalidMarkerException', 'Invalid marker.');
  }
  return sequence;
}
