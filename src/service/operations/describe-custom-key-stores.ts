import { KmsServiceError } from '../../base/errors.ts';
import type { ConnectionErrorCode, ConnectionState, CustomKeyStore, XksConnectivity } from '../../keys/key-store.ts';
import { requireKeyStore } from '../key-stores.ts';
import { decodeMarker, pageEnd } from '../markers.ts';
import { defineOperation, type OperationContext } from '../operation.ts';
import { optional, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

const DEFAULT_LIMIT = 100;

const input = structure({
  CustomKeyStoreId: optional(shapes.customKeyStoreId),
  CustomKeyStoreName: optional(shapes.customKeyStoreName),
  Limit: optional(shapes.limit),
  Marker: optional(shapes.marker),
});
type Input = ReturnType<(typeof input)['parse']>;

/**
 * Describes the custom key stores of the account and Region, or one of them; never their secrets.
 *
 * @source KMS API Reference, DescribeCustomKeyStores
 */
export const describeCustomKeyStores = defineOperation({
  name: 'DescribeCustomKeyStores',
  input,
  errors: ['CustomKeyStoreNotFoundException', 'InvalidMarkerException', 'KMSInternalException'],
  allowsCrossAccount: false,
  resolve: (_input, resolver) => [resolver.account('kms:DescribeCustomKeyStores')] as const,
  async execute(_authorized, request, context) {
    const after = decodeMarker(request.Marker) ?? '';
    const rest = (await selectStores(request, context)).filter(({ storeId }) => storeId > after);
    const page = rest.slice(0, request.Limit ?? DEFAULT_LIMIT);
    return {
      CustomKeyStores: page.map(describeStore),
      ...pageEnd(page.length < rest.length, page.at(-1)?.storeId),
    };
  },
});

async function selectStores(request: Input, context: OperationContext): Promise<readonly CustomKeyStore[]> {
  const { CustomKeyStoreId: storeId, CustomKeyStoreName: name } = request;
  if (storeId !== undefined && name !== undefined) {
    throw new KmsServiceError(
      'ValidationException',
      'You can specify CustomKeyStoreId or CustomKeyStoreName, but not both.',
    );
  }
  if (storeId !== undefined) {
    return [await requireKeyStore(context, storeId)];
  }
  const stores = await context.keyStores.list(context.region, context.caller.accountId);
  if (name === undefined) {
    return stores;
  }
  const named = stores.filter((store) => store.name === name);
  if (named.length === 0) {
    throw new KmsServiceError('CustomKeyStoreNotFoundException', `Custom key store ${name} is not found.`);
  }
  return named;
}

/** The `CustomKeyStoresListEntry` structure of the API. */
export interface CustomKeyStoreEntry {
  readonly CustomKeyStoreId: string;
  readonly CustomKeyStoreName: string;
  readonly CustomKeyStoreType: CustomKeyStore['backing']['type'];
  readonly ConnectionState: ConnectionState;
  readonly ConnectionErrorCode?: ConnectionErrorCode;
  readonly CreationDate: Date;
  readonly CloudHsmClusterId?: string;
  readonly TrustAnchorCertificate?: string;
  readonly XksProxyConfiguration?: {
    readonly Connectivity: XksConnectivity;
    readonly AccessKeyId: string;
    readonly UriEndpoint: string;
    readonly UriPath: string;
    readonly VpcEndpointServiceName?: string;
    readonly VpcEndpointServiceOwner?: string;
  };
}

function describeStore(store: CustomKeyStore): CustomKeyStoreEntry {
  const { backing, connectionErrorCode } = store;
  return {
    CustomKeyStoreId: store.storeId,
    CustomKeyStoreName: store.name,
    CustomKeyStoreType: backing.type,
    ConnectionState: store.connectionState,
    ...(connectionErrorCode === undefined ? {} : { ConnectionErrorCode: connectionErrorCode }),
    CreationDate: new Date(store.createdMs),
    ...describeBacking(backing),
  };
}

function describeBacking(
  backing: CustomKeyStore['backing'],
): Pick<CustomKeyStoreEntry, 'CloudHsmClusterId' | 'TrustAnchorCertificate' | 'XksProxyConfiguration'> {
  if (backing.type === 'AWS_CLOUDHSM') {
    return { CloudHsmClusterId: backing.clusterId, TrustAnchorCertificate: backing.trustAnchorCertificate };
  }
  const { vpcServiceName, vpcServiceOwner } = backing;
  return {
    XksProxyConfiguration: {
      Connectivity: backing.connectivity,
      AccessKeyId: backing.accessKeyId,
      UriEndpoint: backing.uriEndpoint,
      UriPath: backing.uriPath,
      ...(vpcServiceName === undefined ? {} : { VpcEndpointServiceName: vpcServiceName }),
      ...(vpcServiceOwner === undefined ? {} : { VpcEndpointServiceOwner: vpcServiceOwner }),
    },
  };
}
