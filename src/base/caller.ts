/** The authenticated identity behind a request. */
export interface Caller {
  /** 12 digits: the account that is charged for the request. */
  readonly accountId: string;
  /** ARN of the user, root user or session; for a service its DNS name, for example `s3.amazonaws.com`. */
  readonly arn: string;
  /** Unique id of the principal, as `aws:userid` shows it; that of a role session ends in `:` and the name of it. */
  readonly principalId: string;
  /** Present for temporary credentials. */
  readonly session?: CallerSession | undefined;
}

/** What temporary credentials carry with them. */
export interface CallerSession {
  /** ARN of the role that was assumed, or of the user who asked for a session token. */
  readonly issuerArn: string;
  /** JSON text of the session policy: it limits the session, and grants nothing. */
  readonly policy: string | undefined;
  /** Session tags; they go before the tags of the principal. */
  readonly tags: ReadonlyMap<string, string>;
  readonly transitiveTagKeys: readonly string[];
  readonly sourceIdentity: string | undefined;
  /** When the session began, in milliseconds since 1970. */
  readonly issuedMs: number;
}

/** The unique id under which the principal itself is kept: that of the role for one of its sessions. */
export function principalUniqueId({ principalId }: Caller): string {
  const colon = principalId.indexOf(':');
  return colon < 0 ? principalId : principalId.slice(0, colon);
}
