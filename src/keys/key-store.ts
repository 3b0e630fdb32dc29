/**
 * Custom key stores: what one is, and what it allows in which state of its connection.
 *
 * @source KMS Developer Guide, "Key stores"; KMS API Reference, CustomKeyStoresListEntry
 */

export const KEY_STORE_TYPES = ['AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'] as const;
export type KeyStoreType = (typeof KEY_STORE_TYPES)[number];

export const XKS_CONNECTIVITIES = ['PUBLIC_ENDPOINT', 'VPC_ENDPOINT_SERVICE'] as const;
export type XksConnectivity = (typeof XKS_CONNECTIVITIES)[number];

export const CONNECTION_STATES = ['CONNECTED', 'CONNECTING', 'FAILED', 'DISCONNECTED', 'DISCONNECTING'] as const;
export type ConnectionState = (typeof CONNECTION_STATES)[number];

/** Why a store could not be connected. */
export const CONNECTION_ERROR_CODES = [
  'INVALID_CREDENTIALS',
  'CLUSTER_NOT_FOUND',
  'NETWORK_ERRORS',
  'INTERNAL_ERROR',
  'INSUFFICIENT_CLOUDHSM_HSMS',
  'USER_LOCKED_OUT',
  'USER_NOT_FOUND',
  'USER_LOGGED_IN',
  'SUBNET_NOT_FOUND',
  'INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET',
  'XKS_PROXY_ACCESS_DENIED',
  'XKS_PROXY_NOT_REACHABLE',
  'XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND',
  'XKS_PROXY_INVALID_RESPONSE',
  'XKS_PROXY_INVALID_CONFIGURATION',
  'XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION',
  'XKS_PROXY_TIMED_OUT',
  'XKS_PROXY_INVALID_TLS_CONFIGURATION',
] as const;
export type ConnectionErrorCode = (typeof CONNECTION_ERROR_CODES)[number];

/** The HSM cluster behind a store. */
export interface CloudHsmBacking {
  readonly type: 'AWS_CLOUDHSM';
  readonly clusterId: string;
  /** PEM of the certificate that signed the cluster's, as it was given. */
  readonly trustAnchorCertificate: string;
}

/** The external key store proxy behind a store. */
export interface XksBacking {
  readonly type: 'EXTERNAL_KEY_STORE';
  readonly connectivity: XksConnectivity;
  /** `https://` and the host name. */
  readonly uriEndpoint: string;
  /** Ends in `/kms/xks/v1`. */
  readonly uriPath: string;
  /** Present for VPC_ENDPOINT_SERVICE only. */
  readonly vpcServiceName: string | undefined;
  /** The account that owns the endpoint service, when that is another one. */
  readonly vpcServiceOwner: string | undefined;
  readonly accessKeyId: string;
}

/** One custom key store of a Region. Immutable: a change makes a new value with the next `version`. */
export interface CustomKeyStore {
  readonly region: string;
  readonly accountId: string;
  /** `cks-` and 17 hexadecimal digits. */
  readonly storeId: string;
  /** Unique in the account and Region. */
  readonly name: string;
  readonly backing: CloudHsmBacking | XksBacking;
  /** The password of `kmsuser`, or the secret of the proxy's credential; sealed. */
  readonly sealedSecret: string;
  readonly connectionState: ConnectionState;
  /** Present while the state is FAILED. */
  readonly connectionErrorCode: ConnectionErrorCode | undefined;
  readonly createdMs: number;
  /** Counts the changes of this store, from 1. */
  readonly version: number;
}

/** What a key knows of the store that it lives in. */
export interface KeyStoreMembership {
  readonly storeId: string;
  /** Of a CloudHSM store. */
  readonly clusterId?: string | undefined;
  /** The key in the external key manager; of an external key store. */
  readonly xksKeyId?: string | undefined;
  /** Whether the store is connected at present. */
  readonly isConnected: boolean;
}

/**
 * What can be asked of a store:
 * - `connect`, `disconnect`: beginning to; connecting a store that is connected, or about to be, changes nothing;
 * - `adjust`: changes that a connected store takes as well; `change`: all others;
 * - `delete`: removing it;
 * - `use`: making keys and random bytes in it.
 */
export type KeyStoreAction = keyof typeof ALLOWED_STATES;

const ALLOWED_STATES = {
  connect: ['DISCONNECTED', 'CONNECTING', 'CONNECTED'],
  disconnect: ['CONNECTED', 'CONNECTING', 'FAILED'],
  adjust: ['DISCONNECTED', 'CONNECTED'],
  change: ['DISCONNECTED'],
  delete: ['DISCONNECTED'],
  use: ['CONNECTED'],
} as const satisfies Record<string, readonly ConnectionState[]>;

export function allowsStoreAction(state: ConnectionState, action: KeyStoreAction): boolean {
  const allowed: readonly ConnectionState[] = ALLOWED_STATES[action];
  return allowed.includes(state);
}

/** Two stores of one account and Region that cannot both be there, by what they collide in. */
export type KeyStoreCollision = 'name' | 'cluster' | 'endpoint' | 'uri' | 'vpcService';

/**
 * What `store` shares with one of `others` and must not: its name, its cluster, or of an external key store the proxy's
 * URI, an endpoint that is reached in another way, or the endpoint service.
 */
export function findCollision(
  store: Pick<CustomKeyStore, 'name' | 'backing'>,
  others: readonly CustomKeyStore[],
): KeyStoreCollision | undefined {
  if (others.some(({ name }) => name === store.name)) {
    return 'name';
  }
  for (const { backing } of others) {
    const collision = collisionOf(store.backing, backing);
    if (collision !== undefined) {
      return collision;
    }
  }
  return undefined;
}

function collisionOf(left: CustomKeyStore['backing'], right: CustomKeyStore['backing']): KeyStoreCollision | undefined {
  if (left.type === 'AWS_CLOUDHSM') {
    return right.type === 'AWS_CLOUDHSM' && left.clusterId === right.clusterId ? 'cluster' : undefined;
  }
  if (right.type === 'AWS_CLOUDHSM') {
    return undefined;
  }
  if (left.vpcServiceName !== undefined && left.vpcServiceName === right.vpcServiceName) {
    return 'vpcService';
  }
  if (left.uriEndpoint !== right.uriEndpoint) {
    return undefined;
  }
  // Every store behind a VPC endpoint service has a private DNS name of its own.
  if (left.connectivity === 'VPC_ENDPOINT_SERVICE' || right.connectivity === 'VPC_ENDPOINT_SERVICE') {
    return 'endpoint';
  }
  return left.uriPath === right.uriPath ? 'uri' : undefined;
}
