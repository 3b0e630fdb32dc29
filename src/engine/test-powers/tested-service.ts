import type { MaybePromise } from '../../base/maybe-promise.ts';
import { runOperation, type ServicePorts } from '../../service/pipeline.ts';
import { OPERATIONS, type OperationName } from '../../service/registry.ts';
import { parseRequest, type RequestForm } from '../../service/schema.ts';
import type { RequestContext } from '../../service/target.ts';
import { LaggingPorts } from './lagging-ports.ts';
import { keysNamedBy } from './named-keys.ts';
import type { TestPowers } from './test-powers.ts';

/** The operations under test powers, in the place of the pipeline itself. */
export class TestedService {
  readonly #ports: ServicePorts;
  readonly #lagging: LaggingPorts;
  readonly #powers: TestPowers;

  constructor(ports: ServicePorts, powers: TestPowers) {
    this.#ports = ports;
    this.#lagging = new LaggingPorts(ports, powers.lag);
    this.#powers = powers;
  }

  /** @throws KmsServiceError what AWS would answer, or what a test ordered */
  run(operation: OperationName, body: unknown, form: RequestForm, request: RequestContext): MaybePromise<unknown> {
    const call = {
      operation,
      region: request.region,
      keyIds: () => {
        const { input } = OPERATIONS[operation];
        return keysNamedBy(parseRequest<object>(input, body, form), request, this.#ports);
      },
    };
    return this.#powers.faults.perform(call, () =>
      runOperation<string, never, never, unknown>(
        this.#lagging.for(operation),
        OPERATIONS[operation] as never,
        body,
        form,
        request,
      ),
    );
  }
}
