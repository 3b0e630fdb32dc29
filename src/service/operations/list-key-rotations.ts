import { KmsServiceError } from '../../base/errors.ts';
import type { KmsKey } from '../../keys/kms-key.ts';
import { asOf, importedMaterialsOf, type ImportedMaterial } from '../../keys/imported-materials.ts';
import { findRelatedKeys } from '../change-key.ts';
import { isEverywhere } from '../change-materials.ts';
import { expirationOf, type ExpirationModel } from '../key-metadata.ts';
import { refuseCustomKeyStore } from '../key-origin.ts';
import { decodeMarker, pageEnd } from '../markers.ts';
import { defineOperation, onKey, type OperationContext } from '../operation.ts';
import type { Page } from '../ports.ts';
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
  async execute(authorized, input, context) {
    const { key } = authorized.targets[0];
    refuseCustomKeyStore(key);
    if (key.keySpec !== 'SYMMETRIC_DEFAULT') {
      return { Rotations: [], Truncated: false };
    }
    const isWhole = input.IncludeKeyMaterial === 'ALL_KEY_MATERIAL';
    const after = requireSequence(decodeMarker(input.Marker));
    const limit = input.Limit ?? DEFAULT_LIMIT;
    const page =
      key.origin === 'EXTERNAL'
        ? cut(await importedEntries(key, context, isWhole), after, limit)
        : await generatedEntries(key, context, isWhole, after, limit);
    return {
      Rotations: page.items.map(({ entry }) => entry),
      ...pageEnd(page.isTruncated, page.items.at(-1)?.sequence.toString()),
    };
  },
});

interface SequencedEntry {
  readonly sequence: number;
  readonly entry: RotationEntry;
}

async function generatedEntries(
  key: KmsKey,
  { keys }: OperationContext,
  isWhole: boolean,
  after: number,
  limit: number,
): Promise<Page<SequencedEntry>> {
  // Every material but the first one came by a rotation.
  const page = await keys.listMaterials(key, Math.max(after, isWhole ? 0 : 1), limit);
  const items = page.items.map(({ sequence, materialId, rotation }) => ({
    sequence,
    entry: {
      KeyId: key.keyId,
      KeyMaterialId: materialId,
      KeyMaterialState: materialId === key.currentMaterialId ? ('CURRENT' as const) : ('NON_CURRENT' as const),
      ...(rotation === undefined ? {} : { RotationDate: new Date(rotation.atMs), RotationType: rotation.type }),
    },
  }));
  return { items, isTruncated: page.isTruncated };
}

async function importedEntries(
  stored: KmsKey,
  { keys, nowMs }: OperationContext,
  isWhole: boolean,
): Promise<readonly SequencedEntry[]> {
  const key = asOf(stored, nowMs);
  const family = [key, ...(await findRelatedKeys(keys, key))];
  return importedMaterialsOf(key).flatMap((material, index) => {
    const { materialId, description, presence, rotatedMs } = material;
    if (!isWhole && rotatedMs === undefined) {
      return [];
    }
    const entry: RotationEntry = {
      KeyId: key.keyId,
      KeyMaterialId: materialId,
      ...(description === undefined ? {} : { KeyMaterialDescription: description }),
      KeyMaterialState: stateOf(material, key, () => isEverywhere(material, family, nowMs)),
      ImportState: presence === undefined ? 'PENDING_IMPORT' : 'IMPORTED',
      ...expirationOf(presence),
      ...(rotatedMs === undefined ? {} : { RotationDate: new Date(rotatedMs), RotationType: 'ON_DEMAND' }),
    };
    return [{ sequence: index + 1, entry }];
  });
}

function stateOf(
  { materialId, isPending }: ImportedMaterial,
  key: KmsKey,
  isReady: () => boolean,
): RotationEntry['KeyMaterialState'] {
  if (isPending) {
    return isReady() ? 'PENDING_ROTATION' : 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION';
  }
  return materialId === key.currentMaterialId ? 'CURRENT' : 'NON_CURRENT';
}

function cut(entries: readonly SequencedEntry[], after: number, limit: number): Page<SequencedEntry> {
  const rest = entries.filter(({ sequence }) => sequence > after);
  return { items: rest.slice(0, limit), isTruncated: rest.length > limit };
}

/** The `RotationsListEntry` structure of the API. */
export interface RotationEntry {
  readonly KeyId: string;
  readonly KeyMaterialId: string;
  readonly KeyMaterialDescription?: string;
  readonly KeyMaterialState:
    'CURRENT' | 'NON_CURRENT' | 'PENDING_ROTATION' | 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION';
  /** Of keys of origin EXTERNAL, as are the two members behind it. */
  readonly ImportState?: 'IMPORTED' | 'PENDING_IMPORT';
  readonly ExpirationModel?: ExpirationModel;
  readonly ValidTo?: Date;
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
