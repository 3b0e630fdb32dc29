import { KmsServiceError } from '../base/errors.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { OperationContext } from './operation.ts';

/** Customer managed keys of an account in a Region. @source KMS Developer Guide, "Resource quotas" */
export const DEFAULT_KEYS_PER_ACCOUNT = 100_000;

/**
 * Requires room for one more customer managed key of the caller's account. Keys in every state count, also those that
 * wait for their deletion. Requests at the same time may go past the quota by as many keys.
 *
 * @throws KmsServiceError LimitExceededException
 */
export function requireKeyQuota(
  region: string,
  { keys, keysPerAccount, caller: { accountId } }: Pick<OperationContext, 'keys' | 'keysPerAccount' | 'caller'>,
): MaybePromise<void> {
  return chain(keys.countCustomerManaged(region, accountId), (count) => {
    if (count >= keysPerAccount) {
      throw new KmsServiceError(
        'LimitExceededException',
        `Account ${accountId} already has the largest number of KMS keys in ${region}, ${String(keysPerAccount)}.`,
      );
    }
  });
}
