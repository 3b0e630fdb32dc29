import { KmsServiceError } from '../base/errors.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { RequestQuotas } from './ports.ts';
import { chargesOf, type ChargedInput } from './quota-groups.ts';
import type { RequestContext, Target } from './target.ts';

/** What counts: the quotas, and the Regions that there are. */
interface CountPorts {
  readonly quotas?: RequestQuotas | undefined;
  readonly regions: ReadonlySet<string>;
}

/**
 * Counts one request against the quotas of its caller's account: once, however often it starts anew, and also when it
 * fails before it is known which key it is about.
 */
export class RequestCount {
  readonly #ports: CountPorts;
  readonly #operation: string;
  readonly #request: RequestContext;
  #isCounted = false;

  constructor(ports: CountPorts, operation: string, request: RequestContext) {
    this.#ports = ports;
    this.#operation = operation;
    this.#request = request;
  }

  /** @throws KmsServiceError ThrottlingException */
  count(targets: readonly Target[], input: ChargedInput): void {
    const { quotas, regions } = this.#ports;
    if (quotas === undefined || this.#isCounted) {
      return;
    }
    this.#isCounted = true;
    const { caller, region } = this.#request;
    const keySpec = targets.find((target) => target.key !== undefined)?.key?.keySpec;
    for (const charge of chargesOf(this.#operation, region, keySpec, input)) {
      if (regions.has(charge.region) && !quotas.take(caller.accountId, charge.region, charge.quota)) {
        throw new KmsServiceError(
          'ThrottlingException',
          'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
        );
      }
    }
  }

  /** Runs the request. @throws KmsServiceError ThrottlingException instead of an error that nobody counted */
  around<T>(run: () => MaybePromise<T>): MaybePromise<T> {
    const refuse = (error: unknown): never => {
      this.count([], {});
      throw error;
    };
    try {
      const output = run();
      return output instanceof Promise ? output.catch(refuse) : output;
    } catch (error) {
      return refuse(error);
    }
  }
}
