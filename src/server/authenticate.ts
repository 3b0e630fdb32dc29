import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Caller } from '../base/caller.ts';
import { KmsServiceError } from '../base/errors.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { CallContext, Engine } from '../engine/engine.ts';
import type { RequestOrigin, VpcEndpoint } from '../service/target.ts';
import { SigningKeys, toSignedRequest, verifyRequest, type VerifiedRequest } from '../sigv4/index.ts';

/** Who sent a request, for which Region, and how it came. */
export type Authenticated = CallContext & { readonly origin: RequestOrigin };

/**
 * What a service may say in the headers of a request that it signed itself: for which resource and account it works,
 * and for which principal of its own account it hands on a request.
 */
const SOURCE_ARN = 'x-amz-source-arn';
const SOURCE_ACCOUNT = 'x-amz-source-account';
const ON_BEHALF_OF = 'x-keywright-on-behalf-of';

/** Finds out who sent a request: the one road of all services of the endpoint. */
export class Authenticator {
  readonly #engine: Engine;
  readonly #vpcEndpoint: VpcEndpoint | undefined;
  readonly #signingKeys: SigningKeys;

  constructor(engine: Engine, vpcEndpoint: VpcEndpoint | undefined) {
    this.#engine = engine;
    this.#vpcEndpoint = vpcEndpoint;
    this.#signingKeys = new SigningKeys(engine.core);
  }

  /**
   * @param service the service in the credential scope, for example `kms`
   * @throws KmsServiceError the refusal of the signature check, at once or through the promise
   */
  authenticate(request: IncomingMessage, body: Buffer, service: string): MaybePromise<Authenticated> {
    const verdict = verifyRequest<Caller>(toSignedRequest(request, body), {
      nowMs: this.#engine.clock.nowMs(),
      service,
      regions: this.#engine.regions,
      core: this.#engine.core,
      credentials: (accessKeyId) => this.#engine.accessKeys.find(accessKeyId),
      signingKeys: this.#signingKeys,
    });
    return chain(verdict, (result) => {
      if (!result.ok) {
        throw new KmsServiceError(result.error.name, result.error.message);
      }
      return this.#identify(result, request);
    });
  }

  #identify(
    { credential, region, signedHeaders }: VerifiedRequest<Caller>,
    request: IncomingMessage,
  ): MaybePromise<Authenticated> {
    const { identity } = credential;
    const origin: RequestOrigin = {
      sourceIp: request.socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, ''),
      isSecureTransport: (request.socket as Partial<TLSSocket>).encrypted === true,
      userAgent: request.headers['user-agent'],
      referer: request.headers.referer,
      vpcEndpoint: this.#vpcEndpoint,
    };
    if (identity.arn.startsWith('arn:')) {
      return { caller: identity, region, origin };
    }
    // What is not signed is anybody's word.
    const say = (name: string): string | undefined =>
      signedHeaders.includes(name) ? request.headers[name]?.toString() : undefined;
    const beneficiary = say(ON_BEHALF_OF);
    if (beneficiary !== undefined) {
      const viaService = serviceLabel(identity.arn);
      return this.#engine.findPrincipal(identity.accountId, beneficiary, viaService).then((caller) => {
        if (caller === undefined) {
          throw new KmsServiceError(
            'UnrecognizedClientException',
            'The security token included in the request is invalid.',
          );
        }
        return { caller, region, origin: { ...origin, viaService } };
      });
    }
    const sourceArn = say(SOURCE_ARN);
    const sourceAccount = say(SOURCE_ACCOUNT);
    return { caller: identity, region, origin: { ...origin, sourceArn, sourceAccount } };
  }
}

const AWS_SERVICE = /^([a-z0-9-]+)(?:\.[a-z]+(?:-[a-z]+)+-\d+)?\.amazonaws\.com$/;

/** `s3` for `s3.amazonaws.com`; one of another domain keeps its whole name, and so passes for none of AWS. */
function serviceLabel(name: string): string {
  return AWS_SERVICE.exec(name)?.[1] ?? name;
}
