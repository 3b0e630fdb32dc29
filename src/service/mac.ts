import { KmsServiceError } from '../base/errors.ts';
import { algorithmsOf, type MacAlgorithm } from '../keys/key-spec.ts';
import type { KmsKey } from '../keys/kms-key.ts';

/** @throws KmsServiceError InvalidKeyUsageException when the algorithm does not belong to the key's spec */
export function requireMacAlgorithm({ keySpec }: KmsKey, algorithm: MacAlgorithm): void {
  if (!(algorithmsOf(keySpec).GENERATE_VERIFY_MAC ?? []).includes(algorithm)) {
    throw new KmsServiceError(
      'InvalidKeyUsageException',
      `Algorithm ${algorithm} is incompatible with key spec ${keySpec}.`,
    );
  }
}
