import { KmsServiceError } from '../base/errors.ts';
import type { KmsKey } from '../keys/kms-key.ts';

/** The refusal of a key because of where its material comes from. */
export function invalidOrigin({ arn, origin }: KmsKey): KmsServiceError {
  return new KmsServiceError(
    'UnsupportedOperationException',
    `${arn} origin is ${origin} which is not valid for this operation.`,
  );
}

/** @throws KmsServiceError UnsupportedOperationException for a key of a custom key store */
export function refuseCustomKeyStore(key: KmsKey): void {
  if (key.origin === 'AWS_CLOUDHSM' || key.origin === 'EXTERNAL_KEY_STORE') {
    throw invalidOrigin(key);
  }
}
