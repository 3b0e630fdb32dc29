import { requireKeyStore, requireStoreState } from '../key-stores.ts';
import { defineOperation } from '../operation.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * Takes a custom key store and its keys out of use, at once: the store is DISCONNECTING, and soon DISCONNECTED. Also
 * ends an attempt to connect, and is the way out of one that failed.
 *
 * @source KMS API Reference, DisconnectCustomKeyStore
 */
export const disconnectCustomKeyStore = defineOperation({
  name: 'DisconnectCustomKeyStore',
  input: structure({ CustomKeyStoreId: required(shapes.customKeyStoreId) }),
  errors: ['CustomKeyStoreInvalidStateException', 'CustomKeyStoreNotFoundException', 'KMSInternalException'],
  allowsCrossAccount: false,
  resolve: (_input, resolver) => [resolver.account('kms:DisconnectCustomKeyStore')] as const,
  async execute(_authorized, input, context) {
    const store = await requireKeyStore(context, input.CustomKeyStoreId);
    requireStoreState(store, 'disconnect');
    await context.keyStores.update({
      ...store,
      connectionState: 'DISCONNECTING',
      connectionErrorCode: undefined,
      version: store.version + 1,
    });
    context.keyStoreConnector.advance(store);
    return {};
  },
});
