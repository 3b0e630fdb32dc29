/** What an operation declares of itself, and what the pipeline gives it. */
import type { Attestation } from '../attestation/verify-attestation.ts';
import type { KeyStoreType } from '../keys/key-store.ts';
import type { ErrorName } from '../base/errors.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { Authorized } from './authorize.ts';
import type { KeyStoreBackends, KeyStoreConnector, KeyStoreRepository } from './key-store-ports.ts';
import type {
  AccessControl,
  AliasRepository,
  EnvelopeSealer,
  GrantRepository,
  KeyMaterialProvider,
  KeyRepository,
  LastUses,
  MaterialImporter,
  PrincipalDirectory,
  RandomSource,
  TokenSealer,
} from './ports.ts';
import type { KeyDemands, KeyResolver } from './resolve-key.ts';
import type { ResourceQuotas } from './resource-quotas.ts';
import type { StructureSchema } from './schema.ts';
import type { KeyTarget, RequestContext, Target } from './target.ts';

/** A request in execution: its context and the ports that operations work through. */
export interface OperationContext extends RequestContext {
  /** Name of the operation. */
  readonly operation: string;
  /** The Regions that this service serves. */
  readonly regions: ReadonlySet<string>;
  readonly keys: KeyRepository;
  readonly resourceQuotas: ResourceQuotas;
  readonly aliases: AliasRepository;
  readonly grants: GrantRepository;
  readonly access: Pick<AccessControl, 'describe'>;
  readonly principals: PrincipalDirectory;
  readonly tokens: TokenSealer;
  readonly materials: KeyMaterialProvider;
  readonly lastUses: LastUses;
  readonly keyStores: KeyStoreRepository;
  readonly keyStoreBackends: KeyStoreBackends;
  readonly keyStoreConnector: KeyStoreConnector;
  readonly imports: MaterialImporter;
  readonly random: RandomSource;
  readonly envelopes: EnvelopeSealer;
  /** The verified recipient, when the request names one: then no secret of the answer may be in the clear. */
  readonly recipient: Attestation | undefined;
  /** Counts work of a custom key store that the targets do not tell of. @throws KmsServiceError ThrottlingException */
  readonly countStore: (storeId: string, type: KeyStoreType) => void;
}

export interface Operation<Name extends string, Input, Targets extends readonly Target[], Output> {
  readonly name: Name;
  readonly input: StructureSchema<Input>;
  /** The errors of its own that the service model lists for it; the common ones are not repeated. */
  readonly errors: readonly ErrorName[];
  /** True when callers of other accounts may use it, given permission on both sides. */
  readonly allowsCrossAccount: boolean;
  /** Finds what the request is about, without changing anything. */
  resolve(input: NoInfer<Input>, resolver: KeyResolver): MaybePromise<Targets>;
  /** Only an authorized request can be executed: nothing but the authorization step makes the first argument. */
  execute(authorized: Authorized<Name, Targets>, input: Input, context: OperationContext): MaybePromise<Output>;
}

/** Fixes the types of an operation from its declaration. */
export function defineOperation<const Name extends string, Input, const Targets extends readonly Target[], Output>(
  operation: Operation<Name, Input, Targets, Output>,
): Operation<Name, Input, Targets, Output> {
  return operation;
}

/** How an operation finds its key when it is about the one that the member KeyId names. */
export function onKey(
  demands: KeyDemands,
): (input: { readonly KeyId: string }, resolver: KeyResolver) => MaybePromise<readonly [KeyTarget]> {
  return (input, resolver) => chain(resolver.key(input.KeyId, demands), (target) => [target] as const);
}
