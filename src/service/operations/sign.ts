import { chain } from '../../base/maybe-promise.ts';
import { USE_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
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
  errors: USE_ERRORS,
  allowsCrossAccount: true,
  resolve: onKey({ action: 'kms:Sign', forms: 'any', usage: 'SIGN_VERIFY', rule: 'use' }),
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
