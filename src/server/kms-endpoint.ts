import type { IncomingMessage } from 'node:http';
import { KmsServiceError } from '../base/errors.ts';
import type { Caller } from '../base/caller.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { Engine } from '../engine/engine.ts';
import { isOperationName, type OperationName } from '../service/registry.ts';
import { SigningKeys, verifyRequest, type VerifyOptions, type VerifyResult } from './sigv4/index.ts';

const SERVICE = 'kms';
const TARGET_PREFIX = 'TrentService.';

/** Answers one request of the KMS API: which operation, who calls, what is asked. */
export class KmsEndpoint {
  readonly #engine: Engine;
  readonly #signingKeys: SigningKeys;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#signingKeys = new SigningKeys(engine.core);
  }

  /** @throws KmsServiceError at once, or through the promise */
  answer(request: IncomingMessage, body: Buffer, requestId: string): MaybePromise<unknown> {
    const operation = requireOperation(request);
    return chain(this.#verify(request, body), (result) => {
      if (!result.ok) {
        throw new KmsServiceError(result.error.name, result.error.message);
      }
      const context = { caller: result.credential.identity, region: result.region, requestId };
      return this.#engine.dispatch(operation, parseJson(body), 'json', context);
    });
  }

  #verify(request: IncomingMessage, body: Buffer): MaybePromise<VerifyResult<Caller>> {
    const [path, query = ''] = splitOnce(request.url ?? '/', '?');
    const options: VerifyOptions<Caller> = {
      nowMs: this.#engine.clock.nowMs(),
      service: SERVICE,
      regions: this.#engine.regions,
      core: this.#engine.core,
      credentials: (accessKeyId) => this.#engine.accessKeys.find(accessKeyId),
      signingKeys: this.#signingKeys,
    };
    const headers = pairs(request.rawHeaders);
    return verifyRequest({ method: request.method ?? '', path, query, headers, body }, options);
  }
}

/** @throws KmsServiceError UnknownOperationException */
function requireOperation(request: IncomingMessage): OperationName {
  const target = request.headers['x-amz-target'];
  const name = typeof target === 'string' && target.startsWith(TARGET_PREFIX) ? target.slice(TARGET_PREFIX.length) : '';
  const isRoot = request.method === 'POST' && splitOnce(request.url ?? '', '?')[0] === '/';
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

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function pairs(rawHeaders: readonly string[]): (readonly [string, string])[] {
  const result: (readonly [string, string])[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    result.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '']);
  }
  return result;
}
