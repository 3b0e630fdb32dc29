/** 100,000 operations on a token that keeps failing: none is answered wrongly, and no acknowledged key is lost. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { openPkcs11Token, type Pkcs11Token } from '../../../src/pkcs11/index.ts';
import { SEED } from '../../support/seed.ts';
import { missingSoftHsm } from '../../support/softhsm.ts';
import { shimmedBench, type ShimmedBench } from './bench.ts';
import { FAULT_KINDS, type FaultKind } from './faults.ts';
import { putKeys, Workload } from './operations.ts';
import { Choices } from './random.ts';

const OPERATIONS = 100_000;
/** Each kind of fault comes so often, in another order every time. */
const ROUNDS = 3;
const AT_ONCE = 24;
const SESSIONS = 4;
const TIMEOUT_MS = 1500;
/** Far more than the soak takes, a minute. */
const PATIENCE_MS = 600_000;

describe.skipIf(missingSoftHsm !== undefined)(`a token under faults (seed ${String(SEED)})`, () => {
  const choices = new Choices(SEED);
  const hits = new Map<string, number>();
  let bench: ShimmedBench;
  let token: Pkcs11Token;
  let work: Workload;

  beforeAll(async () => {
    bench = shimmedBench();
    const patient = await openPkcs11Token(bench.options);
    const keys = await putKeys(patient);
    await patient.close();
    token = await openPkcs11Token({ ...bench.options, sessions: SESSIONS, timeoutMs: TIMEOUT_MS });
    work = new Workload(token, choices, keys);
  });
  afterAll(async () => {
    bench.faults();
    await token.close();
    bench.remove();
  });

  /** Works as long as it goes on and nothing is wrong. */
  async function workWhile(kind: string, goesOn: () => boolean): Promise<void> {
    let wrong: Error | undefined;
    const worker = async (): Promise<void> => {
      while (wrong === undefined && goesOn()) {
        await work.step(kind).catch((error: unknown) => {
          wrong ??= error instanceof Error ? error : new Error(String(error));
        });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    if (wrong !== undefined) throw wrong;
  }

  async function workUnder({ name, lines, lastsMs }: FaultKind, seed: number, operations: number): Promise<void> {
    const before = bench.faultsHit();
    bench.faults(`seed ${String(seed)}`, ...lines);
    const end = work.answered + operations;
    let isOver = lastsMs === undefined;
    const over = delay(lastsMs ?? 0).then(() => {
      isOver = true;
      if (lastsMs !== undefined) bench.faults();
    });
    await Promise.all([workWhile(name, () => !isOver || work.answered < end), over]);
    bench.faults();
    hits.set(name, (hits.get(name) ?? 0) + bench.faultsHit() - before);
    await expect.poll(() => token.state().circuit).toBe('closed');
    await work.settle();
  }

  it(
    `answers ${String(OPERATIONS)} operations, none of them wrongly, and has the keys that it acknowledged`,
    async () => {
      const share = Math.ceil(OPERATIONS / ROUNDS / FAULT_KINDS.length);
      for (let round = 0; round < ROUNDS; round++) {
        for (const kind of choices.shuffled(FAULT_KINDS)) {
          await workUnder(kind, choices.below(0x7fffffff), share);
        }
      }
      expect(work.answered, work.summary()).toBeGreaterThanOrEqual(OPERATIONS);
      for (const { name } of FAULT_KINDS) expect(hits.get(name), name).toBeGreaterThan(0);
    },
    PATIENCE_MS,
  );

  it('answers everything when all is over, with all of its sessions', async () => {
    const [failed, answered] = [work.failed, work.answered];
    // Threads that found no session try again one after the other, as long as there is work.
    await workWhile('no fault', () => work.answered < answered + 2000 || token.state().sessions < SESSIONS);
    await work.settle();
    expect(work.failed).toBe(failed);
    expect(token.state()).toMatchObject({ circuit: 'closed', queued: 0, sessions: SESSIONS });
  });
});
