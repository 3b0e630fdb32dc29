import { randomUUID } from 'node:crypto';
import { KmsServiceError } from '../base/errors.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { type Engine } from '../engine/engine.ts';
import { arnOf, rootOf, type PrincipalName } from '../iam/identities.ts';
import { IdentityError } from '../iam/identity-error.ts';
import { parsePrincipal } from '../iam/principal-names.ts';
import type { OperationContext } from '../service/operation.ts';
import type { ServicePorts } from '../service/pipeline.ts';
import type { PrincipalDirectory } from '../service/ports.ts';
import type { NewAccessKey } from '../iam/access-keys.ts';
import { SeedError, type Place } from './seed-error.ts';

/** An access key that a seed file asked to have made; the only time that its secret is seen. */
export interface GeneratedAccessKey extends NewAccessKey {
  readonly accountId: string;
  /** Of the user or service that it is for. */
  readonly ownerName: string;
}

type Step = () => Promise<unknown>;

/** Makes something, changes something that is there, or completes what another one began. */
type PlannedStep =
  | { readonly kind: 'create' | 'rest'; readonly run: Step }
  | { readonly kind: 'change'; readonly run: Step; readonly what: string };

/**
 * One pass over a seed file: what it finds there already, and the steps that are still to be done, in their order.
 * Nothing changes before {@link apply}.
 */
export class SeedSession {
  readonly engine: Engine;
  readonly ports: ServicePorts;
  readonly nowMs: number;
  readonly generatedAccessKeys: GeneratedAccessKey[] = [];
  readonly #file: string;
  readonly #steps: PlannedStep[] = [];
  /** ARNs of users and roles that are to be made, and their accounts. */
  readonly #expected = new Set<string>();
  readonly #newAccounts = new Set<string>();
  readonly #claims = new Map<string, Place>();
  #existing = 0;

  constructor(engine: Engine, file: string) {
    this.engine = engine;
    this.ports = engine.ports;
    this.nowMs = engine.nowMs();
    this.#file = file;
  }

  /** How many things of the file are there already. */
  get existing(): number {
    return this.#existing;
  }

  /** How many things of the file are missing. */
  get missing(): number {
    return this.#steps.filter(({ kind }) => kind === 'create').length;
  }

  /** What of the things that are there is different in the file. */
  get changes(): readonly string[] {
    return this.#steps.flatMap((step) => (step.kind === 'change' ? [step.what] : []));
  }

  /** The context of an operation that the administrator of an account would call. */
  context(accountId: string, region: string): OperationContext {
    return {
      ...this.ports,
      operation: 'CreateKey',
      caller: rootOf(accountId),
      region,
      requestId: randomUUID(),
      nowMs: this.nowMs,
      origin: {},
      recipient: undefined,
      countStore: () => undefined,
    };
  }

  /** The same for what is only planned: users and roles that the file makes count as if they were there already. */
  planningContext(accountId: string, region: string): OperationContext {
    return { ...this.context(accountId, region), principals: this.principals };
  }

  /** Users and roles of the store, and those that the file makes. */
  get principals(): PrincipalDirectory {
    const { principals } = this.ports;
    return {
      identify: async (name) => {
        const id = await principals.identify(name);
        const named = parsePrincipal(name);
        if (named === undefined || (id !== undefined && id !== name)) {
          return id;
        }
        // Once the file has made anybody in an account, nobody else is there.
        const isKept = id === name && !this.#newAccounts.has(named.accountId);
        return isKept || this.isExpected(name) ? name : undefined;
      },
      show: (id) => principals.show(id),
    };
  }

  /** Notes a user or role that is to be made. */
  expect(principal: PrincipalName): void {
    this.#expected.add(arnOf(principal));
    this.#newAccounts.add(principal.accountId);
  }

  /** Whether this is the ARN of a user or role that is to be made, or of a session of one. */
  isExpected(arn: string): boolean {
    const named = parsePrincipal(arn);
    return named !== undefined && this.#expected.has(arnOf(named));
  }

  error(at: Place, problem: string): SeedError {
    return new SeedError(this.#file, at, problem);
  }

  /** @throws SeedError when the file says one thing and the store has another */
  requireSame(at: Place, what: string, inFile: string, inStore: string): void {
    if (inFile !== inStore) {
      throw this.error(at, `${what}: the file says ${inFile}, the store has ${inStore}`);
    }
  }

  /** @throws SeedError when the file has the thing twice */
  claim(at: Place, what: string): void {
    const earlier = this.#claims.get(what);
    if (earlier !== undefined) {
      throw this.error(at, `${what} is there twice, first in line ${String(earlier.line)}`);
    }
    this.#claims.set(what, at);
  }

  /**
   * The text of a policy, which stands in the file as a mapping or as a text of JSON.
   *
   * @throws SeedError when it is neither
   */
  policyText(at: Place, policy: unknown): string {
    if (typeof policy === 'string') {
      return policy;
    }
    if (typeof policy !== 'object' || Array.isArray(policy)) {
      throw this.error(at, 'policy must be a mapping, or a text of JSON');
    }
    return JSON.stringify(policy);
  }

  /** Runs a check of the service; what it refuses becomes an error of the file. @throws SeedError */
  async check<T>(at: Place, perform: () => MaybePromise<T>): Promise<T> {
    try {
      return await perform();
    } catch (error) {
      if (error instanceof KmsServiceError || error instanceof IdentityError) {
        throw this.error(at, `${error instanceof IdentityError ? error.code : error.name}: ${error.message}`);
      }
      throw error;
    }
  }

  noteExisting(): void {
    this.#existing++;
  }

  /** Plans to make something. */
  add(step: Step): void {
    this.#steps.push({ kind: 'create', run: step });
  }

  /** Plans to change something that is there. @param what tells the operator */
  change(what: string, step: Step): void {
    this.#steps.push({ kind: 'change', run: step, what });
  }

  /** Plans to complete what an earlier step makes. */
  complete(step: Step): void {
    this.#steps.push({ kind: 'rest', run: step });
  }

  /** Does the steps; tells of each thing that was made or changed. */
  async apply(onCreated: () => void, onChanged: (what: string) => void): Promise<void> {
    for (const step of this.#steps) {
      await step.run();
      if (step.kind === 'create') {
        onCreated();
      } else if (step.kind === 'change') {
        onChanged(step.what);
      }
    }
  }
}
