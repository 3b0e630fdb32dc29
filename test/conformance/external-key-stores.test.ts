/** Keys in an external key store: our client and our proxy against each other, over TLS, as AWS SDKs see it. */
import {
  ConnectCustomKeyStoreCommand,
  CreateCustomKeyStoreCommand,
  DecryptCommand,
  DescribeCustomKeyStoresCommand,
  DescribeKeyCommand,
  DisconnectCustomKeyStoreCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  ReEncryptCommand,
  UpdateCustomKeyStoreCommand,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackendServices } from '../../src/service/key-store-ports.ts';
import type { XksNetworkSettings } from '../../src/xks/https-caller.ts';
import type { ProxySettings, XksProxy } from '../../src/xks/proxy/proxy-server.ts';
import { XksBackend } from '../../src/xks/xks-backend.ts';
import { expectError } from '../support/expect-error.ts';
import { CREDENTIAL, xksStore } from '../support/key-store-requests.ts';
import { eventually } from '../support/memory-backend.ts';
import {
  Authority,
  credentialOf,
  networkTo,
  PROXY_ENDPOINT,
  PROXY_HOST,
  proxySettings,
  startProxy,
} from '../support/xks.ts';
import { KEY_KINDS, servedKey, type KeySource } from '../support/xks-keys.ts';
import { describeKms, type CreatedKey } from './suite.ts';

const NAMES = ['key-1', 'key-2', 'key-3'] as const;

const store = { XksProxyUriEndpoint: PROXY_ENDPOINT, XksProxyUriPath: '/conformance/kms/xks/v1' };
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

describe.each(KEY_KINDS)('a proxy of ours before $name', (kind) => {
  describe.skipIf(kind.missing !== undefined)('serves', () => {
    let settings: ProxySettings;
    let source: KeySource;
    let proxy: XksProxy;
    let network: XksNetworkSettings;

    beforeAll(async () => {
      const authority = await Authority.create();
      source = await kind.open();
      const keys = new Map([
        ['disabled', await servedKey(source, { isEnabled: false })],
        ['decrypts-only', await servedKey(source, { usage: ['DECRYPT'] })],
      ]);
      for (const name of NAMES) keys.set(name, await servedKey(source));
      const identity = await authority.issue(PROXY_HOST);
      settings = proxySettings(identity, { pathPrefix: '/conformance', managers: [source.manager], keys });
      proxy = await startProxy(settings);
      network = networkTo(proxy.port, authority);
    });

    afterAll(async () => {
      await proxy.close();
      await source.close();
    });

    describeKms(
      'external key stores',
      (suite) => {
        let CustomKeyStoreId: string | undefined;
        let keys: readonly CreatedKey[];

        const inState = (state: string): Promise<unknown> =>
          eventually(async () => {
            const { CustomKeyStores } = await suite.kms.send(new DescribeCustomKeyStoresCommand({ CustomKeyStoreId }));
            const { ConnectionState, ConnectionErrorCode } = CustomKeyStores?.[0] ?? {};
            expect(ConnectionErrorCode).toBeUndefined();
            return ConnectionState === state ? true : undefined;
          });

        const createKey = (XksKeyId: string): Promise<CreatedKey> =>
          suite.createKey({ Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId });

        const keyId = (index: number): string => keys[index]?.KeyId ?? '';

        beforeAll(async () => {
          ({ CustomKeyStoreId } = await suite.kms.send(new CreateCustomKeyStoreCommand(xksStore(store))));
          await suite.kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
          await inState('CONNECTED');
          keys = [await createKey('key-1'), await createKey('key-2')];
        });

        it('a key names its store and its external key', async () => {
          const { KeyMetadata } = await suite.kms.send(new DescribeKeyCommand({ KeyId: keyId(0) }));
          expect(KeyMetadata).toMatchObject({
            Origin: 'EXTERNAL_KEY_STORE',
            CustomKeyStoreId,
            XksKeyConfiguration: { Id: 'key-1' },
            KeyState: 'Enabled',
          });
        });

        it('no key is made with an external key that is not there, not enabled or not for both directions', async () => {
          await expectError(createKey('nobody'), 'XksKeyNotFoundException');
          await expectError(createKey('disabled'), 'XksKeyInvalidConfigurationException');
          await expectError(createKey('decrypts-only'), 'XksKeyInvalidConfigurationException');
        });

        it('what is encrypted is decrypted, with its encryption context', async () => {
          for (const EncryptionContext of [undefined, { tenant: '42', purpose: 'tést' }]) {
            const CiphertextBlob = await suite.encrypt(keyId(0), 'far away', EncryptionContext);
            const opened = await suite.kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
            expect([text(opened.Plaintext), opened.KeyId]).toEqual(['far away', keys[0]?.Arn]);
          }
        });

        it('another encryption context is KMSInvalidStateException, as the proxy is the first to see it', async () => {
          const CiphertextBlob = await suite.encrypt(keyId(0), 'far away', { tenant: '42' });
          const EncryptionContext = { tenant: '43' };
          for (const command of [
            new DecryptCommand({ CiphertextBlob, EncryptionContext }),
            new DecryptCommand({ CiphertextBlob }),
          ]) {
            const cause = /specified ciphertext or encryption context is corrupted/;
            await expectError(suite.kms.send(command), 'KMSInvalidStateException', cause);
          }
        });

        it('a blob that was cut or tampered with opens in no case', async () => {
          const CiphertextBlob = Buffer.from(await suite.encrypt(keyId(0), 'far away'));
          for (let index = 50; index < CiphertextBlob.length; index += 7) {
            const tampered = Buffer.from(CiphertextBlob);
            tampered.writeUInt8(tampered.readUInt8(index) ^ 1, index);
            const outcome = suite.kms.send(new DecryptCommand({ CiphertextBlob: tampered }));
            await expect(outcome).rejects.toMatchObject({
              name: expect.stringMatching(/^(?:KMSInvalidState|InvalidCiphertext)Exception$/) as string,
            });
          }
          const cut = CiphertextBlob.subarray(0, -1);
          await expectError(suite.kms.send(new DecryptCommand({ CiphertextBlob: cut })), 'KMSInvalidStateException');
          const stub = CiphertextBlob.subarray(0, 60);
          await expectError(suite.kms.send(new DecryptCommand({ CiphertextBlob: stub })), 'InvalidCiphertextException');
        });

        it('data keys are made with and without plaintext', async () => {
          const EncryptionContext = { tenant: '42' };
          const input = { KeyId: keyId(0), EncryptionContext } as const;
          const made = await suite.kms.send(new GenerateDataKeyCommand({ ...input, KeySpec: 'AES_256' }));
          expect(made.Plaintext).toHaveLength(32);
          const opened = await suite.kms.send(
            new DecryptCommand({ CiphertextBlob: made.CiphertextBlob, EncryptionContext }),
          );
          expect(opened.Plaintext).toEqual(made.Plaintext);
          expect(opened.KeyMaterialId).toBe(made.KeyMaterialId);
          const hidden = await suite.kms.send(
            new GenerateDataKeyWithoutPlaintextCommand({ ...input, NumberOfBytes: 1024 }),
          );
          const found = await suite.kms.send(
            new DecryptCommand({ CiphertextBlob: hidden.CiphertextBlob, EncryptionContext }),
          );
          expect(found.Plaintext).toHaveLength(1024);
        });

        it('data moves between external keys, and in and out of the store', async () => {
          const { KeyId: inside } = await suite.createKey();
          let CiphertextBlob: Uint8Array | undefined = await suite.encrypt(inside, 'on its way');
          for (const DestinationKeyId of [keyId(0), keyId(1), inside]) {
            ({ CiphertextBlob } = await suite.kms.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId })));
            const opened = await suite.kms.send(new DecryptCommand({ CiphertextBlob, KeyId: DestinationKeyId }));
            expect(text(opened.Plaintext)).toBe('on its way');
          }
        });

        it('a blob of one key is not opened with another', async () => {
          const CiphertextBlob = await suite.encrypt(keyId(0), 'far away');
          const other = new DecryptCommand({ CiphertextBlob, KeyId: keyId(1) });
          await expectError(suite.kms.send(other), 'IncorrectKeyException');
        });

        it('a credential is changed without a break: the proxy takes both, then the store the new one', async () => {
          const added = {
            AccessKeyId: 'C'.repeat(20),
            RawSecretAccessKey: CREDENTIAL.RawSecretAccessKey.toLowerCase(),
          };
          const credential = credentialOf(added.AccessKeyId, added.RawSecretAccessKey);
          const update = (XksProxyAuthenticationCredential: typeof added): Promise<unknown> =>
            suite.kms.send(new UpdateCustomKeyStoreCommand({ CustomKeyStoreId, XksProxyAuthenticationCredential }));
          await expectError(update(added), 'XksProxyIncorrectAuthenticationCredentialException');
          proxy.use({ ...settings, credentials: new Map([...settings.credentials, [added.AccessKeyId, credential]]) });
          await update(added);
          proxy.use({ ...settings, credentials: new Map([[added.AccessKeyId, credential]]) });
          await suite.encrypt(keyId(0), 'under the new credential');
          proxy.use({ ...settings, credentials: new Map([...settings.credentials, [added.AccessKeyId, credential]]) });
          await update(CREDENTIAL);
          proxy.use(settings);
          await suite.encrypt(keyId(0), 'under the old credential');
        });

        it('a key whose external key is disabled is not to be used, until that is enabled again', async () => {
          const CiphertextBlob = await suite.encrypt(keyId(0), 'far away');
          const [key] = [...settings.keys.values()];
          if (key === undefined) {
            throw new Error('the proxy has no keys');
          }
          proxy.use({ ...settings, keys: new Map([['key-1', { ...key, isEnabled: false }]]) });
          const decrypt = new DecryptCommand({ CiphertextBlob });
          await expectError(suite.kms.send(decrypt), 'KMSInvalidStateException', /is not enabled in the external key/);
          proxy.use({ ...settings, keys: new Map() });
          await expectError(suite.kms.send(decrypt), 'KMSInvalidStateException', /was not found in its external key/);
          proxy.use(settings);
          expect(text((await suite.kms.send(decrypt)).Plaintext)).toBe('far away');
        });

        describe('when the store is disconnected', () => {
          it('its keys are unavailable, and what they encrypted opens when it is connected again', async () => {
            const CiphertextBlob = await suite.encrypt(keyId(0), 'still there');
            await suite.kms.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }));
            await inState('DISCONNECTED');
            const { KeyMetadata } = await suite.kms.send(new DescribeKeyCommand({ KeyId: keyId(0) }));
            expect(KeyMetadata?.KeyState).toBe('Unavailable');
            const decrypt = new DecryptCommand({ CiphertextBlob });
            await expectError(suite.kms.send(decrypt), 'KMSInvalidStateException', /is unavailable\.$/);
            await expectError(createKey('key-3'), 'CustomKeyStoreInvalidStateException');
            await suite.kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
            await inState('CONNECTED');
            expect(text((await suite.kms.send(decrypt)).Plaintext)).toBe('still there');
          });
        });
      },
      {
        keyStoreBackends: (services: BackendServices) => ({ EXTERNAL_KEY_STORE: new XksBackend(services, network) }),
      },
    );
  });
});
