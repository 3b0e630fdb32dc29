/** What an operation declares of itself, and what the pipeline gives it. */
import type { Caller } from '../base/caller.ts';
import type { ErrorName } from '../base/errors.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { Alias } from '../keys/alias.ts';
import type { KeyUsage } from '../keys/key-spec.ts';
import type { StateRule } from '../keys/key-state.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type { Authorized } from './authorize.ts';
import type {
  AliasRepository,
  GrantRepository,
  KeyMaterialProvider,
  KeyRepository,
  RandomSource,
  TokenSealer,
} from './ports.ts';
import type { KeyResolver } from './resolve-key.ts';
import type { StructureSchema } from './schema.ts';

/** Facts of one request that do not stand in its body. */
export interface RequestContext {
  readonly caller: Caller;
  readonly region: string;
  /** Time of the request, the same for all its steps. */
  readonly nowMs: number;
}

/** A request in execution: its context and the ports that operations work through. */
export interface OperationContext extends RequestContext {
  /** The Regions that this service serves. */
  readonly regions: ReadonlySet<string>;
  readonly keys: KeyRepository;
  readonly aliases: AliasRepository;
  readonly grants: GrantRepository;
  readonly tokens: TokenSealer;
  readonly materials: KeyMaterialProvider;
  readonly random: RandomSource;
}

/** Something that the caller must be allowed to do before the operation runs. */
export interface Target {
  readonly action: `kms:${string}`;
  readonly resourceArn: string;
  readonly resourceAccountId: string;
  /** Checked after authorization; absent for resources that are not keys. */
  readonly key?: KmsKey;
  readonly usage?: KeyUsage;
  readonly rule?: StateRule;
}

export interface KeyTarget extends Target {
  readonly key: KmsKey;
}

export interface AliasTarget extends Target {
  readonly alias: Alias;
}

export interface Operation<Name extends string, Input, Targets extends readonly Target[], Output> {
  readonly name: Name;
  readonly input: StructureSchema<Input>;
  /** The errors of its own that the service model lists for it; the common ones are not repeated. */
  readonly errors: readonly ErrorName[];
  /** True when callers of other accounts may use it, given permission on both sides. */
  readonly allowsCrossAccount: boolean;
  /** Finds what the request is about, without changing anything. */
  resolve(input: Input, resolver: KeyResolver): MaybePromise<Targets>;
  /** Only an authorized request can be executed: nothing but the authorization step makes the first argument. */
  execute(authorized: Authorized<Name, Targets>, input: Input, context: OperationContext): MaybePromise<Output>;
}

/** Fixes the types of an operation from its declaration. */
export function defineOperation<const Name extends string, Input, const Targets extends readonly Target[], Output>(
  operation: Operation<Name, Input, Targets, Output>,
): Operation<Name, Input, Targets, Output> {
  return operation;
}
