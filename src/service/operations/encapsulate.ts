import { chain } from '../../base/maybe-promise.ts';
import { USE_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Makes a shared secret and encapsulates it to an ML-KEM key. @source KMS API Reference, Encapsulate */
export const encapsulate = defineOperation({
  name: 'Encapsulate',
  input: structure({
    KeyId: required(shapes.keyId),
    EncapsulationAlgorithm: required(shapes.encapsulationAlgorithm),
    GrantTokens: optional(shapes.grantTokens),
    DryRun: optional(shapes.dryRun),
  }),
  errors: USE_ERRORS,
  allowsCrossAccount: true,
  resolve: onKey({
    action: 'kms:Encapsulate',
    forms: 'any',
    usage: 'ENCAPSULATE_DECAPSULATE',
    rule: 'use',
  }),
  execute(authorized, input, context) {
    const { key } = authorized.targets[0];
    return chain(context.materials.openAsymmetric(key), (material) =>
      chain(material.encapsulate(), ({ sharedSecret, ciphertext }) => ({
        KeyId: key.arn,
        SharedSecret: sharedSecret,
        SharedSecretCiphertextBlob: ciphertext,
        EncapsulationAlgorithm: input.EncapsulationAlgorithm,
      })),
    );
  },
});
