import { KmsServiceError } from '../../base/errors.ts';
import { chain } from '../../base/maybe-promise.ts';
import { USE_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';
import { messageError, requireSigningAlgorithm } from '../signing.ts';

/** Verifies a signature; a wrong one is an error, never a false answer. @source KMS API Reference, Verify */
export const verify = defineOperation({
  name: 'Verify',
  input: structure({
    KeyId: required(shapes.keyId),
    Message: required(shapes.message),
    MessageType: optional(shapes.messageType),
    Signature: required(shapes.signature),
    SigningAlgorithm: required(shapes.signingAlgorithm),
    GrantTokens: optional(shapes.grantTokens),
    DryRun: optional(shapes.dryRun),
  }),
  errors: [...USE_ERRORS, 'KMSInvalidSignatureException'],
  allowsCrossAccount: true,
  resolve: onKey({ action: 'kms:Verify', forms: 'any', usage: 'SIGN_VERIFY', rule: 'use' }),
  execute(authorized, input, context) {
    const { key } = authorized.targets[0];
    const { SigningAlgorithm: algorithm, MessageType: messageType = 'RAW' } = input;
    requireSigningAlgorithm(key, algorithm);
    return chain(context.materials.openAsymmetric(key), (material) =>
      chain(material.verify(algorithm, messageType, input.Message, input.Signature), (outcome) => {
        if (!outcome.ok) {
          throw messageError(outcome.problem, algorithm, messageType);
        }
        if (!outcome.isValid) {
          throw new KmsServiceError('KMSInvalidSignatureException');
        }
        return { KeyId: key.arn, SignatureValid: true, SigningAlgorithm: algorithm };
      }),
    );
  },
});
