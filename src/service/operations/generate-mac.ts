import { chain } from '../../base/maybe-promise.ts';
import { requireMacAlgorithm } from '../mac.ts';
import { defineOperation, onKey } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Computes an HMAC of a message of up to 4096 bytes. @source KMS API Reference, GenerateMac */
export const generateMac = defineOperation({
  name: 'GenerateMac',
  input: structure({
    Message: required(shapes.message),
    KeyId: required(shapes.keyId),
    MacAlgorithm: required(shapes.macAlgorithm),
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
    'KMSInvalidStateException',
    'NotFoundException',
  ],
  allowsCrossAccount: true,
  resolve: onKey({
    action: 'kms:GenerateMac',
    forms: 'any',
    usage: 'GENERATE_VERIFY_MAC',
    rule: 'use',
  }),
  execute(authorized, input, context) {
    const { key } = authorized.targets[0];
    requireMacAlgorithm(key, input.MacAlgorithm);
    return chain(context.materials.openMac(key), (material) =>
      chain(material.generate(input.MacAlgorithm, input.Message), (mac) => ({
        Mac: mac,
        MacAlgorithm: input.MacAlgorithm,
        KeyId: key.arn,
      })),
    );
  },
});
