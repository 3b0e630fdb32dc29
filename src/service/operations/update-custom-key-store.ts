import { configurationMembers, isReconfiguration, patchBacking } from '../key-store-configuration.ts';
import { sealStoreSecret } from '../key-store-secrets.ts';
import { CONFIGURATION_ERRORS, refuseCollision, requireKeyStore, requireStoreState } from '../key-stores.ts';
import { defineOperation } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * Changes the properties of a custom key store. A connected store takes a new name, and an external one a new URI path
 * and credential; everything else must wait until it is disconnected.
 *
 * @source KMS API Reference, UpdateCustomKeyStore
 */
export const updateCustomKeyStore = defineOperation({
  name: 'UpdateCustomKeyStore',
  input: structure({
    CustomKeyStoreId: required(shapes.customKeyStoreId),
    NewCustomKeyStoreName: optional(shapes.customKeyStoreName),
    ...configurationMembers,
  }),
  errors: [
    ...CONFIGURATION_ERRORS,
    'CloudHsmClusterNotRelatedException',
    'CustomKeyStoreInvalidStateException',
    'CustomKeyStoreNotFoundException',
  ],
  allowsCrossAccount: false,
  resolve: (_input, resolver) => [resolver.account('kms:UpdateCustomKeyStore')] as const,
  async execute(_authorized, input, context) {
    const { keyStores, keyStoreBackends, tokens } = context;
    const store = await requireKeyStore(context, input.CustomKeyStoreId);
    const { backing, secret, fitsConnected } = patchBacking(store, input);
    requireStoreState(store, fitsConnected ? 'adjust' : 'change');
    const changed = { ...store, name: input.NewCustomKeyStoreName ?? store.name, backing, version: store.version + 1 };
    const all = await keyStores.list(store.region, store.accountId);
    const others = all.filter(({ storeId }) => storeId !== store.storeId);
    // Of related clusters only one can be in use, so one that another store has is not related.
    refuseCollision(changed, others, { cluster: 'CloudHsmClusterNotRelatedException' });
    const sealedSecret = secret === undefined ? store.sealedSecret : await sealStoreSecret(tokens, changed, secret);
    const updated = { ...changed, sealedSecret };
    if (isReconfiguration(input)) {
      await keyStoreBackends[backing.type].probe?.(updated, context);
    }
    await keyStores.update(updated);
    return {};
  },
});
