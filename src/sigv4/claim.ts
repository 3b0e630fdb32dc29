import type { CryptoCore } from '../core/crypto-core.ts';
import {
  ALGORITHM,
  type CredentialScope,
  parseAuthorization,
  parseCredential,
  parseSignedHeaders,
} from './authorization-header.ts';
import { clockFault, parseAmzDate, parseHttpDate, type SigningTime } from './clock-window.ts';
import {
  echo,
  failure,
  malformedMessage,
  MESSAGES,
  missingMessage,
  type SigV4Failure,
  unscopedMessage,
} from './errors.ts';
import { type HeaderIndex, singleHeader } from './request-headers.ts';

/** What a claim must agree with. */
export interface ClaimDemands {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly service: string;
  readonly regions: ReadonlySet<string>;
  /** Hashes what messages must not show. */
  readonly core: CryptoCore;
}

/** An `Authorization` header that was judged on its own, against the other headers and against the clock. */
export interface Claim {
  readonly ok: true;
  readonly scope: CredentialScope;
  readonly signedAt: SigningTime;
  readonly signedHeaders: readonly string[];
  readonly signedHeadersText: string;
  readonly signature: string;
}

/**
 * Reads who claims to have signed what, when and for where. Nothing here is proven yet. The order of the checks is the
 * one AWS services were seen to keep: parameters, date, clock, signed headers, algorithm, credential, scope.
 */
export function readClaim(header: string, index: HeaderIndex, demands: ClaimDemands): Claim | SigV4Failure {
  const { core } = demands;
  const parsed = parseAuthorization(header);
  if (!parsed.ok) {
    return failure('IncompleteSignatureException', malformedMessage(parsed.fault, header, core));
  }
  const { algorithm, credential, signature, signedHeaders } = parsed.authorization;
  const amzDate = singleHeader(index, 'x-amz-date') || undefined;
  const date = amzDate ?? (singleHeader(index, 'date') || undefined);
  if (credential === undefined || signature === undefined || signedHeaders === undefined || date === undefined) {
    return failure('IncompleteSignatureException', missingMessage(parsed.authorization, date, header, core));
  }

  const signedAt = amzDate === undefined ? parseHttpDate(date) : parseAmzDate(date);
  if (signedAt === undefined) {
    const got = `Date must be in ISO-8601 'basic format'. Got '${echo(date)}'.`;
    return failure('IncompleteSignatureException', `${got} See http://en.wikipedia.org/wiki/ISO_8601`);
  }
  const outOfWindow = clockFault(signedAt, demands.nowMs);
  if (outOfWindow !== undefined) {
    return failure('InvalidSignatureException', outOfWindow);
  }

  const names = parseSignedHeaders(signedHeaders);
  const headerFault = names === undefined ? MESSAGES.signedHeaders : signedHeadersFault(names, index);
  if (names === undefined || headerFault !== undefined) {
    return failure('InvalidSignatureException', headerFault ?? MESSAGES.signedHeaders);
  }
  if (algorithm !== ALGORITHM) {
    return failure('IncompleteSignatureException', `Unsupported AWS 'algorithm': '${echo(algorithm)}'.`);
  }
  const scope = parseCredential(credential);
  if (scope === undefined) {
    return failure('IncompleteSignatureException', unscopedMessage(credential, core));
  }
  const misscoped = scopeFault(scope, signedAt, demands);
  if (misscoped !== '') {
    return failure('InvalidSignatureException', misscoped);
  }
  return { ok: true, scope, signedAt, signedHeaders: names, signedHeadersText: signedHeaders, signature };
}

/** What is wrong with the choice of signed headers; undefined when nothing is. `names` are sorted and unique. */
function signedHeadersFault(names: readonly string[], index: HeaderIndex): string | undefined {
  const { values } = index;
  const authority = values.get(':authority');
  const host = values.get('host');
  if (!names.includes('host') && !names.includes(':authority')) {
    return MESSAGES.hostNotSigned;
  }
  if (host !== undefined && authority !== undefined && host !== authority) {
    return MESSAGES.hostAndAuthorityDiffer;
  }
  let amzNameCount = 0;
  for (const name of names) {
    const isPresent = values.has(name) || (name === 'host' && authority !== undefined);
    if (!isPresent) {
      return MESSAGES.signedHeaders;
    }
    if (name.startsWith('x-amz-')) {
      amzNameCount += 1;
    }
  }
  if (amzNameCount === index.amzNameCount) {
    return undefined;
  }
  const unsigned = [...values.keys()].find((name) => name.startsWith('x-amz-') && !names.includes(name)) ?? '';
  return `'${echo(unsigned)}' must be a 'SignedHeader' in the AWS Authorization.`;
}

/** Everything that is wrong with the scope, in one text as AWS writes it; empty when nothing is. */
function scopeFault(scope: CredentialScope, signedAt: SigningTime, demands: ClaimDemands): string {
  const signedOn = signedAt.timestamp.slice(0, 8);
  let fault = '';
  if (!demands.regions.has(scope.region)) {
    fault += 'Credential should be scoped to a valid region. ';
  }
  if (scope.service !== demands.service) {
    fault += `Credential should be scoped to correct service: '${demands.service}'. `;
  }
  if (scope.terminator !== 'aws4_request') {
    fault += "Credential should be scoped with a valid terminator: 'aws4_request'. ";
  }
  if (scope.date !== signedOn) {
    fault +=
      'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ' +
      `'${echo(scope.date)}' != '${signedOn}', from '${signedAt.timestamp}'.`;
  }
  return fault;
}
