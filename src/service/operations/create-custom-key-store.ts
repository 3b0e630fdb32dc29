import { KmsServiceError } from '../../base/errors.ts';
import type { CustomKeyStore } from '../../keys/key-store.ts';
import { configurationMembers, planBacking } from '../key-store-configuration.ts';
import { sealStoreSecret } from '../key-store-secrets.ts';
import { CONFIGURATION_ERRORS, refuseCollision } from '../key-stores.ts';
import { defineOperation } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

const ID_DIGITS = 17;

/**
 * Creates a custom key store, not connected yet; of an external one with a public endpoint the proxy must answer.
 *
 * @source KMS API Reference, CreateCustomKeyStore
 */
export const createCustomKeyStore = defineOperation({
  name: 'CreateCustomKeyStore',
  input: structure({
    CustomKeyStoreName: required(shapes.customKeyStoreName),
    TrustAnchorCertificate: optional(shapes.trustAnchorCertificate),
    CustomKeyStoreType: optional(shapes.customKeyStoreType),
    ...configurationMembers,
  }),
  errors: [
    ...CONFIGURATION_ERRORS,
    'CloudHsmClusterInUseException',
    'IncorrectTrustAnchorException',
    'LimitExceededException',
  ],
  allowsCrossAccount: false,
  resolve: (_input, resolver) => [resolver.account('kms:CreateCustomKeyStore')] as const,
  async execute(_authorized, input, context) {
    const { keyStores, keyStoreBackends, resourceQuotas, tokens, random, region, caller, nowMs } = context;
    const { keyStoresPerAccount } = resourceQuotas;
    const { backing, secret } = planBacking(input.CustomKeyStoreType ?? 'AWS_CLOUDHSM', input);
    const others = await keyStores.list(region, caller.accountId);
    if (others.length >= keyStoresPerAccount) {
      throw new KmsServiceError(
        'LimitExceededException',
        `The account has ${String(keyStoresPerAccount)} custom key stores in this Region already.`,
      );
    }
    const digits = Buffer.from(random.randomBytes(Math.ceil(ID_DIGITS / 2))).toString('hex');
    const identity = {
      region,
      accountId: caller.accountId,
      storeId: `cks-${digits.slice(0, ID_DIGITS)}`,
      name: input.CustomKeyStoreName,
      backing,
    };
    refuseCollision(identity, others, { cluster: 'CloudHsmClusterInUseException' });
    const store: CustomKeyStore = {
      ...identity,
      sealedSecret: await sealStoreSecret(tokens, identity, secret),
      connectionState: 'DISCONNECTED',
      connectionErrorCode: undefined,
      createdMs: nowMs,
      version: 1,
    };
    await keyStoreBackends[backing.type].probe?.(store, context);
    await keyStores.insert(store);
    return { CustomKeyStoreId: store.storeId };
  },
});
