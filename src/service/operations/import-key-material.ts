import { InvariantError, KmsServiceError } from '../../base/errors.ts';
import { asOf, type MaterialPresence } from '../../keys/imported-materials.ts';
import type { KmsKey } from '../../keys/kms-key.ts';
import { changeMaterials } from '../change-materials.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { openImportToken } from '../import-token.ts';
import { EXPIRATION_MODELS } from '../key-metadata.ts';
import { defineOperation, onKey, type OperationContext } from '../operation.ts';
import { IMPORT_TYPES, planImport, requireExpiration, requireImportType } from '../plan-import.ts';
import type { UnwrappedMaterial } from '../ports.ts';
import { blob, enumeration, optional, required, string, structure, timestamp } from '../schema.ts';
import * as shapes from '../shapes.ts';

const input = structure({
  KeyId: required(shapes.keyId),
  ImportToken: required(blob({ min: 1, max: 6144 })),
  EncryptedKeyMaterial: required(blob({ min: 1, max: 6144 })),
  ValidTo: optional(timestamp()),
  ExpirationModel: optional(enumeration(EXPIRATION_MODELS)),
  ImportType: optional(enumeration(IMPORT_TYPES)),
  KeyMaterialDescription: optional(string({ min: 0, max: 256, pattern: '[a-zA-Z0-9:/_\\s.-]+' })),
  KeyMaterialId: optional(shapes.keyMaterialId),
});
type Input = ReturnType<(typeof input)['parse']>;

/** Key pairs and HMAC keys have one material for life, which the API does not name. */
export interface ImportKeyMaterialOutput {
  readonly KeyId: string;
  readonly KeyMaterialId?: string;
}

/**
 * Takes key material that was encrypted for this key: its first one, the next one, or one that it had before. The key
 * is usable once it has all of its materials.
 *
 * @source KMS API Reference, ImportKeyMaterial
 */
export const importKeyMaterial = defineOperation({
  name: 'ImportKeyMaterial',
  input,
  errors: [
    ...MANAGEMENT_ERRORS,
    'ExpiredImportTokenException',
    'IncorrectKeyMaterialException',
    'InvalidCiphertextException',
    'InvalidImportTokenException',
    'UnsupportedOperationException',
  ],
  allowsCrossAccount: false,
  resolve: onKey({ action: 'kms:ImportKeyMaterial', forms: 'idOrArn', origin: 'EXTERNAL', rule: 'importMaterial' }),
  async execute(authorized, request, context): Promise<ImportKeyMaterialOutput> {
    const key = asOf(authorized.targets[0].key, context.nowMs);
    const presence: MaterialPresence = {
      validToMs: requireExpiration(request.ExpirationModel, request.ValidTo, context.nowMs),
    };
    const type = requireImportType(key, request);
    const { material, publicKey } = await unwrapMaterial(key, request, context);
    const materials = planImport(key, type, { ...request, materialId: material.materialId, presence, publicKey });
    await changeMaterials(context.keys, key, materials, { arrived: material });
    return {
      KeyId: key.arn,
      ...(key.keySpec === 'SYMMETRIC_DEFAULT' ? { KeyMaterialId: material.materialId } : {}),
    };
  },
});

async function unwrapMaterial(key: KmsKey, request: Input, context: OperationContext): Promise<UnwrappedMaterial> {
  if (key.imported === undefined) {
    throw new InvariantError(`key ${key.arn} of origin EXTERNAL cannot recognise its materials`);
  }
  const { wrappingKey, algorithm } = await openImportToken(context.tokens, key, request.ImportToken, context.nowMs);
  const wrapping = { key: wrappingKey, algorithm };
  const { fingerprintKey } = key.imported;
  const outcome = await context.imports.unwrap(
    key,
    fingerprintKey,
    wrapping,
    request.EncryptedKeyMaterial,
    context.nowMs,
  );
  if (outcome.ok) {
    return outcome;
  }
  throw outcome.problem === 'ciphertext'
    ? new KmsServiceError('InvalidCiphertextException')
    : new KmsServiceError(
        'IncorrectKeyMaterialException',
        `The key material is not a key of spec ${key.keySpec} in the format of its import.`,
      );
}
