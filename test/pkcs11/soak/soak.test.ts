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
const TIMEOUT_MS = 3000;
/** Far more than the soak takes on a machine that has nothing else to do. */
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

  /** Works until `until` says that it is enough. */
  async function workWhile(kind: string, goesOn: () => boolean): Promise<void> {
    const worker = async (): Promise<void> => {
      while (goesOn()) await work.step(kind);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  async function workUnder({ name, lines, lastsMs }: FaultKind, seed: number, operations: number): Promise<void> {
    const before = bench.faultsHit();
    bench.faults(`seed ${String(seed)}`, ...lines);
    const end = work.operations + operations;
    if (lastsMs === undefined) {
      await workWhile(name, () => work.operations < end);
    } else {
      let isOver = false;
      const over = delay(lastsMs).then(() => {
        isOver = true;
        bench.faults();
      });
      await Promise.all([workWhile(name, () => !isOver || work.operations < end), over]);
    }
    hits.set(name, (hits.get(name) ?? 0) + bench.faultsHit() - before);
  }

  it(
    `answers ${String(OPERATIONS)} operations, none of them wrongly`,
    async () => {
      const share = Math.ceil(OPERATIONS / ROUNDS / FAULT_KINDS.length);
      for (let round = 0; round < ROUNDS; round++) {
        for (const kind of choices.shuffled(FAULT_KINDS)) {
          await workUnder(kind, choices.below(0x7fffffff), share);
        }
      }
      bench.faults();
      console.log(work.summary(), Object.fromEntries(hits));
      expect(work.operations).toBeGreaterThanOrEqual(OPERATIONS);
      // Faults are survived, for the most part.
      expect(work.answered).toBeGreaterThan(0.9 * OPERATIONS);
      for (const { name } of FAULT_KINDS) expect(hits.get(name), name).toBeGreaterThan(0);
    },
    PATIENCE_MS,
  );

  it('has the keys that were acknowledged and none that was not, and works when all is over', async () => {
    await expect.poll(() => token.state().circuit).toBe('closed');
    const known = new Set(work.knownIds);
    const ids = (await token.findKeys()).map((key) => `${key.objectClass} ${key.id.toString()}`);
    const made = ids.filter((id) => id.startsWith('secret made')).map((id) => id.slice('secret '.length));
    expect(work.ledger.contradictions(made)).toEqual([]);
    expect(ids.filter((id) => !id.startsWith('secret made') && !known.has(id))).toEqual([]);
    expect(ids.length - made.length).toBe(known.size);
    const [failed, answered] = [work.failed, work.answered];
    await workWhile('no fault', () => work.answered < answered + 2000);
    expect(work.failed).toBe(failed);
    expect(token.state()).toMatchObject({ circuit: 'closed', queued: 0 });
  });
});
