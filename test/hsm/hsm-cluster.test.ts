/** What a cluster of two tokens promises while one of them cannot be used. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SILENT_LOG } from '../../src/base/log.ts';
import { holdCeremony } from '../../src/hsm/cluster-ceremony.ts';
import type { ClusterConfiguration } from '../../src/hsm/cluster-configuration.ts';
import { HsmCluster, TooFewMembersError } from '../../src/hsm/hsm-cluster.ts';
import { keySubject, serviceErrorOf } from '../../src/hsm/token-failures.ts';
import type { Pkcs11Reason } from '../../src/pkcs11/codes.ts';
import { openPkcs11Token } from '../../src/pkcs11/index.ts';
import { Pkcs11Error, type Pkcs11Token, type Pkcs11TokenOptions } from '../../src/pkcs11/token.ts';
import { createSoftHsm, missingSoftHsm, type SoftHsm } from '../support/softhsm.ts';

const PIN = 'cluster-pin';
const LABELS = ['left', 'right'];
const AAD = Buffer.from('aad');

describe.skipIf(missingSoftHsm !== undefined)('a cluster over SoftHSM2', () => {
  let hsm: SoftHsm;
  let cluster: HsmCluster;
  /** Tokens that answer everything with a failure, by label. */
  const failing = new Map<string, Pkcs11Reason>();

  const openToken = async (options: Pkcs11TokenOptions): Promise<Pkcs11Token> => {
    const token = await openPkcs11Token(options);
    const label = token.info.label;
    return new Proxy(token, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (name === 'state' || name === 'close') return value.bind(target) as unknown;
        return (...values: unknown[]): unknown => {
          const reason = failing.get(label);
          return reason === undefined
            ? Reflect.apply(value, target, values)
            : Promise.reject(new Pkcs11Error(reason, 0, `${label} fails`));
        };
      },
    });
  };

  const configuration = (): ClusterConfiguration => ({
    clusterId: 'cluster-aaaaaaaaaaa',
    profile: 'softhsm',
    copies: 2,
    queueLength: undefined,
    timeoutMs: undefined,
    trustAnchor: undefined,
    members: LABELS.map((label) => ({
      name: label,
      modulePath: hsm.module,
      token: { label },
      pinFile: undefined,
      initArgs: undefined,
      sessions: 1,
      process: undefined,
      environment: undefined,
    })),
  });

  beforeAll(async () => {
    hsm = createSoftHsm();
    for (const label of LABELS) hsm.addToken(label, { pin: PIN });
    hsm.useInThisProcess();
    const support = { openToken, randomBytes, log: SILENT_LOG, pin: () => Buffer.from(PIN) };
    cluster = new HsmCluster(configuration(), support);
    await expect(cluster.open()).rejects.toThrow('join-cluster');
    const tokens = await Promise.all(
      LABELS.map((label) =>
        openPkcs11Token({ modulePath: hsm.module, token: { label }, pin: Buffer.from(PIN), profile: 'softhsm' }),
      ),
    );
    await holdCeremony(tokens);
    await Promise.all(tokens.map((token) => token.close()));
    await cluster.open();
  });
  afterAll(async () => {
    await cluster.close();
    hsm.remove();
  });
  beforeEach(() => {
    failing.clear();
  });

  async function createKey(): Promise<{ id: Buffer; label: string; wrapped: Uint8Array }> {
    const id = randomBytes(32);
    return { id, label: 'key', wrapped: await cluster.createKey(id, 'key') };
  }

  it.each(LABELS)('goes on working while %s fails', async (label) => {
    const key = await createKey();
    for (const reason of ['unavailable', 'timedOut', 'queueFull', 'module', 'closed'] as const) {
      failing.set(label, reason);
      const sealed = await cluster.encrypt(key, Buffer.from('secret'), AAD);
      expect((await cluster.decrypt(key, sealed, AAD)).toString()).toBe('secret');
      expect(await cluster.randomBytes(16)).toHaveLength(16);
    }
  });

  it('makes no key that would be on one member only, and leaves none behind', async () => {
    failing.set('right', 'unavailable');
    const id = randomBytes(32);
    await expect(cluster.createKey(id, 'alone')).rejects.toMatchObject({ reason: 'unavailable' });
    failing.clear();
    await expect(cluster.encrypt({ id, label: 'alone', wrapped: new Uint8Array(0) }, AAD, AAD)).rejects.toMatchObject({
      reason: 'keyNotFound',
    });
  });

  it('asks for as many members as a key must be on', async () => {
    const support = { openToken, randomBytes, log: SILENT_LOG, pin: () => Buffer.from(PIN) };
    const [left] = configuration().members;
    const other = { ...configuration().members[1], token: { label: 'nowhere' } };
    const lame = new HsmCluster({ ...configuration(), members: [left, other] as never }, support);
    await lame.open();
    await expect(lame.createKey(randomBytes(32), 'key')).rejects.toBeInstanceOf(TooFewMembersError);
    await lame.close();
  });

  it('says what is wrong when every member fails', async () => {
    const key = await createKey();
    for (const [reason, name] of [
      ['unavailable', 'KMSInvalidStateException'],
      ['queueFull', 'ThrottlingException'],
      ['timedOut', 'DependencyTimeoutException'],
    ] as const) {
      for (const label of LABELS) failing.set(label, reason);
      const failure: unknown = await cluster.encrypt(key, AAD, AAD).catch((error: unknown) => error);
      expect(failure).toMatchObject({ reason });
      expect(serviceErrorOf(failure as Pkcs11Error, keySubject({ arn: 'arn' })).name).toBe(name);
    }
  });

  it('does not ask another member about what does not open', async () => {
    const key = await createKey();
    const sealed = await cluster.encrypt(key, Buffer.from('secret'), AAD);
    await expect(cluster.decrypt(key, sealed, Buffer.from('other'))).rejects.toMatchObject({
      reason: 'authenticationFailed',
    });
  });
});
