/**
 * The values of a request that conditions and policy variables look at. They are asked for one by one, so that nobody
 * gathers what no policy reads.
 */
export interface ConditionValues {
  /**
   * @param key in lower case as a whole: `aws:sourceip`, and `kms:encryptioncontext:appname` for the pair `AppName`
   * @returns a text for a single-valued key, a list for a multi-valued one, undefined for a key that the request lacks
   */
  get(key: string): ConditionValue | undefined;
}

export type ConditionValue = string | readonly string[];

export const NO_VALUES: ConditionValues = { get: () => undefined };
