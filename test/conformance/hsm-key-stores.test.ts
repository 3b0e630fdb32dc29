/** CloudHSM key stores over real tokens: SoftHSM2, alone and as a cluster of two that Keywright keeps in step. */
import {
  ConnectCustomKeyStoreCommand,
  CreateCustomKeyStoreCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeCustomKeyStoresCommand,
  DescribeKeyCommand,
  DisconnectCustomKeyStoreCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateRandomCommand,
  ReEncryptCommand,
  type CustomKeyStoresListEntry,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holdCeremony } from '../../src/hsm/cluster-ceremony.ts';
import { ConfiguredClusters } from '../../src/hsm/cloudhsm-backend.ts';
import type { ClusterConfiguration, ClusterMemberConfiguration } from '../../src/hsm/cluster-configuration.ts';
import { openPkcs11Token } from '../../src/pkcs11/index.ts';
import type { Pkcs11Token } from '../../src/pkcs11/token.ts';
import { expectError } from '../support/expect-error.ts';
import { cloudHsmStore } from '../support/key-store-requests.ts';
import { eventually } from '../support/memory-backend.ts';
import { createSoftHsm, missingSoftHsm, type SoftHsm } from '../support/softhsm.ts';
import { describeKms, type Suite } from './suite.ts';

const PIN = 'kmsuser-password';
const SINGLE = 'cluster-aaaaaaaaaaa';
const PAIR = 'cluster-bbbbbbbbbbb';

let hsm: SoftHsm | undefined;

const member = (label: string): ClusterMemberConfiguration => ({
  name: label,
  modulePath: hsm?.module ?? '',
  token: { label },
  pinFile: undefined,
  initArgs: undefined,
  sessions: 2,
  process: undefined,
  environment: undefined,
});

const clusterOf = (clusterId: string, labels: readonly string[]): ClusterConfiguration => ({
  clusterId,
  profile: 'softhsm',
  copies: labels.length,
  queueLength: undefined,
  timeoutMs: undefined,
  trustAnchor: undefined,
  members: labels.map(member),
});

function open(label: string): Promise<Pkcs11Token> {
  return openPkcs11Token({
    modulePath: hsm?.module ?? '',
    token: { label },
    pin: Buffer.from(PIN),
    profile: 'softhsm',
  });
}

const options = {
  keyStoreBackends: (services: ConstructorParameters<typeof ConfiguredClusters>[1]) => ({
    AWS_CLOUDHSM: new ConfiguredClusters([clusterOf(SINGLE, ['alone']), clusterOf(PAIR, ['left', 'right'])], services),
  }),
};

async function settled(suite: Suite, CustomKeyStoreId: string): Promise<CustomKeyStoresListEntry> {
  return eventually(async () => {
    const { CustomKeyStores } = await suite.kms.send(new DescribeCustomKeyStoresCommand({ CustomKeyStoreId }));
    const [store] = CustomKeyStores ?? [];
    return store?.ConnectionState?.endsWith('ING') === true ? undefined : store;
  });
}

async function connect(suite: Suite, clusterId: string, password = PIN): Promise<CustomKeyStoresListEntry> {
  const { CustomKeyStoreId = '' } = await suite.kms.send(
    new CreateCustomKeyStoreCommand(cloudHsmStore({ CloudHsmClusterId: clusterId, KeyStorePassword: password })),
  );
  await suite.kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
  return settled(suite, CustomKeyStoreId);
}

beforeAll(async () => {
  if (missingSoftHsm !== undefined) return;
  hsm = createSoftHsm();
  for (const label of ['alone', 'left', 'right']) hsm.addToken(label, { pin: PIN });
  hsm.useInThisProcess();
  const pair = [await open('left'), await open('right')];
  expect(await holdCeremony(pair)).toBe(true);
  expect(await holdCeremony(pair)).toBe(false);
  await Promise.all(pair.map((token) => token.close()));
});

afterAll(() => {
  hsm?.remove();
});

describe.skipIf(missingSoftHsm !== undefined)('over SoftHSM2', () => {
  describeKms(
    'a key store on one token',
    (suite) => {
      let store: CustomKeyStoresListEntry;
      const createKey = async (): Promise<string> => {
        const { CustomKeyStoreId } = store;
        const { KeyMetadata } = await suite.kms.send(
          new CreateKeyCommand({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId }),
        );
        return KeyMetadata?.KeyId ?? '';
      };

      it('is connected with the password that is the PIN', async () => {
        store = await connect(suite, SINGLE);
        expect(store).toMatchObject({ ConnectionState: 'CONNECTED', CloudHsmClusterId: SINGLE });
      });

      it('encrypts and decrypts inside the token, bound to the encryption context', async () => {
        const KeyId = await createKey();
        const EncryptionContext = { purpose: 'test' };
        const CiphertextBlob = await suite.encrypt(KeyId, 'secret', EncryptionContext);
        const { Plaintext } = await suite.kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
        expect(Buffer.from(Plaintext ?? []).toString()).toBe('secret');
        const other = new DecryptCommand({ CiphertextBlob, EncryptionContext: { purpose: 'other' } });
        await expectError(suite.kms.send(other), 'InvalidCiphertextException');
        const changed = Buffer.from(CiphertextBlob);
        changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1);
        const broken = new DecryptCommand({ CiphertextBlob: changed, EncryptionContext });
        await expectError(suite.kms.send(broken), 'InvalidCiphertextException');
      });

      it('encrypts the shortest and the longest plaintext', async () => {
        const KeyId = await createKey();
        for (const text of ['x', 'x'.repeat(4096)]) {
          const CiphertextBlob = await suite.encrypt(KeyId, text);
          const { Plaintext } = await suite.kms.send(new DecryptCommand({ CiphertextBlob }));
          expect(Buffer.from(Plaintext ?? []).toString()).toBe(text);
        }
      });

      it('makes data keys with random bytes of the token', async () => {
        const KeyId = await createKey();
        const made = await suite.kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
        const { CiphertextBlob } = made;
        expect((await suite.kms.send(new DecryptCommand({ CiphertextBlob }))).Plaintext).toEqual(made.Plaintext);
        const hidden = await suite.kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, NumberOfBytes: 100 }));
        const opened = await suite.kms.send(new DecryptCommand({ CiphertextBlob: hidden.CiphertextBlob }));
        expect(opened.Plaintext).toHaveLength(100);
      });

      it('moves data from and to keys of the software', async () => {
        const [inside, outside] = [await createKey(), (await suite.createKey()).KeyId];
        const there = await suite.kms.send(
          new ReEncryptCommand({ CiphertextBlob: await suite.encrypt(outside, 'moved'), DestinationKeyId: inside }),
        );
        const back = await suite.kms.send(
          new ReEncryptCommand({ CiphertextBlob: there.CiphertextBlob, DestinationKeyId: outside }),
        );
        const { Plaintext } = await suite.kms.send(new DecryptCommand({ CiphertextBlob: back.CiphertextBlob }));
        expect(Buffer.from(Plaintext ?? []).toString()).toBe('moved');
      });

      it('gives random bytes of the token', async () => {
        const { CustomKeyStoreId } = store;
        const { Plaintext } = await suite.kms.send(new GenerateRandomCommand({ CustomKeyStoreId, NumberOfBytes: 64 }));
        expect(Plaintext).toHaveLength(64);
      });

      it('makes its keys unavailable while it is disconnected, and available again', async () => {
        const { CustomKeyStoreId = '' } = store;
        const KeyId = await createKey();
        const CiphertextBlob = await suite.encrypt(KeyId, 'kept');
        await suite.kms.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }));
        expect(await settled(suite, CustomKeyStoreId)).toMatchObject({ ConnectionState: 'DISCONNECTED' });
        await expectError(suite.kms.send(new DecryptCommand({ CiphertextBlob })), 'KMSInvalidStateException');
        const { KeyMetadata } = await suite.kms.send(new DescribeKeyCommand({ KeyId }));
        expect(KeyMetadata?.KeyState).toBe('Unavailable');
        await suite.kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
        await settled(suite, CustomKeyStoreId);
        const { Plaintext } = await suite.kms.send(new DecryptCommand({ CiphertextBlob }));
        expect(Buffer.from(Plaintext ?? []).toString()).toBe('kept');
      });
    },
    options,
  );

  describeKms(
    'a key store on two tokens',
    (suite) => {
      it('has every key on both before CreateKey answers, and none that can leave a token', async () => {
        const { CustomKeyStoreId, ConnectionState } = await connect(suite, PAIR);
        expect(ConnectionState).toBe('CONNECTED');
        const { KeyMetadata } = await suite.kms.send(
          new CreateKeyCommand({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId }),
        );
        const { KeyId = '', Arn = '' } = KeyMetadata ?? {};
        const CiphertextBlob = await suite.encrypt(KeyId, 'on both');
        for (const label of ['left', 'right']) {
          const token = await open(label);
          const found = (await token.findKeys()).filter((key) => key.label === Arn);
          expect(found).toHaveLength(1);
          expect(found[0]).toMatchObject({ isToken: true, isSensitive: true, isExtractable: false });
          // The other member does the work, and brings the key back to this one when it is asked again.
          await token.destroyKey(found[0]?.id ?? Buffer.alloc(0));
          for (let i = 0; i < 4; i++) {
            const { Plaintext } = await suite.kms.send(new DecryptCommand({ CiphertextBlob }));
            expect(Buffer.from(Plaintext ?? []).toString()).toBe('on both');
          }
          await token.close();
        }
      });
    },
    options,
  );

  describeKms(
    'what stands behind a store',
    (suite) => {
      it('must be configured', async () => {
        const command = new CreateCustomKeyStoreCommand(cloudHsmStore());
        await expectError(suite.kms.send(command), 'CloudHsmClusterNotFoundException');
      });

      it('refuses a password that is not the PIN', async () => {
        const store = await connect(suite, SINGLE, 'wrong-password');
        expect(store).toMatchObject({ ConnectionState: 'FAILED', ConnectionErrorCode: 'INVALID_CREDENTIALS' });
      });
    },
    options,
  );
});
