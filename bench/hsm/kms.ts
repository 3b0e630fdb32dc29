/**
 * Measures whole calls of an engine, policies included. Work: OPERATION/software or OPERATION/hsm, for keys of the
 * default key store and of a CloudHSM key store over the token.
 */
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfiguredClusters } from '#hsm/cloudhsm-backend';
import type { ClusterConfiguration } from '#hsm/cluster-configuration';
import { X509CertificateGenerator } from '@peculiar/x509';
import { Engine, rootOf, type CallContext } from 'keywright';
import type { BenchToken } from './modules.ts';
import { serve, settings, type Work } from './worker.ts';

const CLUSTER_ID = 'cluster-2a3b4c5d6e7';
const CONTEXT: CallContext = { caller: rootOf('111122223333'), region: 'us-east-1' };
const NO_BYTES = new Uint8Array(0);
const PLAINTEXT = randomBytes(32);

const { token: where, sessions } = settings();
const dataDirectory = mkdtempSync(join(tmpdir(), 'keywright-bench-kms-'));
process.on('exit', () => {
  rmSync(dataDirectory, { recursive: true });
});

const engine = await Engine.open({
  dataDirectory,
  regions: [CONTEXT.region],
  keyStoreBackends: (services) => ({ AWS_CLOUDHSM: new ConfiguredClusters([clusterOf(where)], services) }),
});

serve(async (name) => {
  const [operation = '', place] = name.split('/');
  const store = place === 'hsm' ? { Origin: 'AWS_CLOUDHSM' as const, CustomKeyStoreId: await keyStore() } : {};
  const { KeyId } = (await engine.call('CreateKey', store, CONTEXT)).KeyMetadata;
  return workOf(operation, KeyId);
});

async function workOf(operation: string, KeyId: string): Promise<Work> {
  const { CiphertextBlob } = await engine.call('Encrypt', { KeyId, Plaintext: PLAINTEXT }, CONTEXT);
  const { Plaintext } = await engine.call('Decrypt', { CiphertextBlob }, CONTEXT);
  if (!PLAINTEXT.equals(Plaintext ?? NO_BYTES)) throw new Error('the plaintext did not come back');
  const start = {
    encrypt: () => engine.call('Encrypt', { KeyId, Plaintext: PLAINTEXT }, CONTEXT),
    decrypt: () => engine.call('Decrypt', { CiphertextBlob }, CONTEXT),
    generateDataKey: () => engine.call('GenerateDataKey', { KeyId, KeySpec: 'AES_256' }, CONTEXT),
  }[operation];
  if (start === undefined) throw new Error(`nobody knows ${operation}`);
  return { messages: 1, start };
}

let storeId: Promise<string> | undefined;

/** One connected key store for all keys. */
function keyStore(): Promise<string> {
  storeId ??= connectKeyStore();
  return storeId;
}

async function connectKeyStore(): Promise<string> {
  const { CustomKeyStoreId } = await engine.call(
    'CreateCustomKeyStore',
    {
      CustomKeyStoreName: 'benchmark',
      CloudHsmClusterId: CLUSTER_ID,
      KeyStorePassword: where.pin,
      TrustAnchorCertificate: await certificate(),
    },
    CONTEXT,
  );
  await engine.call('ConnectCustomKeyStore', { CustomKeyStoreId }, CONTEXT);
  for (;;) {
    const { CustomKeyStores } = await engine.call('DescribeCustomKeyStores', { CustomKeyStoreId }, CONTEXT);
    const { ConnectionState, ConnectionErrorCode } = CustomKeyStores[0] ?? {};
    if (ConnectionState === 'CONNECTED') return CustomKeyStoreId;
    if (ConnectionState === 'FAILED') throw new Error(`the key store: ${ConnectionErrorCode ?? ''}`);
    await delay(10);
  }
}

function clusterOf({ name, modulePath, tokenLabel, initArgs, profile }: BenchToken): ClusterConfiguration {
  return {
    clusterId: CLUSTER_ID,
    profile,
    copies: 1,
    queueLength: undefined,
    timeoutMs: undefined,
    trustAnchor: undefined,
    members: [
      {
        name,
        modulePath,
        token: { label: tokenLabel },
        pinFile: undefined,
        initArgs: initArgs === '' ? undefined : initArgs,
        sessions,
        process: undefined,
        environment: undefined,
      },
    ],
  };
}

/** A trust anchor; the store wants one, and nothing is connected by it here. */
async function certificate(): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
  const made = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=benchmark',
    keys,
    signingAlgorithm: algorithm,
  });
  return made.toString('pem');
}
