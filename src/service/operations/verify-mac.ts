import { KmsServiceError } from '../../base/errors.ts';
import { chain } from '../../base/maybe-promise.ts';
import { requireMacAlgorithm } from '../mac.ts';
import { defineOperation, onKey } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Verifies an HMAC; a wrong one is an error, never a false answer. @source KMS API Reference, VerifyMac */
export const verifyMac = defineOperation({
  name: 'VerifyMac',
  input: structure({
    Message: required(shapes.message),
    KeyId: required(shapes.keyId),
    MacAlgorithm: required(shapes.macAlgorithm),
    Mac: required(shapes.mac),
    GrantTokens: optional(shapes.grantTokens),
    DryRun: optional(shapes.dryRun),
  }),
  errors: [
    'DisabledException',
    'DryRunOperationException',
    'InvalidGrantTokenException',
    'InvalidKeyUsageException',
    'KeyUnavailableException',
    'KMSInternalException',
    'KMSInvalidMacException',
    'KMSInvalidStateException',
    'NotFoundException',
  ],
  allowsCrossAccount: true,
  resolve: onKey({
    action: 'kms:VerifyMac',
    forms: 'any',
    usage: 'GENERATE_VERIFY_MAC',
    rule: 'use',
  }),
  execute(authorized, input, context) {
    const { key } = authorized.targets[0];
    requireMacAlgorithm(key, input.MacAlgorithm);
    return chain(context.materials.openMac(key), (material) =>
      chain(material.verify(input.MacAlgorithm, input.Message, input.Mac), (isValid) => {
        if (!isValid) {
          throw new KmsServiceError('KMSInvalidMacException');
        }
        return { KeyId: key.arn, MacValid: true, MacAlgorithm: input.MacAlgorithm };
      }),
    );
  },
});
