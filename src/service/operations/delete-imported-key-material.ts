import { KmsServiceError } from '../../base/errors.ts';
import { importedMaterialsOf, removeMaterials } from '../../keys/imported-materials.ts';
import { changeMaterials } from '../change-materials.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Key pairs and HMAC keys have one material, which the API does not name. */
export interface DeleteImportedKeyMaterialOutput {
  readonly KeyId: string;
  readonly KeyMaterialId?: string;
}

/**
 * Deletes one material of a key at once, the current one unless the request names another. The key cannot be used until
 * the same bytes are imported again, unless the material only waited for a rotation. What is not there stays away.
 *
 * @source KMS API Reference, DeleteImportedKeyMaterial
 */
export const deleteImportedKeyMaterial = defineOperation({
  name: 'DeleteImportedKeyMaterial',
  input: structure({ KeyId: required(shapes.keyId), KeyMaterialId: optional(shapes.keyMaterialId) }),
  errors: [...MANAGEMENT_ERRORS, 'UnsupportedOperationException'],
  allowsCrossAccount: false,
  resolve: onKey({
    action: 'kms:DeleteImportedKeyMaterial',
    forms: 'idOrArn',
    origin: 'EXTERNAL',
    rule: 'deleteMaterial',
  }),
  async execute(authorized, input, { keys }): Promise<DeleteImportedKeyMaterialOutput> {
    const { key } = authorized.targets[0];
    const isSymmetric = key.keySpec === 'SYMMETRIC_DEFAULT';
    if (input.KeyMaterialId !== undefined && !isSymmetric) {
      throw new KmsServiceError(
        'ValidationException',
        `KeyMaterialId is only valid for symmetric encryption keys, and the key spec of ${key.arn} is ${key.keySpec}.`,
      );
    }
    const materialId = input.KeyMaterialId ?? key.currentMaterialId;
    const known = importedMaterialsOf(key).find((material) => material.materialId === materialId);
    if (known !== undefined && (known.presence !== undefined || known.isPending)) {
      await changeMaterials(keys, key, removeMaterials(key, [known.materialId]));
    }
    return { KeyId: key.arn, ...(isSymmetric && materialId !== undefined ? { KeyMaterialId: materialId } : {}) };
  },
});
