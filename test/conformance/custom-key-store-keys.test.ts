/** Custom key stores with something behind them: the connection's states, and keys in a store. */
import {
  CancelKeyDeletionCommand,
  ConnectCustomKeyStoreCommand,
  CreateAliasCommand,
  CreateCustomKeyStoreCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteCustomKeyStoreCommand,
  DescribeCustomKeyStoresCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  DisconnectCustomKeyStoreCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateRandomCommand,
  GetKeyRotationStatusCommand,
  ListKeyRotationsCommand,
  ListKeysCommand,
  ReEncryptCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UpdateCustomKeyStoreCommand,
  type CreateKeyCommandInput,
  type CustomKeyStoresListEntry,
  type KeyMetadata,
} from '@aws-sdk/client-kms';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CONNECTION_ERROR_CODES, CONNECTION_STATES, type ConnectionState } from '../../src/keys/key-store.ts';
import { ACCOUNT } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { cloudHsmStore, CREDENTIAL, xksStore } from '../support/key-store-requests.ts';
import { eventually, MemoryBackend, untilAborted } from '../support/memory-backend.ts';
import type { BackendServices } from '../../src/service/key-store-ports.ts';
import { describeKms, type CreatedKey } from './suite.ts';

const DAY_MS = 86_400_000;
const WRONG_CREDENTIAL = { ...CREDENTIAL, RawSecretAccessKey: CREDENTIAL.RawSecretAccessKey.replace('Right', 'Wrong') };

/** What the refusals of the table are called, where a store is not in the right state. */
const WRONG_STATE = 'CustomKeyStoreInvalidStateException';

let backend: MemoryBackend;
const options = {
  keyStoreBackends: ({ stores }: BackendServices) => {
    backend = new MemoryBackend(stores);
    return { AWS_CLOUDHSM: backend, EXTERNAL_KEY_STORE: backend };
  },
};

/** The states in which an operation does its work. @source KMS Developer Guide, "Key stores" */
const ALLOWED: Readonly<Record<string, readonly ConnectionState[]>> = {
  connect: ['DISCONNECTED', 'CONNECTING', 'CONNECTED'],
  disconnect: ['CONNECTED', 'CONNECTING', 'FAILED'],
  rename: ['DISCONNECTED', 'CONNECTED'],
  'change the URI path': ['DISCONNECTED', 'CONNECTED'],
  'change the credential': ['DISCONNECTED', 'CONNECTED'],
  'change the endpoint': ['DISCONNECTED'],
  delete: ['DISCONNECTED'],
  'create a key': ['CONNECTED'],
};

describeKms(
  'custom key stores',
  (suite) => {
    const create = async (input = cloudHsmStore()): Promise<string> =>
      (await suite.kms.send(new CreateCustomKeyStoreCommand(input))).CustomKeyStoreId ?? '';

    const describeStore = async (CustomKeyStoreId: string): Promise<CustomKeyStoresListEntry> => {
      const { CustomKeyStores } = await suite.kms.send(new DescribeCustomKeyStoresCommand({ CustomKeyStoreId }));
      return CustomKeyStores?.[0] ?? {};
    };

    const inState = (id: string, state: ConnectionState): Promise<CustomKeyStoresListEntry> =>
      eventually(async () => {
        const store = await describeStore(id);
        return store.ConnectionState === state ? store : undefined;
      });

    const beginToConnect = (CustomKeyStoreId: string): Promise<unknown> =>
      suite.kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));

    const beginToDisconnect = (CustomKeyStoreId: string): Promise<unknown> =>
      suite.kms.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }));

    const connect = async (id: string): Promise<void> => {
      await beginToConnect(id);
      await inState(id, 'CONNECTED');
    };

    const disconnect = async (id: string): Promise<void> => {
      await beginToDisconnect(id);
      await inState(id, 'DISCONNECTED');
    };

    const createConnected = async (input = cloudHsmStore()): Promise<string> => {
      const id = await create(input);
      await connect(id);
      return id;
    };

    const createKeyIn = (CustomKeyStoreId: string, more: CreateKeyCommandInput = {}): Promise<CreatedKey> =>
      suite.createKey({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId, ...more });

    const metadata = async (KeyId: string): Promise<KeyMetadata | undefined> =>
      (await suite.kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata;

    let letGo: () => void;

    beforeEach(() => {
      letGo = () => undefined;
    });

    afterEach(async () => {
      letGo();
      backend.onConnect = undefined;
      backend.onDisconnect = undefined;
      const { Keys = [] } = await suite.kms.send(new ListKeysCommand({}));
      for (const { KeyId } of Keys) {
        if ((await metadata(KeyId ?? ''))?.KeyState !== 'PendingDeletion') {
          await suite.kms.send(new ScheduleKeyDeletionCommand({ KeyId }));
        }
      }
      suite.door.clock.advanceMs(31 * DAY_MS);
      await suite.door.engine.runMaintenance();
      suite.renewClient();
      const { CustomKeyStores = [] } = await suite.kms.send(new DescribeCustomKeyStoresCommand({}));
      for (const { CustomKeyStoreId = '', ConnectionState: state } of CustomKeyStores) {
        if (state !== 'DISCONNECTED' && state !== 'DISCONNECTING') {
          await beginToDisconnect(CustomKeyStoreId);
        }
        await inState(CustomKeyStoreId, 'DISCONNECTED');
        await suite.kms.send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId }));
      }
    });

    /** Makes an external store and brings it into `state`, where it stays. */
    const createInState = async (state: ConnectionState): Promise<string> => {
      const id = await create(xksStore());
      switch (state) {
        case 'DISCONNECTED':
          break;
        case 'CONNECTING':
          backend.onConnect = untilAborted;
          await beginToConnect(id);
          break;
        case 'FAILED':
          backend.onConnect = () => Promise.resolve({ isConnected: false, errorCode: 'NETWORK_ERRORS' });
          await beginToConnect(id);
          break;
        case 'CONNECTED':
          await connect(id);
          break;
        case 'DISCONNECTING':
          await connect(id);
          backend.onDisconnect = () =>
            new Promise((resolve) => {
              letGo = resolve;
            });
          await beginToDisconnect(id);
      }
      await inState(id, state);
      return id;
    };

    const attempt = (operation: string, CustomKeyStoreId: string): Promise<unknown> => {
      const change = (input: object): Promise<unknown> =>
        suite.kms.send(new UpdateCustomKeyStoreCommand({ CustomKeyStoreId, ...input }));
      switch (operation) {
        case 'connect':
          return beginToConnect(CustomKeyStoreId);
        case 'disconnect':
          return beginToDisconnect(CustomKeyStoreId);
        case 'rename':
          return change({ NewCustomKeyStoreName: 'renamed' });
        case 'change the URI path':
          return change({ XksProxyUriPath: '/new/kms/xks/v1' });
        case 'change the credential':
          return change({ XksProxyAuthenticationCredential: CREDENTIAL });
        case 'change the endpoint':
          return change({ XksProxyUriEndpoint: 'https://new.example.com' });
        case 'delete':
          return suite.kms.send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId }));
        default:
          return suite.kms
            .send(new CreateKeyCommand({ Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId: 'any' }))
            .then(({ KeyMetadata }) => suite.kms.send(new ScheduleKeyDeletionCommand({ KeyId: KeyMetadata?.KeyId })));
      }
    };

    describe('the connection', () => {
      const cases = CONNECTION_STATES.flatMap((state) => Object.keys(ALLOWED).map((name) => [state, name] as const));

      it.each(cases)('a store that is %s: %s', async (state, operation) => {
        const id = await createInState(state);
        if (ALLOWED[operation]?.includes(state) === true) {
          await attempt(operation, id);
        } else {
          await expectError(attempt(operation, id), WRONG_STATE);
          expect((await describeStore(id)).ConnectionState).toBe(state);
        }
      });

      it.each(CONNECTION_ERROR_CODES)('a store that fails with %s says so until it is disconnected', async (code) => {
        backend.onConnect = () => Promise.resolve({ isConnected: false, errorCode: code });
        const id = await create();
        await beginToConnect(id);
        expect(await inState(id, 'FAILED')).toMatchObject({ ConnectionErrorCode: code });
        await disconnect(id);
        expect(await describeStore(id)).not.toHaveProperty('ConnectionErrorCode');
        backend.onConnect = undefined;
        await connect(id);
        expect(await describeStore(id)).not.toHaveProperty('ConnectionErrorCode');
      });

      it('a backend that breaks is an internal error of the store, and nothing else', async () => {
        backend.onConnect = () => Promise.reject(new Error('broken'));
        backend.onDisconnect = () => Promise.reject(new Error('broken'));
        const id = await create();
        await beginToConnect(id);
        expect(await inState(id, 'FAILED')).toMatchObject({ ConnectionErrorCode: 'INTERNAL_ERROR' });
        await disconnect(id);
      });

      it('the backend gets the secret that the store was last given', async () => {
        const id = await create(xksStore({ XksProxyAuthenticationCredential: WRONG_CREDENTIAL }));
        await beginToConnect(id);
        expect(await inState(id, 'FAILED')).toMatchObject({ ConnectionErrorCode: 'INVALID_CREDENTIALS' });
        await disconnect(id);
        await attempt('change the credential', id);
        await connect(id);
      });

      it('disconnecting gives up an attempt to connect', async () => {
        const id = await createInState('CONNECTING');
        await disconnect(id);
        backend.onConnect = undefined;
        await connect(id);
      });
    });

    describe('keys in a store', () => {
      it('a key in a CloudHSM store encrypts, decrypts and makes data keys', async () => {
        const input = cloudHsmStore();
        const CustomKeyStoreId = await createConnected(input);
        const { KeyId, ...created } = await createKeyIn(CustomKeyStoreId);
        expect(created).toMatchObject({
          Origin: 'AWS_CLOUDHSM',
          CustomKeyStoreId,
          CloudHsmClusterId: input.CloudHsmClusterId,
          KeySpec: 'SYMMETRIC_DEFAULT',
          KeyState: 'Enabled',
          MultiRegion: false,
        });
        expect(created).not.toHaveProperty('CurrentKeyMaterialId');
        expect(created).not.toHaveProperty('XksKeyConfiguration');
        expect(await metadata(KeyId)).toEqual({ KeyId, ...created });
        const EncryptionContext = { purpose: 'test' };
        const CiphertextBlob = await suite.encrypt(KeyId, 'in the HSM', EncryptionContext);
        const opened = await suite.kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
        expect(Buffer.from(opened.Plaintext ?? []).toString()).toBe('in the HSM');
        await expectError(suite.kms.send(new DecryptCommand({ CiphertextBlob })), 'InvalidCiphertextException');
        const dataKey = await suite.kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
        const { Plaintext } = await suite.kms.send(new DecryptCommand({ CiphertextBlob: dataKey.CiphertextBlob }));
        expect(Plaintext).toEqual(dataKey.Plaintext);
        await suite.kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_128' }));
        const { KeyId: DestinationKeyId } = await suite.createKey();
        const moved = await suite.kms.send(
          new ReEncryptCommand({ CiphertextBlob, SourceEncryptionContext: EncryptionContext, DestinationKeyId }),
        );
        const arrived = await suite.kms.send(new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob }));
        expect(Buffer.from(arrived.Plaintext ?? []).toString()).toBe('in the HSM');
      });

      it('a key in an external key store names its external key, which no other key of the store may use', async () => {
        const CustomKeyStoreId = await createConnected(xksStore());
        const input = { Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId: 'external-1' } as const;
        const created = await suite.createKey(input);
        expect(created).toMatchObject({
          Origin: input.Origin,
          CustomKeyStoreId,
          XksKeyConfiguration: { Id: 'external-1' },
        });
        expect(created).not.toHaveProperty('CloudHsmClusterId');
        await expectError(suite.createKey(input), 'XksKeyAlreadyInUseException');
        await suite.createKey({ ...input, XksKeyId: 'external-2' });
        const elsewhere = await createConnected(xksStore());
        await suite.createKey({ ...input, CustomKeyStoreId: elsewhere });
      });

      it('of two keys that are made with one external key at the same time there is one afterwards', async () => {
        const CustomKeyStoreId = await createConnected(xksStore());
        const input = { Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId: 'same' } as const;
        const outcomes = await Promise.allSettled([suite.createKey(input), suite.createKey(input)]);
        expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
        const refusal = outcomes.find((outcome) => outcome.status === 'rejected');
        expect(refusal?.reason).toMatchObject({ name: 'XksKeyAlreadyInUseException' });
      });

      it('CreateKey refuses what does not go together', async () => {
        const cluster = await createConnected();
        const proxy = await createConnected(xksStore());
        const inCluster = { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: cluster } as const;
        const inProxy = { Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId: proxy, XksKeyId: 'key' } as const;
        const refusals: readonly (readonly [CreateKeyCommandInput, error: string])[] = [
          [{ CustomKeyStoreId: cluster }, 'ValidationException'],
          [{ Origin: 'AWS_CLOUDHSM' }, 'ValidationException'],
          [{ Origin: 'EXTERNAL_KEY_STORE', XksKeyId: 'key' }, 'ValidationException'],
          [{ XksKeyId: 'key' }, 'ValidationException'],
          [{ ...inProxy, XksKeyId: undefined }, 'ValidationException'],
          [{ ...inCluster, XksKeyId: 'key' }, 'ValidationException'],
          [{ ...inProxy, XksKeyId: 'not/valid' }, 'ValidationException'],
          [{ ...inCluster, CustomKeyStoreId: proxy }, 'UnsupportedOperationException'],
          [{ ...inProxy, CustomKeyStoreId: cluster }, 'UnsupportedOperationException'],
          [{ ...inCluster, CustomKeyStoreId: 'cks-00000000000000000' }, 'CustomKeyStoreNotFoundException'],
          [{ ...inCluster, MultiRegion: true }, 'UnsupportedOperationException'],
          [{ ...inCluster, KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }, 'UnsupportedOperationException'],
          [{ ...inProxy, KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }, 'UnsupportedOperationException'],
        ];
        for (const [input, error] of refusals) {
          await expectError(suite.createKey(input), error);
        }
      });

      it('random bytes come out of a connected CloudHSM store', async () => {
        const random = (CustomKeyStoreId: string): Promise<{ Plaintext?: Uint8Array | undefined }> =>
          suite.kms.send(new GenerateRandomCommand({ NumberOfBytes: 6, CustomKeyStoreId }));
        const id = await create();
        await expectError(random(id), WRONG_STATE);
        await connect(id);
        expect(Buffer.from((await random(id)).Plaintext ?? []).toString()).toBe('HSMHSM');
        await expectError(random(await createConnected(xksStore())), 'UnsupportedOperationException');
        await expectError(random('cks-00000000000000000'), 'CustomKeyStoreNotFoundException');
      });

      it('a store with keys is not deleted, also when they wait for their deletion', async () => {
        const id = await createConnected();
        const { KeyId } = await createKeyIn(id);
        await disconnect(id);
        await expectError(attempt('delete', id), 'CustomKeyStoreHasCMKsException');
        await suite.kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
        await expectError(attempt('delete', id), 'CustomKeyStoreHasCMKsException');
        suite.door.clock.advanceMs(8 * DAY_MS);
        await suite.door.engine.runMaintenance();
        suite.renewClient();
        await attempt('delete', id);
        await expectError(describeStore(id), 'CustomKeyStoreNotFoundException');
      });
    });

    describe('keys in a store that is not connected', () => {
      it('are unavailable, and enabled or disabled again when the store is connected', async () => {
        const id = await createConnected();
        const [enabled, disabled] = [await createKeyIn(id), await createKeyIn(id)];
        await suite.kms.send(new DisableKeyCommand(disabled));
        const CiphertextBlob = await suite.encrypt(enabled.KeyId, 'still there');
        await disconnect(id);
        for (const { KeyId } of [enabled, disabled]) {
          expect(await metadata(KeyId)).toMatchObject({ KeyState: 'Unavailable', Enabled: false });
        }
        const { kms } = suite;
        const { KeyId: DestinationKeyId } = await suite.createKey();
        const uses = [
          suite.encrypt(enabled.KeyId, 'x'),
          kms.send(new DecryptCommand({ CiphertextBlob })),
          kms.send(new GenerateDataKeyCommand({ KeyId: enabled.KeyId, KeySpec: 'AES_256' })),
          kms.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId })),
        ];
        const text = `${enabled.Arn} is unavailable.`;
        await Promise.all(uses.map((use) => expectError(use, 'KMSInvalidStateException', text)));
        await connect(id);
        expect(await metadata(enabled.KeyId)).toMatchObject({ KeyState: 'Enabled', Enabled: true });
        expect(await metadata(disabled.KeyId)).toMatchObject({ KeyState: 'Disabled', Enabled: false });
        const { Plaintext } = await suite.kms.send(new DecryptCommand({ CiphertextBlob }));
        expect(Buffer.from(Plaintext ?? []).toString()).toBe('still there');
      });

      it.each(['FAILED', 'CONNECTING', 'DISCONNECTING'] as const)('are unavailable while it is %s', async (state) => {
        const id = await createConnected();
        const { KeyId } = await createKeyIn(id);
        if (state === 'DISCONNECTING') {
          backend.onDisconnect = () => new Promise((resolve) => (letGo = resolve));
          await beginToDisconnect(id);
        } else {
          await disconnect(id);
          backend.onConnect =
            state === 'FAILED'
              ? () => Promise.resolve({ isConnected: false, errorCode: 'INTERNAL_ERROR' })
              : untilAborted;
          await beginToConnect(id);
        }
        await inState(id, state);
        expect(await metadata(KeyId)).toMatchObject({ KeyState: 'Unavailable' });
      });

      it('may be enabled and disabled, which shows when the store is connected', async () => {
        const id = await createConnected();
        const [one, other] = [await createKeyIn(id), await createKeyIn(id)];
        await suite.kms.send(new DisableKeyCommand(one));
        await disconnect(id);
        await suite.kms.send(new EnableKeyCommand(one));
        await suite.kms.send(new DisableKeyCommand(other));
        expect(await metadata(one.KeyId)).toMatchObject({ KeyState: 'Unavailable' });
        expect(await metadata(other.KeyId)).toMatchObject({ KeyState: 'Unavailable' });
        await connect(id);
        expect(await metadata(one.KeyId)).toMatchObject({ KeyState: 'Enabled' });
        expect(await metadata(other.KeyId)).toMatchObject({ KeyState: 'Disabled' });
      });

      it('stay pending deletion, and are unavailable when that is cancelled', async () => {
        const id = await createConnected();
        const { KeyId, Arn } = await createKeyIn(id);
        await disconnect(id);
        await expectError(
          suite.kms.send(new CancelKeyDeletionCommand({ KeyId })),
          'KMSInvalidStateException',
          `${Arn} is not pending deletion.`,
        );
        await suite.kms.send(new ScheduleKeyDeletionCommand({ KeyId }));
        expect(await metadata(KeyId)).toMatchObject({ KeyState: 'PendingDeletion' });
        await suite.kms.send(new CancelKeyDeletionCommand({ KeyId }));
        expect(await metadata(KeyId)).toMatchObject({ KeyState: 'Unavailable' });
        await connect(id);
        expect(await metadata(KeyId)).toMatchObject({ KeyState: 'Disabled' });
      });

      it('can be managed', async () => {
        const id = await createConnected();
        const { KeyId } = await createKeyIn(id);
        await disconnect(id);
        await suite.kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] }));
        await suite.kms.send(new CreateAliasCommand({ AliasName: 'alias/in-a-store', TargetKeyId: KeyId }));
        const GranteePrincipal = `arn:aws:iam::${ACCOUNT}:user/administrator`;
        await suite.kms.send(new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['Encrypt'] }));
      });
    });

    it('rotation and data key pairs are not for keys in a store, connected or not', async () => {
      const id = await createConnected(xksStore());
      const { KeyId } = await createKeyIn(id, { Origin: 'EXTERNAL_KEY_STORE', XksKeyId: 'key' });
      const { kms } = suite;
      const pair = { KeyId, KeyPairSpec: 'ECC_NIST_P256' } as const;
      for (const prepare of [() => Promise.resolve(), () => disconnect(id)]) {
        await prepare();
        const calls = [
          kms.send(new GetKeyRotationStatusCommand({ KeyId })),
          kms.send(new ListKeyRotationsCommand({ KeyId })),
          kms.send(new EnableKeyRotationCommand({ KeyId })),
          kms.send(new DisableKeyRotationCommand({ KeyId })),
          kms.send(new RotateKeyOnDemandCommand({ KeyId })),
          kms.send(new GenerateDataKeyPairCommand(pair)),
          kms.send(new GenerateDataKeyPairWithoutPlaintextCommand(pair)),
        ];
        await Promise.all(calls.map((call) => expectError(call, 'UnsupportedOperationException')));
      }
    });
  },
  options,
);
