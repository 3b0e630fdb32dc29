import {
  ConnectCustomKeyStoreCommand,
  CreateCustomKeyStoreCommand,
  DeleteCustomKeyStoreCommand,
  DescribeCustomKeyStoresCommand,
  DisconnectCustomKeyStoreCommand,
  UpdateCustomKeyStoreCommand,
  type CustomKeyStoresListEntry,
  type KMSClient,
} from '@aws-sdk/client-kms';
import { afterEach, describe, expect, it } from 'vitest';
import { OTHER_ACCOUNT, OTHER_REGION } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import {
  cloudHsmStore,
  CREDENTIAL,
  PASSWORD,
  TRUST_ANCHOR,
  vpcXksStore,
  xksStore,
} from '../support/key-store-requests.ts';
import { eventually } from '../support/memory-backend.ts';
import { describeKms } from './suite.ts';

type Create = ReturnType<typeof xksStore>;
type Update = Omit<ConstructorParameters<typeof UpdateCustomKeyStoreCommand>[0], 'CustomKeyStoreId'>;

const NO_BACKEND_CASES = [
  ['CloudHSM', cloudHsmStore, 'CLUSTER_NOT_FOUND'],
  ['external', xksStore, 'XKS_PROXY_NOT_REACHABLE'],
] as const;

const VPC_SERVICE = 'com.amazonaws.vpce.eu-central-1.vpce-svc-0abc';

const INVALID_STORES: readonly (readonly [what: string, Create, text: RegExp])[] = [
  ['a CloudHSM store without cluster', cloudHsmStore({ CloudHsmClusterId: undefined }), /^CloudHsmClusterId is req/],
  [
    'a CloudHSM store without trust anchor',
    cloudHsmStore({ TrustAnchorCertificate: undefined }),
    /^TrustAnchorC.* is req/,
  ],
  ['a CloudHSM store without password', cloudHsmStore({ KeyStorePassword: undefined }), /^KeyStorePassword is req/],
  ['a CloudHSM store with a proxy', cloudHsmStore({ XksProxyUriPath: '/kms/xks/v1' }), /^XksProxyUriPath is not valid/],
  ['an external store without connectivity', xksStore({ XksProxyConnectivity: undefined }), /^XksProxyConn.* is req/],
  [
    'an external store without credential',
    xksStore({ XksProxyAuthenticationCredential: undefined }),
    /Credential is req/,
  ],
  ['an external store without endpoint', xksStore({ XksProxyUriEndpoint: undefined }), /^XksProxyUriEndpoint is req/],
  ['an external store without path', xksStore({ XksProxyUriPath: undefined }), /^XksProxyUriPath is req/],
  ['an external store with a password', xksStore({ KeyStorePassword: PASSWORD }), /^KeyStorePassword is not valid/],
  [
    'an external store with a trust anchor',
    xksStore({ TrustAnchorCertificate: TRUST_ANCHOR }),
    /^Trust.* is not valid/,
  ],
  ['a VPC store without service', vpcXksStore({ XksProxyVpcEndpointServiceName: undefined }), /ServiceName is req/],
  ['a public store with a service', xksStore({ XksProxyVpcEndpointServiceName: VPC_SERVICE }), /are only valid when/],
  ['a public store with an owner', xksStore({ XksProxyVpcEndpointServiceOwner: OTHER_ACCOUNT }), /are only valid when/],
  [
    'a cluster of digits 0, 1, 8, 9',
    cloudHsmStore({ CloudHsmClusterId: 'cluster-18901890189' }),
    /'cloudHsmClusterId'/,
  ],
  ['an endpoint with a port', xksStore({ XksProxyUriEndpoint: 'https://a.example.com:8443' }), /'xksProxyUriEndpoint'/],
  ['an endpoint without TLS', xksStore({ XksProxyUriEndpoint: 'http://a.example.com' }), /'xksProxyUriEndpoint'/],
  ['a path that ends elsewhere', xksStore({ XksProxyUriPath: '/kms/xks/v1/more' }), /'xksProxyUriPath'/],
];

/** Pairs of stores that cannot both be in one account and Region. */
const COLLISIONS: readonly (readonly [error: string, what: string, first: Create, second: Create])[] = [
  [
    'CustomKeyStoreNameInUseException',
    'a name',
    cloudHsmStore({ CustomKeyStoreName: 'x' }),
    xksStore({ CustomKeyStoreName: 'x' }),
  ],
  [
    'CloudHsmClusterInUseException',
    'a cluster',
    cloudHsmStore({ CloudHsmClusterId: 'cluster-twicetwicet' }),
    cloudHsmStore({ CloudHsmClusterId: 'cluster-twicetwicet' }),
  ],
  [
    'XksProxyUriInUseException',
    'a proxy URI',
    xksStore({ XksProxyUriEndpoint: 'https://one.example.com' }),
    xksStore({ XksProxyUriEndpoint: 'https://one.example.com' }),
  ],
  [
    'XksProxyUriEndpointInUseException',
    'the endpoint of a public store',
    xksStore({ XksProxyUriEndpoint: 'https://two.example.com' }),
    vpcXksStore({ XksProxyUriEndpoint: 'https://two.example.com', XksProxyUriPath: '/other/kms/xks/v1' }),
  ],
  [
    'XksProxyUriEndpointInUseException',
    'the private DNS name of a VPC store',
    vpcXksStore({ XksProxyUriEndpoint: 'https://three.example.com' }),
    vpcXksStore({ XksProxyUriEndpoint: 'https://three.example.com', XksProxyUriPath: '/other/kms/xks/v1' }),
  ],
  [
    'XksProxyVpcEndpointServiceInUseException',
    'a VPC endpoint service',
    vpcXksStore({ XksProxyVpcEndpointServiceName: 'com.amazonaws.vpce.eu-central-1.vpce-svc-0twice' }),
    vpcXksStore({ XksProxyVpcEndpointServiceName: 'com.amazonaws.vpce.eu-central-1.vpce-svc-0twice' }),
  ],
];

describeKms('custom key stores without a backend', (suite) => {
  const describeStores = async (kms: KMSClient = suite.kms): Promise<CustomKeyStoresListEntry[]> =>
    (await kms.send(new DescribeCustomKeyStoresCommand({}))).CustomKeyStores ?? [];

  const create = async (input: Create, kms: KMSClient = suite.kms): Promise<string> => {
    const { CustomKeyStoreId } = await kms.send(new CreateCustomKeyStoreCommand(input));
    return CustomKeyStoreId ?? '';
  };

  const describeOne = async (CustomKeyStoreId: string): Promise<CustomKeyStoresListEntry> => {
    const { CustomKeyStores } = await suite.kms.send(new DescribeCustomKeyStoresCommand({ CustomKeyStoreId }));
    expect(CustomKeyStores).toHaveLength(1);
    return CustomKeyStores?.[0] ?? {};
  };

  const update = (CustomKeyStoreId: string, changes: Update): Promise<unknown> =>
    suite.kms.send(new UpdateCustomKeyStoreCommand({ CustomKeyStoreId, ...changes }));

  const inState = (id: string, state: string): Promise<CustomKeyStoresListEntry> =>
    eventually(async () => {
      const store = await describeOne(id);
      return store.ConnectionState === state ? store : undefined;
    });

  afterEach(async () => {
    const clients = [
      suite.kms,
      suite.door.client({ account: OTHER_ACCOUNT }),
      suite.door.client({ region: OTHER_REGION }),
    ];
    for (const kms of clients) {
      for (const { CustomKeyStoreId, ConnectionState } of await describeStores(kms)) {
        if (ConnectionState === 'FAILED') {
          await kms.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }));
          await inState(CustomKeyStoreId ?? '', 'DISCONNECTED');
        }
        await kms.send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId }));
      }
    }
  });

  describe('creating and describing', () => {
    it('a CloudHSM store is disconnected at first, and shows everything but its password', async () => {
      const input = cloudHsmStore();
      const id = await create(input);
      expect(id).toMatch(/^cks-[0-9a-f]{17}$/);
      expect(await describeOne(id)).toEqual({
        CustomKeyStoreId: id,
        CustomKeyStoreName: input.CustomKeyStoreName,
        CustomKeyStoreType: 'AWS_CLOUDHSM',
        ConnectionState: 'DISCONNECTED',
        CreationDate: new Date(suite.door.clock.nowMs()),
        CloudHsmClusterId: input.CloudHsmClusterId,
        TrustAnchorCertificate: TRUST_ANCHOR,
      });
    });

    it('an external store shows its proxy and access key id, and never the secret', async () => {
      const input = xksStore();
      const id = await create(input);
      expect(await describeOne(id)).toEqual({
        CustomKeyStoreId: id,
        CustomKeyStoreName: input.CustomKeyStoreName,
        CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
        ConnectionState: 'DISCONNECTED',
        CreationDate: new Date(suite.door.clock.nowMs()),
        XksProxyConfiguration: {
          Connectivity: 'PUBLIC_ENDPOINT',
          AccessKeyId: CREDENTIAL.AccessKeyId,
          UriEndpoint: input.XksProxyUriEndpoint,
          UriPath: '/kms/xks/v1',
        },
      });
    });

    it('an external store behind a VPC endpoint service shows the service and its owner', async () => {
      const input = vpcXksStore({ XksProxyVpcEndpointServiceOwner: OTHER_ACCOUNT });
      expect((await describeOne(await create(input))).XksProxyConfiguration).toMatchObject({
        Connectivity: 'VPC_ENDPOINT_SERVICE',
        VpcEndpointServiceName: input.XksProxyVpcEndpointServiceName,
        VpcEndpointServiceOwner: OTHER_ACCOUNT,
      });
    });

    it.each(INVALID_STORES)('%s is refused', async (_what, input, text) => {
      await expectError(create(input), 'ValidationException', text);
      expect(await describeStores()).toEqual([]);
    });

    it('a trust anchor that is no certificate is refused', async () => {
      const broken = TRUST_ANCHOR.replace('MIIB', 'AAAA');
      for (const TrustAnchorCertificate of ['certificate', broken]) {
        await expectError(create(cloudHsmStore({ TrustAnchorCertificate })), 'IncorrectTrustAnchorException');
      }
    });

    it('a secret that breaks a constraint is not shown in the answer', async () => {
      await expectError(
        create(cloudHsmStore({ KeyStorePassword: 'hidden' })),
        'ValidationException',
        "1 validation error detected: Value at 'keyStorePassword' failed to satisfy constraint: " +
          'Member must have length greater than or equal to 7',
      );
      const credential = { AccessKeyId: 'hidden', RawSecretAccessKey: 'hidden!' };
      await expectError(
        create(xksStore({ XksProxyAuthenticationCredential: credential })),
        'ValidationException',
        /^(?!.*hidden)4 validation errors detected: .*xksProxyAuthenticationCredential\.rawSecretAccessKey/,
      );
    });

    it.each(COLLISIONS)('%s: two stores cannot share %s', async (error, _what, first, second) => {
      await create(first);
      await expectError(create(second), error);
      expect(await describeStores()).toHaveLength(1);
      await create(second, suite.door.client({ account: OTHER_ACCOUNT }));
      await create(second, suite.door.client({ region: OTHER_REGION }));
    });

    it('two public stores may share an endpoint when their paths differ', async () => {
      await create(xksStore({ XksProxyUriEndpoint: 'https://shared.example.com' }));
      await create(
        xksStore({ XksProxyUriEndpoint: 'https://shared.example.com', XksProxyUriPath: '/second/kms/xks/v1' }),
      );
    });

    it('of two stores that are made with one name at the same time there is one afterwards', async () => {
      const CustomKeyStoreName = 'at the same time';
      const outcomes = await Promise.allSettled([
        create(cloudHsmStore({ CustomKeyStoreName })),
        create(cloudHsmStore({ CustomKeyStoreName })),
      ]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const refusal = outcomes.find((outcome) => outcome.status === 'rejected');
      expect(refusal?.reason).toMatchObject({ name: 'CustomKeyStoreNameInUseException' });
    });

    it('an account has ten stores in a Region and no more', async () => {
      for (let count = 0; count < 10; count++) {
        await create(count % 2 === 0 ? cloudHsmStore() : xksStore());
      }
      await expectError(create(cloudHsmStore()), 'LimitExceededException');
      await create(cloudHsmStore(), suite.door.client({ account: OTHER_ACCOUNT }));
    });

    it('stores are found by id or by name, but not by both', async () => {
      const input = cloudHsmStore();
      const CustomKeyStoreId = await create(input);
      await create(xksStore());
      const { CustomKeyStoreName } = input;
      const find = (filter: object): Promise<{ CustomKeyStores?: CustomKeyStoresListEntry[] | undefined }> =>
        suite.kms.send(new DescribeCustomKeyStoresCommand(filter));
      expect(await find({ CustomKeyStoreName })).toMatchObject({ CustomKeyStores: [{ CustomKeyStoreId }] });
      await expectError(find({ CustomKeyStoreName, CustomKeyStoreId }), 'ValidationException');
      await expectError(find({ CustomKeyStoreName: 'nobody' }), 'CustomKeyStoreNotFoundException');
      await expectError(find({ CustomKeyStoreId: 'cks-00000000000000000' }), 'CustomKeyStoreNotFoundException');
    });

    it('stores are listed page by page', async () => {
      const made = await Promise.all([create(cloudHsmStore()), create(xksStore()), create(vpcXksStore())]);
      const seen: (string | undefined)[] = [];
      let Marker: string | undefined;
      do {
        const page = await suite.kms.send(new DescribeCustomKeyStoresCommand({ Limit: 2, Marker }));
        seen.push(...(page.CustomKeyStores ?? []).map(({ CustomKeyStoreId }) => CustomKeyStoreId));
        expect(page.Truncated).toBe(page.NextMarker !== undefined);
        Marker = page.NextMarker;
      } while (Marker !== undefined);
      expect(seen).toEqual([...made].sort());
      const badMarker = new DescribeCustomKeyStoresCommand({ Marker: 'nothing' });
      await expectError(suite.kms.send(badMarker), 'InvalidMarkerException');
    });

    it('another account and another Region have no part in a store', async () => {
      const CustomKeyStoreId = await create(cloudHsmStore());
      for (const client of [
        suite.door.client({ account: OTHER_ACCOUNT }),
        suite.door.client({ region: OTHER_REGION }),
      ]) {
        expect(await describeStores(client)).toEqual([]);
        const calls = [
          client.send(new DescribeCustomKeyStoresCommand({ CustomKeyStoreId })),
          client.send(new UpdateCustomKeyStoreCommand({ CustomKeyStoreId, NewCustomKeyStoreName: 'mine' })),
          client.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId })),
          client.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId })),
          client.send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId })),
        ];
        for (const call of calls) {
          await expectError(call, 'CustomKeyStoreNotFoundException');
        }
      }
    });
  });

  describe('connecting', () => {
    it.each(NO_BACKEND_CASES)(
      'a %s store fails to connect, and says why until it is disconnected',
      async (_kind, input, code) => {
        const CustomKeyStoreId = await create(input());
        await suite.kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
        expect((await inState(CustomKeyStoreId, 'FAILED')).ConnectionErrorCode).toBe(code);
        await suite.kms.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }));
        expect(await inState(CustomKeyStoreId, 'DISCONNECTED')).not.toHaveProperty('ConnectionErrorCode');
      },
    );
  });

  describe('updating', () => {
    it('a CloudHSM store gets another name and cluster', async () => {
      const id = await create(cloudHsmStore());
      const changes = { NewCustomKeyStoreName: 'renamed', CloudHsmClusterId: 'cluster-abcdefghijk' };
      await update(id, { ...changes, KeyStorePassword: 'another password' });
      expect(await describeOne(id)).toMatchObject({
        CustomKeyStoreName: 'renamed',
        CloudHsmClusterId: 'cluster-abcdefghijk',
      });
    });

    it('an external store goes from the public endpoint to a VPC endpoint service and back', async () => {
      const id = await create(xksStore());
      await update(id, {
        XksProxyConnectivity: 'VPC_ENDPOINT_SERVICE',
        XksProxyUriEndpoint: 'https://private.example.com',
        XksProxyVpcEndpointServiceName: 'com.amazonaws.vpce.eu-central-1.vpce-svc-0there',
        XksProxyVpcEndpointServiceOwner: OTHER_ACCOUNT,
      });
      expect((await describeOne(id)).XksProxyConfiguration).toMatchObject({
        Connectivity: 'VPC_ENDPOINT_SERVICE',
        VpcEndpointServiceName: 'com.amazonaws.vpce.eu-central-1.vpce-svc-0there',
      });
      await update(id, {
        XksProxyConnectivity: 'PUBLIC_ENDPOINT',
        XksProxyUriEndpoint: 'https://public.example.com',
        XksProxyVpcEndpointServiceName: '',
      });
      expect((await describeOne(id)).XksProxyConfiguration).toEqual({
        Connectivity: 'PUBLIC_ENDPOINT',
        AccessKeyId: CREDENTIAL.AccessKeyId,
        UriEndpoint: 'https://public.example.com',
        UriPath: '/kms/xks/v1',
      });
    });

    it('a switch of connectivity needs another endpoint and a fitting service', async () => {
      const id = await create(xksStore());
      const XksProxyVpcEndpointServiceName = 'com.amazonaws.vpce.eu-central-1.vpce-svc-0fits';
      const XksProxyConnectivity = 'VPC_ENDPOINT_SERVICE';
      const XksProxyUriEndpoint = 'https://private.example.com';
      await expectError(update(id, { XksProxyConnectivity, XksProxyVpcEndpointServiceName }), 'ValidationException');
      await expectError(update(id, { XksProxyConnectivity, XksProxyUriEndpoint }), 'ValidationException');
      await expectError(update(id, { XksProxyVpcEndpointServiceName }), 'ValidationException');
      await update(id, { XksProxyConnectivity, XksProxyUriEndpoint, XksProxyVpcEndpointServiceName });
      await expectError(update(id, { XksProxyVpcEndpointServiceName: '' }), 'ValidationException');
    });

    it('members of the other type are refused', async () => {
      const [cluster, proxy] = [await create(cloudHsmStore()), await create(xksStore())];
      await expectError(update(cluster, { XksProxyUriPath: '/kms/xks/v1' }), 'ValidationException');
      await expectError(update(proxy, { KeyStorePassword: 'password' }), 'ValidationException');
    });

    it('nothing that another store has can be taken', async () => {
      const taken = { cluster: cloudHsmStore(), proxy: xksStore() };
      const [cluster, proxy] = [await create(cloudHsmStore()), await create(xksStore())];
      await Promise.all([create(taken.cluster), create(taken.proxy)]);
      await expectError(
        update(cluster, { NewCustomKeyStoreName: taken.proxy.CustomKeyStoreName }),
        'CustomKeyStoreNameInUseException',
      );
      await expectError(
        update(cluster, { CloudHsmClusterId: taken.cluster.CloudHsmClusterId }),
        'CloudHsmClusterNotRelatedException',
      );
      await expectError(
        update(proxy, { XksProxyUriEndpoint: taken.proxy.XksProxyUriEndpoint }),
        'XksProxyUriInUseException',
      );
    });
  });
});
