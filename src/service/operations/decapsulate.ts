import { KmsServiceError } from '../../base/errors.ts';
import { chain } from '../../base/maybe-promise.ts';
import { USE_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * Recovers a shared secret; a ciphertext for another key gives one that nobody knows. @source KMS API Reference,
 * Decapsulate
 */
export const decapsulate = defineOperation({
  name: 'Decapsulate',
  input: structure({
    KeyId: required(shapes.keyId),
    SharedSecretCiphertextBlob: required(shapes.ciphertextBlob),
    EncapsulationAlgorithm: required(shapes.encapsulationAlgorithm),
    GrantTokens: optional(shapes.grantTokens),
    DryRun: optional(shapes.dryRun),
  }),
  errors: [...USE_ERRORS, 'InvalidCiphertextException'],
  allowsCrossAccount: true,
  resolve: onKey({
    action: 'kms:Decapsulate',
    forms: 'any',
    usage: 'ENCAPSULATE_DECAPSULATE',
    rule: 'use',
  }),
  execute(authorized, input, context) {
    const { key } = authorized.targets[0];
    return chain(context.materials.openAsymmetric(key), (material) =>
      chain(material.decapsulate(input.SharedSecretCiphertextBlob), (sharedSecret) => {
        if (sharedSecret === undefined) {
          throw new KmsServiceError('InvalidCiphertextException');
        }
        return {
          KeyId: key.arn,
          SharedSecret: sharedSecret,
          EncapsulationAlgorithm: input.EncapsulationAlgorithm,
        };
      }),
    );
  },
});
