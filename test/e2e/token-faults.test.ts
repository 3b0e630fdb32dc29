/** The server as a process over an HSM that fails: what it answers, and that it works again when the HSM does. */
import { UpdateCustomKeyStoreCommand } from '@aws-sdk/client-kms';
import { chmodSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/memory-backend.ts';
import { cannotObeyModes, OBEYING_MODES } from '../support/obey-modes.ts';
import { readCounts, writeFaults } from '../support/pkcs11-shim.ts';
import { missingSoftHsm } from '../support/softhsm.ts';
import { changePin, PIN, TokenServer, type Sealed } from '../support/token-server.ts';

const NEW_PIN = 'another-password';
/** How long the server gives a request to the token. */
const TOKEN_TIMEOUT_MS = 1500;
const TEST_MS = 120_000;
/** What CreateKey and requests with keys answer while the token cannot be used. */
const OUTAGES = ['CustomKeyStoreInvalidStateException', 'KMSInvalidStateException'];
const CONNECTED = { ConnectionState: 'CONNECTED' };
const DISCONNECTED = { ConnectionState: 'DISCONNECTED' };
/** The token of a store that is connected is not there. */
const UNSEEN = { ConnectionState: 'FAILED', ConnectionErrorCode: 'CLUSTER_NOT_FOUND' };

/** A rule that makes a function take longer than a request may. */
function slow(name: string): string {
  return `${name} delay-ms ${String(2 * TOKEN_TIMEOUT_MS)}`;
}

describe.skipIf(missingSoftHsm !== undefined)('a server over an HSM that fails', () => {
  let server: TokenServer;
  let keys: Sealed[];

  beforeEach(async () => {
    const runner = cannotObeyModes === undefined ? OBEYING_MODES : [];
    server = await TokenServer.start({ timeoutMs: TOKEN_TIMEOUT_MS, sessions: 3, runner });
    keys = [await server.makeSealed(), await server.makeSealed()];
  });
  afterEach(() => server.remove());

  const tokenFolder = (): string => join(server.hsm.tokens, readdirSync(server.hsm.tokens)[0] ?? '');
  /** Until the first key works. */
  const isBack = (): Promise<true> =>
    eventually(async () => ((await server.open(keys[0]!)) === 'right' ? true : undefined));
  /** All keys that were acknowledged are there and do their work. */
  const expectAll = async (): Promise<void> => {
    expect(await server.answers(keys)).toEqual(['right']);
  };

  /** What is promised of a token that is hidden, and shown again. */
  async function expectRecovery(hide: (folder: string) => void, show: (folder: string) => void): Promise<void> {
    const folder = tokenFolder();
    hide(folder);
    expect(await server.work(keys)).toEqual(OUTAGES);
    expect(await server.disconnect()).toMatchObject(DISCONNECTED);
    expect(await server.connect()).toMatchObject(UNSEEN);
    show(folder);
    expect(await server.disconnect()).toMatchObject(DISCONNECTED);
    expect(await server.connect()).toMatchObject(CONNECTED);
    expect(await server.work(keys)).toEqual(['right']);
    await expectAll();
  }

  it(
    'answers while the directory of the token is away, and works when it is back and the store is connected again',
    async () => {
      const away = join(server.folder, 'away');
      await expectRecovery(
        (folder) => renameSync(folder, away),
        (folder) => renameSync(away, folder),
      );
    },
    TEST_MS,
  );

  it.skipIf(cannotObeyModes)(
    'answers while it may not read the directory of the token, and works when it may and the store is connected again',
    async () => {
      await expectRecovery(
        (folder) => chmodSync(folder, 0o000),
        (folder) => chmodSync(folder, 0o700),
      );
    },
    TEST_MS,
  );

  it(
    'answers in time while the token is slow, and works by itself when it no longer is',
    async () => {
      writeFaults(server.faults, slow('C_DecryptInit'), slow('C_GenerateKey'));
      const answers = await server.work(keys, 3);
      expect(answers).toContain('DependencyTimeoutException');
      for (const answer of answers) expect(['DependencyTimeoutException', ...OUTAGES]).toContain(answer);
      writeFaults(server.faults);
      await isBack();
      await expectAll();
    },
    TEST_MS,
  );

  it(
    'works with the sessions that it has when no more can be had',
    async () => {
      writeFaults(server.faults, 'C_OpenSession fail CKR_SESSION_COUNT', 'C_DecryptInit lose-session first 2');
      const answers = await server.work(keys);
      expect(answers).toContain('right');
      for (const answer of answers) expect(['right', ...OUTAGES]).toContain(answer);
      const { C_DecryptInit: lost, C_OpenSession: refused } = readCounts(server.counts);
      expect(lost?.faults).toBe(2);
      expect(refused?.faults).toBeGreaterThan(0);
      writeFaults(server.faults);
      await isBack();
      await expectAll();
    },
    TEST_MS,
  );

  it(
    'works on with its sessions when the PIN is changed, says so at the next connect, and takes the new one',
    async () => {
      changePin(server.hsm, 'kms', PIN, NEW_PIN);
      expect(await server.work(keys)).toEqual(['right']);
      expect(await server.disconnect()).toMatchObject(DISCONNECTED);
      const refused = { ConnectionState: 'FAILED', ConnectionErrorCode: 'INVALID_CREDENTIALS' };
      expect(await server.connect()).toMatchObject(refused);
      expect(await server.disconnect()).toMatchObject(DISCONNECTED);
      const update = { CustomKeyStoreId: server.storeId, KeyStorePassword: NEW_PIN };
      await server.kms.send(new UpdateCustomKeyStoreCommand(update));
      expect(await server.connect()).toMatchObject(CONNECTED);
      await expectAll();
    },
    TEST_MS,
  );
});
