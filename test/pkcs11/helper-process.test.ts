/** What a token promises whose module runs in a helper process, while that process ends, stops, or loses its parent. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openPkcs11Token } from '../../src/pkcs11/index.ts';
import type { Pkcs11Error, Pkcs11Token, Pkcs11TokenOptions } from '../../src/pkcs11/token.ts';
import { helpersOf, isAlive, type ChildFacts } from '../support/child-processes.ts';
import { buildShim, readCounts, shimEnvironment, writeFaults } from '../support/pkcs11-shim.ts';
import { createSoftHsm, missingSoftHsm, type SoftHsm, type SoftToken } from '../support/softhsm.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ID = Buffer.from('key');
const AAD = Buffer.alloc(0);
const DIST = fileURLToPath(new URL('../../dist/pkcs11/index.js', import.meta.url));
const LONG = { timeout: 15_000 };

describe.skipIf(missingSoftHsm !== undefined)('a helper process', () => {
  let hsm: SoftHsm;
  let softToken: SoftToken;
  let folder: ReturnType<typeof temporaryFolder>;
  let files: { faults: string; counts: string };
  let opened: Pkcs11Token[] = [];

  beforeEach(() => {
    hsm = createSoftHsm();
    folder = temporaryFolder();
    softToken = hsm.addToken('helped');
    files = { faults: join(folder.path, 'faults'), counts: join(folder.path, 'counts') };
  });
  afterEach(async () => {
    writeFaults(files.faults);
    await Promise.all(opened.map((token) => token.close()));
    opened = [];
    expect(helpersOf(process.pid)).toEqual([]);
    hsm.remove();
    folder.remove();
  });

  const optionsOf = (options: Partial<Pkcs11TokenOptions> = {}): Pkcs11TokenOptions => ({
    modulePath: buildShim(),
    token: { label: 'helped' },
    pin: Buffer.from(softToken.pin),
    profile: 'softhsm',
    process: 'helper',
    environment: { ...hsm.environment, ...shimEnvironment({ module: hsm.module, ...files }) },
    ...options,
  });

  async function open(options: Partial<Pkcs11TokenOptions> = {}): Promise<Pkcs11Token> {
    const token = await openPkcs11Token(optionsOf(options));
    opened.push(token);
    return token;
  }

  function theHelper(): ChildFacts {
    const helpers = helpersOf(process.pid);
    expect(helpers).toHaveLength(1);
    return helpers[0]!;
  }

  const reasonOf = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => 'done',
      (error: unknown) => (error as Pkcs11Error).reason,
    );

  const isBack = (token: Pkcs11Token): Promise<unknown> => vi.waitUntil(() => token.state().circuit === 'closed', LONG);

  it('runs beside one with another configuration of the same module', async () => {
    const other = createSoftHsm();
    other.addToken('elsewhere');
    try {
      const here = await open({ modulePath: hsm.module, environment: hsm.environment });
      const there = await open({
        modulePath: hsm.module,
        token: { label: 'elsewhere' },
        environment: other.environment,
      });
      await Promise.all([here, there].map((token) => token.generateSecretKey({ id: ID, label: '', type: 'aesGcm' })));
      const sealed = await here.encryptGcm(ID, Buffer.from('secret'), AAD);
      expect(await reasonOf(there.decryptGcm(ID, sealed, AAD))).toBe('authenticationFailed');
      await there.close();
    } finally {
      other.remove();
    }
  });

  it('is given the PIN neither as an argument nor in its environment, and none of the settings of Keywright', async () => {
    vi.stubEnv('KEYWRIGHT_PKCS11_PIN', softToken.pin);
    vi.stubEnv('OTHER_SETTING', 'passed on');
    await open();
    const { commandLine, environment } = theHelper();
    expect(commandLine.join(' ')).not.toContain(softToken.pin);
    expect(environment).not.toHaveProperty('KEYWRIGHT_PKCS11_PIN');
    expect(Object.values(environment).join(' ')).not.toContain(softToken.pin);
    expect(environment).toMatchObject({ OTHER_SETTING: 'passed on', ...hsm.environment });
    vi.unstubAllEnvs();
  });

  it('that is killed ends what is under way, and nothing else; another one takes its place', async () => {
    const token = await open();
    await token.generateSecretKey({ id: ID, label: '', type: 'aesGcm' });
    const sealed = await token.encryptGcm(ID, Buffer.from('kept'), AAD);
    writeFaults(files.faults, 'C_EncryptInit hang');
    const underWay = [1, 2, 3].map(() => reasonOf(token.encryptGcm(ID, ID, AAD)));
    await vi.waitUntil(() => readCounts(files.counts)['C_EncryptInit']!.faults > 0, LONG);
    const { pid } = theHelper();
    process.kill(pid, 'SIGKILL');
    expect(await Promise.all(underWay)).toEqual(['helperEnded', 'helperEnded', 'helperEnded']);
    expect(token.state()).toMatchObject({ circuit: 'open', active: 0, queued: 0 });
    expect(await reasonOf(token.generateRandom(8))).toBe('unavailable');
    writeFaults(files.faults);
    await isBack(token);
    expect(theHelper().pid).not.toBe(pid);
    expect(String(await token.decryptGcm(ID, sealed, AAD))).toBe('kept');
  });

  it.each(['abort', 'kill'])('whose module ends it (%s) makes no second key', async (action) => {
    const token = await open();
    const before = readCounts(files.counts)['C_GenerateKey']!.calls;
    writeFaults(files.faults, `C_GenerateKey ${action}`);
    const plan = { id: ID, label: '', type: 'aesGcm' } as const;
    await expect(token.generateSecretKey(plan)).rejects.toMatchObject({
      reason: 'helperEnded',
      message: expect.stringContaining('may have been done') as string,
    });
    await isBack(token);
    expect(readCounts(files.counts)['C_GenerateKey']!.calls).toBe(before + 1);
    writeFaults(files.faults);
    expect(await token.findKeys(ID)).toEqual([]);
    await token.generateSecretKey(plan);
  });

  it('that cannot be opened again is tried less and less often, and works when it can', async () => {
    const token = await open();
    const calls = (): number => readCounts(files.counts)['C_Initialize']!.calls;
    writeFaults(files.faults, 'C_Initialize kill');
    const before = calls();
    process.kill(theHelper().pid, 'SIGKILL');
    const triedAt: number[] = [];
    await vi.waitUntil(() => {
      if (calls() - before > triedAt.length) triedAt.push(performance.now());
      return triedAt.length === 5;
    }, LONG);
    expect(await reasonOf(token.generateRandom(8))).toBe('unavailable');
    // Four fifths of what must lie between: the time of an attempt is seen a little late.
    const [, , third = 0, , fifth = 0] = triedAt;
    expect(fifth - third).toBeGreaterThan(0.8 * (400 + 800));
    writeFaults(files.faults);
    await isBack(token);
    expect(await token.generateRandom(8)).toHaveLength(8);
  });

  it('that is started again tries a PIN that was changed once and no more', async () => {
    const token = await open();
    const logins = (): number => readCounts(files.counts)['C_Login']!.calls;
    writeFaults(files.faults, 'C_Login fail CKR_PIN_INCORRECT');
    const before = logins();
    process.kill(theHelper().pid, 'SIGKILL');
    await vi.waitUntil(async () => (await reasonOf(token.generateRandom(8))) === 'pinRefused', LONG);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(logins()).toBe(before + 1);
    expect(helpersOf(process.pid)).toEqual([]);
  });

  it('that stands still is replaced, and requests do not wait for it', async () => {
    const token = await open({ timeoutMs: 300, sessions: 1, queueLength: 4 });
    const { pid } = theHelper();
    process.kill(pid, 'SIGSTOP');
    const reasons = await Promise.all(Array.from({ length: 30 }, () => reasonOf(token.generateRandom(8))));
    expect(reasons.filter((reason) => reason === 'helperEnded')).toHaveLength(10);
    expect(reasons.filter((reason) => reason === 'queueFull')).toHaveLength(20);
    await isBack(token);
    expect(isAlive(pid)).toBe(false);
    expect(await token.generateRandom(8)).toHaveLength(8);
  });

  it('that does not close is killed', async () => {
    const token = await open({ timeoutMs: 300 });
    const { pid } = theHelper();
    process.kill(pid, 'SIGSTOP');
    const pending = reasonOf(token.generateRandom(8));
    await token.close();
    expect(await pending).toBe('helperEnded');
    expect(isAlive(pid)).toBe(false);
    expect(await reasonOf(token.generateRandom(8))).toBe('closed');
  });

  it('may be closed while it is being started again', async () => {
    const token = await open();
    process.kill(theHelper().pid, 'SIGKILL');
    await vi.waitUntil(() => token.state().circuit === 'open', LONG);
    await token.close();
    expect(helpersOf(process.pid)).toEqual([]);
    expect(await reasonOf(token.generateRandom(8))).toBe('closed');
  });

  it('goes on through the signals that end a group of processes, so that its parent can finish', async () => {
    const token = await open();
    const { pid } = theHelper();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal);
    expect(await token.generateRandom(8)).toHaveLength(8);
    expect(theHelper().pid).toBe(pid);
  });

  /** A program over the package that opens the token, then runs `rest`. */
  function program(rest: string): ReturnType<typeof spawn> {
    const { pin, ...options } = optionsOf();
    const source = `
      import { openPkcs11Token } from ${JSON.stringify(DIST)};
      const pin = Buffer.from(${JSON.stringify(Buffer.from(pin).toString())});
      const token = await openPkcs11Token({ ...${JSON.stringify(options)}, pin });
      ${rest}`;
    return spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  it.each(['', 'C_GenerateRandom hang'])('ends when its parent is killed (faults: "%s")', async (fault) => {
    writeFaults(files.faults, ...(fault === '' ? [] : [fault]));
    const parent = program("token.generateRandom(8).catch(() => 0); console.log('open'); setInterval(() => 0, 1000);");
    await once(parent.stdout!, 'data');
    const [helper] = helpersOf(parent.pid!);
    expect(isAlive(helper!.pid)).toBe(true);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await vi.waitUntil(() => !isAlive(helper!.pid), LONG);
  });

  it('does not keep its parent from ending, before or while it works', async () => {
    for (const rest of ['', 'token.generateRandom(8); process.exit(0);']) {
      const parent = program(rest);
      parent.stdout!.resume();
      const [status] = (await once(parent, 'exit')) as [number | null];
      expect(status).toBe(0);
    }
  });

  it('keeps its parent until what was asked is answered', async () => {
    const parent = program('token.generateRandom(8).then((bytes) => console.log(bytes.length));');
    const [output] = (await once(parent.stdout!, 'data')) as [Buffer];
    expect(String(output)).toBe('8\n');
    await once(parent, 'exit');
  });

  it('is refused an environment or a name that would be ignored', async () => {
    const { environment, ...options } = optionsOf({ process: 'this' });
    await expect(openPkcs11Token({ ...options, environment: environment! })).rejects.toMatchObject({
      reason: 'invalidArgument',
    });
    await expect(openPkcs11Token({ ...options, process: 'other' as 'this' })).rejects.toMatchObject({
      reason: 'invalidArgument',
    });
  });
});
