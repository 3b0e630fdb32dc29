import { KmsServiceError } from '../base/errors.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { KeyStoreType } from '../keys/key-store.ts';
import type { RequestQuotas } from './ports.ts';
import { chargesOf, isCryptographic, type ChargedInput } from './quota-groups.ts';
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
        throw throttled();
      }
    }
  }

  /**
   * Counts what is to be done by custom key stores, each with a quota of its own besides that of the account. All
   * accounts share it: so it is for requests that may be done, or a stranger could use it up.
   *
   * @throws KmsServiceError ThrottlingException
   */
  countStores(targets: readonly Target[]): void {
    if (!isCryptographic(this.#operation)) {
      return;
    }
    for (const { key } of targets) {
      if (key?.keyStore !== undefined) {
        this.countStore(key.keyStore.storeId, key.origin === 'AWS_CLOUDHSM' ? 'AWS_CLOUDHSM' : 'EXTERNAL_KEY_STORE');
      }
    }
  }

  /** @throws KmsServiceError ThrottlingException */
  countStore(storeId: string, type: KeyStoreType): void {
    if (this.#ports.quotas?.take(storeId, this.#request.region, `CustomKeyStore.${type}`) === false) {
      throw throttled();
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

function throttled(): KmsServiceError {
  return new KmsServiceError(
    'ThrottlingException',
    'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
  );
}
