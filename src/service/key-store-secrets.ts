/** The one secret of a custom key store, sealed under the keys of its Region and bound to its row. */
import { InvariantError } from '../base/errors.ts';
import { encodeFields } from '../base/fields.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import { wipeAfter } from '../base/wipe.ts';
import type { CustomKeyStore } from '../keys/key-store.ts';
import type { TokenSealer } from './ports.ts';

const PURPOSE = 'custom-key-store-secret';

type SecretOwner = Pick<CustomKeyStore, 'region' | 'accountId' | 'storeId' | 'backing'>;

export function sealStoreSecret(tokens: TokenSealer, owner: SecretOwner, secret: string): MaybePromise<string> {
  return wipeAfter(Buffer.from(secret, 'utf8'), (bytes) =>
    tokens.seal(owner.region, PURPOSE, bytes, secretBinding(owner)),
  );
}

/** @throws InvariantError when the sealed secret is not that of this store */
export function openStoreSecret(tokens: TokenSealer, store: CustomKeyStore): MaybePromise<Uint8Array> {
  return chain(tokens.open(store.region, PURPOSE, store.sealedSecret, secretBinding(store)), (secret) => {
    if (secret === undefined) {
      throw new InvariantError(`the stored secret does not belong to custom key store ${store.storeId}`);
    }
    return secret;
  });
}

function secretBinding({ region, accountId, storeId, backing }: SecretOwner): Buffer {
  const user = backing.type === 'AWS_CLOUDHSM' ? 'kmsuser' : backing.accessKeyId;
  return encodeFields('keywright/custom-key-store/v1', accountId, region, storeId, backing.type, user);
}
