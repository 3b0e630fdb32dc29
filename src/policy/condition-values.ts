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

/** The text of a single-valued key, or the texts of a multi-valued one, also when there is but one. */
export type ConditionValue = string | readonly string[];
