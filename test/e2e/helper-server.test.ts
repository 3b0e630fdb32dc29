/** The server as a process whose HSM works in a helper process: that one may end, and does not outlive the server. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { helpersOf, isAlive } from '../support/child-processes.ts';
import { missingSoftHsm } from '../support/softhsm.ts';
import { TokenServer, type Sealed } from '../support/token-server.ts';

const TEST_MS = 120_000;
const LONG = { timeout: 60_000 };
/** What a request gets that was under way, or came, when the helper ended: the cluster has no other member. */
const OUTAGES = ['CustomKeyStoreInvalidStateException', 'KMSInvalidStateException'];

describe.skipIf(missingSoftHsm !== undefined || process.platform !== 'linux')('a server with a helper process', () => {
  let server: TokenServer;
  let key: Sealed;

  beforeEach(async () => {
    server = await TokenServer.start({ timeoutMs: 10_000, sessions: 1, process: 'helper' });
    key = await server.makeSealed();
  });
  afterEach(() => server.remove());

  const helperPids = (): readonly number[] => helpersOf(server.server.pid).map(({ pid }) => pid);

  function theHelper(): number {
    const pids = helperPids();
    expect(pids).toHaveLength(1);
    return pids[0]!;
  }

  it(
    'works again when the helper was killed under load, and has every key that it acknowledged',
    async () => {
      for (let round = 0; round < 3; round++) {
        const killed = theHelper();
        const load = server.work([key, key], 20);
        process.kill(killed, 'SIGKILL');
        for (const answer of await load) expect(['right', ...OUTAGES]).toContain(answer);
        await expect.poll(() => server.open(key), LONG).toBe('right');
        await expect.poll(() => server.create(), LONG).toBe('right');
        expect(theHelper()).not.toBe(killed);
      }
      expect(await server.answers([key])).toEqual(['right']);
    },
    TEST_MS,
  );

  it(
    'takes the helper with it when it is asked to stop',
    async () => {
      const helper = theHelper();
      expect(await server.server.stop()).toBe(0);
      expect(isAlive(helper)).toBe(false);
    },
    TEST_MS,
  );

  it(
    'takes the helper with it when it is killed while requests are under way',
    async () => {
      const helper = theHelper();
      const load = server.work([key], 20);
      await server.server.kill();
      await load;
      await expect.poll(() => isAlive(helper), LONG).toBe(false);
    },
    TEST_MS,
  );
});
