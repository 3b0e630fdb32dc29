import type { Certificate } from '../attestation/certificate.ts';
import { InvariantError, KmsServiceError } from '../base/errors.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import { asOf } from '../keys/imported-materials.ts';
import { stateRefusal } from '../keys/key-state.ts';
import { isTracked } from '../keys/last-use.ts';
import { reportedState } from '../keys/kms-key.ts';
import { authorize } from './authorize.ts';
import { openGrantTokens, type GrantReference } from './grants.ts';
import { invalidOrigin } from './key-origin.ts';
import type { KeyStoreBackends, KeyStoreConnector, KeyStoreRepository } from './key-store-ports.ts';
import type { Operation, OperationContext } from './operation.ts';
import type { RequestContext, Target } from './target.ts';
import {
  VersionConflictError,
  type AccessControl,
  type AliasRepository,
  type EnvelopeSealer,
  type GrantRepository,
  type KeyMaterialProvider,
  type KeyRepository,
  type LastUses,
  type MaterialImporter,
  type PrincipalDirectory,
  type RandomSource,
  type RequestQuotas,
  type TokenSealer,
} from './ports.ts';
import type { ChargedInput } from './quota-groups.ts';
import { recipientConditions, verifyRecipient, type RecipientInfo } from './recipient.ts';
import { RequestCount } from './request-count.ts';
import { KeyResolver, type KeyLookups } from './resolve-key.ts';
import type { ResourceQuotas } from './resource-quotas.ts';
import { parseRequest, type RequestForm } from './schema.ts';

/** Everything that the service is wired with. */
export interface ServicePorts {
  /** The Regions that the service serves. */
  readonly regions: ReadonlySet<string>;
  readonly keys: KeyRepository;
  readonly resourceQuotas: ResourceQuotas;
  readonly aliases: AliasRepository;
  readonly grants: GrantRepository;
  readonly tokens: TokenSealer;
  readonly materials: KeyMaterialProvider;
  readonly lastUses: LastUses;
  readonly keyStores: KeyStoreRepository;
  readonly keyStoreBackends: KeyStoreBackends;
  readonly keyStoreConnector: KeyStoreConnector;
  readonly imports: MaterialImporter;
  readonly access: AccessControl;
  readonly principals: PrincipalDirectory;
  readonly random: RandomSource;
  readonly envelopes: EnvelopeSealer;
  /** Roots of the attestation documents that are trusted. */
  readonly attestationRoots: readonly Certificate[];
  /** Where identifiers are looked up instead of in `keys` and `aliases`; only tests want to see a difference. */
  readonly lookups?: KeyLookups;
  /** Request quotas; absent where nobody is held to any. */
  readonly quotas?: RequestQuotas | undefined;
}

/** How often a request starts anew because another writer changed its key meanwhile. */
const MAX_ATTEMPTS = 5;

/** Members that mean the same in every operation that has them. */
interface SharedMembers {
  readonly GrantTokens?: readonly string[];
  readonly Recipient?: RecipientInfo;
}

/** A request on its road. */
interface Road<Name extends string, Input, Targets extends readonly Target[], Output> {
  readonly ports: ServicePorts;
  readonly operation: Operation<Name, Input, Targets, Output>;
  readonly request: RequestContext;
  readonly count: RequestCount;
}

/**
 * The one road of every request: parse → attest → resolve → quota → authorize → usage and state → execute. The caller
 * is authenticated before it enters. The order of the checks is part of the contract (docs/internals/architecture.md).
 *
 * @throws KmsServiceError what AWS would answer; at once or through the promise
 */
export function runOperation<Name extends string, Input, Targets extends readonly Target[], Output>(
  ports: ServicePorts,
  operation: Operation<Name, Input, Targets, Output>,
  body: unknown,
  form: RequestForm,
  request: RequestContext,
): MaybePromise<Output> {
  const count = new RequestCount(ports, operation.name, request);
  return count.around(() => travel({ ports, operation, request, count }, body, form));
}

function travel<Name extends string, Input, Targets extends readonly Target[], Output>(
  { ports, operation, request, count }: Road<Name, Input, Targets, Output>,
  body: unknown,
  form: RequestForm,
): MaybePromise<Output> {
  const input = parseRequest(operation.input, body, form);
  const { GrantTokens: grantTokens, Recipient: info } = input as SharedMembers;
  // Before the authorization, which depends on what the document says.
  const recipient = verifyRecipient(info, { roots: ports.attestationRoots, nowMs: request.nowMs });
  const attested = recipientConditions(recipient);
  const resolver = new KeyResolver(
    request,
    operation.errors,
    ports.lookups === undefined ? ports : { ...ports, ...ports.lookups },
  );
  const attempt = (grantReferences: readonly GrantReference[]): MaybePromise<Output> =>
    chain(operation.resolve(input, resolver), (targets) => {
      count.count(targets, input as ChargedInput);
      const asked = { context: request, input, grantReferences, attested };
      return chain(authorize(ports, asked, operation, targets), (authorized) => {
        for (const target of targets) {
          checkUsageAndState(operation.name, target, request.nowMs);
        }
        count.countStores(targets);
        const context: OperationContext = {
          operation: operation.name,
          caller: request.caller,
          region: request.region,
          requestId: request.requestId,
          origin: request.origin,
          nowMs: request.nowMs,
          regions: ports.regions,
          keys: ports.keys,
          resourceQuotas: ports.resourceQuotas,
          aliases: ports.aliases,
          grants: ports.grants,
          access: ports.access,
          principals: ports.principals,
          tokens: ports.tokens,
          materials: ports.materials,
          lastUses: ports.lastUses,
          keyStores: ports.keyStores,
          keyStoreBackends: ports.keyStoreBackends,
          keyStoreConnector: ports.keyStoreConnector,
          imports: ports.imports,
          random: ports.random,
          envelopes: ports.envelopes,
          recipient,
          countStore: (storeId, type) => {
            count.countStore(storeId, type);
          },
        };
        return chain(operation.execute(authorized, input, context), (output) => {
          concludeDryRun(input);
          noteUse(ports.lastUses, operation.name, targets, request);
          return output;
        });
      });
    });
  return chain(openGrantTokens({ region: request.region, tokens: ports.tokens }, grantTokens), (references) =>
    retryConflicts(() => attempt(references)),
  );
}

/** Usage comes before state, as AWS does it, and so does the origin. */
function checkUsageAndState(operation: string, { key, usage, origin, rule }: Target, nowMs: number): void {
  if (key === undefined) {
    return;
  }
  if (usage !== undefined && key.keyUsage !== usage) {
    throw new KmsServiceError(
      'InvalidKeyUsageException',
      `${key.arn} key usage is ${key.keyUsage} which is not valid for ${operation}.`,
    );
  }
  if (origin !== undefined && key.origin !== origin) {
    throw invalidOrigin(key);
  }
  const refusal = stateRefusal(rule ?? 'any', reportedState(asOf(key, nowMs)));
  if (refusal !== undefined) {
    throw new KmsServiceError(refusal.error, `${key.arn} ${refusal.predicate}`);
  }
}

/**
 * A dry run answers what the real call would: so the operations that know DryRun are executed, and only their output is
 * withheld. Those that would leave a trace look at DryRun themselves before they do.
 */
function concludeDryRun(input: unknown): void {
  if ((input as { readonly DryRun?: boolean }).DryRun === true) {
    throw new KmsServiceError(
      'DryRunOperationException',
      'The request would have succeeded, but the DryRun option is set.',
    );
  }
}

/** Only what succeeded, and was no dry run, is a use of the keys. */
function noteUse(
  lastUses: LastUses,
  operation: string,
  targets: readonly Target[],
  { nowMs: atMs, requestId }: RequestContext,
): void {
  if (isTracked(operation)) {
    for (const { key } of targets) {
      if (key !== undefined) {
        lastUses.note(key, { operation, atMs, requestId });
      }
    }
  }
}

function retryConflicts<T>(attempt: () => MaybePromise<T>): MaybePromise<T> {
  const first = attempt();
  if (!(first instanceof Promise)) {
    return first;
  }
  let attempts = 1;
  const again = (error: unknown): Promise<T> => {
    if (!(error instanceof VersionConflictError)) {
      throw error;
    }
    if (++attempts > MAX_ATTEMPTS) {
      throw new InvariantError(`a key changed under the request ${String(MAX_ATTEMPTS)} times`);
    }
    return Promise.resolve(attempt()).catch(again);
  };
  return first.catch(again);
}
