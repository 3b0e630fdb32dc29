/** `keywright hsm bench` on SoftHSM2. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runKeywright, type CommandResult } from '../support/server-process.ts';
import { createSoftHsm, missingSoftHsm, type SoftHsm, type SoftToken } from '../support/softhsm.ts';

describe.skipIf(missingSoftHsm)('keywright hsm bench', () => {
  let hsm: SoftHsm;
  let token: SoftToken;
  beforeAll(() => {
    hsm = createSoftHsm();
    token = hsm.addToken('measured');
  });
  afterAll(() => {
    hsm.remove();
  });

  const run = (command: string, ...args: string[]): Promise<CommandResult> =>
    runKeywright('', ['hsm', command, '--module', hsm.module, ...args], {
      ...hsm.environment,
      KEYWRIGHT_PKCS11_PIN: token.pin,
    });
  const SHORT = ['--token-label', 'measured', '--profile', 'softhsm', '--sessions', '2', '--seconds', '0.01'];

  it('measures every operation at every number of requests in flight, and leaves no key behind', async () => {
    const { status, stdout, stderr } = await run('bench', ...SHORT, '--in-flight', '1,4', '--json');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const rows = JSON.parse(stdout) as { operation: string; inFlight: number; opsPerSecond: number; cpuUs: number }[];
    const operations = [...new Set(rows.map(({ operation }) => operation))];
    expect(operations.length).toBeGreaterThanOrEqual(9);
    expect(rows.map(({ operation, inFlight }) => `${operation}, ${inFlight}`)).toEqual(
      operations.flatMap((operation) => [`${operation}, 1`, `${operation}, 4`]),
    );
    for (const row of rows) {
      expect(row.opsPerSecond, row.operation).toBeGreaterThan(0);
      expect(row.cpuUs, row.operation).toBeGreaterThan(0);
      expect(row).toHaveProperty('p50Us');
      // So few calls have no slowest thousandth.
      expect(row).not.toHaveProperty('p999Us');
    }
    const keys = await run('keys', '--token-label', 'measured');
    expect(keys.stdout).toBe('no keys\n');
  });

  it('prints a table', async () => {
    const { stdout } = await run('bench', ...SHORT, '--in-flight', '2');
    expect(stdout).toMatch(/^OPERATION +IN FLIGHT +OPS\/S +P50 µs/);
    expect(stdout).toMatch(/^ECDSA P-256, sign +2 +\d+/m);
  });

  it('measures the token in a helper process', async () => {
    const { status, stdout, stderr } = await run('bench', ...SHORT, '--in-flight', '2', '--helper');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^ECDSA P-256, sign +2 +\d+/m);
  });

  it('takes the slot in place of the label', async () => {
    const { status, stdout } = await run('bench', ...SHORT.slice(2), '--slot', String(token.slot), '--in-flight', '1');
    expect(status).toBe(0);
    expect(stdout).toContain('RSA-2048');
  });

  it.each([
    [['--token-label', 'measured', '--in-flight', '1,0'], /--in-flight takes whole numbers from 1 to 1024, not "0"/],
    [['--token-label', 'measured', '--in-flight', ''], /--in-flight takes whole numbers/],
    [['--token-label', 'measured', '--sessions', '65'], /--sessions takes whole numbers from 1 to 64, not "65"/],
    [['--token-label', 'measured', '--seconds', 'soon'], /--seconds must be a number above 0, up to 600/],
    [['--token-label', 'measured', '--profile', 'toString'], /--profile must be one of generic, .*, not "toString"/],
    [[], /which token\? Set --token-label or --slot/],
    [['--token-label', 'measured', '--erase'], /hsm bench does not take --erase/],
  ])('refuses %j with status 64', async (args, text) => {
    const { status, stderr } = await run('bench', ...args);
    expect(stderr).toMatch(text);
    expect(status).toBe(64);
  });

  it('tells of a token that is not there with status 1', async () => {
    const { status, stderr } = await run('bench', '--token-label', 'another');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(status).toBe(1);
  });
});
