/** What one request is about: who asks, and what must be allowed for it. */
import type { Caller } from '../base/caller.ts';
import type { Alias } from '../keys/alias.ts';
import type { KeyUsage } from '../keys/key-spec.ts';
import type { StateRule } from '../keys/key-state.ts';
import type { KmsKey } from '../keys/kms-key.ts';

/** Facts of one request that do not stand in its body. */
export interface RequestContext {
  readonly caller: Caller;
  readonly region: string;
  /** What the caller can name the request by: `x-amzn-RequestId` over HTTP. */
  readonly requestId: string;
  /** Time of the request, the same for all its steps. */
  readonly nowMs: number;
}

/** Something that the caller must be allowed to do before the operation runs. */
export interface Target {
  readonly action: `kms:${string}`;
  readonly resourceArn: string;
  readonly resourceAccountId: string;
  /** What a refusal says, where the usual sentence would tell too much. */
  readonly denial?: string;
  /** Checked after authorization; absent for resources that are not keys. */
  readonly key?: KmsKey;
  readonly usage?: KeyUsage;
  readonly rule?: StateRule;
}

export interface KeyTarget extends Target {
  readonly key: KmsKey;
  /** The predefined alias of AWS that the key will have; present while the key is planned and not stored. */
  readonly plannedAlias?: string;
}

export interface AliasTarget extends Target {
  readonly alias: Alias;
}
