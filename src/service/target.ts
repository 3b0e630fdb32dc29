/** What one request is about: who asks, and what must be allowed for it. */
import type { Caller } from '../base/caller.ts';
import type { KmsServiceError } from '../base/errors.ts';
import type { Alias } from '../keys/alias.ts';
import type { KeyOrigin, KeyUsage } from '../keys/key-spec.ts';
import type { StateRule } from '../keys/key-state.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type { Grant } from '../policy/grant.ts';
import type { Policy } from '../policy/policy.ts';

/** A VPC endpoint that a request came through. */
export interface VpcEndpoint {
  /** `vpce-` and hexadecimal digits. */
  readonly id: string;
  /** `vpc-` and hexadecimal digits. */
  readonly vpcId: string;
  /** It limits what goes through, and grants nothing. */
  readonly policy: Policy;
}

/** How a request came, for conditions of policies; a fact that nobody knows is absent. */
export interface RequestOrigin {
  readonly sourceIp?: string | undefined;
  readonly isSecureTransport?: boolean | undefined;
  readonly userAgent?: string | undefined;
  readonly referer?: string | undefined;
  readonly vpcEndpoint?: VpcEndpoint | undefined;
  /** What a service says that it works for: the resource and the account, in requests that it signed itself. */
  readonly sourceArn?: string | undefined;
  readonly sourceAccount?: string | undefined;
  /** The service that hands on the request of a user, for example `s3`. */
  readonly viaService?: string | undefined;
}

/** Facts of one request that do not stand in its body. */
export interface RequestContext {
  readonly caller: Caller;
  readonly region: string;
  /** What the caller can name the request by: `x-amzn-RequestId` over HTTP. */
  readonly requestId: string;
  readonly origin: RequestOrigin;
  /** Time of the request, the same for all its steps. */
  readonly nowMs: number;
}

/** Something that the caller must be allowed to do before the operation runs. */
export interface Target {
  readonly action: `kms:${string}`;
  readonly resourceArn: string;
  readonly resourceAccountId: string;
  /** Where it is done, when that may be another Region than that of the request. */
  readonly region?: string;
  /** What a refusal says, where the usual sentence would tell too much. */
  readonly denial?: string;
  /** Thrown in the place of a decision: by whom this is, the request must not learn that it is not there. */
  readonly refusal?: KmsServiceError;
  /** The name that the request called the key by, when it was an alias. */
  readonly requestAlias?: string;
  /** The grant that is to be retired: it says itself who may do that. */
  readonly retires?: Grant;
  /** Checked after authorization; absent for resources that are not keys. */
  readonly key?: KmsKey;
  readonly usage?: KeyUsage | undefined;
  readonly origin?: KeyOrigin | undefined;
  readonly rule?: StateRule | undefined;
}

export interface KeyTarget extends Target {
  readonly key: KmsKey;
  /** The predefined alias of AWS that the key will have; present while the key is planned and not stored. */
  readonly plannedAlias?: string;
}

export interface AliasTarget extends Target {
  readonly alias: Alias;
}
