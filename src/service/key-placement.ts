import { KmsServiceError } from '../base/errors.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { KeyOrigin, KeySpec } from '../keys/key-spec.ts';
import type { KeyStoreMembership } from '../keys/key-store.ts';
import { requireKeyStore, requireStoreState } from './key-stores.ts';
import type { OperationContext } from './operation.ts';

/** The members of a CreateKey request that say where the key shall live. */
interface PlacementRequest {
  readonly Origin?: KeyOrigin | undefined;
  readonly CustomKeyStoreId?: string | undefined;
  readonly XksKeyId?: string | undefined;
  readonly KeySpec?: KeySpec | undefined;
  readonly CustomerMasterKeySpec?: KeySpec | undefined;
  readonly MultiRegion?: boolean | undefined;
}

/**
 * The custom key store that a new key shall be in; undefined for a key outside of them.
 *
 * @throws KmsServiceError ValidationException for members that do not go together; UnsupportedOperationException for a
 *   key that no custom key store takes, or a store of another type than the origin says;
 *   CustomKeyStoreNotFoundException; CustomKeyStoreInvalidStateException unless the store is connected;
 *   XksKeyAlreadyInUseException
 * @source KMS API Reference, CreateKey
 */
export function placeKey(
  request: PlacementRequest,
  context: OperationContext,
): MaybePromise<KeyStoreMembership | undefined> {
  const { Origin: origin, CustomKeyStoreId: storeId, XksKeyId: xksKeyId } = request;
  if ((origin === 'EXTERNAL_KEY_STORE') !== (xksKeyId !== undefined)) {
    throw new KmsServiceError(
      'ValidationException',
      'XksKeyId is required for keys whose origin is EXTERNAL_KEY_STORE, and not valid for any other.',
    );
  }
  const isInStore = origin === 'AWS_CLOUDHSM' || origin === 'EXTERNAL_KEY_STORE';
  if (isInStore !== (storeId !== undefined)) {
    throw new KmsServiceError(
      'ValidationException',
      'CustomKeyStoreId is required for keys whose origin is AWS_CLOUDHSM or EXTERNAL_KEY_STORE, and not valid for ' +
        'any other.',
    );
  }
  return storeId === undefined ? undefined : placeInStore(request, storeId, context);
}

async function placeInStore(
  request: PlacementRequest,
  storeId: string,
  context: OperationContext,
): Promise<KeyStoreMembership> {
  const spec = request.KeySpec ?? request.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT';
  if (spec !== 'SYMMETRIC_DEFAULT' || request.MultiRegion === true) {
    throw new KmsServiceError(
      'UnsupportedOperationException',
      'Keys in custom key stores are symmetric encryption keys of one Region.',
    );
  }
  const store = await requireKeyStore(context, storeId);
  const { backing } = store;
  if (backing.type !== request.Origin) {
    throw new KmsServiceError(
      'UnsupportedOperationException',
      `Custom key store ${storeId} has the type ${backing.type} and takes no keys of another origin.`,
    );
  }
  requireStoreState(store, 'use');
  const { XksKeyId: xksKeyId } = request;
  if (xksKeyId !== undefined && (await context.keyStores.hasExternalKey(store, xksKeyId))) {
    throw new KmsServiceError(
      'XksKeyAlreadyInUseException',
      `Another KMS key in custom key store ${storeId} uses the external key ${xksKeyId}.`,
    );
  }
  return {
    storeId,
    ...(backing.type === 'AWS_CLOUDHSM' ? { clusterId: backing.clusterId } : {}),
    ...(xksKeyId === undefined ? {} : { xksKeyId }),
    isConnected: true,
  };
}
