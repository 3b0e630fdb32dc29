import { KmsServiceError } from '../../base/errors.ts';
import { chain } from '../../base/maybe-promise.ts';
import { USE_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';
import { openCurrentMaterial, requireContext, requireDataKeySource } from '../data-crypto.ts';
import { answerSecret } from '../recipient.ts';

/** Returns a fresh data key in plaintext and encrypted under a KMS key. @source KMS API Reference, GenerateDataKey */
export const generateDataKey = defineOperation({
  name: 'GenerateDataKey',
  input: structure({
    KeyId: required(shapes.keyId),
    EncryptionContext: optional(shapes.encryptionContext),
    NumberOfBytes: optional(shapes.numberOfBytes),
    KeySpec: optional(shapes.dataKeySpec),
    GrantTokens: optional(shapes.grantTokens),
    Recipient: optional(shapes.recipient),
    DryRun: optional(shapes.dryRun),
  }),
  errors: USE_ERRORS,
  allowsCrossAccount: true,
  resolve: onKey({
    action: 'kms:GenerateDataKey',
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
      chain(material.generateDataKey(header, encryptionContext, lengthBytes), ({ plaintext, blob }) => ({
        CiphertextBlob: blob,
        KeyId: key.arn,
        ...answerSecret(context, plaintext, { Plaintext: plaintext, KeyMaterialId: materialId }),
      })),
    );
  },
});

/** @throws KmsServiceError ValidationException unless exactly one of the two is given */
export function requireDataKeyLength(
  keySpec: 'AES_256' | 'AES_128' | undefined,
  numberOfBytes: number | undefined,
): number {
  if ((keySpec === undefined) === (numberOfBytes === undefined)) {
    throw new KmsServiceError('ValidationException', 'Please specify either number of bytes or key spec.');
  }
  return numberOfBytes ?? (keySpec === 'AES_256' ? 32 : 16);
}
