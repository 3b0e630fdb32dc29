import { randomUUID } from 'node:crypto';
import { KmsServiceError } from '../base/errors.ts';
import { type Engine } from '../engine/engine.ts';
import { IdentityError, rootOf } from '../iam/identities.ts';
import type { OperationContext } from '../service/operation.ts';
import type { ServicePorts } from '../service/pipeline.ts';
import type { NewAccessKey } from '../iam/access-keys.ts';
import { SeedError, type Place } from './seed-error.ts';

/** An access key that a seed file asked to have made; the only time that its secret is seen. */
export interface GeneratedAccessKey extends NewAccessKey {
  readonly accountId: string;
  /** Of the user or service that it is for. */
  readonly ownerName: string;
}

type Step = () => Promise<unknown>;

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
  readonly #steps: Step[] = [];
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
    return this.#steps.length;
  }

  /** The context of an operation that the administrator of an account would call. */
  context(accountId: string, region: string): OperationContext {
    return {
      ...this.ports,
      caller: rootOf(accountId),
      region,
      requestId: randomUUID(),
      nowMs: this.nowMs,
      origin: {},
      recipient: undefined,
    };
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
  check<T>(at: Place, perform: () => T): T {
    try {
      return perform();
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

  add(step: Step): void {
    this.#steps.push(step);
  }

  /** Does the steps; tells of each one that is done. */
  async apply(onDone: () => void): Promise<void> {
    for (const step of this.#steps) {
      await step();
      onDone();
    }
  }
}
