/** The authenticated identity behind a request. */
export interface Caller {
  /** 12 digits. */
  readonly accountId: string;
  readonly arn: string;
  /** Unique id of the principal, as `aws:userid` shows it. */
  readonly principalId: string;
}
