import { KmsServiceError } from '../base/errors.ts';
import { algorithmsOf, type MessageType, type SigningAlgorithm } from '../keys/key-spec.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type { MessageProblem } from './ports.ts';

/** @throws KmsServiceError InvalidKeyUsageException when the algorithm does not belong to the key's spec */
export function requireSigningAlgorithm({ keySpec }: KmsKey, algorithm: SigningAlgorithm): void {
  if (!(algorithmsOf(keySpec).SIGN_VERIFY ?? []).includes(algorithm)) {
    throw new KmsServiceError(
      'InvalidKeyUsageException',
      `Algorithm ${algorithm} and key spec ${keySpec} do not match.`,
    );
  }
}

/** The ValidationException for a message that the algorithm does not take. */
export function messageError(
  problem: MessageProblem,
  algorithm: SigningAlgorithm,
  messageType: MessageType,
): KmsServiceError {
  const text =
    problem === 'digestLength'
      ? `Digest is invalid length for algorithm ${algorithm}.`
      : `MessageType ${messageType} is not valid for algorithm ${algorithm}.`;
  return new KmsServiceError('ValidationException', text);
}
