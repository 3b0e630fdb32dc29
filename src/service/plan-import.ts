/**
 * What an import asks for, and what it makes of the materials of its key.
 *
 * @source KMS API Reference, ImportKeyMaterial; KMS Developer Guide, "Import key material"
 */
import { MS_PER_DAY } from '../base/clock.ts';
import { KmsServiceError } from '../base/errors.ts';
import {
  importedMaterialsOf,
  pendingMaterial,
  type ImportedMaterial,
  type ImportedPublicKey,
  type MaterialPresence,
} from '../keys/imported-materials.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type { ExpirationModel } from './key-metadata.ts';

export const IMPORT_TYPES = ['NEW_KEY_MATERIAL', 'EXISTING_KEY_MATERIAL'] as const;
export type ImportType = (typeof IMPORT_TYPES)[number];

const MAX_VALIDITY_MS = 365 * MS_PER_DAY;

/** The members of a request that say which material it brings. */
interface ImportRequest {
  readonly ImportType?: ImportType | undefined;
  readonly KeyMaterialDescription?: string | undefined;
  readonly KeyMaterialId?: string | undefined;
}

/** What came in, and until when it stays. */
interface Arrival {
  readonly materialId: string;
  readonly presence: MaterialPresence;
  readonly publicKey: ImportedPublicKey | undefined;
}

/**
 * When the material goes by itself; undefined for never.
 *
 * @throws KmsServiceError ValidationException for a date without a model that expires or the reverse, and for one that
 *   is not within the next 365 days
 */
export function requireExpiration(
  model: ExpirationModel = 'KEY_MATERIAL_EXPIRES',
  validTo: Date | undefined,
  nowMs: number,
): number | undefined {
  if (model === 'KEY_MATERIAL_DOES_NOT_EXPIRE') {
    if (validTo !== undefined) {
      throw invalid('A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE');
    }
    return undefined;
  }
  if (validTo === undefined) {
    throw invalid('A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES');
  }
  const validToMs = validTo.getTime();
  if (validToMs <= nowMs) {
    throw invalid('The validTo date must be in the future');
  }
  if (validToMs > nowMs + MAX_VALIDITY_MS) {
    throw invalid('The validTo date must be within 365 days');
  }
  return validToMs;
}

/**
 * Whether the request brings a new material or one that the key had before.
 *
 * @throws KmsServiceError ValidationException for members that do not go together or not with this key;
 *   UnsupportedOperationException for a new material of a replica, whose materials come from its primary
 */
export function requireImportType(key: KmsKey, request: ImportRequest): ImportType {
  const { ImportType: given, KeyMaterialDescription: description, KeyMaterialId: materialId } = request;
  const isNamed = given !== undefined || description !== undefined || materialId !== undefined;
  if (key.keySpec !== 'SYMMETRIC_DEFAULT' && isNamed) {
    throw invalid(
      'ImportType, KeyMaterialDescription and KeyMaterialId are only valid for symmetric encryption keys, ' +
        `and the key spec of ${key.arn} is ${key.keySpec}.`,
    );
  }
  const type = given ?? (importedMaterialsOf(key).length === 0 ? 'NEW_KEY_MATERIAL' : 'EXISTING_KEY_MATERIAL');
  if (type === 'NEW_KEY_MATERIAL' && materialId !== undefined) {
    throw invalid('KeyMaterialId is not valid with ImportType NEW_KEY_MATERIAL.');
  }
  const isReplica = key.multiRegion?.type === 'REPLICA';
  if (type === 'NEW_KEY_MATERIAL' && isReplica) {
    throw new KmsServiceError('UnsupportedOperationException', `${key.arn} is not a multi-region primary key.`);
  }
  if (description !== undefined && isReplica) {
    throw invalid(`KeyMaterialDescription can only be set on a multi-region primary key, which ${key.arn} is not.`);
  }
  return type;
}

/**
 * The materials of a key with the one that came in. The first one is associated with the key for good, a later new one
 * waits for a rotation.
 *
 * @throws KmsServiceError IncorrectKeyMaterialException for bytes that are not what the request says;
 *   KMSInvalidStateException when another new material waits already
 */
export function planImport(
  key: KmsKey,
  type: ImportType,
  request: ImportRequest & Arrival,
): readonly ImportedMaterial[] {
  const { materialId, publicKey, presence, KeyMaterialDescription: description } = request;
  const materials = importedMaterialsOf(key);
  const known = materials.find((material) => material.materialId === materialId);
  if (type === 'NEW_KEY_MATERIAL') {
    if (known !== undefined) {
      throw incorrect(`The key material is not new: it belongs to ${key.arn} already.`);
    }
    requireNoPending(key, materialId);
    const isPending = materials.length > 0;
    return [...materials, { materialId, description, rotatedMs: undefined, isPending, presence, publicKey }];
  }
  if (known === undefined || (request.KeyMaterialId ?? materialId) !== materialId) {
    throw incorrect(`The key material is not the one that was imported into ${key.arn} before.`);
  }
  const again = { ...known, presence, description: description ?? known.description };
  return materials.map((material) => (material === known ? again : material));
}

function requireNoPending(key: KmsKey, materialId: string): void {
  const pending = pendingMaterial(key);
  if (pending !== undefined) {
    throw new KmsServiceError(
      'KMSInvalidStateException',
      `New key material (id: ${materialId}) cannot be imported into KMS key ${key.keyId}, ` +
        `because another key material (id: ${pending.materialId}) is pending rotation.`,
    );
  }
}

function invalid(text: string): KmsServiceError {
  return new KmsServiceError('ValidationException', text);
}

function incorrect(text: string): KmsServiceError {
  return new KmsServiceError('IncorrectKeyMaterialException', text);
}
