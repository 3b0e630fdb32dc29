/** Connections to proxies under the time that a call has. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HttpsCaller, type HttpsAnswer } from '../../src/xks/https-caller.ts';
import { eventually } from '../support/memory-backend.ts';
import { Authority, json, networkTo, PROXY_HOST, startFakeProxy, type FakeProxy } from '../support/xks.ts';

const CALLS = 8;
const CALL_MS = 1_000;

/** Hands connections through, and what clients say on them only once the test lets it; then it takes no new ones. */
class Sluice {
  readonly #server = createServer();
  readonly #sockets: Socket[] = [];
  readonly #held: (() => void)[] = [];
  #isOpen = false;
  accepted = 0;
  /** Connections that the client ended. */
  ended = 0;

  async listen(target: number): Promise<number> {
    this.#server.on('connection', (client) => {
      client.on('error', () => undefined);
      if (this.#isOpen) {
        client.destroy();
        return;
      }
      this.accepted++;
      client.on('end', () => this.ended++);
      const proxy = connect(target, '127.0.0.1').on('error', () => undefined);
      this.#sockets.push(client, proxy);
      proxy.pipe(client);
      client.on('data', (chunk) => {
        if (this.#isOpen) proxy.write(chunk);
        else this.#held.push(() => proxy.write(chunk));
      });
    });
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  open(): void {
    this.#isOpen = true;
    for (const release of this.#held) release();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

let proxy: FakeProxy;
let sluice: Sluice;
let caller: HttpsCaller;

beforeEach(async () => {
  const authority = await Authority.create();
  proxy = await startFakeProxy(await authority.issue(PROXY_HOST));
  proxy.answer('/call', json(200, {}));
  sluice = new Sluice();
  caller = new HttpsCaller(networkTo(await sluice.listen(proxy.port), authority, CALL_MS));
});
afterEach(async () => {
  caller.close();
  await sluice.close();
  await proxy.close();
});

const burst = (): Promise<PromiseSettledResult<HttpsAnswer>[]> =>
  Promise.allSettled(
    Array.from({ length: CALLS }, () =>
      caller.post({ host: PROXY_HOST, path: '/call', headers: {}, body: Buffer.from('{}') }),
    ),
  );

it('handshakes outlive the calls that were too early, so that the next calls find connections', async () => {
  const early = await burst();
  expect(early.map((each) => each.status === 'rejected' && (each.reason as { kind?: string }).kind)).toEqual(
    Array.from({ length: CALLS }, () => 'timeout'),
  );
  expect(sluice.accepted).toBe(CALLS);
  sluice.open();
  // No new connection gets through.
  const next = await eventually(async () => {
    const settled = await burst();
    return settled.every(({ status }) => status === 'fulfilled') ? settled : undefined;
  });
  expect(next).toHaveLength(CALLS);
});

it('a handshake that does not end is given up all the same', async () => {
  await burst();
  expect(sluice.accepted).toBe(CALLS);
  await eventually(() => Promise.resolve(sluice.ended === CALLS ? true : undefined));
});
