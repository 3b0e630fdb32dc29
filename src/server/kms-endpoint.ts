import type { IncomingMessage } from 'node:http';
import { KmsServiceError } from '../base/errors.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { Engine } from '../engine/engine.ts';
import { isOperationName, type OperationName } from '../service/registry.ts';
import { splitUrl } from '../sigv4/index.ts';
import type { Authenticator } from './authenticate.ts';

const SERVICE = 'kms';
const TARGET_PREFIX = 'TrentService.';

/** Answers one request of the KMS API: which operation, who calls, what is asked. */
export class KmsEndpoint {
  readonly #engine: Engine;
  readonly #authenticator: Authenticator;

  constructor(engine: Engine, authenticator: Authenticator) {
    this.#engine = engine;
    this.#authenticator = authenticator;
  }

  /** @throws KmsServiceError at once, or through the promise */
  answer(request: IncomingMessage, body: Buffer, requestId: string): MaybePromise<unknown> {
    const operation = requireOperation(request);
    return chain(this.#authenticator.authenticate(request, body, SERVICE), (context) =>
      this.#engine.dispatch(operation, parseJson(body), 'json', { ...context, requestId }),
    );
  }
}

/** @throws KmsServiceError UnknownOperationException */
function requireOperation(request: IncomingMessage): OperationName {
  const target = request.headers['x-amz-target'];
  const name = typeof target === 'string' && target.startsWith(TARGET_PREFIX) ? target.slice(TARGET_PREFIX.length) : '';
  const isRoot = request.method === 'POST' && splitUrl(request).path === '/';
  if (!isRoot || !isOperationName(name)) {
    throw new KmsServiceError('UnknownOperationException');
  }
  return name;
}

/** @throws KmsServiceError SerializationException for anything that is not JSON; an empty body counts as `{}` */
function parseJson(body: Buffer): unknown {
  if (body.length === 0) {
    return {};
  }
  try {
    return JSON.parse(decoder.decode(body)) as unknown;
  } catch {
    throw new KmsServiceError('SerializationException');
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true });
