import { KmsServiceError } from '../../base/errors.ts';
import { requireKeyStore, requireStoreState } from '../key-stores.ts';
import { defineOperation } from '../operation.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * Deletes a custom key store that is disconnected and has no keys; what stood behind it is left alone.
 *
 * @source KMS API Reference, DeleteCustomKeyStore
 */
export const deleteCustomKeyStore = defineOperation({
  name: 'DeleteCustomKeyStore',
  input: structure({ CustomKeyStoreId: required(shapes.customKeyStoreId) }),
  errors: [
    'CustomKeyStoreHasCMKsException',
    'CustomKeyStoreInvalidStateException',
    'CustomKeyStoreNotFoundException',
    'KMSInternalException',
  ],
  allowsCrossAccount: false,
  resolve: (_input, resolver) => [resolver.account('kms:DeleteCustomKeyStore')] as const,
  async execute(_authorized, input, context) {
    const store = await requireKeyStore(context, input.CustomKeyStoreId);
    requireStoreState(store, 'delete');
    if (await context.keyStores.hasKeys(store)) {
      throw new KmsServiceError(
        'CustomKeyStoreHasCMKsException',
        `There are KMS keys in custom key store ${store.storeId}.`,
      );
    }
    await context.keyStores.delete(store);
    return {};
  },
});
