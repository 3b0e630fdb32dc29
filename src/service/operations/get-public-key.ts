import { KmsServiceError } from '../../base/errors.ts';
import { chain } from '../../base/maybe-promise.ts';
import type { KmsKey } from '../../keys/kms-key.ts';
import { isAsymmetric } from '../../keys/key-spec.ts';
import { algorithmLists, keyMetadata } from '../key-metadata.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Returns the public key of a key pair. @source KMS API Reference, GetPublicKey */
export const getPublicKey = defineOperation({
  name: 'GetPublicKey',
  input: structure({
    KeyId: required(shapes.keyId),
    GrantTokens: optional(shapes.grantTokens),
  }),
  errors: [
    ...MANAGEMENT_ERRORS,
    'DisabledException',
    'InvalidGrantTokenException',
    'InvalidKeyUsageException',
    'KeyUnavailableException',
    'UnsupportedOperationException',
  ],
  allowsCrossAccount: true,
  resolve: onKey({ action: 'kms:GetPublicKey', forms: 'any', rule: 'publicKey' }),
  execute(authorized, _input, context) {
    const { key } = authorized.targets[0];
    if (!isAsymmetric(key.keySpec)) {
      throw new KmsServiceError(
        'UnsupportedOperationException',
        `${key.arn} key spec is ${key.keySpec} which is not valid for GetPublicKey.`,
      );
    }
    const { CustomerMasterKeySpec, KeySpec } = keyMetadata(key);
    return chain(context.materials.openAsymmetric(key), (material) =>
      chain(material.publicKey(), (publicKey) => ({
        KeyId: key.arn,
        PublicKey: publicKey,
        CustomerMasterKeySpec,
        KeySpec,
        KeyUsage: key.keyUsage,
        ...publicKeyAlgorithms(key),
      })),
    );
  },
});

type PublicKeyAlgorithms = Omit<ReturnType<typeof algorithmLists>, 'MacAlgorithms'>;

/** A key pair has every list but that of MACs. */
function publicKeyAlgorithms(key: KmsKey): PublicKeyAlgorithms {
  return algorithmLists(key);
}
