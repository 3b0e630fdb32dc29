/** Codes of IAM for what can be wrong with a change of an identity. */
export type IdentityErrorCode =
  'EntityAlreadyExists' | 'InvalidInput' | 'LimitExceeded' | 'MalformedPolicyDocument' | 'NoSuchEntity';

/** A change of an identity that cannot be made. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';
  readonly code: IdentityErrorCode;

  constructor(code: IdentityErrorCode, text: string) {
    super(text);
    this.code = code;
  }
}
