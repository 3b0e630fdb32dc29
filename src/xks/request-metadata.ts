/** What proxies are told of the requests that they serve. */
import type { Caller } from '../base/caller.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import { principalOf } from '../policy/principal.ts';
import type { KeyRequest } from '../service/ports.ts';
import type { RequestMetadata } from './proxy-client.ts';

/** Of GetHealthStatus. */
export function healthMetadata({ operation, requestId }: Pick<KeyRequest, 'operation' | 'requestId'>): RequestMetadata {
  return { kmsOperation: operation, kmsRequestId: requestId };
}

/** Of GetKeyMetadata. */
export function keyMetadataMetadata(request: KeyRequest): RequestMetadata {
  return { ...healthMetadata(request), awsPrincipalArn: principalArn(request.caller), ...vpcOf(request) };
}

/** Of Encrypt and Decrypt. Which VPC endpoint a request came through is no business of another account's proxy. */
export function useMetadata(request: KeyRequest, key: KmsKey): RequestMetadata {
  const { caller, origin } = request;
  return {
    ...healthMetadata(request),
    awsPrincipalArn: principalArn(caller),
    kmsKeyArn: key.arn,
    ...(caller.accountId === key.accountId ? vpcOf(request) : {}),
    ...(origin.viaService === undefined ? {} : { kmsViaService: `${origin.viaService}.${key.region}.amazonaws.com` }),
  };
}

function vpcOf({ origin: { vpcEndpoint } }: KeyRequest): RequestMetadata {
  return vpcEndpoint === undefined ? {} : { awsSourceVpc: vpcEndpoint.vpcId, awsSourceVpce: vpcEndpoint.id };
}

/** As `aws:PrincipalArn`, which is the role of a session; for a service its name. */
function principalArn(caller: Caller): string {
  const { kind, issuer, arn } = principalOf(caller);
  return kind === 'role-session' ? (caller.session?.issuerArn ?? issuer?.arn ?? arn) : arn;
}
