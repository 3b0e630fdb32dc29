import { chain } from '../../base/maybe-promise.ts';
import { defineOperation, onKey } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';
import { openCurrentMaterial, requireContext, requireDataKeySource } from '../data-crypto.ts';
import { generateDataKey, requireDataKeyLength } from './generate-data-key.ts';

/**
 * Returns a fresh data key only encrypted, for whoever will decrypt it later.
 *
 * @source KMS API Reference, GenerateDataKeyWithoutPlaintext
 */
export const generateDataKeyWithoutPlaintext = defineOperation({
  name: 'GenerateDataKeyWithoutPlaintext',
  input: structure({
    KeyId: required(shapes.keyId),
    EncryptionContext: optional(shapes.encryptionContext),
    KeySpec: optional(shapes.dataKeySpec),
    NumberOfBytes: optional(shapes.numberOfBytes),
    GrantTokens: optional(shapes.grantTokens),
    DryRun: optional(shapes.dryRun),
  }),
  errors: generateDataKey.errors,
  allowsCrossAccount: true,
  resolve: onKey({
    action: 'kms:GenerateDataKeyWithoutPlaintext',
    forms: 'any',
    usage: 'ENCRYPT_DECRYPT',
    rule: 'use',
  }),
  execute(authorized, input, context) {
    const { key } = authorized.targets[0];
    requireDataKeySource(key);
    const lengthBytes = requireDataKeyLength(input.KeySpec, input.NumberOfBytes);
    const encryptionContext = requireContext(input.EncryptionContext);
    return chain(openCurrentMaterial(key, context), ({ header, material, materialId }) =>
      chain(material.generateDataKeyWithoutPlaintext(header, encryptionContext, lengthBytes), (blob) => ({
        CiphertextBlob: blob,
        KeyId: key.arn,
        KeyMaterialId: materialId,
      })),
    );
  },
});
