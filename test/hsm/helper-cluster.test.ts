/** A cluster of two HSMs in helper processes of their own, which are killed. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SILENT_LOG } from '../../src/base/log.ts';
import { holdCeremony } from '../../src/hsm/cluster-ceremony.ts';
import type { ClusterConfiguration } from '../../src/hsm/cluster-configuration.ts';
import { HsmCluster, TooFewMembersError, type ClusterKey } from '../../src/hsm/hsm-cluster.ts';
import { openPkcs11Token } from '../../src/pkcs11/index.ts';
import { Pkcs11Error, type Pkcs11Token } from '../../src/pkcs11/token.ts';
import { helpersOf } from '../support/child-processes.ts';
import { createSoftHsm, missingSoftHsm, type SoftHsm } from '../support/softhsm.ts';

const PIN = 'cluster-pin';
const NAMES = ['left', 'right'] as const;
const AAD = Buffer.from('aad');
const LONG = { timeout: 15_000 };

type Name = (typeof NAMES)[number];

describe.skipIf(missingSoftHsm !== undefined)('a cluster in helper processes', () => {
  const hsms = {} as Record<Name, SoftHsm>;
  const tokens: Pkcs11Token[] = [];
  let cluster: HsmCluster;

  beforeAll(async () => {
    for (const name of NAMES) {
      hsms[name] = createSoftHsm();
      hsms[name].addToken(name, { pin: PIN });
    }
    const alone = await Promise.all(NAMES.map(open));
    await holdCeremony(alone);
    await Promise.all(alone.map((token) => token.close()));
    cluster = new HsmCluster(configuration(), {
      openToken: async (options) => {
        const token = await openPkcs11Token(options);
        tokens.push(token);
        return token;
      },
      randomBytes,
      log: SILENT_LOG,
      pin: () => Buffer.from(PIN),
    });
    await cluster.open();
  });
  afterAll(async () => {
    await cluster.close();
    for (const name of NAMES) hsms[name].remove();
    expect(helpersOf(process.pid)).toEqual([]);
  });

  function configuration(): ClusterConfiguration {
    return {
      clusterId: 'cluster-aaaaaaaaaaa',
      profile: 'softhsm',
      copies: 2,
      queueLength: undefined,
      timeoutMs: undefined,
      trustAnchor: undefined,
      members: NAMES.map((name) => ({
        name,
        modulePath: hsms[name].module,
        token: { label: name },
        pinFile: undefined,
        initArgs: undefined,
        sessions: 2,
        process: 'helper',
        environment: hsms[name].environment,
      })),
    };
  }

  /** A second user of a member's token. */
  const open = (name: Name): Promise<Pkcs11Token> =>
    openPkcs11Token({
      modulePath: hsms[name].module,
      token: { label: name },
      pin: Buffer.from(PIN),
      profile: 'softhsm',
      process: 'helper',
      environment: hsms[name].environment,
      // The ceremony makes an RSA key.
      timeoutMs: 60_000,
    });

  function kill(name: Name): void {
    const { SOFTHSM2_CONF } = hsms[name].environment;
    const helper = helpersOf(process.pid).find(({ environment }) => environment['SOFTHSM2_CONF'] === SOFTHSM2_CONF);
    process.kill(helper!.pid, 'SIGKILL');
  }

  const isWhole = (): boolean => tokens.every((token) => token.state().circuit === 'closed');

  async function createKey(): Promise<ClusterKey> {
    const id = randomBytes(32);
    return { id, label: 'key', wrapped: await cluster.createKey(id, 'key') };
  }

  it.each(NAMES)(
    'loses no request and no acknowledged key when %s is killed under load, again and again',
    async (name) => {
      const before = await createKey();
      const acknowledged: ClusterKey[] = [];
      let isOver = false;
      let done = 0;
      const use = async (): Promise<void> => {
        while (!isOver) {
          const plaintext = randomBytes(16);
          const sealed = await cluster.encrypt(before, plaintext, AAD);
          expect(await cluster.decrypt(before, sealed, AAD)).toEqual(plaintext);
          done++;
        }
      };
      const make = async (): Promise<void> => {
        while (!isOver) {
          const made = await createKey().catch((error: unknown) => error);
          if (made instanceof Error) {
            // Fewer than two at work, or one that died over it: nothing else may go wrong.
            if (!(made instanceof TooFewMembersError)) expect(made).toBeInstanceOf(Pkcs11Error);
            await delay(1);
            if (made instanceof Pkcs11Error) expect(['helperEnded', 'unavailable']).toContain(made.reason);
          } else {
            acknowledged.push(made as ClusterKey);
          }
        }
      };
      const work = Promise.all([use(), use(), use(), make()]);
      try {
        for (let round = 0; round < 3; round++) {
          const doneBefore = done;
          const madeBefore = acknowledged.length;
          kill(name);
          await vi.waitUntil(() => !isWhole(), LONG);
          // Others do the work meanwhile, and keys are made again when it is back.
          await vi.waitUntil(() => done > doneBefore + 5 && isWhole() && acknowledged.length > madeBefore + 1, LONG);
        }
      } finally {
        isOver = true;
      }

      await work;
      for (const member of NAMES) {
        const token = await open(member);
        for (const { id } of [before, ...acknowledged]) {
          expect(await token.findKeys(id), `${String(acknowledged.length)} keys on ${member}`).toHaveLength(1);
        }
        await token.close();
      }
    },
  );

  it('makes no key while one is away, uses those that are there, and goes on when it is back', async () => {
    const key = await createKey();
    kill('right');
    await vi.waitUntil(() => !isWhole(), { ...LONG, interval: 1 });
    await expect(cluster.createKey(randomBytes(32), 'key')).rejects.toBeInstanceOf(TooFewMembersError);
    const sealed = await cluster.encrypt(key, AAD, AAD);
    await vi.waitUntil(isWhole, LONG);
    await createKey();
    // By the one that was away.
    kill('left');
    await vi.waitUntil(() => !isWhole(), { ...LONG, interval: 1 });
    expect(await cluster.decrypt(key, sealed, AAD)).toEqual(AAD);
    await vi.waitUntil(isWhole, LONG);
  });

  it('gives a member that returns the keys that it lost', async () => {
    const key = await createKey();
    const right = await open('right');
    await right.destroyKey(key.id);
    await right.close();
    // The helper of the cluster does not see it gone before it starts again.
    kill('right');
    await vi.waitUntil(() => !isWhole(), { ...LONG, interval: 1 });
    await vi.waitUntil(isWhole, LONG);
    const sealed = await cluster.encrypt(key, AAD, AAD);
    kill('left');
    await vi.waitUntil(() => !isWhole(), { ...LONG, interval: 1 });
    expect(await cluster.decrypt(key, sealed, AAD)).toEqual(AAD);
    await vi.waitUntil(isWhole, LONG);
  });
});
