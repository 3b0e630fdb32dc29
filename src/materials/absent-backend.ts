import { KmsServiceError } from '../base/errors.ts';
import type { ConnectionErrorCode, CustomKeyStore } from '../keys/key-store.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type { CloudHsmBackend, ConnectOutcome, KeyStoreMaterials } from '../service/key-store-ports.ts';

/**
 * Stands where no backend is configured: a store of that type cannot be connected, and one that another process has
 * connected cannot be used here.
 */
export class AbsentBackend implements CloudHsmBackend {
  readonly #errorCode: ConnectionErrorCode;

  constructor(errorCode: ConnectionErrorCode) {
    this.#errorCode = errorCode;
  }

  readonly materials: KeyStoreMaterials = {
    generate: (key: KmsKey): never => {
      throw notConfigured(key.keyStore?.storeId);
    },
    openSymmetric: (key: KmsKey): never => {
      throw new KmsServiceError('KMSInvalidStateException', `${key.arn} is unavailable.`);
    },
  };

  connect(): Promise<ConnectOutcome> {
    return Promise.resolve({ isConnected: false, errorCode: this.#errorCode });
  }

  disconnect(): Promise<void> {
    return Promise.resolve();
  }

  randomBytes(store: CustomKeyStore): never {
    throw notConfigured(store.storeId);
  }
}

function notConfigured(storeId = ''): KmsServiceError {
  return new KmsServiceError(
    'CustomKeyStoreInvalidStateException',
    `Nothing stands behind custom key store ${storeId} in this process.`,
  );
}
