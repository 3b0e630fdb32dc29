/**
 * An AWS SDK for JavaScript that calls the engine in its own process: same client, same commands, no network.
 *
 * @example
 * const kms = new KMSClient({ region, credentials, requestHandler: createRequestHandler(engine, { caller, region }) });
 */
import { randomUUID } from 'node:crypto';
import { KmsServiceError } from '../base/errors.ts';
import type { CallContext, Engine } from '../engine/engine.ts';
import { encodeError, encodeOutput, JSON_CONTENT_TYPE } from '../base/json-protocol.ts';
import { isOperationName } from '../service/registry.ts';

const TARGET_PREFIX = 'TrentService.';

/** The part of an SDK's HTTP request that the engine reads. */
export interface SdkRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface SdkResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

export interface SdkRequestHandler {
  handle(request: SdkRequest): Promise<{ readonly response: SdkResponse }>;
  destroy(): void;
}

/**
 * Makes a `requestHandler` for `KMSClient`. Requests are answered as `context` says, whatever credentials the client
 * was given: who holds the engine is trusted.
 */
export function createRequestHandler(engine: Engine, context: CallContext): SdkRequestHandler {
  const answer = async (request: SdkRequest, requestId: string): Promise<unknown> => {
    const name = (request.headers['x-amz-target'] ?? '').slice(TARGET_PREFIX.length);
    if (!isOperationName(name)) {
      throw new KmsServiceError('UnknownOperationException');
    }
    return engine.dispatch(name, JSON.parse(bodyText(request.body)), 'json', { ...context, requestId });
  };
  return {
    async handle(request) {
      const requestId = randomUUID();
      try {
        return respond(200, requestId, encodeOutput(await answer(request, requestId)));
      } catch (error) {
        if (error instanceof KmsServiceError) {
          return respond(error.httpStatus, requestId, encodeError(error));
        }
        throw error;
      }
    },
    destroy: () => undefined,
  };
}

function bodyText(body: unknown): string {
  if (body instanceof Uint8Array) {
    return Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8');
  }
  return typeof body === 'string' && body !== '' ? body : '{}';
}

function respond(statusCode: number, requestId: string, body: string): { readonly response: SdkResponse } {
  const headers = { 'content-type': JSON_CONTENT_TYPE, 'x-amzn-requestid': requestId };
  return { response: { statusCode, headers, body: Buffer.from(body, 'utf8') } };
}
