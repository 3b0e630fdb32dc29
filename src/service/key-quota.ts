import { KmsServiceError } from '../base/errors.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { OperationContext } from './operation.ts';

/**
 * Requires room for one more customer managed key of the caller's account. Keys in every state count, also those that
 * wait for their deletion. Requests at the same time may go past the quota by as many keys.
 *
 * @throws KmsServiceError LimitExceededException
 */
export function requireKeyQuota(
  region: string,
  {
    keys,
    resourceQuotas: { keysPerAccount },
    caller: { accountId },
  }: Pick<OperationContext, 'keys' | 'resourceQuotas' | 'caller'>,
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
