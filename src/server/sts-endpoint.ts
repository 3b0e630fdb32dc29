import type { IncomingMessage } from 'node:http';
import { KmsServiceError, type ErrorName } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { isStsAction } from '../iam/sts.ts';
import type { Authenticator } from './authenticate.ts';
import { encodeQueryAnswer, encodeQueryError, parseQuery } from './query-protocol.ts';

const SERVICE = 'sts';
const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** Most characters of the name of an unknown action that an error repeats. */
const MAX_ECHO_LENGTH = 64;

export const XML_CONTENT_TYPE = 'text/xml';

/** An answer as it goes over the wire. */
export interface QueryAnswer {
  readonly status: number;
  readonly body: string;
}

/** What STS calls the errors that KMS has other names for, and their HTTP status where it is not 400. */
const STS_ERRORS: Partial<Record<ErrorName, readonly [code: string, status: number]>> = {
  AccessDeniedException: ['AccessDenied', 403],
  ExpiredTokenException: ['ExpiredToken', 403],
  IncompleteSignatureException: ['IncompleteSignature', 403],
  InvalidSignatureException: ['SignatureDoesNotMatch', 403],
  KMSInternalException: ['InternalFailure', 500],
  MalformedPolicyDocumentException: ['MalformedPolicyDocument', 400],
  MissingAuthenticationTokenException: ['MissingAuthenticationToken', 403],
  RequestEntityTooLargeException: ['RequestEntityTooLarge', 413],
  ThrottlingException: ['Throttling', 400],
  SerializationException: ['MalformedInput', 400],
  UnknownOperationException: ['InvalidAction', 400],
  UnrecognizedClientException: ['InvalidClientTokenId', 403],
  ValidationException: ['ValidationError', 400],
};

/** Answers the actions of STS that AWS clients need to get at credentials. */
export class StsEndpoint {
  readonly #engine: Engine;
  readonly #authenticator: Authenticator;

  constructor(engine: Engine, authenticator: Authenticator) {
    this.#engine = engine;
    this.#authenticator = authenticator;
  }

  async answer(request: IncomingMessage, body: Buffer, requestId: string): Promise<QueryAnswer> {
    const query = parseQuery(body.toString('utf8'));
    if (query === undefined || !isStsAction(query.action)) {
      const action = query?.action.slice(0, MAX_ECHO_LENGTH) ?? '';
      throw new KmsServiceError(
        'UnknownOperationException',
        `Could not find operation ${action} for version 2011-06-15`,
      );
    }
    const context = await this.#authenticator.authenticate(request, body, SERVICE);
    const result = await this.#engine.sts.call(query.action, query.parameters, context);
    return { status: 200, body: encodeQueryAnswer(NAMESPACE, query.action, result, requestId) };
  }

  encodeError(error: KmsServiceError, requestId: string): QueryAnswer {
    const [code, status] = STS_ERRORS[error.name] ?? [error.name, error.httpStatus];
    const fault = error.fault === 'client' ? 'Sender' : 'Receiver';
    const text = error.text ?? error.name;
    return { status, body: encodeQueryError(NAMESPACE, { code, text, fault }, requestId) };
  }
}

/** Whether a request speaks the Query protocol, and so is not one of KMS. */
export function isQueryRequest(request: IncomingMessage): boolean {
  const type = request.headers['content-type'] ?? '';
  return request.method === 'POST' && /^application\/x-www-form-urlencoded(?:;|$)/i.test(type);
}
