import { chain } from '../../base/maybe-promise.ts';
import { defineOperation } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';
import { messageError, requireSigningAlgorithm } from '../signing.ts';

/** Signs a message of up to 4096 bytes, or its digest. @source KMS API Reference, Sign */
export const sign = defineOperation({
  name: 'Sign',
  input: structure({
    KeyId: required(shapes.keyId),
    Message: required(shapes.message),
    MessageType: optional(shapes.messageType),
    GrantTokens: optional(shapes.grantTokens),
    DryRun: optional(shapes.dryRun),
    SigningAlgorithm: required(shapes.signingAlgorithm),
  }),
  errors: [
    'DependencyTimeoutException',
    'DisabledException',
    'DryRunOperationException',
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
      resolver.key(input.KeyId, { action: 'kms:Sign', forms: 'any', usage: 'SIGN_VERIFY', rule: 'use' }),
      (target) => [target] as const,
    ),
  execute(authorized, input, context) {
    const { key } = authorized.targets[0];
    const { SigningAlgorithm: algorithm, MessageType: messageType = 'RAW' } = input;
    requireSigningAlgorithm(key, algorithm);
    return chain(context.materials.openAsymmetric(key), (material) =>
      chain(material.sign(algorithm, messageType, input.Message), (outcome) => {
        if (!outcome.ok) {
          throw messageError(outcome.problem, algorithm, messageType);
        }
        return { KeyId: key.arn, Signature: outcome.signature, SigningAlgorithm: algorithm };
      }),
    );
  },
});
