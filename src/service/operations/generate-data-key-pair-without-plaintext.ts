import { chain } from '../../base/maybe-promise.ts';
import { openCurrentMaterial, requireContext, requireDataKeyPairSource } from '../data-crypto.ts';
import { USE_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * Returns a fresh key pair, its private key only encrypted. @source KMS API Reference,
 * GenerateDataKeyPairWithoutPlaintext
 */
export const generateDataKeyPairWithoutPlaintext = defineOperation({
  name: 'GenerateDataKeyPairWithoutPlaintext',
  input: structure({
    EncryptionContext: optional(shapes.encryptionContext),
    KeyId: required(shapes.keyId),
    KeyPairSpec: required(shapes.keyPairSpec),
    GrantTokens: optional(shapes.grantTokens),
    DryRun: optional(shapes.dryRun),
  }),
  errors: [...USE_ERRORS, 'UnsupportedOperationException'],
  allowsCrossAccount: true,
  resolve: onKey({
    action: 'kms:GenerateDataKeyPairWithoutPlaintext',
    forms: 'any',
    usage: 'ENCRYPT_DECRYPT',
    rule: 'offline',
  }),
  execute(authorized, input, context) {
    const { key } = authorized.targets[0];
    requireDataKeyPairSource(key);
    const encryptionContext = requireContext(input.EncryptionContext);
    return chain(openCurrentMaterial(key, context), ({ header, material, materialId }) =>
      chain(material.generateDataKeyPairWithoutPlaintext(header, encryptionContext, input.KeyPairSpec), (pair) => ({
        PrivateKeyCiphertextBlob: pair.blob,
        PublicKey: pair.publicKey,
        KeyId: key.arn,
        KeyPairSpec: input.KeyPairSpec,
        KeyMaterialId: materialId,
      })),
    );
  },
});
