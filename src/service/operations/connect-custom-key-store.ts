import { requireKeyStore, requireStoreState } from '../key-stores.ts';
import { defineOperation } from '../operation.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * Begins to connect a custom key store to what stands behind it, and does not wait for the outcome: the store is
 * CONNECTING, and then CONNECTED or FAILED. Nothing happens to a store that is connected, or about to be.
 *
 * @source KMS API Reference, ConnectCustomKeyStore
 */
export const connectCustomKeyStore = defineOperation({
  name: 'ConnectCustomKeyStore',
  input: structure({ CustomKeyStoreId: required(shapes.customKeyStoreId) }),
  errors: [
    'CloudHsmClusterInvalidConfigurationException',
    'CloudHsmClusterNotActiveException',
    'CustomKeyStoreInvalidStateException',
    'CustomKeyStoreNotFoundException',
    'KMSInternalException',
  ],
  allowsCrossAccount: false,
  resolve: (_input, resolver) => [resolver.account('kms:ConnectCustomKeyStore')] as const,
  async execute(_authorized, input, context) {
    const store = await requireKeyStore(context, input.CustomKeyStoreId);
    requireStoreState(store, 'connect');
    if (store.connectionState === 'DISCONNECTED') {
      await context.keyStores.update({ ...store, connectionState: 'CONNECTING', version: store.version + 1 });
      context.keyStoreConnector.advance(store);
    }
    return {};
  },
});
