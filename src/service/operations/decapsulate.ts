import { KmsServiceError } from '../../base/errors.ts';
import { chain } from '../../base/maybe-promise.ts';
import { defineOperation } from '../operation.ts';
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
  errors: [
    'DependencyTimeoutException',
    'DisabledException',
    'DryRunOperationException',
    'InvalidCiphertextException',
    'InvalidGrantTokenException',
    'InvalidKeyUsageException',
    'KeyUnavailableException',
    'KMSInternalException',
    'KMSInvalidStateException',
    'NotFoundException',
  ],
  allowsCrossAccount: true,
  resolve: (input, resolver) =>
    chain(
      resolver.key(input.KeyId, {
        action: 'kms:Decapsulate',
        forms: 'any',
        usage: 'ENCAPSULATE_DECAPSULATE',
        rule: 'use',
      }),
      (target) => [target] as const,
    ),
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
