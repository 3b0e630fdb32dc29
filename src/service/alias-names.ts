import { KmsServiceError } from '../base/errors.ts';
import { ALIAS_PREFIX, AWS_ALIAS_PREFIX, isAliasName } from '../keys/alias.ts';

/**
 * Checks the name of an alias that a customer makes, changes or deletes.
 *
 * @throws KmsServiceError ValidationException without the prefix `alias/`, NotAuthorizedException under `alias/aws/`,
 *   InvalidAliasNameException for an empty name or a colon
 */
export function requireCustomerAliasName(name: string): void {
  if (!name.startsWith(ALIAS_PREFIX)) {
    throw new KmsServiceError(
      'ValidationException',
      'Alias must start with the prefix "alias/". Please see ' +
        'https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    );
  }
  if (name.startsWith(AWS_ALIAS_PREFIX)) {
    throw new KmsServiceError('NotAuthorizedException');
  }
  if (!isAliasName(name)) {
    throw new KmsServiceError('InvalidAliasNameException', `${name} contains invalid characters for an alias`);
  }
}

/** @throws KmsServiceError ValidationException when the target of an alias is an alias itself */
export function requireAliasTarget(targetKeyId: string): void {
  if (targetKeyId.startsWith(ALIAS_PREFIX) || targetKeyId.includes(`:${ALIAS_PREFIX}`)) {
    throw new KmsServiceError('ValidationException', 'Aliases must refer to keys. Not aliases');
  }
}
