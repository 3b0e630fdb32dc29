/**
 * How much of something an account, or a key, may have in a Region.
 *
 * @source KMS Developer Guide, "Resource quotas"
 */
export interface ResourceQuotas {
  /** Customer managed keys of an account, in whatever state. */
  readonly keysPerAccount: number;
  readonly keyStoresPerAccount: number;
  readonly aliasesPerKey: number;
  readonly grantsPerKey: number;
}

/** AWS's own. */
export const DEFAULT_RESOURCE_QUOTAS: ResourceQuotas = {
  keysPerAccount: 100_000,
  keyStoresPerAccount: 10,
  aliasesPerKey: 50,
  grantsPerKey: 50_000,
};

/**
 * All quotas, with AWS's own where nothing else is said.
 *
 * @throws RangeError for one that is no whole number from 1 on
 */
export function completeQuotas(given: Partial<ResourceQuotas> = {}): ResourceQuotas {
  for (const [name, quota] of Object.entries(given)) {
    if (!(Number.isSafeInteger(quota) && quota > 0)) {
      throw new RangeError(`the quota ${name} must be a whole number from 1 on, not ${String(quota)}`);
    }
  }
  return { ...DEFAULT_RESOURCE_QUOTAS, ...given };
}
