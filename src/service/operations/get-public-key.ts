import { KmsServiceError } from '../../base/errors.ts';
import { chain, type MaybePromise } from '../../base/maybe-promise.ts';
import type { KmsKey } from '../../keys/kms-key.ts';
import { isAsymmetric } from '../../keys/key-spec.ts';
import { algorithmLists, keyMetadata } from '../key-metadata.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey, type OperationContext } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * Returns the public key of a key pair. One that was imported is kept when its material is deleted or expires; a key
 * that never had material is pending import.
 *
 * @source KMS API Reference, GetPublicKey
 */
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
    return chain(readPublicKey(key, context), (publicKey) => ({
      KeyId: key.arn,
      PublicKey: publicKey,
      CustomerMasterKeySpec,
      KeySpec,
      KeyUsage: key.keyUsage,
      ...publicKeyAlgorithms(key),
    }));
  },
});

function readPublicKey(key: KmsKey, { materials, imports }: OperationContext): MaybePromise<Uint8Array> {
  if (key.imported === undefined) {
    return chain(materials.openAsymmetric(key), (material) => material.publicKey());
  }
  const [material] = key.imported.materials;
  if (material?.publicKey === undefined) {
    throw new KmsServiceError('KMSInvalidStateException', `${key.arn} is pending import.`);
  }
  return imports.openPublicKey(key, key.imported.fingerprintKey, material.materialId, material.publicKey);
}

type PublicKeyAlgorithms = Omit<ReturnType<typeof algorithmLists>, 'MacAlgorithms'>;

/** A key pair has every list but that of MACs. */
function publicKeyAlgorithms(key: KmsKey): PublicKeyAlgorithms {
  return algorithmLists(key);
}
