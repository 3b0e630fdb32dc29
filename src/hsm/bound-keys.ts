/** Keys of a cluster at rest: sealed under the keys of their Region, and bound to the row that they are in. */
import { InvariantError } from '../base/errors.ts';
import { encodeFields } from '../base/fields.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type { TokenSealer, WrappedMaterial } from '../service/ports.ts';

const PURPOSE = 'cluster-key';

/** @param wrapped the key under the cluster's wrapping key; empty where keys do not travel */
export function bindClusterKey(
  sealer: TokenSealer,
  key: KmsKey,
  materialId: string,
  wrapped: Uint8Array,
): MaybePromise<Uint8Array> {
  const sealed = sealer.seal(key.region, PURPOSE, wrapped, bindingOf(key, materialId));
  return chain(sealed, (text) => Buffer.from(text, 'base64'));
}

/** What {@link bindClusterKey} bound. @throws InvariantError when it was bound to another row */
export function openBoundKey(
  sealer: TokenSealer,
  key: KmsKey,
  { materialId, wrapped }: WrappedMaterial,
): MaybePromise<Uint8Array> {
  const text = Buffer.from(wrapped).toString('base64');
  return chain(sealer.open(key.region, PURPOSE, text, bindingOf(key, materialId)), (opened) => {
    if (opened === undefined) {
      throw new InvariantError(`the stored material ${materialId} does not belong to key ${key.arn}`);
    }
    return opened;
  });
}

/** The material id is the CKA_ID of the key's object: a row cannot be made to name the object of another key. */
function bindingOf({ accountId, region, keyId, keySpec, keyStore }: KmsKey, materialId: string): Buffer {
  const storeId = keyStore?.storeId ?? '';
  return encodeFields('keywright/cluster-key/v1', accountId, region, keyId, materialId, keySpec, storeId);
}
