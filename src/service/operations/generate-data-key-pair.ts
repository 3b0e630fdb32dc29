import { chain } from '../../base/maybe-promise.ts';
import { openCurrentMaterial, requireContext, requireDataKeyPairSource } from '../data-crypto.ts';
import { USE_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { answerSecret } from '../recipient.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * Returns a fresh key pair, its private key in the clear (PKCS#8) and encrypted. @source KMS API Reference,
 * GenerateDataKeyPair
 */
export const generateDataKeyPair = defineOperation({
  name: 'GenerateDataKeyPair',
  input: structure({
    EncryptionContext: optional(shapes.encryptionContext),
    KeyId: required(shapes.keyId),
    KeyPairSpec: required(shapes.keyPairSpec),
    GrantTokens: optional(shapes.grantTokens),
    Recipient: optional(shapes.recipient),
    DryRun: optional(shapes.dryRun),
  }),
  errors: [...USE_ERRORS, 'UnsupportedOperationException'],
  allowsCrossAccount: true,
  resolve: onKey({
    action: 'kms:GenerateDataKeyPair',
    forms: 'any',
    usage: 'ENCRYPT_DECRYPT',
    rule: 'offline',
  }),
  execute(authorized, input, context) {
    const { key } = authorized.targets[0];
    requireDataKeyPairSource(key);
    const encryptionContext = requireContext(input.EncryptionContext);
    return chain(openCurrentMaterial(key, context), ({ header, material, materialId }) =>
      chain(material.generateDataKeyPair(header, encryptionContext, input.KeyPairSpec), (pair) => ({
        PrivateKeyCiphertextBlob: pair.blob,
        PublicKey: pair.publicKey,
        KeyId: key.arn,
        KeyPairSpec: input.KeyPairSpec,
        ...answerSecret(context, pair.privateKey, {
          PrivateKeyPlaintext: pair.privateKey,
          KeyMaterialId: materialId,
        }),
      })),
    );
  },
});
