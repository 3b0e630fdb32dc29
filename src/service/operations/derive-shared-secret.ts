import { KmsServiceError } from '../../base/errors.ts';
import { chain } from '../../base/maybe-promise.ts';
import { USE_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { answerSecret } from '../recipient.ts';
import { enumeration, optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * Agrees on a secret with the holder of another key pair of the same curve (ECDH, raw x-coordinate). @source KMS API
 * Reference, DeriveSharedSecret
 */
export const deriveSharedSecret = defineOperation({
  name: 'DeriveSharedSecret',
  input: structure({
    KeyId: required(shapes.keyId),
    KeyAgreementAlgorithm: required(enumeration(['ECDH'])),
    PublicKey: required(shapes.publicKey),
    GrantTokens: optional(shapes.grantTokens),
    DryRun: optional(shapes.dryRun),
    Recipient: optional(shapes.recipient),
  }),
  errors: USE_ERRORS,
  allowsCrossAccount: true,
  resolve: onKey({
    action: 'kms:DeriveSharedSecret',
    forms: 'any',
    usage: 'KEY_AGREEMENT',
    rule: 'use',
  }),
  execute(authorized, input, context) {
    const { key } = authorized.targets[0];
    return chain(context.materials.openAsymmetric(key), (material) =>
      chain(material.deriveSharedSecret(input.PublicKey), (sharedSecret) => {
        if (sharedSecret === undefined) {
          // AWS says no more than that.
          throw new KmsServiceError('ValidationException');
        }
        return {
          KeyId: key.arn,
          ...answerSecret(context, sharedSecret, { SharedSecret: sharedSecret }),
          KeyAgreementAlgorithm: input.KeyAgreementAlgorithm,
          KeyOrigin: key.origin,
        };
      }),
    );
  },
});
