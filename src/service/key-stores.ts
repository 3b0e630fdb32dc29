/** What the operations on custom key stores, and those on keys in them, share. */
import { KmsServiceError, type ErrorName } from '../base/errors.ts';
import {
  allowsStoreAction,
  findCollision,
  type CustomKeyStore,
  type KeyStoreAction,
  type KeyStoreCollision,
} from '../keys/key-store.ts';
import type { OperationContext } from './operation.ts';

/** @throws KmsServiceError CustomKeyStoreNotFoundException, also for the store of another account */
export async function requireKeyStore(context: OperationContext, storeId: string): Promise<CustomKeyStore> {
  const store = await context.keyStores.find(context.region, storeId);
  if (store?.accountId !== context.caller.accountId) {
    throw new KmsServiceError('CustomKeyStoreNotFoundException', `Custom key store ${storeId} is not found.`);
  }
  return store;
}

/** @throws KmsServiceError CustomKeyStoreInvalidStateException when the store's connection does not allow `action` */
export function requireStoreState({ storeId, connectionState }: CustomKeyStore, action: KeyStoreAction): void {
  if (!allowsStoreAction(connectionState, action)) {
    throw new KmsServiceError(
      'CustomKeyStoreInvalidStateException',
      `The connection state of custom key store ${storeId} is ${connectionState}, which does not allow this operation.`,
    );
  }
}

/**
 * @param errors what to answer to a collision, where that depends on the operation
 * @throws KmsServiceError when `store` has a property that belongs to another store of the account
 */
export function refuseCollision(
  store: Pick<CustomKeyStore, 'name' | 'backing'>,
  others: readonly CustomKeyStore[],
  errors: { readonly cluster: ErrorName },
): void {
  const collision = findCollision(store, others);
  if (collision !== undefined) {
    const error = collision === 'cluster' ? errors.cluster : COLLISION_ERRORS[collision];
    throw new KmsServiceError(error, `Another custom key store has the same ${COLLISION_NOUNS[collision]}.`);
  }
}

const COLLISION_ERRORS = {
  name: 'CustomKeyStoreNameInUseException',
  endpoint: 'XksProxyUriEndpointInUseException',
  uri: 'XksProxyUriInUseException',
  vpcService: 'XksProxyVpcEndpointServiceInUseException',
} as const satisfies Record<Exclude<KeyStoreCollision, 'cluster'>, ErrorName>;

const COLLISION_NOUNS: Readonly<Record<KeyStoreCollision, string>> = {
  name: 'name',
  cluster: 'CloudHSM cluster',
  endpoint: 'proxy URI endpoint',
  uri: 'proxy URI endpoint and path',
  vpcService: 'VPC endpoint service',
};

/** The errors of configurations, which CreateCustomKeyStore and UpdateCustomKeyStore have in common. */
export const CONFIGURATION_ERRORS = [
  'CloudHsmClusterInvalidConfigurationException',
  'CloudHsmClusterNotActiveException',
  'CloudHsmClusterNotFoundException',
  'CustomKeyStoreNameInUseException',
  'KMSInternalException',
  'XksProxyIncorrectAuthenticationCredentialException',
  'XksProxyInvalidConfigurationException',
  'XksProxyInvalidResponseException',
  'XksProxyUriEndpointInUseException',
  'XksProxyUriInUseException',
  'XksProxyUriUnreachableException',
  'XksProxyVpcEndpointServiceInUseException',
  'XksProxyVpcEndpointServiceInvalidConfigurationException',
  'XksProxyVpcEndpointServiceNotFoundException',
] as const satisfies readonly ErrorName[];
