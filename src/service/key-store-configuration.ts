/**
 * How requests describe what stands behind a custom key store: which members belong to which type and go together.
 *
 * @source KMS API Reference, CreateCustomKeyStore and UpdateCustomKeyStore
 */
import { X509Certificate } from 'node:crypto';
import { KmsServiceError } from '../base/errors.ts';
import type { CloudHsmBacking, CustomKeyStore, KeyStoreType, XksBacking } from '../keys/key-store.ts';
import { optional, orEmpty, type Structure } from './schema.ts';
import * as shapes from './shapes.ts';

/** The members that describe a store of either type, when it is made and when it is changed. */
export const configurationMembers = {
  CloudHsmClusterId: optional(shapes.cloudHsmClusterId),
  KeyStorePassword: optional(shapes.keyStorePassword),
  XksProxyUriEndpoint: optional(shapes.xksProxyUriEndpoint),
  XksProxyUriPath: optional(shapes.xksProxyUriPath),
  XksProxyVpcEndpointServiceName: optional(orEmpty(shapes.xksProxyVpcEndpointServiceName)),
  XksProxyVpcEndpointServiceOwner: optional(shapes.accountId),
  XksProxyAuthenticationCredential: optional(shapes.xksProxyAuthenticationCredential),
  XksProxyConnectivity: optional(shapes.xksProxyConnectivity),
};
export type Configuration = Structure<typeof configurationMembers>;
type NewConfiguration = Configuration & { readonly TrustAnchorCertificate?: string | undefined };

/** What stands behind a store, with the secret that opens it. */
export interface PlannedBacking {
  readonly backing: CustomKeyStore['backing'];
  readonly secret: string;
}

const CLOUD_HSM_MEMBERS = ['CloudHsmClusterId', 'TrustAnchorCertificate', 'KeyStorePassword'] as const;
const XKS_MEMBERS = [
  'XksProxyUriEndpoint',
  'XksProxyUriPath',
  'XksProxyVpcEndpointServiceName',
  'XksProxyVpcEndpointServiceOwner',
  'XksProxyAuthenticationCredential',
  'XksProxyConnectivity',
] as const;

/**
 * The backing that a new store of this type is asked for.
 *
 * @throws KmsServiceError ValidationException when members are missing, or are there and do not belong to the type;
 *   IncorrectTrustAnchorException for a text that is no certificate
 */
export function planBacking(type: KeyStoreType, request: NewConfiguration): PlannedBacking {
  refuseMembersOfOtherType(type, request);
  if (type === 'AWS_CLOUDHSM') {
    const trustAnchorCertificate = requireMember(request, 'TrustAnchorCertificate');
    requireCertificate(trustAnchorCertificate);
    return {
      backing: { type, clusterId: requireMember(request, 'CloudHsmClusterId'), trustAnchorCertificate },
      secret: requireMember(request, 'KeyStorePassword'),
    };
  }
  const credential = requireMember(request, 'XksProxyAuthenticationCredential');
  const backing: XksBacking = {
    type,
    connectivity: requireMember(request, 'XksProxyConnectivity'),
    uriEndpoint: requireMember(request, 'XksProxyUriEndpoint'),
    uriPath: requireMember(request, 'XksProxyUriPath'),
    vpcServiceName: presence(request.XksProxyVpcEndpointServiceName),
    vpcServiceOwner: request.XksProxyVpcEndpointServiceOwner,
    accessKeyId: credential.AccessKeyId,
  };
  requireFittingVpcService(backing);
  return { backing, secret: credential.RawSecretAccessKey };
}

/** What a change of a store leads to; `secret` only when the request brings one. */
export interface PatchedBacking {
  readonly backing: CustomKeyStore['backing'];
  readonly secret: string | undefined;
  /** Whether the change is one that a connected store takes as well. */
  readonly fitsConnected: boolean;
}

/** @throws KmsServiceError ValidationException when the members do not fit the store, or one another */
export function patchBacking({ backing }: CustomKeyStore, request: Configuration): PatchedBacking {
  refuseMembersOfOtherType(backing.type, request);
  return backing.type === 'AWS_CLOUDHSM' ? patchCloudHsm(backing, request) : patchXks(backing, request);
}

/** Whether a request names anything of what stands behind the store. */
export function isReconfiguration(request: Configuration): boolean {
  return (Object.keys(configurationMembers) as (keyof Configuration)[]).some((name) => request[name] !== undefined);
}

function patchCloudHsm(backing: CloudHsmBacking, request: Configuration): PatchedBacking {
  const { CloudHsmClusterId: clusterId = backing.clusterId, KeyStorePassword: secret } = request;
  return {
    backing: { ...backing, clusterId },
    secret,
    fitsConnected: request.CloudHsmClusterId === undefined && secret === undefined,
  };
}

function patchXks(backing: XksBacking, request: Configuration): PatchedBacking {
  const { XksProxyAuthenticationCredential: credential, XksProxyConnectivity: connectivity = backing.connectivity } =
    request;
  const uriEndpoint = request.XksProxyUriEndpoint ?? backing.uriEndpoint;
  const isSwitched = connectivity !== backing.connectivity;
  if (isSwitched && uriEndpoint === backing.uriEndpoint) {
    throw invalid('A change of XksProxyConnectivity needs a new XksProxyUriEndpoint.');
  }
  // What was reached one way is not carried over to the other.
  const kept = isSwitched ? undefined : backing;
  const patched: XksBacking = {
    ...backing,
    connectivity,
    uriEndpoint,
    uriPath: request.XksProxyUriPath ?? backing.uriPath,
    vpcServiceName: presence(request.XksProxyVpcEndpointServiceName ?? kept?.vpcServiceName),
    vpcServiceOwner: request.XksProxyVpcEndpointServiceOwner ?? kept?.vpcServiceOwner,
    accessKeyId: credential?.AccessKeyId ?? backing.accessKeyId,
  };
  requireFittingVpcService(patched);
  return {
    backing: patched,
    secret: credential?.RawSecretAccessKey,
    fitsConnected:
      request.XksProxyUriEndpoint === undefined &&
      request.XksProxyVpcEndpointServiceName === undefined &&
      request.XksProxyVpcEndpointServiceOwner === undefined &&
      request.XksProxyConnectivity === undefined,
  };
}

function refuseMembersOfOtherType(type: KeyStoreType, request: NewConfiguration): void {
  const foreign = type === 'AWS_CLOUDHSM' ? XKS_MEMBERS : CLOUD_HSM_MEMBERS;
  const given = foreign.find((name) => request[name] !== undefined);
  if (given !== undefined) {
    throw invalid(`${given} is not valid for a custom key store of type ${type}.`);
  }
}

function requireMember<Name extends keyof NewConfiguration>(
  request: NewConfiguration,
  name: Name,
): NonNullable<NewConfiguration[Name]> {
  const value = request[name];
  if (value === undefined) {
    throw invalid(`${name} is required for this type of custom key store.`);
  }
  return value;
}

function requireFittingVpcService({ connectivity, vpcServiceName, vpcServiceOwner }: XksBacking): void {
  if (connectivity === 'VPC_ENDPOINT_SERVICE') {
    if (vpcServiceName === undefined) {
      throw invalid('XksProxyVpcEndpointServiceName is required when XksProxyConnectivity is VPC_ENDPOINT_SERVICE.');
    }
  } else if (vpcServiceName !== undefined || vpcServiceOwner !== undefined) {
    throw invalid(
      'XksProxyVpcEndpointServiceName and XksProxyVpcEndpointServiceOwner are only valid when XksProxyConnectivity ' +
        'is VPC_ENDPOINT_SERVICE.',
    );
  }
}

/** An empty text stands for none. */
function presence(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function requireCertificate(pem: string): void {
  try {
    new X509Certificate(pem);
  } catch {
    throw new KmsServiceError('IncorrectTrustAnchorException', 'The trust anchor is not a certificate in PEM form.');
  }
}

function invalid(text: string): KmsServiceError {
  return new KmsServiceError('ValidationException', text);
}
