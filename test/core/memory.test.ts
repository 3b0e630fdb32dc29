/**
 * Where the bytes of keys lie while the core works with them. A process runs every function of the addon with keys that
 * its parent knows and JavaScript there never has, or wipes; the parent searches its memory and its core image. Linux.
 */
import { randomBytes } from 'node:crypto';
import { describe, expect, it, type TestContext } from 'vitest';
import { createSoftHsm, missingSoftHsm } from '../support/softhsm.ts';
import { leakingPlan, tokenPlan, wholePlan, type Plan } from './memory/plan.ts';
import { WatchedProcess } from './memory/process.ts';
import { Scanner } from './memory/scanner.ts';

/**
 * Functions that no step of the whole plan calls: `info` has no key, this one's purpose is to give a private key to
 * JavaScript, and those of tokens have a plan of their own.
 */
const NOT_CALLED = [
  'exportPrivateKeyInto',
  'info',
  'pkcs11Close',
  'pkcs11Open',
  'pkcs11OpenKey',
  'pkcs11SealKey',
  'pkcs11State',
  'pkcs11Submit',
];
const SECONDS = 120_000;
const MARKER = 'marker';

async function watch(
  plan: Plan,
  action: (child: WatchedProcess, scanner: Scanner) => Promise<void>,
  environment?: Readonly<Record<string, string>>,
): Promise<void> {
  const marker = randomBytes(32);
  const child = new WatchedProcess(marker, plan.steps, environment);
  try {
    const { results } = await child.answer;
    await action(child, new Scanner([{ name: MARKER, bytes: marker }, ...plan.canaries(results)]));
  } finally {
    child.close();
  }
}

/** Of what is looked for only the marker is in the core image, which has the registers of threads that wait, too. */
async function expectCleanCore(child: WatchedProcess, scanner: Scanner, context: TestContext): Promise<void> {
  const core = await child.searchCore(scanner);
  if (core === undefined && process.env['CI'] !== 'true') context.skip('no core image: neither the kernel nor gcore');
  expect([...(core?.keys() ?? [])]).toEqual([MARKER]);
}

describe.skipIf(process.platform !== 'linux')('keys in memory', () => {
  it(
    'lie nowhere but in memory that is locked and left out of core dumps',
    async (context) => {
      const plan = wholePlan();
      await watch(plan, async (child, scanner) => {
        const { functions, info } = await child.answer;
        const called = new Set<string>(plan.steps.map(({ name }) => name));
        expect(functions.filter((name) => !called.has(name)).sort()).toEqual(NOT_CALLED);

        expect([...child.searchStacks(scanner).keys()]).toEqual([]);

        const { dumped, excluded, unlocked } = child.search(scanner);
        // The search finds what is there, on both sides.
        expect([...dumped.keys()]).toEqual([MARKER]);
        expect([...plan.kept].filter((name) => !excluded.has(name))).toEqual([]);
        expect(excluded.has('destroyed')).toBe(false);
        // Root may lock what it likes; for others the system's limit can be used up.
        if (process.getuid?.() === 0 && info.secureHeap.isLocked) expect([...unlocked.keys()]).toEqual([]);

        await expectCleanCore(child, scanner, context);
      });
    },
    SECONDS,
  );

  it.skipIf(missingSoftHsm)(
    'that a token opens, and its PIN, lie in the same memory only',
    async (context) => {
      const hsm = createSoftHsm();
      const plan = tokenPlan(hsm, hsm.addToken('root', { pin: randomBytes(16).toString('hex') }));
      const search = async (child: WatchedProcess, scanner: Scanner): Promise<void> => {
        expect([...child.searchStacks(scanner).keys()]).toEqual([]);
        const { dumped, excluded } = child.search(scanner);
        expect([...dumped.keys()]).toEqual([MARKER]);
        expect([...plan.kept].filter((name) => !excluded.has(name))).toEqual([]);
        await expectCleanCore(child, scanner, context);
      };
      try {
        await watch(plan, search, hsm.environment);
      } finally {
        hsm.remove();
      }
    },
    SECONDS,
  );

  it(
    'are found by this search where JavaScript has them',
    async () => {
      await watch(leakingPlan(), async (child, scanner) => {
        const { dumped } = child.search(scanner);
        expect([...dumped.keys()].sort()).toEqual([MARKER, 'p256 scalar']);
      });
    },
    SECONDS,
  );
});
